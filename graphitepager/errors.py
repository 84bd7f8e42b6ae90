"""The errors a user can meet; each one's text says what went wrong, where, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from graphitepager.problems import Problem


class PagerError(Exception):
    """Anything this program reports to its user in one line instead of a traceback."""


class ConfigError(PagerError):
    """alerts.yml or the environment cannot be used; `problems` holds every reason found, in file order."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(problem.render() for problem in problems))
        self.problems = tuple(problems)


class FetchError(PagerError):
    """Graphite did not give a usable answer to one target; nothing may be concluded about its series."""

    def __init__(self, target: str, reason: str) -> None:
        super().__init__(f"{target}: {reason}")
        self.target = target
        self.reason = reason


class SendError(PagerError):
    """A notifier could not hand over one message.

    `permanent` means that sending the same message again cannot succeed; `may_pass`, that it might after all, because
    perhaps only something in between has refused it; `is_invalid`, that the receiver finds fault with what the message
    says, so that a plainer one may succeed. `retry_after` is the receiver's own wish, where it gave one.
    `is_throttled` means that this address has had too many: the others queued for it would fare no better.
    """

    def __init__(
        self,
        reason: str,
        *,
        permanent: bool = False,
        may_pass: bool = False,
        is_invalid: bool = False,
        is_throttled: bool = False,
        retry_after: timedelta | None = None,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.permanent = permanent
        self.may_pass = may_pass
        self.is_invalid = is_invalid
        self.is_throttled = is_throttled
        self.retry_after = retry_after


class GraphiteError(PagerError):
    """Graphite did not take everything that was sent to it, or nobody can say whether it did.

    `permanent` means that another try would be the same.
    """

    def __init__(self, reason: str, *, permanent: bool = False) -> None:
        super().__init__(reason)
        self.permanent = permanent


class StoreError(PagerError):
    """The state database cannot be used: bad URL, unreachable, or written by a newer program."""


def describe_bug(error: BaseException) -> str:
    """An unexpected error in one line, with its place: `KeyError: 'x' (poller.py:88)`. For what no user can mend."""
    place = "?"
    trace = error.__traceback__
    while trace is not None:
        place = f"{trace.tb_frame.f_code.co_filename.rsplit('/', 1)[-1]}:{trace.tb_lineno}"
        trace = trace.tb_next
    return f"{type(error).__name__}: {' '.join(str(error).split())} ({place})"
