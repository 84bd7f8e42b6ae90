"""What hypothesis draws from."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from hypothesis import strategies as st

from tests.fakes.pagerduty import Fault
from tests.soak.canned import Lack
from tests.soak.faults import SENDING_FAULTS, Blow, Boundary, Doom
from tests.soak.rulebook import BOOK, EDITS, VALUES

if TYPE_CHECKING:
    from collections.abc import Sequence

T = TypeVar("T")


def evenly(options: Sequence[T]) -> st.SearchStrategy[T]:
    """Any of them as often as any other: hypothesis' own choice leans towards the first ones and repeats itself."""
    return st.integers(0, 9_999).map(lambda number: options[(number * 2_654_435_761 >> 7) % len(options)])


SERIES = tuple(series for rule_ in BOOK.rules for series in rule_.series)
ALERTS = tuple(rule_.name for rule_ in BOOK.rules)
MEASURES = evenly((*VALUES, *VALUES, *Lack))

AFTER = st.sampled_from((0, 0, 0, 1, 2, 3))
IS_DEATH = st.sampled_from((True, True, False))
POLL_DOOMS = st.builds(
    Doom,
    st.sampled_from([one for one in Boundary if one.name not in {"BEFORE_SEND", "AFTER_INGEST"}]),
    after=AFTER,
    is_death=IS_DEATH,
)
SEND_DOOMS = st.builds(
    Doom, st.sampled_from([one for one in Boundary if one.name != "WHILE_FETCHING"]), after=AFTER, is_death=IS_DEATH
)
BLOWS = st.lists(
    st.builds(
        Blow,
        st.sampled_from((*[Fault.RESET_AFTER_INGEST] * 4, *SENDING_FAULTS, None)),
        takes_s=st.sampled_from((0, 0, 1, 11)),
    ),
    min_size=1,
    max_size=4,
)
MEANWHILE = st.sampled_from((None, None, None, "poll", "send", "both", "die", "stop"))
RULES = evenly(BOOK.rules)
SWITCHES = evenly(EDITS)
WHICH = st.integers(0, 1)
