"""What a silence would hold back is known before it does; a row's own names become matchers that fit nothing else."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphitepager import silences, silencing
from graphitepager.alerting import AlertMemory
from graphitepager.model import Incident, SeriesKey, SeriesState, Silence
from graphitepager.records import Snapshot
from graphitepager.rules import Level
from tests.examples import NOON


def silence(*matchers: str) -> Silence:
    parsed = tuple(map(silences.parse_matcher, matchers))
    return Silence(id=1, matchers=parsed, author="", comment="", begins_at=NOON, ends_at=NOON + timedelta(hours=1))


def snapshot(*states: SeriesState, known: frozenset[str] = frozenset()) -> Snapshot:
    memory = AlertMemory(states={one.key.series: one for one in states}, known={"a.*": known})
    return Snapshot(memories={"Load": memory}, last_poll=None)


DB1, DB2 = SeriesKey("Load", "db1"), SeriesKey("Load", "db2")
FIRES = SeriesState(key=DB1, incident=Incident(level=Level.WARNING, since=NOON), critical_since=NOON)


def test_it_names_what_is_not_fine_at_the_levels_that_it_fits() -> None:
    found = silencing.preview(silence("alert=Load"), snapshot(FIRES, known=frozenset({"db1", "db2"})))
    assert found.not_fine == ((DB1, (Level.WARNING, Level.CRITICAL)),)
    assert found.known == (DB1, DB2)
    found = silencing.preview(silence("series=db*", "level=critical"), snapshot(FIRES))
    assert found.not_fine == ((DB1, (Level.CRITICAL,)),)


def test_it_says_that_it_fits_nothing() -> None:
    assert silencing.preview(silence("alert=Lod"), snapshot(FIRES, known=frozenset({"db1"}))).is_empty


@given(st.text(min_size=1).filter(str.strip), st.text())
def test_the_matcher_of_a_name_fits_that_name_and_no_other(name: str, other: str) -> None:
    one = silence(silences.exactly("series", name))
    assert silences.matches(one, "Load", name, Level.CRITICAL)
    assert silences.matches(one, "Load", other, Level.CRITICAL) is (other == name)


@pytest.mark.parametrize("name", [" a", "a ", "=a", "~", "*", "[", "a{b,c}", "]", "?", " ", "  ", "a\u2028b"])
def test_odd_names_are_no_exception(name: str) -> None:
    one = silence(silences.exactly("series", name))
    assert silences.matches(one, "Load", name, Level.CRITICAL)
    assert not silences.matches(one, "Load", name + "x", Level.CRITICAL)


@pytest.mark.parametrize("text", ["", "0s", "367d", "soon", "-1h"])
def test_a_silence_lasts_for_a_time_that_somebody_can_mean(text: str) -> None:
    with pytest.raises(ValueError, match=r"expected|empty|duration"):
        silencing.parse_length(text)
    assert silencing.parse_length("1d12h") == timedelta(days=1, hours=12)
