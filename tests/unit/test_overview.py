"""What is not fine becomes rows: where each stands, how bad it is, who is told, and what is still to come."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from graphitepager import overview
from graphitepager.glance import Glance, Notice, StandingIncident
from graphitepager.incidents import dedup_key
from graphitepager.model import COUNT, OWN, WHOLE_ALERT, EventKind, Incident, SeriesKey, SeriesState, Silence
from graphitepager.overview import Row, Section, Wanted
from graphitepager.records import Backlog, DeliveryStatus
from graphitepager.rules import Config, Expected, Level, NoDataPolicy, OnVanish
from graphitepager.silences import parse_matcher
from graphitepager.tallies import Tallies
from tests.examples import MINUTE, NOON, alert, entry, settings

if TYPE_CHECKING:
    from graphitepager.rules import Alert

KEY = SeriesKey("MongoDB lock", "db1")
CRITICAL = Incident(level=Level.CRITICAL, since=NOON, told_at=NOON)
NO_DATA = Incident(level=Level.NO_DATA, since=NOON, told_at=NOON)
AT = NOON + 10 * MINUTE


def state(
    incident: Incident | None = None, *, key: SeriesKey = KEY, value: float | None = 82.0, **other: Any
) -> SeriesState:
    return SeriesState(key=key, incident=incident, value=value, **other)


def sent(status: DeliveryStatus = DeliveryStatus.SENT) -> Notice:
    return Notice("pagerduty", EventKind.TRIGGERED, status, NOON, 0, None)


def standing(key: SeriesKey, level: Level, *notices: Notice) -> StandingIncident:
    return StandingIncident(
        id=1,
        dedup_key=dedup_key(key, level),
        key=key,
        level=level,
        value=1.0,
        opened_at=NOON,
        held_by=None,
        notices=notices,
    )


def rows_of(*states: SeriesState, alerts: tuple[Alert, ...] | None = None, **other: Any) -> list[Row]:
    by_alert: dict[str, dict[str, SeriesState]] = {}
    for one in states:
        by_alert.setdefault(one.key.alert, {})[one.key.series] = one
    known = other.pop("owned", {})
    found: dict[str, Any] = {
        "incidents": (standing(KEY, Level.CRITICAL, sent()), standing(KEY, Level.NO_DATA, sent())),
        "silences": (),
    }
    nothing: dict[str, Any] = {
        "poll": None,
        "backlog": Backlog(pending=0, dead=0),
        "known": {},
        "accepted": {},
        "config": None,
    }
    glance = Glance(at=AT, states=by_alert, tallies=Tallies(), **nothing | found | other)
    config = Config(settings=settings(), alerts=(alert(entry()),) if alerts is None else alerts)
    return overview.rows(config, glance, known)


def row_of(*states: SeriesState, **other: Any) -> Row:
    (row,) = rows_of(*states, **other)
    return row


def silence(*matchers: str) -> Silence:
    return Silence(
        id=7,
        matchers=tuple(map(parse_matcher, matchers)),
        author="Mara",
        comment="why",
        begins_at=NOON,
        ends_at=AT + MINUTE,
    )


def test_what_fires_has_its_value_threshold_and_links() -> None:
    one = entry(runbook_base="https://wiki", labels={"team": "dba", "host": "{{ series }}"})
    row = row_of(state(CRITICAL), alerts=(alert(one),))
    assert (row.section, row.level, row.since) == (Section.FIRING, Level.CRITICAL, NOON)
    assert (row.value, row.bound) == ("82", "critical at 70")
    assert row.labels == {"team": "dba", "host": "db1"}
    assert row.runbook == "https://wiki/MongoDB%20lock#db1"
    assert row.graph is not None
    assert row.graph.startswith("https://graphite.example.com/render?")


def test_what_nobody_was_told_stands_apart_with_its_reason() -> None:
    untold = replace(CRITICAL, told_at=None)
    held = replace(untold, held_by="mute window nights")
    assert (row_of(state(held)).section, row_of(state(held)).held_by) == (Section.UNHEARD, "mute window nights")
    row = row_of(state(replace(held, held_by="silence 7 by Mara")), silences=(silence("series=db*"),))
    assert row.silence is not None
    assert (row.section, row.silence.author) == (Section.UNHEARD, "Mara")
    assert row_of(state(untold)).held_by == "not told yet: the next poll does that"


@pytest.mark.parametrize(
    ("incident", "why"),
    [
        (standing(KEY, Level.CRITICAL), "nobody is named for critical"),
        (standing(KEY, Level.CRITICAL, sent(DeliveryStatus.DEAD)), "refused for good by pagerduty"),
    ],
)
def test_what_was_told_to_nobody_or_refused_stands_there_too(incident: StandingIncident, why: str) -> None:
    row = row_of(state(CRITICAL), incidents=(incident,))
    assert (row.section, row.held_by) == (Section.UNHEARD, why)


def test_what_does_not_page_says_so() -> None:
    one = entry(page_on=frozenset({Level.WARNING}))
    row = row_of(state(CRITICAL), alerts=(alert(one),), incidents=(standing(KEY, Level.CRITICAL),))
    assert row.held_by == "page_on leaves critical out"


def test_a_page_that_still_waits_is_not_unheard() -> None:
    waiting = standing(KEY, Level.CRITICAL, sent(DeliveryStatus.PENDING), sent(DeliveryStatus.DEAD))
    assert row_of(state(CRITICAL), incidents=(waiting,)).section is Section.FIRING


def test_a_breach_that_waits_says_when_it_fires() -> None:
    one = entry(for_warning=timedelta(minutes=15), for_critical=timedelta(minutes=12))
    row = row_of(state(warning_since=NOON), alerts=(alert(one),))
    assert (row.section, row.level, row.due) == (Section.PENDING, Level.WARNING, NOON + 15 * MINUTE)
    row = row_of(state(warning_since=NOON, critical_since=NOON), alerts=(alert(one),))
    assert (row.level, row.due) == (Level.CRITICAL, NOON + 12 * MINUTE)


def test_a_warning_that_is_about_to_be_critical_is_two_rows() -> None:
    warning = replace(CRITICAL, level=Level.WARNING)
    one = entry(for_critical=timedelta(minutes=20))
    rows = rows_of(
        state(warning, critical_since=NOON), alerts=(alert(one),), incidents=(standing(KEY, Level.WARNING, sent()),)
    )
    assert [(row.section, row.level) for row in rows] == [
        (Section.PENDING, Level.CRITICAL),
        (Section.FIRING, Level.WARNING),
    ]


def test_what_is_good_again_says_when_it_ends() -> None:
    one = entry(keep_firing_for=timedelta(minutes=5))
    row = row_of(state(CRITICAL, better_since=NOON, good_since=NOON + MINUTE), alerts=(alert(one),))
    assert (row.section, row.due) == (Section.RECOVERING, NOON + 6 * MINUTE)
    row = row_of(state(CRITICAL, good_since=NOON, is_flapping=True), alerts=(alert(one),))
    assert (row.is_flapping, row.due) == (True, NOON + 15 * MINUTE)


def test_missing_data_says_what_alerts_yml_makes_of_it() -> None:
    row = row_of(state(value=1.0, no_data=NO_DATA, no_data_since=NOON))
    assert (row.section, row.level, row.policy) == (Section.NO_DATA, Level.NO_DATA, "no_data: alert, no_data_for: 3min")
    assert row.sentence == "no datapoint"
    row = row_of(state(no_data_since=NOON))
    assert (row.section, row.due) == (Section.STALE, NOON + 3 * MINUTE)
    one = entry(no_data=NoDataPolicy.OK, on_vanish=OnVanish.HOLD)
    row = row_of(state(no_data_since=NOON), alerts=(alert(one),))
    assert (row.due, row.policy) == (None, "no_data: ok, on_vanish: hold")


def test_a_storm_speaks_for_its_series_which_are_not_unheard() -> None:
    member = replace(CRITICAL, told_at=None, held_by="a storm", in_storm=True)
    storm = SeriesKey(KEY.alert, WHOLE_ALERT + "critical")
    rows = rows_of(state(member), SeriesState(key=storm, incident=CRITICAL, size=1, page=1))
    assert {row.section for row in rows} == {Section.FIRING}
    (group,) = overview.grouped(rows)[Section.FIRING]
    assert (len(group.rows), group.size, group.rows[0].storm_size) == (2, 1, 1)
    assert "1 series together: db1" in group.rows[0].sentence


def test_an_alert_as_a_whole_a_count_and_the_pager_itself_have_sentences() -> None:
    one = entry(expect_series=Expected(least=3, most=None, level=Level.CRITICAL))
    whole = SeriesState(key=SeriesKey(KEY.alert, WHOLE_ALERT), no_data=NO_DATA)
    assert "Graphite has returned no series for servers.*.lock" in row_of(whole).sentence
    count = SeriesState(key=SeriesKey(KEY.alert, COUNT), incident=CRITICAL, value=2.0)
    assert "2 series, expected at least 3" in row_of(count, alerts=(alert(one),)).sentence
    own = row_of(SeriesState(key=SeriesKey(OWN, "Graphite"), no_data=NO_DATA))
    assert (own.key.words, own.sentence) == (("graphite-pager", "Graphite"), "Graphite: no usable answer")


def test_what_alerts_yml_holds_no_more_is_still_shown() -> None:
    row = row_of(state(CRITICAL), alerts=())
    assert (row.section, row.value, row.bound, row.entry) == (Section.FIRING, "82", "", None)


def test_the_entry_that_owns_a_series_says_its_threshold() -> None:
    first, second = entry("a.*", critical=70), entry("b.*", critical=75)
    owned = {KEY.alert: {"a.*": frozenset({"db9"}), "b.*": frozenset({"db1"})}}
    assert row_of(state(CRITICAL), alerts=(alert(first, second),), owned=owned).bound == "critical at 75"


def test_the_worst_come_first_and_of_those_the_newest() -> None:
    def fires(series: str, level: Level, minute: int) -> SeriesState:
        incident = Incident(level=level, since=NOON + minute * MINUTE, told_at=NOON)
        return state(incident, key=SeriesKey(KEY.alert, series))

    rows = rows_of(
        fires("a", Level.WARNING, 9), fires("b", Level.CRITICAL, 1), fires("c", Level.CRITICAL, 2), incidents=()
    )
    assert [row.key.series for row in rows] == ["c", "b", "a"]


@pytest.mark.parametrize(
    ("wanted", "fits"),
    [
        (Wanted(), True),
        (Wanted(text="MONGO db1"), True),
        (Wanted(text="team=dba"), True),
        (Wanted(text="db2"), False),
        (Wanted(level=Level.WARNING), False),
        (Wanted(label="team=dba"), True),
        (Wanted(label="team=db"), False),
        (Wanted(alert="MongoDB lock"), True),
        (Wanted(alert="MongoDB"), False),
    ],
)
def test_a_row_is_found_by_its_words_level_label_and_alert(wanted: Wanted, fits: bool) -> None:
    row = row_of(state(CRITICAL), alerts=(alert(entry(labels={"team": "dba"})),))
    assert wanted.fits(row) is fits
