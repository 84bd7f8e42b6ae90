"""The ready-made checks: every one that is shipped is sound, and `use` makes an alert of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from graphitepager.config import load
from graphitepager.config.plainyaml import as_yaml
from graphitepager.config.readymade import read_check
from graphitepager.library import Library
from graphitepager.messages import render
from graphitepager.model import WHOLE_ALERT, Event, EventKind, SeriesKey
from graphitepager.rules import Entry, Level
from tests.examples import GRAPHITE_URL, NOON, bound_of
from tests.unit.config_support import ENVIRON

if TYPE_CHECKING:
    from graphitepager.config.yamlsource import Data

LIBRARY = Library()


def entries_of(text: str) -> list[Entry]:
    loaded = load(text, ENVIRON, source="alerts.yml", strict=True, library=LIBRARY)
    assert [problem.headline for problem in loaded.problems] == []
    assert loaded.config is not None
    return [entry for alert in loaded.config.alerts for entry in alert.entries]


def complaint(entry: str) -> str:
    [problem] = load(f"alerts:\n  - {{{entry}}}\n", ENVIRON, source="alerts.yml", library=LIBRARY).problems
    return problem.headline.removeprefix("alerts.yml:2:")


@pytest.mark.parametrize("name", LIBRARY)
def test_every_shipped_check_is_complete_and_sound(name: str) -> None:
    check = read_check(name, LIBRARY[name])
    assert check.about.endswith(".")
    assert check.parameters
    assert all(one.about.endswith(".") and one.example for one in check.parameters)
    needed = {one.name: one.example for one in check.parameters if one.default is None}
    entry: Data = {"alerts": [{"use": name, "with": {**needed}}]}
    loaded = load(
        as_yaml(entry),
        ENVIRON, source="alerts.yml", strict=True, library=LIBRARY,
    )  # fmt: skip
    assert [problem.headline for problem in loaded.problems] == []
    [(made, origin)] = loaded.entries
    assert origin.check == name
    assert isinstance(made, dict)
    given = {one.name: one.example for one in check.parameters}
    assert not [text for text in made.values() for key in given if isinstance(text, str) and f"{{{key}}}" in text]


@pytest.mark.parametrize("name", LIBRARY)
@pytest.mark.parametrize("series", ["db1.example", WHOLE_ALERT])
@pytest.mark.parametrize("level", [Level.CRITICAL, Level.NO_DATA])
def test_every_page_of_a_shipped_check_says_what_it_means_and_what_to_do_first(
    name: str, series: str, level: Level
) -> None:
    needed = {one.name: one.example for one in read_check(name, LIBRARY[name]).parameters if one.default is None}
    [entry] = entries_of(as_yaml({"alerts": [{"use": name, "with": {**needed}}]}))
    value = 3.0 if level is Level.CRITICAL else None
    event = Event(kind=EventKind.TRIGGERED, key=SeriesKey("a", series), level=level, at=NOON, since=NOON)
    page = render(replace(event, value=value, entry=entry), GRAPHITE_URL)
    said = page.details["description"]
    assert isinstance(said, str)
    assert said.endswith(".")
    assert ("db1.example" in said) is (series != WHOLE_ALERT)
    assert "template_errors" not in page.details


@pytest.mark.parametrize("name", LIBRARY)
def test_every_parameter_makes_a_difference(name: str) -> None:
    check = read_check(name, LIBRARY[name])
    text = LIBRARY[name].partition("\nalert")[2]
    assert [one.name for one in check.parameters if f"{{{one.name}}}" not in text] == []


def test_a_name_leads_to_no_other_file() -> None:
    assert LIBRARY.get("../library/host/load") is None
    assert LIBRARY.get("host/../host/load") is None
    assert LIBRARY.get("host") is None
    assert len(LIBRARY) == len(set(LIBRARY)) == 11


def test_an_alert_is_what_its_check_says_where_it_says_nothing_else() -> None:
    text = (
        "defaults: {for: 1h, page_on: [critical]}\n"
        "alerts: [{use: host/load, name: Mine, warning: 5, with: {prefix: a.b, hosts: 'web*'}}]\n"
    )
    [entry] = entries_of(text)
    assert entry.query.target == "aliasByNode(a.b.web*.loadavg.01, -3)"
    assert (bound_of(entry.warning), bound_of(entry.critical)) == (5, 12)
    assert (entry.for_warning.total_seconds(), *entry.page_on) == (300, Level.CRITICAL)


def test_the_names_of_for_each_hold_in_the_parameters_and_not_in_the_check() -> None:
    text = (
        "alerts: [{use: host/load, name: 'Load {hosts}', for_each: {hosts: [a, b]}, with: {prefix: '{hosts}.x'}, "
        "critical: 20}]\n"
    )
    assert [entry.query.target for entry in entries_of(text)] == [
        "aliasByNode(a.x.*.loadavg.01, -3)",
        "aliasByNode(b.x.*.loadavg.01, -3)",
    ]


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        (
            "use: host/laod",
            "11: an alert without a name, use: no ready-made check is called 'host/laod' (did you mean host/load?)",
        ),
        (
            "use: zzz, name: a",
            "11: alert 'a', use: no ready-made check is called 'zzz' (graphite-pager library lists them all)",
        ),
        (
            "use: [a], name: a",
            "11: alert 'a', use: no ready-made check is called a list (graphite-pager library lists them all)",
        ),
        (
            "name: a, use: host/load, with: {hots: x}",
            "38: alert 'a', with: host/load has no parameter 'hots' (did you mean hosts?)",
        ),
        (
            "name: a, use: host/load, with: {zzz: x}",
            "38: alert 'a', with: host/load has no parameter 'zzz' (it has hosts, prefix)",
        ),
        (
            "name: a, use: host/load, with: x",
            "37: alert 'a', with: expected keys and values, got a text (write key: value)",
        ),
        (
            "name: a, use: host/load, with: {hosts: [x]}",
            "45: alert 'a', with.hosts: expected a text or a number, got a list",
        ),
        (
            "name: a, use: redis/memory",
            "5: alert 'a', with: redis/memory needs limit (What each of them may use, in bytes; its maxmemory.)",
        ),
        (
            "name: a, target: t, warning: 1, critical: 2, with: {x: y}",
            "51: warning: alert 'a', with has no effect (it needs use)",
        ),
    ],
)
def test_what_is_wrong_with_its_use_is_told(entry: str, said: str) -> None:
    assert complaint(entry) == said


def test_a_bad_parameter_is_told_where_it_was_given() -> None:
    [problem] = load(
        "alerts:\n  - {use: sql_to_graphite/stale, with: {prefix: db, warning: soon}}\n",
        ENVIRON, source="alerts.yml", library=LIBRARY,
    ).problems  # fmt: skip
    assert problem.headline == "alerts.yml:2:62: alert 'sql-to-graphite', warning: expected a number, got 'soon'"


def test_a_mistake_in_a_check_is_told_with_its_file_and_line() -> None:
    text = LIBRARY["host/load"].replace("warning: 8", "warning: eight")
    [problem] = load("alerts: [{use: my/load}]", ENVIRON, source="alerts.yml", library={"my/load": text}).problems
    line = text.splitlines().index("  warning: eight") + 1
    assert problem.headline == (
        f"graphitepager/library/my/load.yml:{line}:12: alert 'Load', warning: expected a number, got 'eight'"
    )
    assert problem.excerpt == "  warning: eight"


def test_a_check_may_be_several_alerts() -> None:
    text = (
        "about: Two.\nparameters: {n: {about: N., default: 1}}\n"
        "alerts:\n- {name: 'a{n}', target: t, warning: 1, critical: 2}\n"
        "- {name: b, target: t, warning: 1, critical: 2}\n"
    )
    loaded = load("alerts: [{use: my/two, critical: 9}]", ENVIRON, source="alerts.yml", library={"my/two": text})
    assert loaded.config is not None
    assert [(alert.name, bound_of(alert.entries[0].critical)) for alert in loaded.config.alerts] == [
        ("a1", 9),
        ("b", 9),
    ]
