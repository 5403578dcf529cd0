"""Values as a gray picture."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import numpy.typing as npt


def gray_png(values: npt.NDArray[np.floating], low: float, high: float) -> bytes:
    """A gray picture of values, `low` black and `high` white; what is no number is transparent (PNG, ISO 15948)."""
    known = np.isfinite(values)
    gray = np.round(255 * (np.where(known, values, low) - low) / ((high - low) or 1)).clip(0, 255)
    pixels = gray.astype(np.uint8)
    kind = 0 if known.all() else 4
    lines = pixels[..., None] if kind == 0 else np.stack([pixels, 255 * known.astype(np.uint8)], axis=2)
    flat = lines.reshape(len(values), -1)
    unfiltered = np.concatenate([np.zeros((len(flat), 1), np.uint8), flat], axis=1)
    height, width = values.shape

    def chunk(name: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(unfiltered.tobytes(), 9))
        + chunk(b"IEND", b"")
    )
