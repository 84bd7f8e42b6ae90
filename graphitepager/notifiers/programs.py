"""Run a program once, bounded as a whole: its time, its output, and what it gets to see of our environment."""

from __future__ import annotations

import atexit
import os
import signal
import subprocess
import threading
from contextlib import suppress
from typing import IO, TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

# What a program needs to find its way, and no secret of ours: those are in the environment, too.
PLAIN_VARIABLES = frozenset({"HOME", "LANG", "LANGUAGE", "LOGNAME", "PATH", "SHELL", "TMPDIR", "TZ", "USER"})

_MOST_READ = 10_000
# A program that has ended may have left its output to another one, which goes on: that is not waited for.
_LAST_WORDS_S = 0.3
_REAP_S = 2.0

# Those that run now. When the pager ends, they end: what it has given up must not arrive later.
_running: set[subprocess.Popen[bytes]] = set()


class Ended(NamedTuple):
    """How it ended: its exit code, negative for a signal, and the beginning of what it said."""

    code: int
    output: str


def run(argv: Sequence[str], text: bytes, timeout_s: float, variables: Collection[str] = PLAIN_VARIABLES) -> Ended:
    """Run it with the text on its standard input. At the time limit its whole process group is killed: TimeoutError.

    So it is when this process ends before it.
    OSError where it cannot be run. It sees those of our environment's variables that are named, and those of LC_.
    """
    visible = {name: value for name, value in os.environ.items() if name in variables or name.startswith("LC_")}
    process = subprocess.Popen(  # noqa: S603 - a list, no shell; the user's own configuration says what
        list(argv),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=visible,
        start_new_session=True,
    )
    _running.add(process)
    assert process.stdin is not None  # noqa: S101 - asked for above
    assert process.stdout is not None  # noqa: S101
    output = bytearray()
    threads = [
        threading.Thread(target=_write, args=(process.stdin, text), name="program-input", daemon=True),
        threading.Thread(target=_read, args=(process.stdout, output), name="program-output", daemon=True),
    ]
    for thread in threads:
        thread.start()
    try:
        code = process.wait(timeout_s)
    except subprocess.TimeoutExpired:
        raise TimeoutError from None
    finally:
        if process.returncode is None:
            _kill(process)
        _running.discard(process)
        threads[1].join(_LAST_WORDS_S)
    return Ended(code, bytes(output).decode("utf-8", "replace"))


def _kill_all() -> None:
    for process in list(_running):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


atexit.register(_kill_all)


def _kill(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    with suppress(subprocess.TimeoutExpired):  # one that even that does not end hangs in the kernel
        process.wait(_REAP_S)


def _write(stream: IO[bytes], text: bytes) -> None:
    with suppress(OSError), stream:  # it need not read it
        stream.write(text)


def _read(stream: IO[bytes], output: bytearray) -> None:
    """Keep the beginning, and take the rest as well: a full pipe would stop the program."""
    with suppress(OSError, ValueError), stream:
        while piece := os.read(stream.fileno(), 65_536):
            output += piece[: max(_MOST_READ - len(output), 0)]
