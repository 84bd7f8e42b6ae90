"""What alerts say of each other and of mute windows, by name."""

from __future__ import annotations

import time as clock
from datetime import time
from zoneinfo import ZoneInfo

import pytest

from graphitepager.config import load
from graphitepager.rules import Level, MuteWindow
from tests.unit.config_support import (
    ENVIRON,
    alert_with,
    alerts_of,
    complaint_about,
    entry_of,
    file_with,
    headlines,
)

ALL_LEVELS = frozenset({Level.WARNING, Level.CRITICAL, Level.NO_DATA})


def test_alerts_depend_on_others_by_their_names() -> None:
    items = [alert_with("depends_on: [b, c]"), alert_with("depends_on: c", name="b"), alert_with("for: 1", name="c")]
    assert [alert.entries[0].depends_on for alert in alerts_of(file_with(*items))] == [{"b", "c"}, {"c"}, set()]


def test_an_unknown_dependency_is_an_error_even_beside_others() -> None:
    text = file_with(alert_with("depends_on: Swich"), alert_with("for: x", name="Switch"))
    assert [headline.partition(" ")[2] for headline in headlines(text)] == [
        "alert 'a', depends_on: no alert is called 'Swich' (did you mean Switch?)",
        "alert 'Switch', for: expected a duration such as 90s, 5min or 1h30min, got 'x'",
    ]


def test_dependencies_in_a_circle_are_named() -> None:
    text = file_with(
        alert_with("depends_on: a", name="x"),
        alert_with("depends_on: [x, b]"),
        alert_with("depends_on: c", name="b"),
        alert_with("depends_on: [c, a]", name="c"),
    )
    assert [headline.partition(": ")[2] for headline in headlines(text)] == [
        "alert 'x', depends_on: these alerts depend on each other: 'x' → 'a' → 'x'",
        "alert 'a', depends_on: these alerts depend on each other: 'a' → 'b' → 'c' → 'a'",
        "alert 'c', depends_on: an alert cannot depend on itself",
    ]


def test_a_long_circle_is_cut_short() -> None:
    items = [alert_with(f"depends_on: n{(number + 1) % 1000}", name=f"n{number}") for number in range(1000)]
    started = clock.process_time()
    [headline] = headlines(file_with(*items))
    assert headline.endswith("each other: 'n0' → 'n1' → 'n2' → 'n3' → 'n4' → … → 'n0'")
    assert clock.process_time() - started < 2


def test_a_thousand_alerts_with_wrong_names_load_at_once() -> None:
    items = [alert_with(f"depends_on: [alert{number}x, n{number}], mute: nihts", f"n{number}") for number in range(999)]
    started = clock.process_time()
    assert len(headlines(file_with(*items, top="mute_windows: {nights: {from: 22:00}}"))) > 2000
    assert clock.process_time() - started < 4


@pytest.mark.parametrize(
    ("keys", "window"),
    [
        (
            "{days: mon-fri, from: 22:00, until: 06:00, timezone: Europe/Berlin, levels: [warning]}",
            MuteWindow(
                text="mon-fri 22:00-06:00 Europe/Berlin",
                days=frozenset(range(5)),
                begins=time(22),
                ends=time(6),
                zone=ZoneInfo("Europe/Berlin"),
                levels=frozenset({Level.WARNING}),
            ),
        ),
        (
            "[{days: [fri-mon, Wednesday]}]",
            MuteWindow(
                text="wed,fri-mon UTC",
                days=frozenset({4, 5, 6, 0, 2}),
                begins=time(0),
                ends=time(0),
                zone=ZoneInfo("UTC"),
                levels=ALL_LEVELS,
            ),
        ),
        (
            "{from: '9:30', until: 24:00}",
            MuteWindow(
                text="09:30-24:00 UTC",
                days=frozenset(range(7)),
                begins=time(9, 30),
                ends=time(0),
                zone=ZoneInfo("UTC"),
                levels=ALL_LEVELS,
            ),
        ),
    ],
)
def test_a_mute_window_can_be_written_in_place(keys: str, window: MuteWindow) -> None:
    assert entry_of(f"mute: {keys}").mute == (window,)


