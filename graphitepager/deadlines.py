"""An outer deadline for calls that have none of their own: DNS, or a peer that answers a byte at a time."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


def run_within(seconds: float, call: Callable[[], T]) -> T:
    """Return what `call()` returns, or raise what it raises; TimeoutError when neither has come after `seconds`.

    A call that is late goes on in a daemon thread, unheard: whoever sets the deadline has to make sure that it ends.
    An executor's threads would not do: the interpreter waits for them when it exits.
    """
    outcome: Future[T] = Future()

    def run() -> None:
        try:
            outcome.set_result(call())
        except BaseException as error:  # noqa: BLE001 - handed over to the caller's thread, where it is raised
            outcome.set_exception(error)

    threading.Thread(target=run, name=f"within-{seconds:g}s", daemon=True).start()
    return outcome.result(timeout=seconds)
