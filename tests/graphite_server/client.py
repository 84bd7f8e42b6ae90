"""A real Graphite for the tests and the demo: starts serve.py, has metrics written, ends it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType
    from typing import Self

HERE = Path(__file__).resolve().parent
STEP_S = 10
ONE_HOUR = ((STEP_S, 360),)


def graphite_python() -> Path | None:
    """Find the Python that has graphite-web: $GRAPHITE_PYTHON, or the one `make setup` installs."""
    python = Path(os.environ.get("GRAPHITE_PYTHON") or HERE.parent.parent / ".venv-graphite" / "bin" / "python")
    return python if python.exists() else None


class Graphite:
    """A running graphite-web at `url`, with the storage it keeps below its root directory."""

    def __init__(self, root: Path, *, credentials: str | None = None, max_seconds: float = 900) -> None:
        """Start it, which takes about a second.

        `credentials` (user:pass) is what it then wants of every request. It ends with this process, and after
        `max_seconds` at the latest. Raises RuntimeError with its own words when it does not start.
        """
        python = graphite_python()
        if python is None:
            raise RuntimeError("there is no Graphite environment: run `make setup`")
        self._storage = root / "storage" / "whisper"
        command = [python, "-W", "ignore", HERE / "serve.py", root, "--max-seconds", str(max_seconds)]
        if credentials is not None:
            command += ["--require-auth", credentials]
        log = root / "server.log"
        with log.open("w") as stderr:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr, text=True
            )
        word, _, port = self._read_line().partition(" ")
        if word != "READY":
            self.stop()
            raise RuntimeError(f"graphite-web did not start:\n{log.read_text()}")
        self.url = f"http://127.0.0.1:{int(port)}"

    def write(
        self,
        metrics: Mapping[str, Sequence[tuple[float, float]]],
        *,
        archives: Sequence[tuple[int, int]] = ONE_HOUR,
        now: int | None = None,
    ) -> None:
        """Write the (time, value) points of each metric; they can be read as soon as this returns.

        `archives` are (step in seconds, number of points), and count at a metric's first write. `now` stands in for
        the clock by which whisper decides what is too old to be kept.
        """
        request = {"write": list(metrics.items()), "archives": archives, "now": now}
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer = self._read_line()
        if json.loads(answer or "{}") != {"written": len(metrics)}:
            raise RuntimeError(f"Graphite did not write: {answer or 'it has ended'}")

    def forget(self) -> None:
        """Take away every metric; nothing may be writing meanwhile."""
        shutil.rmtree(self._storage)
        self._storage.mkdir()

    def stop(self) -> None:
        """End it; a second time does nothing."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def _read_line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()
