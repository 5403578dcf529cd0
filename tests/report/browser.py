"""A headless Chromium driven through its debugging pipe, so that no package is needed for it."""

import base64
import json
import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
]


class Page:
    """One open page: what it requested, what went wrong in it, and what it answers."""

    def __init__(self, directory: Path) -> None:
        down, up = os.pipe(), os.pipe()
        command = f"exec {CHROMIUM} {' '.join(FLAGS)} --user-data-dir={directory} --remote-debugging-pipe"
        self.process = subprocess.Popen(
            ["bash", "-c", f"{command} about:blank 3<&{down[0]} 4>&{up[1]}"],
            pass_fds=(down[0], up[1]),
            stderr=subprocess.DEVNULL,
        )
        os.close(down[0])
        os.close(up[1])
        self.out, self.into = os.fdopen(down[1], "wb"), os.fdopen(up[0], "rb")
        self.number, self.buffer, self.session = 0, b"", None
        self.requests: list[str] = []
        self.problems: list[str] = []
        attach = {"targetId": self._first_page(), "flatten": True}
        self.session = self.ask("Target.attachToTarget", **attach)["sessionId"]
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.ask(f"{domain}.enable")

    def _first_page(self) -> str:
        """Wait for the first page to open: on a busy machine it comes after the browser's first answers."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            for target in self.ask("Target.getTargets")["targetInfos"]:
                if target["type"] == "page":
                    return target["targetId"]
            time.sleep(0.1)
        raise AssertionError("chromium opened no page in a minute")

    def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        self.out.write(json.dumps(message).encode() + b"\0")
        self.out.flush()
        while True:
            reply = self._read()
            if reply.get("id") == self.number:
                assert "error" not in reply, reply
                return reply["result"]
            self._note(reply)

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self.buffer:
            piece = os.read(self.into.fileno(), 1 << 20)
            assert piece, "chromium is gone"
            self.buffer += piece
        message, _, self.buffer = self.buffer.partition(b"\0")
        return json.loads(message)

    def _note(self, event: dict[str, Any]) -> None:
        method, details = event.get("method"), event.get("params", {})
        if method == "Network.requestWillBeSent":
            self.requests.append(details["request"]["url"])
        if method == "Runtime.exceptionThrown":
            self.problems.append(details["exceptionDetails"]["text"])
        if method == "Runtime.consoleAPICalled" and details["type"] in ("error", "warning"):
            self.problems.append(str(details["args"]))
        if method == "Log.entryAdded" and details["entry"]["level"] in ("error", "warning"):
            self.problems.append(details["entry"]["text"])

    def look(self, width: int, scheme: str) -> None:
        """Be a window of this width, of a reader with this color scheme."""
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        self.ask("Emulation.setDeviceMetricsOverride", **size)
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.ask("Emulation.setEmulatedMedia", features=features)

    def open(self, file: Path) -> None:
        self.ask("Page.navigate", url=file.absolute().as_uri())
        self.wait_for("document.documentElement.dataset.state === 'drawn'")

    def wait_for(self, condition: str, seconds: float = 120) -> None:
        end = time.monotonic() + seconds
        while not self.evaluate(condition):
            assert time.monotonic() < end, f"{condition} did not become true; {self.problems}"
            time.sleep(0.05)

    def evaluate(self, expression: str) -> Any:
        return self.ask("Runtime.evaluate", expression=expression, returnByValue=True)["result"].get("value")

    def screenshot(self, file: Path) -> None:
        """The whole page, from top to bottom."""
        size = self.ask("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
        image = self.ask("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)
        file.write_bytes(base64.b64decode(image["data"]))

    def close(self) -> None:
        self.ask("Browser.close")
        self.process.wait(timeout=20)
        self.out.close()
        self.into.close()
