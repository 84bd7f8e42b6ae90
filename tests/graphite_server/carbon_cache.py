"""A real carbon-cache for the tests: starts it, can freeze and kill it, reads its whisper files back."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
from typing import TYPE_CHECKING

from tests.graphite_server.client import HERE, STEP_S, graphite_python

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType
    from typing import Self

_CONF = """[cache]
GRAPHITE_ROOT = {root}
STORAGE_DIR = {root}/storage
LOCAL_DATA_DIR = {root}/storage/whisper
CONF_DIR = {root}/conf
LOG_DIR = {root}/log
PID_DIR = {root}
USER =
LINE_RECEIVER_INTERFACE = 127.0.0.1
LINE_RECEIVER_PORT = {port}
PICKLE_RECEIVER_PORT = 0
CACHE_QUERY_PORT = 0
MAX_CREATES_PER_MINUTE = inf
MAX_UPDATES_PER_SECOND = inf
ENABLE_TAGS = False
CARBON_METRIC_INTERVAL = 0
LOG_LISTENER_CONN_SUCCESS = False
"""
_SCHEMAS = f"[all]\npattern = .*\nretentions = {STEP_S}s:1h,1m:30d\n"
_STARTS_WITHIN_S = 20
_FETCH = "import json, sys, whisper; print(json.dumps(whisper.fetch(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))))"


class Carbon:
    """A running carbon-cache at `port`, with its storage below the root directory."""

    def __init__(self, root: Path) -> None:
        """Start it, which takes about a second. RuntimeError with its log where it does not start."""
        python = graphite_python()
        if python is None:
            raise RuntimeError("there is no Graphite environment: run `make setup`")
        self.root = root
        self.port = _free_port()
        for directory in ("storage/whisper", "conf", "log"):
            (root / directory).mkdir(parents=True, exist_ok=True)
        (root / "conf" / "carbon.conf").write_text(_CONF.format(root=root, port=self.port))
        (root / "conf" / "storage-schemas.conf").write_text(_SCHEMAS)
        (root / "conf" / "storage-aggregation.conf").write_text("[all]\npattern = .*\nxFilesFactor = 0\n")
        self._python = python
        self._log = root / "carbon.log"
        command = [
            python,
            python.parent / "carbon-cache.py",
            f"--config={root}/conf/carbon.conf",
            "--nodaemon",
            "start",
        ]
        # From Python 3.12 on it misses what compat.py has.
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, "GRAPHITE_ROOT": str(root), "PYTHONPATH": str(HERE)},
            )
        try:
            self._wait_until_it_listens()
        except BaseException:
            self.stop()
            raise

    def freeze(self) -> None:
        self._process.send_signal(signal.SIGSTOP)

    def stop(self) -> None:
        """End it at once; a second time does nothing."""
        self._process.kill()
        self._process.wait()

    @property
    def log(self) -> str:
        """What it says of lines that it ignored."""
        return self._log.read_text()

    def metrics(self) -> set[str]:
        """The names of all metrics that it has files for; tagged ones as it has encoded them."""
        storage = self.root / "storage" / "whisper"
        return {".".join(path.relative_to(storage).with_suffix("").parts) for path in storage.rglob("*.wsp")}

    def wait_for(self, *names: str, within_s: float = 15) -> None:
        """Wait until there are files for all of them."""
        end = time.monotonic() + within_s
        while missing := set(names) - self.metrics():
            assert time.monotonic() < end, f"not stored: {missing}, but {sorted(self.metrics())}\n{self.log}"
            time.sleep(0.05)

    def value(self, name: str, at: int) -> float | None:
        """The value that is stored for this time."""
        path = self.root.joinpath("storage", "whisper", *name.split(".")).with_name(f"{name.rpartition('.')[2]}.wsp")
        begins = at - at % STEP_S
        done = subprocess.run(
            [self._python, "-c", _FETCH, path, str(begins - 1), str(begins)], capture_output=True, text=True, check=True
        )
        _, points = json.loads(done.stdout)
        return next(iter(points), None)

    def _wait_until_it_listens(self) -> None:
        end = time.monotonic() + _STARTS_WITHIN_S
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                if self._process.poll() is not None or time.monotonic() > end:
                    raise RuntimeError(f"carbon-cache did not start:\n{self.log}") from None
                time.sleep(0.05)
            else:
                return

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
