"""What an update is held against: the multiplications of the network as it is written, at the machine's matmul rate.

No bound that holds for every implementation: the same function can be computed with fewer multiplications, such as from
a table of every token through the first layer, which was slower all the same.
"""

import time
from statistics import median

import torch


def multiply_adds(
    pairs: int, answers: int, d: int = 128, h: int = 4, k: int = 32, m: int = 512, layers: int = 1
) -> int:
    """Count the multiply-adds of a forward pass as the network is written, with equal rows computed once.

    Per pair, at the last position: W_O, W_in, W_out of each layer and W_U. In deeper networks every layer but the last
    is also needed at the positions before, whose rows repeat less the later they stand; those are left out.
    """
    return pairs * (layers * (h * k * d + 2 * d * m) + d * answers)


def matmul_rate(device: torch.device) -> float:
    """Measure float32 multiplications and additions per second, on a product of the MLP's shape: the median of 20."""
    torch.set_float32_matmul_precision("highest")
    a, b = torch.randn(4096, 512, device=device), torch.randn(512, 512, device=device)
    times = []
    for _ in range(20):
        start = time.perf_counter()
        for _ in range(10):
            a @ b
        if device.type == "cuda":
            torch.cuda.synchronize()
        times.append((time.perf_counter() - start) / 10)
    return 2 * 4096 * 512 * 512 / median(times)


def floor_seconds(rate: float, pairs: int, answers: int, **shape: int) -> float:
    """Return the floor of an update: forward once, backward twice the multiplications."""
    return 3 * 2 * multiply_adds(pairs, answers, **shape) / rate
