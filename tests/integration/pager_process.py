"""The real program as a real process, as a user starts it: arguments, an environment, signals, what it prints."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from signal import Signals
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

# Nothing of the machine's own environment but what a process needs to start.
_BASE = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "PYTHONWARNINGS": "error::ResourceWarning"}
_PROGRAM = (sys.executable, "-m", "graphitepager")


def run(
    *arguments: str, environment: Mapping[str, str] | None = None, folder: Path, timeout_s: float = 30
) -> subprocess.CompletedProcess[str]:
    """Run `graphite-pager` with these arguments in this folder until it ends."""
    return subprocess.run(
        [*_PROGRAM, *arguments],
        cwd=folder,
        env={**_BASE, **(environment or {})},
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )


class Pager:
    """A running `graphite-pager`, or another program of ours; what it prints is collected as it comes."""

    def __init__(
        self,
        environment: Mapping[str, str],
        folder: Path,
        *arguments: str,
        program: Sequence[str] = _PROGRAM,
        base: Mapping[str, str] = _BASE,
    ) -> None:
        self._lines: list[str] = []
        self._changed = threading.Condition()
        self.process = subprocess.Popen(
            [*program, *arguments],
            cwd=folder,
            env={**base, **environment},
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._thread = threading.Thread(target=self._collect, daemon=True)
        self._thread.start()

    @property
    def output(self) -> str:
        with self._changed:
            return "\n".join(self._lines)

    def wait_for(self, text: str, *, times: int = 1, timeout_s: float = 15) -> None:
        """Wait until it has printed `text` so often; AssertionError with all of its output when it does not."""
        with self._changed:
            seen = self._changed.wait_for(lambda: sum(text in line for line in self._lines) >= times, timeout_s)
        assert seen, f"{text!r} was not printed {times} times:\n{self.output}"

    def end(self, number: Signals = Signals.SIGTERM, timeout_s: float = 10) -> tuple[int, float]:
        """Signal it and wait; return its exit code and how many seconds it took to end."""
        began = time.monotonic()
        self.process.send_signal(number)
        return self.wait(timeout_s), time.monotonic() - began

    def end_all(self, number: Signals = Signals.SIGTERM, timeout_s: float = 10) -> int:
        """Signal it and every process that it has started, all at once, and wait; return its exit code."""
        os.killpg(self.process.pid, number)
        return self.wait(timeout_s)

    def wait(self, timeout_s: float = 10) -> int:
        """Wait until it has ended and all that it printed is in `output`; return its exit code."""
        code = self.process.wait(timeout_s)
        self._thread.join(5)
        return code

    def _collect(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout:
            for line in self.process.stdout:
                with self._changed:
                    self._lines.append(line.rstrip("\n"))
                    self._changed.notify_all()


@contextmanager
def running(environment: Mapping[str, str], folder: Path, *arguments: str) -> Iterator[Pager]:
    """A pager that is killed at the end of the block, if it still runs."""
    pager = Pager(environment, folder, *arguments)
    try:
        yield pager
    finally:
        if pager.process.poll() is None:
            pager.end(Signals.SIGKILL)
