"""A headless Chromium, driven by the DevTools protocol over a pair of pipes."""

import fcntl
import itertools
import json
import os
import pathlib
import select
import shutil
import subprocess
import tempfile
from typing import Any

_TIMEOUT = 120  # seconds: machines that run tests are busy


class Browser:
    """One page. What it asked for and what its scripts threw is in `requests` and `exceptions`."""

    def __init__(self, width: int, height: int) -> None:
        program = shutil.which("chromium")
        assert program, "chromium is not installed; run tools/setup"
        self.requests: list[str] = []
        self.exceptions: list[str] = []
        self._profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        commands, self._to = os.pipe()
        self._from, answers = os.pipe()
        # Chromium reads commands from descriptor 3 and writes answers to 4. Both are copied away first: they may be the
        # ones that are overwritten.
        def connect() -> None:
            ends = [fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in (commands, answers)]
            os.dup2(ends[0], 3)
            os.dup2(ends[1], 4)

        flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--remote-debugging-pipe"]
        self._process = subprocess.Popen(
            [program, *flags, f"--user-data-dir={self._profile.name}", "about:blank"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            close_fds=False,
            preexec_fn=connect,
        )
        os.close(commands)
        os.close(answers)
        self._numbers = itertools.count(1)
        self._received = b""
        self._session: str | None = None
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network"):
            self._call(f"{domain}.enable")
        self._call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False
        )

    def close(self) -> None:
        os.close(self._to)
        self._process.kill()
        self._process.wait()
        os.close(self._from)
        self._profile.cleanup()

    def _receive(self) -> dict[str, Any]:
        while b"\0" not in self._received:
            ready, _, _ = select.select([self._from], [], [], _TIMEOUT)
            part = os.read(self._from, 1 << 20) if ready else b""
            assert part, "chromium does not answer"
            self._received += part
        message, self._received = self._received.split(b"\0", 1)
        return json.loads(message)

    def _next(self) -> dict[str, Any]:
        message = self._receive()
        match message.get("method"):
            case "Network.requestWillBeSent":
                self.requests.append(message["params"]["request"]["url"])
            case "Runtime.exceptionThrown":
                self.exceptions.append(json.dumps(message["params"]["exceptionDetails"]))
        return message

    def _call(self, method: str, **parameters: Any) -> dict[str, Any]:
        number = next(self._numbers)
        command = {"id": number, "method": method, "params": parameters}
        if self._session:
            command["sessionId"] = self._session
        os.write(self._to, json.dumps(command).encode() + b"\0")
        while (message := self._next()).get("id") != number:
            pass
        assert "error" not in message, message
        return message["result"]

    def open(self, file: pathlib.Path) -> None:
        self.navigate(file.as_uri())

    def navigate(self, url: str) -> None:
        self._call("Page.navigate", url=url)
        while self._next().get("method") != "Page.loadEventFired":
            pass

    def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression, after what has been asked to be drawn is drawn."""
        drawn = "new Promise(done => requestAnimationFrame(() => setTimeout(done)))"
        result = self._call(
            "Runtime.evaluate", expression=f"{drawn}.then(() => ({expression}))", awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def box(self, selector: str) -> dict[str, float]:
        """Where the first element that matches lies: x, y, width, height."""
        return self.evaluate(f"document.querySelector({json.dumps(selector)}).getBoundingClientRect().toJSON()")

    def _mouse(self, kind: str, x: float, y: float, **more: Any) -> None:
        self._call("Input.dispatchMouseEvent", type=kind, x=x, y=y, **more)

    def hover(self, x: float, y: float) -> None:
        self._mouse("mouseMoved", x, y)

    def wheel(self, x: float, y: float, delta: float) -> None:
        self._mouse("mouseWheel", x, y, deltaX=0, deltaY=delta)

    def drag(self, x: float, y: float, to: float) -> None:
        """From x to `to`, by the left button; a click if they are the same."""
        self._mouse("mouseMoved", x, y)
        self._mouse("mousePressed", x, y, button="left", buttons=1, clickCount=1)
        if to != x:
            self._mouse("mouseMoved", (x + to) / 2, y, button="left", buttons=1)
            self._mouse("mouseMoved", to, y, button="left", buttons=1)
        self._mouse("mouseReleased", to, y, button="left", buttons=0, clickCount=1)

    def click(self, selector: str) -> None:
        box = self.box(selector)
        x = box["x"] + box["width"] / 2
        self.drag(x, box["y"] + box["height"] / 2, x)
