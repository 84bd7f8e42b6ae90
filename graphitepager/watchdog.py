"""Ends a process that has hung, so that its supervisor starts another: a silent pager is worse than none."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from typing import TYPE_CHECKING

from graphitepager import telemetry
from graphitepager.telemetry import log

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

LOOK_EVERY_S = 20.0

HUNG = 70  # sysexits.h: an internal error
_LAST_LINES_S = 2.0
_DEEPEST = 30


class Watchdog:
    """Knows who has to give a sign of life, and for how long each may be silent. Thread-safe.

    `leave` ends the process. Who is overdue at one look has until the next one: after a suspended machine wakes up,
    everybody is. `well` is called at each look that finds nobody overdue, for whoever watches from outside.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        leave: Callable[[int], object] = os._exit,
        well: Callable[[], object] = lambda: None,
        look_every_s: float = LOOK_EVERY_S,
    ) -> None:
        self._clock = clock
        self._leave = leave
        self._well = well
        self._look_every_s = look_every_s
        self._lock = threading.Lock()
        self._beats: dict[str, tuple[float, float]] = {}  # the last sign of life, and the longest silence allowed
        self._overdue: dict[str, float] = {}  # at the last look

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Look every now and then inside the block."""
        end = threading.Event()

        def watch() -> None:
            while not end.wait(self._look_every_s):
                self.look()

        threading.Thread(target=watch, name="watchdog", daemon=True).start()
        try:
            yield
        finally:
            end.set()

    def beat(self, name: str, limit_s: float) -> None:
        """Say that the part of this name is alive, and for how long it may be silent now."""
        with self._lock:
            self._beats[name] = (self._clock(), limit_s)

    def forget(self, name: str) -> None:
        """Expect no more of it."""
        with self._lock:
            self._beats.pop(name, None)

    def look(self) -> None:
        """End the process if somebody is overdue for the second time, without a sign of life in between."""
        now = self._clock()
        with self._lock:
            before = self._overdue
            self._overdue = {name: at for name, (at, limit_s) in self._beats.items() if now - at > limit_s}
            hung = {name: now - at for name, at in self._overdue.items() if before.get(name) == at}
            is_well = not self._overdue
        if is_well:
            self._well()
        if not hung:
            return
        for name, silent_s in hung.items():
            log.critical("hung", part=name, silent_s=silent_s)
        _tell_stacks()
        telemetry.flush(_LAST_LINES_S)
        self._leave(HUNG)


def _tell_stacks() -> None:
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    frames = sys._current_frames()  # noqa: SLF001 - faulthandler has the same, but writes past our log
    for ident, frame in frames.items():
        log.error("stack", thread=names.get(ident, ident), stack=_stack(frame))


def _stack(frame: FrameType | None) -> str:
    """`poller.py:88 tick < daemon.py:71 run`: the innermost first, because a long line is cut at its end."""
    places: list[str] = []
    while frame is not None and len(places) < _DEEPEST:
        code = frame.f_code
        places.append(f"{code.co_filename.rsplit('/', 1)[-1]}:{frame.f_lineno} {code.co_name}")
        frame = frame.f_back
    return " < ".join(places)
