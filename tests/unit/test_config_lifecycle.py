"""The keys that say when a breach pages, and when an incident ends."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from graphitepager.config import load
from graphitepager.rules import Judged, NoDataPolicy, OnVanish, Query
from tests.unit.config_support import (
    ENVIRON,
    alert_with,
    alerts_of,
    complaint_about,
    entry_of,
    file_with,
    headlines,
    settings_of,
)

if TYPE_CHECKING:
    from graphitepager.rules import Entry

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def clears(entry: Entry) -> list[float | None]:
    return [None if one is None else one.clear for one in (entry.warning, entry.critical)]


def test_an_alert_that_says_nothing_of_it_fires_at_once_and_ends_at_once() -> None:
    entry = entry_of("from: -1min")
    assert (entry.for_warning, entry.for_critical, entry.keep_firing_for) == (timedelta(0),) * 3
    assert (clears(entry), entry.judged) == ([None, None], Judged.LAST)
    assert (entry.no_data, entry.no_data_for, entry.on_vanish) == (NoDataPolicy.ALERT, 3 * MINUTE, OnVanish.NO_DATA)
    assert (entry.vanish_after, entry.forget_after, entry.repeat_interval) == (15 * MINUTE, DAY, 4 * HOUR)
    assert (entry.mute, entry.depends_on) == ((), frozenset())


@pytest.mark.parametrize(
    ("keys", "warning", "critical"),
    [
        ("for: 5min", 5 * MINUTE, 5 * MINUTE),
        ("for: 300", 5 * MINUTE, 5 * MINUTE),
        ("for: {warning: 10min, critical: 2min}", 10 * MINUTE, 2 * MINUTE),
        ("for: {critical: 90s}", timedelta(0), timedelta(seconds=90)),
        ("for: {warning: , critical: 1m}", timedelta(0), MINUTE),
        ("for: ", timedelta(0), timedelta(0)),
    ],
)
def test_a_breach_lasts_for_so_long_before_it_fires(keys: str, warning: timedelta, critical: timedelta) -> None:
    entry = entry_of(keys)
    assert (entry.for_warning, entry.for_critical) == (warning, critical)


@pytest.mark.parametrize(
    ("keys", "complaint"),
    [
        ("for: 5x", "for: expected a duration such as 90s, 5min or 1h30min, got '5x'"),
        ("for: -5min", "for: expected a duration such as 90s, 5min or 1h30min, got '-5min'"),
        ("for: {critical: x}", "for.critical: expected a duration such as 90s, 5min or 1h30min, got 'x'"),
        ("for: [5min]", "for: expected keys and values, got a list (write key: value)"),
        ("keep_firing_for: 11y", "keep_firing_for: expected a duration such as 90s, 5min or 1h30min, got '11y'"),
        ("keep_firing_for: 4000d", "keep_firing_for: expected a duration of at most ten years, got '4000d'"),
        ("no_data_for: 0", "no_data_for: expected a duration of more than 0, got '0'"),
        ("repeat_interval: 59s", "repeat_interval: expected a duration of at least 1min, or never, got '59s'"),
        ("on_vanish: resolves", "on_vanish: expected no_data, resolve or hold, got 'resolves' (did you mean resolve?)"),
        ("no_data: okay", "no_data: expected alert, ok or keep, got 'okay' (did you mean ok?)"),
        ("storm_limit: 0", "storm_limit: expected a whole number from 1 to 10000, got '0'"),
        ("clear: 5", "clear: expected keys and values, got a text (write key: value)"),
        ("depends_on: {a: b}", "depends_on: expected a list, got a mapping (begin each item with '- ')"),
    ],
)
def test_a_bad_value_says_what_was_expected(keys: str, complaint: str) -> None:
    assert complaint_about(keys) == complaint


def test_a_mistake_is_shown_where_it_is() -> None:
    items = [
        "  - {name: a, target: t, warning: 1, critical: 2, for: {critical: x}}\n",
        "  - {name: b, target: t, warning: 1, critical: 2, mute: {until: x}}\n",
        "  - {name: c, target: t, warning: 1, critical: 2, mute: [{days: sun, zzz: x}]}\n",
        "  - {name: d, target: t, warning: 1, critical: 2, clear: {critical: 3}}\n",
        "  - {name: e, target: t, warning: 1, critical: 2, depends_on: [f]}\n",
        "  - {name: g, target: t, warning: 1, critical: 2, depends_on: f}\n",
    ]
    places = [headline.split(": ")[0] for headline in headlines("alerts:\n" + "".join(items))]
    assert places == [f"alerts.yml:{place}" for place in ("2:67", "3:65", "4:70", "5:69", "6:64", "7:63")]


@pytest.mark.parametrize("word", [judged.value for judged in Judged])
def test_every_word_for_what_is_judged_is_known(word: str) -> None:
    assert entry_of(f"value: {word}").judged is Judged(word)


def test_an_unknown_word_for_what_is_judged_is_answered_with_the_nearest() -> None:
    assert complaint_about("value: avrage").endswith("age, got 'avrage' (did you mean average?)")


@pytest.mark.parametrize(
    ("keys", "warning", "critical"),
    [
        ("warning: 40, critical: 60, clear: {warning: 35, critical: 50}", 35, 50),
        ("warning: 40, critical: 60, clear: {warning: 35}", 35, None),
        ("warning: 40, critical: 60, clear: {critical: 40}", None, 40),
        ("warning: 40, critical: 60, clear: {warning: 40, critical: 60}", None, None),
        ("warning: 20, critical: 10, clear: {warning: 25, critical: 15}", 25, 15),
        ("warning: 20, critical: 10, clear: {critical: 20}", None, 20),
        ("warning: 1, critical: 1, clear: {critical: 0.5}", None, 0.5),
        ("warning: 1, critical: 2, clear: {}", None, None),
    ],
)
def test_a_value_counts_as_good_again_at_clear(keys: str, warning: float | None, critical: float | None) -> None:
    entry = entry_of(keys)
    assert clears(entry) == [warning, critical]


@pytest.mark.parametrize(
    ("keys", "complaint"),
    [
        (
            "warning: 40, critical: 60, clear: {warning: 45}",
            "clear.warning: at 45 it is still warning: expected 40 or less",
        ),
        (
            "warning: 20, critical: 10, clear: {critical: 9.5}",
            "clear.critical: at 9.5 it is still critical: expected 10 or more",
        ),
        (
            "warning: 40, critical: 60, clear: {warning: 35, critical: 30}",
            "clear.critical: at 35 not even a warning is left: expected that or more (or clear a warning at 30, too)",
        ),
        (
            "warning: 40, critical: 60, clear: {critical: 30}",
            "clear.critical: at 40 not even a warning is left: expected that or more (or clear a warning at 30, too)",
        ),
        (
            "warning: 20, critical: 10, clear: {critical: 30}",
            "clear.critical: at 20 not even a warning is left: expected that or less (or clear a warning at 30, too)",
        ),
    ],
)
def test_a_clear_where_no_incident_could_end_is_an_error(keys: str, complaint: str) -> None:
    assert complaint_about(keys) == complaint


def test_both_bad_clears_are_told_at_once() -> None:
    keys = "warning: 40, critical: 60, clear: {warning: 41, critical: 61}, no_data: ok, allow_no_data: no"
    assert len(headlines(file_with(alert_with(keys)))) == 3


@pytest.mark.parametrize(
    ("keys", "policy"),
    [
        ("no_data: alert", NoDataPolicy.ALERT),
        ("no_data: ok", NoDataPolicy.OK),
        ("no_data: keep", NoDataPolicy.KEEP),
        ("allow_no_data: yes", NoDataPolicy.OK),
        ("allow_no_data: yes, no_data: ok", NoDataPolicy.OK),
        ("allow_no_data: no, no_data: keep", NoDataPolicy.KEEP),
    ],
)
def test_missing_data_means_what_no_data_says(keys: str, policy: NoDataPolicy) -> None:
    assert entry_of(keys).no_data is policy


@pytest.mark.parametrize(
    ("keys", "complaint"),
    [
        ("allow_no_data: yes, no_data: alert", "no_data: alert contradicts allow_no_data: yes"),
        ("allow_no_data: yes, no_data: keep", "no_data: keep contradicts allow_no_data: yes"),
        ("allow_no_data: no, no_data: ok", "no_data: ok contradicts allow_no_data: no"),
    ],
)
def test_old_and_new_words_about_missing_data_may_not_contradict_each_other(keys: str, complaint: str) -> None:
    assert complaint_about(keys).startswith(complaint + " (delete allow_no_data")


def test_no_data_for_is_taken_as_written() -> None:
    assert entry_of("from: -1h, no_data_for: 5min").no_data_for == 5 * MINUTE
    assert entry_of("from: -1h").no_data_for == HOUR
    assert entry_of("from: -1min, for: 1h").no_data_for == 3 * MINUTE


def test_the_files_own_no_data_for_is_so_many_polls() -> None:
    text = "heartbeat_seconds: 20.5\nno_data_notification_threshold: 10"
    assert settings_of(text).no_data_for == timedelta(seconds=205)
    assert settings_of("").no_data_for == 3 * MINUTE


def test_a_vanished_series_is_what_on_vanish_says() -> None:
    entry = entry_of("on_vanish: resolve, vanish_after: 0, forget_after: 1h")
    assert (entry.on_vanish, entry.vanish_after, entry.forget_after) == (OnVanish.RESOLVE, timedelta(0), HOUR)
    assert entry_of("on_vanish: hold").on_vanish is OnVanish.HOLD


@pytest.mark.parametrize("keys", ["vanish_after: 5min", "vanish_after: 5min, on_vanish: hold"])
def test_a_vanish_after_without_effect_is_a_warning(keys: str) -> None:
    assert complaint_about(keys) == "vanish_after has no effect (it needs on_vanish: resolve)"
    assert load(file_with(alert_with(keys)), ENVIRON, source="alerts.yml").config is not None


@pytest.mark.parametrize(
    ("keys", "length"),
    [
        ("from: -23h", DAY),
        ("from: -2d", 3 * DAY),
        ("no_data_for: 1d", 2 * DAY),
        ("on_vanish: resolve, vanish_after: 1w", 8 * DAY),
        ("from: -2d, forget_after: 50h", 50 * HOUR),
        ("from: -2d, allow_no_data: yes, forget_after: 1h", HOUR),
    ],
)
def test_nothing_is_forgotten_before_it_is_missed(keys: str, length: timedelta) -> None:
    assert entry_of(keys).forget_after == length


@pytest.mark.parametrize(
    ("keys", "complaint"),
    [
        ("no_data_for: 1h, forget_after: 1h", "forget_after: expected more than no_data_for, which is 1h: "),
        ("forget_after: 2min", "forget_after: expected more than no_data_for, which is 3min: "),
        ("on_vanish: resolve, forget_after: 10min", "forget_after: expected more than vanish_after, which is 15min: "),
    ],
)
def test_a_forget_after_that_comes_first_is_an_error(keys: str, complaint: str) -> None:
    assert complaint_about(keys).startswith(complaint)


def test_an_open_incident_is_told_again_or_never() -> None:
    assert entry_of("repeat_interval: 1d").repeat_interval == DAY
    assert entry_of("repeat_interval: never").repeat_interval is None
    assert entry_of("repeat_interval: 60").repeat_interval == MINUTE


def test_the_storm_limit_is_what_any_of_the_entries_says() -> None:
    items = [alert_with("from: -1min"), alert_with("storm_limit: 7"), alert_with("storm_limit: 7")]
    limits = [alert.storm_limit for alert in alerts_of(file_with(*items, alert_with("from: -1min", name="b")))]
    assert limits == [7, 20]


def test_two_storm_limits_of_one_alert_are_an_error_at_the_second() -> None:
    text = file_with(alert_with("storm_limit: 7"), alert_with("storm_limit: 8"))
    hint = "(an alert has one storm_limit: keep one of them)"
    assert headlines(text) == [f"alerts.yml:4:66: alert 'a', storm_limit: line 3 says 7 for the same alert {hint}"]


@pytest.mark.parametrize(
    ("keys", "from_", "until"),
    [
        ("from: -1min, for: 10min", "-660s", None),
        ("from: -1min, for: {critical: 10min}", "-660s", None),
        ("from: -10min, for: 10min", "-900s", None),
        ("from: -10min, until: -5min, for: 10min", "-1200s", "-5min"),
        ("from: -5min, until: -10min, for: 10min", "-1200s", "-5min"),
        ("from: -1h, for: 10min", "-1h", None),
        ("from: -15min, for: 10min", "-15min", None),
        ("from: -1min", "-1min", None),
        ("from: noon_yesterday, for: 10min", "noon_yesterday", None),
        ("from: -1min, until: midnight, for: 10min", "-1min", "midnight"),
        ("from: -1min, for: 10min, value: max", "-1min", None),
        ("from: now, until: +1h, for: 2h", "-3900s", "+1h"),
        ("from: +1h, until: +3h, for: 150min", "+1500s", "+3h"),
    ],
)
def test_the_window_can_hold_a_whole_run_of_breaches(keys: str, from_: str, until: str | None) -> None:
    assert entry_of(keys).query == Query("t", from_, until)
