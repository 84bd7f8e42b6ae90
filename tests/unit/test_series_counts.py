"""How many series an entry owns, and which are its own at all."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from graphitepager import incidents, telling
from graphitepager.alerting import owner
from graphitepager.messages import render
from graphitepager.model import COUNT, WHOLE_ALERT, SeriesKey
from graphitepager.rules import Expected, Level, NoDataPolicy
from graphitepager.selection import names
from tests.examples import GRAPHITE_URL, MINUTE, alert, entry
from tests.polls import BAD, FAILED, FINE, UNEASY, Polls

if TYPE_CHECKING:
    from graphitepager.rules import Entry

TRIGGERED, RESOLVED = ("trigger", COUNT, "critical"), ("resolve", COUNT, "critical")


def expecting(least: int | None = 3, most: int | None = None, level: Level = Level.CRITICAL, **keys: Any) -> Entry:
    return entry(expect_series=Expected(least=least, most=most, level=level), **keys)


def hosts(number: int, value: float = FINE) -> dict[str, float]:
    return {f"host{index}": value for index in range(number)}


def summaries(polls: Polls) -> list[str]:
    return [render(event, GRAPHITE_URL).summary for event in polls.events]


class TestExpectSeries:
    """Too few or too many series are an incident of the whole alert."""

    def test_too_few_are_an_incident_that_ends_with_the_right_number(self) -> None:
        polls = Polls(expecting(3))
        assert polls.poll(hosts(3)) == []
        assert polls.poll(hosts(2)) == [TRIGGERED]
        assert summaries(polls) == ["CRITICAL MongoDB lock: servers.*.lock: 2 series, expected at least 3"]
        assert polls.poll(hosts(2)) == []
        assert polls.poll(hosts(3)) == [RESOLVED]
        assert summaries(polls) == [
            "RESOLVED MongoDB lock: servers.*.lock: 3 series, was Critical for 2min (back to Nominal)"
        ]

    @pytest.mark.parametrize(
        ("least", "most", "count", "text"),
        [(None, 2, 3, "3 series, expected at most 2"), (2, 4, 5, "5 series, expected at most 4"),
         (2, 2, 3, "3 series, expected 2"), (2, 4, 1, "1 series, expected at least 2")],
    )  # fmt: skip
    def test_so_are_too_many(self, least: int | None, most: int | None, count: int, text: str) -> None:
        polls = Polls(expecting(least, most, Level.WARNING))
        assert polls.poll(hosts(count)) == [("trigger", COUNT, "warning")]
        assert summaries(polls) == [f"WARNING MongoDB lock: servers.*.lock: {text}"]

    def test_it_fires_after_the_for_of_its_level(self) -> None:
        polls = Polls(expecting(3, for_warning=MINUTE, for_critical=3 * MINUTE))
        assert [polls.poll(hosts(2)) for _ in range(4)] == [[], [], [], [TRIGGERED]]

    def test_it_ends_only_after_keep_firing_for(self) -> None:
        polls = Polls(expecting(3, keep_firing_for=2 * MINUTE))
        polls.poll(hosts(2))
        assert [polls.poll(hosts(3)) for _ in range(3)] == [[], [], [RESOLVED]]

    def test_no_series_at_all_is_missing_data_and_not_this(self) -> None:
        polls = Polls(expecting(3))
        polls.poll(hosts(3))
        assert polls.each({}, times=6) == [("trigger", WHOLE_ALERT, "no_data")]
        assert COUNT not in polls.memory.states

    def test_where_no_data_is_fine_so_is_no_series_at_all(self) -> None:
        polls = Polls(expecting(3, no_data=NoDataPolicy.OK))
        polls.poll(hosts(2))
        assert [polls.poll({}) for _ in range(5)] == [[], [], [], [RESOLVED], []]
        assert polls.each({}, times=3) == []

    def test_a_failed_fetch_freezes_it(self) -> None:
        polls = Polls(expecting(3))
        polls.poll(hosts(2))
        before = polls.memory
        assert polls.each(FAILED, times=5) == []
        assert polls.memory == before

    def test_series_without_datapoints_count_and_excluded_ones_do_not(self) -> None:
        polls = Polls(expecting(3, exclude=names(["host0"])))
        assert polls.poll({"host0": FINE, "host1": None, "host2": FINE}) == [TRIGGERED]
        assert polls.state(COUNT).value == 2

    def test_each_entry_counts_its_own_series(self) -> None:
        polls = Polls(expecting(2, target="worker-*"), expecting(2, target="*"), entry("?"))
        workers = {"worker-1": FINE, "worker-2": FINE}
        assert polls.poll(workers, workers | hosts(2), {}) == []
        second = COUNT + " 2"
        assert polls.poll(workers, workers | hosts(1), {}) == [("trigger", second, "critical")]
        assert polls.poll({}, workers | hosts(1), {}) == [TRIGGERED, ("resolve", second, "critical")]
        first, second_entry, _ = polls.alert.entries
        found = owner(polls.alert, polls.memory, COUNT)
        assert found == replace(first, warning=None, critical=None)
        assert owner(polls.alert, polls.memory, second).query == second_entry.query

    def test_it_is_told_beside_a_storm_and_is_no_part_of_it(self) -> None:
        polls = Polls(expecting(3), storm_limit=1)
        assert polls.poll(hosts(2, BAD)) == [TRIGGERED, ("trigger", WHOLE_ALERT + "critical×1", "critical")]
        told = polls.poll(hosts(3, FINE))
        assert RESOLVED in told
        assert ("resolve", WHOLE_ALERT + "critical×1", "critical") in told

    def test_it_is_told_again_with_what_is_wrong(self) -> None:
        polls = Polls(expecting(3, repeat_interval=2 * MINUTE))
        polls.poll(hosts(2))
        polls.each(hosts(2), times=1)
        assert polls.poll(hosts(2)) == [("repeat", COUNT, "critical")]
        assert summaries(polls) == ["CRITICAL MongoDB lock: servers.*.lock: 2 series, expected at least 3, for 2min"]

    def test_somebody_new_can_be_told(self) -> None:
        polls = Polls(expecting(3))
        polls.poll(hosts(2))
        key = SeriesKey(polls.alert.name, COUNT)
        event = telling.trigger_again(polls.alert, polls.memory, key, Level.CRITICAL, polls.now)
        assert event is not None
        assert render(event, GRAPHITE_URL).summary.endswith(": 2 series, expected at least 3, for 1min")

    def test_without_expect_series_it_ends(self) -> None:
        polls = Polls(expecting(3))
        polls.poll(hosts(2))
        polls.alert = alert(entry())
        assert polls.poll(hosts(2)) == [RESOLVED]
        assert polls.events[0].reason == "expect_series removed from alerts.yml"

    def test_its_incident_has_a_key_of_its_own(self) -> None:
        keys = {incidents.dedup_key(SeriesKey("a", name), Level.CRITICAL) for name in (COUNT, WHOLE_ALERT, "series")}
        assert len(keys) == 3


class TestInclude:
    """A series that an entry does not include is not its own."""

    def test_a_later_entry_with_the_same_target_may_own_it(self) -> None:
        polls = Polls(entry(include=names(["web*"])), entry(warning=95, critical=99))
        answer = {"web1": BAD, "db1": BAD}
        assert polls.poll(answer, answer) == [("trigger", "web1", "critical")]
        web, rest = polls.alert.entries
        assert [owner(polls.alert, polls.memory, name) for name in ("web1", "db1")] == [web, rest]

    def test_a_missing_series_is_judged_by_the_entry_that_takes_it(self) -> None:
        polls = Polls(entry(include=names(["web*"]), no_data=NoDataPolicy.OK), entry())
        answer = {"web1": FINE, "web2": FINE, "web3": FINE, "db1": FINE, "db2": FINE}
        polls.poll(answer, answer)
        rest = {name: value for name, value in answer.items() if name not in {"web1", "db1"}}
        assert polls.each(rest, rest, times=6) == [("trigger", "db1", "no_data")]

    def test_what_nobody_owns_is_neither_judged_nor_missed(self) -> None:
        polls = Polls(entry(include=names(["web*"])))
        assert polls.poll({"web1": FINE, "db1": BAD}) == []
        assert polls.each({"web1": FINE}, times=10) == []
        assert polls.memory.known == {"servers.*.lock": {"web1"}}

    def test_an_alert_that_includes_nothing_watches_nothing(self) -> None:
        polls = Polls(entry(include=names(["web*"])))
        assert polls.each({"db1": FINE}, times=5) == [("trigger", WHOLE_ALERT, "no_data")]

    @pytest.mark.parametrize("is_back", [True, False])
    def test_what_fires_for_a_series_ends_when_it_is_left_out(self, is_back: bool) -> None:
        polls = Polls()
        polls.poll({"web1": UNEASY, "db1": BAD})
        polls.alert = alert(entry(include=names(["web*"])))
        answer = {"web1": UNEASY} | ({"db1": BAD} if is_back else {})
        assert polls.poll(answer) == [("resolve", "db1", "critical")]
        assert polls.events[0].reason == "not included any more in alerts.yml"
        assert polls.memory.known == {"servers.*.lock": {"web1"}}
        assert polls.each({"web1": UNEASY}, times=10) == []

    def test_a_failed_entry_leaves_open_whose_a_series_is(self) -> None:
        polls = Polls(entry(include=names(["web*"])), entry("*"))
        polls.poll({"db1": BAD}, {"db1": BAD})
        assert polls.each({"db1": BAD}, FAILED, times=5) == []
        assert polls.poll({"db1": BAD}, {"db1": FINE}) == [("resolve", "db1", "critical")]


def test_a_silent_warning_never_fires_where_there_is_none() -> None:
    polls = Polls(entry(warning=None, for_critical=timedelta(minutes=5)))
    assert polls.each({"db1": BAD}, times=4) == []
    assert polls.poll({"db1": BAD}) == [("trigger", "db1", "critical")]


def test_without_a_critical_threshold_a_warning_is_the_worst() -> None:
    polls = Polls(entry(critical=None))
    assert polls.poll({"db1": BAD}) == [("trigger", "db1", "warning")]
    assert polls.poll({"db1": FINE}) == [("resolve", "db1", "warning")]


def test_a_threshold_that_is_taken_away_ends_its_incident() -> None:
    polls = Polls()
    polls.poll({"db1": UNEASY})
    polls.alert = alert(entry(warning=None))
    assert polls.poll({"db1": UNEASY}) == [("resolve", "db1", "warning")]
