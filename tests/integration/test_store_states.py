"""Every field of what is remembered of a series outlives a restart."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graphitepager.model import Incident, SeriesKey, SeriesState
from graphitepager.rules import Level
from tests.integration.store_support import NOON, record

if TYPE_CHECKING:
    from graphitepager.store import Store

KEY = SeriesKey("Load", "web1.load")

_moments = st.integers(0, 10**14).map(lambda microseconds: NOON + timedelta(microseconds=microseconds))
_maybe_moments = st.none() | _moments
_values = st.floats(allow_nan=False)


def _incidents(*levels: Level) -> st.SearchStrategy[Incident | None]:
    return st.none() | st.builds(
        Incident,
        level=st.sampled_from(levels),
        since=_moments,
        told_at=_maybe_moments,
        held_by=st.none() | st.text(max_size=20),
        in_storm=st.booleans(),
    )


_states = st.builds(
    SeriesState,
    key=st.just(KEY),
    incident=_incidents(Level.WARNING, Level.CRITICAL),
    no_data=_incidents(Level.NO_DATA),
    value=st.none() | _values,
    cycles=st.lists(_moments, max_size=5).map(tuple),
    is_flapping=st.booleans(),
    size=st.integers(0, 2**31 - 1),
    low=st.integers(0, 2**31 - 1),
    page=st.integers(0, 2**31 - 1),
    warning_since=_maybe_moments,
    critical_since=_maybe_moments,
    better_since=_maybe_moments,
    good_since=_maybe_moments,
    no_data_since=_maybe_moments,
    data_since=_maybe_moments,
)


@given(state=_states)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_remembered_comes_back(store: Store, state: SeriesState) -> None:
    record(store, states=[state])
    memory = store.load().memories.get("Load")
    assert (memory.states if memory else {}) == ({} if state.is_quiet else {"web1.load": state})


@pytest.mark.parametrize("field", [one.name for one in fields(SeriesState) if one.name != "key"])
def test_every_field_is_stored_apart_from_the_others(store: Store, field: str) -> None:
    values: dict[str, Any] = {
        "incident": Incident(level=Level.CRITICAL, since=NOON, held_by="silence 1", in_storm=True),
        "no_data": Incident(level=Level.NO_DATA, since=NOON, told_at=NOON),
        "value": 1.5,
        "cycles": (NOON, NOON + timedelta(microseconds=1)),
        "is_flapping": True,
        "size": 41,
        "low": 17,
        "page": 3,
    }
    pending = SeriesState(key=KEY, no_data_since=NOON, warning_since=NOON)
    state = replace(pending, **{field: values.get(field, NOON + timedelta(days=1))})
    assert state != pending
    record(store, states=[state])
    assert store.load().memories["Load"].states == {"web1.load": state}
