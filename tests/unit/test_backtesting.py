"""What a replay comes to, and how two of them differ."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from graphitepager import backtesting, suggesting
from graphitepager.backtesting import PastIncident, Report, Tally
from graphitepager.model import Event, EventKind, NearMiss, SeriesKey
from graphitepager.replay import Poll
from graphitepager.reports import markdown, words
from graphitepager.reports.sparkline import sparkline
from graphitepager.rules import Config, Level
from graphitepager.ruletests import written
from tests.examples import KEY, MINUTE, NOON, alert, entry, settings

if TYPE_CHECKING:
    from graphitepager.rules import Entry

HOUR = timedelta(hours=1)
END = NOON + 10 * HOUR
RULE = entry()


def event(kind: EventKind, after: timedelta, *, of: Entry = RULE, **other: object) -> Event:
    plain = Event(kind=kind, key=KEY, level=Level.CRITICAL, at=NOON + after, since=NOON + after, value=90.0, entry=of)
    return replace(plain, **other)  # type: ignore[arg-type]


def report(*events: Event, of: Entry = RULE) -> Report:
    tally = Tally(Config(settings=settings(), alerts=(alert(of),)))
    for one in events:
        tally.add(Poll(one.at, (one,), ()))
    return tally.report(NOON, END)


def incident(begins: timedelta, lasts: timedelta | None = HOUR, **other: object) -> PastIncident:
    plain = PastIncident(
        key=KEY,
        level=Level.CRITICAL,
        series="db1",
        begins_at=NOON + begins,
        ends_at=None if lasts is None else NOON + begins + lasts,
        pages=1,
    )
    return replace(plain, **other)  # type: ignore[arg-type]


def of_incidents(*incidents: PastIncident) -> Report:
    one = report().alerts[0]
    return Report(begin=NOON, end=END, alerts=(replace(one, incidents=incidents),))


def test_time_firing_counts_overlapping_incidents_once() -> None:
    other = KEY._replace(series="db2")
    [one] = report(
        event(EventKind.TRIGGERED, HOUR),
        event(EventKind.TRIGGERED, 2 * HOUR, key=other),
        event(EventKind.RESOLVED, 3 * HOUR),
        event(EventKind.RESOLVED, 4 * HOUR, key=other),
        event(EventKind.TRIGGERED, 9 * HOUR),
    ).alerts
    assert (one.pages, one.firing) == (3, 4 * HOUR)
    assert one.noisiest == ("db1", 2)
    assert one.longest
    assert one.longest.lasts(END) == 2 * HOUR


def test_what_is_held_back_is_an_incident_and_no_page_until_it_is_told() -> None:
    held = event(EventKind.TRIGGERED, HOUR, held_by="mute window nights")
    assert report(held, event(EventKind.RESOLVED, 2 * HOUR)).pages == 0
    assert report(held, event(EventKind.TRIGGERED, 2 * HOUR)).pages == 1
    [one] = report(held).alerts[0].incidents
    assert one.held_by == "mute window nights"


def test_a_level_that_page_on_leaves_out_pages_nobody() -> None:
    quiet = entry(page_on=frozenset({Level.WARNING}))
    assert report(event(EventKind.TRIGGERED, HOUR, of=quiet), of=quiet).pages == 0
    unheard = entry(notify={Level.CRITICAL: ()})
    assert report(event(EventKind.TRIGGERED, HOUR, of=unheard), of=unheard).pages == 0


def test_near_misses_are_counted() -> None:
    tally = Tally(Config(settings=settings(), alerts=(alert(RULE),)))
    miss = NearMiss(key=KEY, level=Level.WARNING, since=NOON, until=NOON + MINUTE)
    tally.add(Poll(NOON, (), (miss, miss)))
    assert tally.report(NOON, END).alerts[0].near_misses == 2


def test_a_timeline_shows_the_worst_level_of_each_part() -> None:
    warning = incident(HOUR, 4 * HOUR, level=Level.WARNING)
    levels = backtesting.timeline([warning, incident(2 * HOUR, HOUR / 2)], NOON, END, 10)
    assert [level.value for level in levels] == [
        "ok", "warning", "critical", "warning", "warning", "warning", "ok", "ok", "ok", "ok",
    ]  # fmt: skip


def test_a_difference_says_what_is_gained_lost_later_and_earlier() -> None:
    before = of_incidents(incident(HOUR), incident(3 * HOUR), incident(5 * HOUR), incident(7 * HOUR))
    after = of_incidents(incident(HOUR), incident(3.5 * HOUR), incident(4.5 * HOUR), incident(9 * HOUR))
    found = backtesting.difference(before, after)
    assert [one.begins_at for one in found.gained] == [NOON + 9 * HOUR]
    assert [one.begins_at for one in found.lost] == [NOON + 7 * HOUR]
    assert [one.after.begins_at for one in found.later] == [NOON + 3.5 * HOUR]
    assert [one.after.begins_at for one in found.earlier] == [NOON + 4.5 * HOUR]


def test_another_level_is_another_page() -> None:
    found = backtesting.difference(of_incidents(incident(HOUR)), of_incidents(incident(HOUR, level=Level.WARNING)))
    assert (len(found.gained), len(found.lost)) == (1, 1)


def test_a_page_that_is_held_back_now_is_lost() -> None:
    found = backtesting.difference(of_incidents(incident(HOUR)), of_incidents(incident(HOUR, pages=0)))
    assert (len(found.gained), len(found.lost)) == (0, 1)


def test_a_name_cannot_write_markdown_or_call_anybody() -> None:
    assert markdown.plain("<b>|*x*|") == r"\<b\>\|\*x\*\|"
    assert "@everyone" not in markdown.plain("@everyone")


def test_a_verdict_counts_by_the_week() -> None:
    assert words.verdict(of_incidents(incident(HOUR))) == "1 page in 10h, 16.8 a week"


def test_a_sparkline_shows_peaks_and_gaps() -> None:
    assert sparkline([1.0, None, 8.0]) == "▁·█"
    assert sparkline([0.0] * 143 + [1.0], width=72)[-1] == "█"
    assert sparkline([float("inf"), 1.0]) == "·▁"


def test_datapoints_are_written_in_runs() -> None:
    assert written((10.0, 10.0, 10.5, None, None, float("inf"))) == "10x2 10.5 nullx2 inf"


def test_candidates_reach_from_the_usual_to_beyond_the_worst() -> None:
    high = suggesting.candidates([*map(float, range(100))], is_low_bad=False)
    assert high == sorted(high)
    assert high[0] >= 79
    assert high[-1] > 99
    low = suggesting.candidates([*map(float, range(100))], is_low_bad=True)
    assert low == sorted(low, reverse=True)
    assert low[-1] < 0
    assert suggesting.candidates([], is_low_bad=False) == []
    assert suggesting.candidates([5.0, 5.0], is_low_bad=False)[-1] > 5


def test_samples_keep_both_ends() -> None:
    assert suggesting.sample([3.0, float("nan"), 1.0, 2.0])[0] == 1.0
    assert suggesting.sample([3.0, float("nan"), 1.0, 2.0])[-1] == 3.0
    assert suggesting.sample([float("nan")]) == []


def test_the_key_of_an_incident_is_its_series() -> None:
    assert report(event(EventKind.TRIGGERED, HOUR)).alerts[0].incidents[0].key == SeriesKey(*KEY)
