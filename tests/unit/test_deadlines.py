"""run_within: an answer, an error or a TimeoutError, and always in time."""

from __future__ import annotations

import threading
import time

import pytest

from graphitepager.deadlines import run_within


def test_what_comes_in_time_is_returned() -> None:
    assert run_within(5, lambda: 42) == 42


def test_an_error_is_raised_where_the_caller_can_catch_it() -> None:
    def fail() -> None:
        raise LookupError("no such thing")

    with pytest.raises(LookupError, match="no such thing"):
        run_within(5, fail)


def test_what_is_late_is_not_waited_for() -> None:
    is_over = threading.Event()
    begun = time.monotonic()
    with pytest.raises(TimeoutError):
        run_within(0.05, is_over.wait)
    assert time.monotonic() - begun < 1
    is_over.set()


def test_a_late_call_does_not_keep_the_interpreter_from_exiting() -> None:
    threads: list[threading.Thread] = []
    is_over = threading.Event()

    def wait() -> None:
        threads.append(threading.current_thread())
        is_over.wait()

    with pytest.raises(TimeoutError):
        run_within(0.05, wait)
    assert threads[0].daemon
    is_over.set()