def test_a_mute_window_can_have_a_name() -> None:
    top = "timezone: Europe/Berlin\nmute_windows:\n  nights: {from: 22:00, until: 6:00}\n  sundays: {days: sun}"
    nights, sundays, here = entry_of("mute: [nights, sundays, {days: sat, timezone: UTC}]", top=top).mute
    assert [window.text for window in (nights, sundays, here)] == ["nights", "sundays", "sat UTC"]
    assert [window.zone.key for window in (nights, sundays, here)] == ["Europe/Berlin", "Europe/Berlin", "UTC"]


@pytest.mark.parametrize(
    ("keys", "complaint"),
    [
        (
            "{days: funday}",
            "mute.days: expected days such as sat, mon-fri or fri-mon, got 'funday' (a list is [tue, sat-sun])",
        ),
        (
            "{days: mon-tue-wed}",
            "mute.days: expected days such as sat, mon-fri or fri-mon, got 'mon-tue-wed' (a list is [tue, sat-sun])",
        ),
        ("{days: []}", "mute.days: expected at least one, got an empty list"),
        ("{levels: []}", "mute.levels: expected at least one, got an empty list"),
        ("{from: 24:00}", "mute.from: expected a time of day from 00:00 to 23:59, got '24:00'"),
        ("{until: 22}", "mute.until: expected a time of day from 00:00 to 23:59, got '22'"),
        (
            "{timezone: europe/berlin}",
            "mute.timezone: expected a time zone such as Europe/Berlin or UTC, got 'europe/berlin' (did you mean",
        ),
        ("{timezone: ../../etc/passwd}", "mute.timezone: expected a time zone such as Europe/Berlin or UTC, got "),
        ("{timezone: Europe}", "mute.timezone: expected a time zone such as Europe/Berlin or UTC, got 'Europe'"),
        ("{levels: [nominal]}", "mute.levels: expected warning, critical or no_data, got 'nominal'"),
        ("[[sat]]", "mute: expected keys and values, got a list (write key: value)"),
        ("nigths", "mute: no mute window is called 'nigths' (name it under mute_windows, or write it in place: "),
    ],
)
def test_a_mute_window_that_makes_no_sense_is_an_error(keys: str, complaint: str) -> None:
    assert complaint_about(f"mute: {keys}").startswith(complaint)


@pytest.mark.parametrize(
    "keys", ["{}", "{levels: [warning]}", "{from: 06:00, until: 06:00}", "{days: [tue-fri, sat-mon]}"]
)
def test_a_mute_window_that_never_ends_is_an_error(keys: str) -> None:
    assert complaint_about(f"mute: {keys}").startswith("mute: this mutes at every time of every day")


def test_an_unknown_key_of_a_mute_window_is_a_warning_wherever_it_stands() -> None:
    for text in (
        file_with(alert_with("mute: {dayz: sun, from: 22:00}")),
        file_with(alert_with("mute: [{dayz: sun, from: 22:00}]")),
        file_with(alert_with("mute: w"), top="mute_windows: {w: {dayz: sun, from: 22:00}}"),
    ):
        [headline] = headlines(text)
        assert headline.endswith("warning: unknown key 'dayz' (did you mean days?)")
        assert load(text, ENVIRON, source="alerts.yml").config is not None


def test_a_mute_window_is_looked_up_by_its_name_and_used() -> None:
    top = "mute_windows: {nights: {from: 22:00}, weekend: {days: sat-sun}}"
    assert headlines(file_with(alert_with("mute: night"), top=top)) == [
        "alerts.yml:1:16: warning: mute_windows.nights has no effect (no alert says mute: nights)",
        "alerts.yml:1:39: warning: mute_windows.weekend has no effect (no alert says mute: weekend)",
        "alerts.yml:3:59: alert 'a', mute: no mute window is called 'night' (did you mean nights?)",
    ]


@pytest.mark.parametrize(
    ("top", "complaint"),
    [
        ("mute_windows: {w: }", "mute_windows.w: expected keys and values, got nothing (write key: value)"),
        ("mute_windows: [w]", "mute_windows: expected keys and values, got a list (write key: value)"),
        ("timezone: Mars/Phobos", "timezone: expected a time zone such as Europe/Berlin or UTC, got 'Mars/Phobos'"),
    ],
)
def test_what_all_mute_windows_share_is_checked_too(top: str, complaint: str) -> None:
    assert complaint in "\n".join(headlines(file_with(alert_with("for: 0"), top=top)))
