"""Calls a function in a process of its own, so that the memory it takes is given back: a schema takes 14 MB."""

from __future__ import annotations

import os
import pickle
from typing import TYPE_CHECKING, TypeVar

from graphitepager.errors import PagerError, describe_bug

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


def apart(call: Callable[[], T]) -> T:
    """Return what `call()` returns, or raise the PagerError that it raises. To be called before there are threads."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        _answer(call, writer)
    os.close(writer)
    with os.fdopen(reader, "rb") as answer:
        data = answer.read()
    os.waitpid(child, 0)
    if not data:
        raise PagerError("the process that was to read the queries has ended without a word")
    result, error = pickle.loads(data)  # noqa: S301 - from our own child
    if error is not None:
        raise error
    return result  # type: ignore[no-any-return]


def _answer(call: Callable[[], T], writer: int) -> None:
    """Never returns: the child must not go on with what is the parent's to do."""
    try:
        try:
            outcome: tuple[T | None, PagerError | None] = (call(), None)
        except PagerError as error:
            outcome = (None, PagerError(str(error)))
        except Exception as error:  # noqa: BLE001 - a bug of ours, told where the others are
            outcome = (None, PagerError(f"internal error, please report it: {describe_bug(error)}"))
        with os.fdopen(writer, "wb") as answer:
            pickle.dump(outcome, answer)
    finally:
        os._exit(0)
