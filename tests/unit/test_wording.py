"""What an alert says in its own words, and what is said where it cannot."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphitepager.errors import PagerError
from graphitepager.health import own_alert
from graphitepager.messages import SUMMARY_LIMIT, render
from graphitepager.model import COUNT, OWN, WHOLE_ALERT, Event, EventKind, Link, Message, SeriesKey
from graphitepager.rules import Compare, Level, Query, Ratio, Severity
from graphitepager.templates import check
from graphitepager.wording import DETAILS, LABEL_NAMES, NAMES, nodes_of, trial
from tests.examples import GRAPHITE_URL, MINUTE, NOON, entry, settings

KEY = SeriesKey("MongoDB lock", "servers.db1.lock")
STORM = SeriesKey(KEY.alert, WHOLE_ALERT + "critical×23")
WHOLE = SeriesKey(KEY.alert, WHOLE_ALERT)
TEAM = {"team": "dba", "host": "{{ nodes[1] }}"}


def event(kind: EventKind = EventKind.TRIGGERED, level: Level = Level.CRITICAL, **other: Any) -> Event:
    says = {name: other.pop(name) for name in list(other) if name in entry().__slots__}
    value = None if level is Level.NO_DATA else 82.4
    fields = {"key": KEY, "at": NOON, "since": NOON - 12 * MINUTE, "value": value, "entry": entry(**says)} | other
    return Event(kind=kind, level=level, **fields)  # type: ignore[arg-type]


def message(kind: EventKind = EventKind.TRIGGERED, level: Level = Level.CRITICAL, **other: Any) -> Message:
    return render(event(kind, level, **other), GRAPHITE_URL)


SAYS: dict[str, Any] = {
    "summary": "{{ nodes[1] }} holds its lock {{ value|round(1) }} % of the time",
    "description": "Above {{ thresholds.critical }} since {{ since }}.\nAsk {{ labels.team }}.",
    "labels": TEAM,
    "runbook": "https://wiki.example.com/{{ alert }}?host={{ nodes[1] }}",
}


@pytest.mark.parametrize(
    ("kind", "level", "other", "summary"),
    [
        (EventKind.TRIGGERED, Level.CRITICAL, {}, "CRITICAL MongoDB lock: db1 holds its lock 82.4 % of the time"),
        (EventKind.TRIGGERED, Level.WARNING, {}, "WARNING MongoDB lock: db1 holds its lock 82.4 % of the time"),
        (EventKind.REPEATED, Level.CRITICAL, {}, "CRITICAL MongoDB lock: db1 holds its lock 82.4 % of the time"),
        (
            EventKind.RESOLVED,
            Level.CRITICAL,
            {"reason": "back to Nominal"},
            "RESOLVED MongoDB lock: servers.db1.lock is 82.4, was Critical for 12min (back to Nominal)",
        ),
        (
            EventKind.RESOLVED,
            Level.CRITICAL,
            {"reason": "removed from alerts.yml", "entry": None, "value": None},
            "RESOLVED MongoDB lock: servers.db1.lock was Critical for 12min (removed from alerts.yml)",
        ),
        (
            EventKind.FLAPPING,
            Level.WARNING,
            {"key": SeriesKey(KEY.alert, "a.db1")},
            "FLAPPING WARNING MongoDB lock: a.db1 fires for the 4th time within 1h; open until it is quiet for 15min",
        ),
        (
            EventKind.TRIGGERED,
            Level.NO_DATA,
            {},
            "NO DATA MongoDB lock: servers.db1.lock has had no datapoint for 12min",
        ),
        (
            EventKind.TRIGGERED,
            Level.NO_DATA,
            {"key": WHOLE},
            "NO DATA MongoDB lock: Graphite has returned no series for servers.*.lock for 12min",
        ),
        (
            EventKind.TRIGGERED,
            Level.CRITICAL,
            {"key": STORM, "size": 23, "value": None, "detail": "23 series together: db1, db2 and 21 more"},
            "CRITICAL MongoDB lock: 23 series together: db1, db2 and 21 more, for 12min",
        ),
    ],
)
def test_a_summary_speaks_of_a_value_that_is_bad_and_all_else_has_its_own_sentence(
    kind: EventKind, level: Level, other: dict[str, Any], summary: str
) -> None:
    made = message(kind, level, **SAYS, **other)
    assert made.summary == summary
    assert "template_errors" not in made.details


def test_all_that_an_alert_says_is_in_its_page() -> None:
    made = message(**SAYS)
    assert made.details == {
        "alert": "MongoDB lock",
        "series": "servers.db1.lock",
        "level": "Critical",
        "value": 82.4,
        "warning": "50",
        "critical": "70",
        "target": "servers.*.lock",
        "window": "from -1min until now",
        "since": "2026-01-15T11:48:00+00:00",
        "description": "Above 70 since 2026-01-15 11:48 UTC.\nAsk dba.",
        "team": "dba",
        "host": "db1",
    }
    assert made.labels == {"team": "dba", "host": "db1"}
    assert made.links[0] == Link("https://wiki.example.com/MongoDB%20lock?host=db1", "Runbook")


def test_every_name_is_filled_in() -> None:
    text = "|".join(f"{{{{ {name} }}}}" for name in sorted(LABEL_NAMES - {"variables", "thresholds"}))
    made = message(summary=text + " {{ thresholds.warning }} {{ variables.env }}", variables={"env": "prod"})
    assert made.summary == (
        "CRITICAL MongoDB lock: MongoDB lock|12min|Critical|['servers', 'db1', 'lock']|servers.db1.lock"
        "|2026-01-15 11:48 UTC|servers.*.lock|82.4 50 prod"
    )


def test_the_details_that_every_page_has_are_those_no_label_can_be_called() -> None:
    earlier = Query("b", "-61min", "-60min")
    everything = message(
        level=Level.CRITICAL,
        detail="x",
        reason="x",
        description="x",
        labels={"l": "{{ 1 / 0 }}"},
        ratio=Ratio(to=earlier),
        compare=Compare(queries=(earlier, earlier), ago=60 * MINUTE),
    )
    assert set(everything.details) == DETAILS


class TestWhatCannotBeFilledIn:
    """The page goes out with the default, and says why."""

    def test_the_default_summary_stands_in_and_the_details_say_why(self) -> None:
        made = message(summary="{{ nodes[7] }} is bad", labels={"rack": "{{ 1 / 0 }}", "team": "dba"})
        assert made.summary == "CRITICAL MongoDB lock: servers.db1.lock is 82.4 (critical at 70), for 12min"
        assert made.details["template_errors"] == "labels.rack: division by zero; summary: there is no 7"
        assert made.labels == {"team": "dba"}

    def test_the_runbook_of_the_file_stands_in(self) -> None:
        made = message(runbook="https://wiki/{{ nodes[7] }}", runbook_base="https://wiki")
        assert made.links[0].href == "https://wiki/MongoDB%20lock#servers.db1.lock"

    def test_a_blank_summary_is_none(self) -> None:
        assert "is 82.4 (critical at 70)" in message(summary="{% if false %}x{% endif %} ").summary

    def test_not_even_a_template_that_was_never_checked_costs_the_page(self) -> None:
        made = message(summary="{% for x in nodes %}{% endfor %}", description="{{", labels={"a": "{{ 2 ** 9 }}"})
        assert made.summary.startswith("CRITICAL MongoDB lock: servers.db1.lock is 82.4")
        assert "a loop is not allowed" in str(made.details["template_errors"])


class TestWhatHasNoValue:
    """At NO DATA there is no value, and of all series together there is no name."""

    def test_what_needs_it_is_left_out_without_complaint(self) -> None:
        made = message(level=Level.NO_DATA, description="{{ value|round(1) }}", labels=TEAM)
        assert ("description" in made.details, "template_errors" in made.details) == (False, False)
        assert made.labels == {"team": "dba", "host": "db1"}

    def test_a_template_can_ask(self) -> None:
        text = "{% if value is defined %}{{ value }}{% else %}nothing{% endif %} {{ value|default('n/a') }}"
        assert message(level=Level.NO_DATA, description=text).details["description"] == "nothing n/a"

    @pytest.mark.parametrize("key", [STORM, WHOLE])
    def test_what_speaks_of_all_series_keeps_the_labels_that_do(self, key: SeriesKey) -> None:
        made = message(level=Level.NO_DATA, key=key, **SAYS)
        assert made.labels == {"team": "dba"}
        assert made.details["description"] == "Above 70 since 2026-01-15 11:48 UTC.\nAsk dba."
        assert [link.text for link in made.links] == ["Graph"]


@pytest.mark.parametrize(
    ("name", "nodes"),
    [
        ("servers.db1.lock", ["servers", "db1", "lock"]),
        ("db1", ["db1"]),
        ("perSecond(servers.db1.x)", ["servers", "db1", "x"]),
        ("scale(perSecond(servers.db1.x),60)", ["servers", "db1", "x"]),
        ("asPercent(a.b,c.d)", ["a", "b"]),
        ("sumSeries(servers.{a,b}.x,c)", ["servers", "{a,b}", "x"]),
        ("disk (root)", ["disk"]),
        ("disk.used;host=db1.example.com", ["disk", "used"]),
        ("movingAverage(a.b,'5min')", ["a", "b"]),
        ("", [""]),
        ("(", ["("]),
        ("f(", ["f("]),
    ],
)
def test_nodes_are_the_parts_of_the_innermost_path(name: str, nodes: list[str]) -> None:
    assert nodes_of(name) == nodes


def test_a_hostile_series_name_is_text_like_any_other() -> None:
    hostile = SeriesKey("a\nb", "{{ 1 / 0 }}\x1b[31m\u202e\ud800\n<script>." + "x" * 5000)
    made = message(key=hostile, **SAYS | {"summary": "{{ series }} {{ nodes[0] }}", "description": "{{ series }}"})
    assert made.summary.startswith(r"CRITICAL a\nb: {{ 1 / 0 }}\x1b[31m\u202e\ud800\n<script>.xxx")
    assert made.summary.isprintable()
    assert str(made.details["description"]).isprintable()
    assert len(made.summary) <= SUMMARY_LIMIT
    assert made.links[0].href.isascii()


def test_escapes_in_a_template_are_no_way_around_that() -> None:
    made = message(summary=r"{{ '\x1b[31m\n\u202e' }}", description="a{{ '\\x1b' }}\nb", labels={"x": "{{ '\\0' }}"})
    assert made.summary == r"CRITICAL MongoDB lock: \x1b[31m\n\u202e"
    assert made.details["description"] == "a\\x1b\nb"
    assert made.labels == {"x": "\\x00"}


def test_a_runbook_whose_values_look_like_a_url_stays_on_its_host() -> None:
    made = message(key=SeriesKey("a", "x?y#z é"), runbook="https://wiki/{{ series }}")
    assert made.links[0].href == "https://wiki/x%3Fy%23z%20%C3%A9"


def test_the_severity_is_that_of_the_level_if_the_alert_says_one() -> None:
    severity = {Level.WARNING: Severity.INFO}
    assert message(level=Level.WARNING, severity=severity).severity is Severity.INFO
    assert message(level=Level.CRITICAL, severity=severity).severity is None
    assert message(entry=None).severity is None


class TestTrial:
    """What is bound to fail is found before it is needed."""

    def faults(self, **says: Any) -> list[tuple[str, bool]]:
        return [(str(fault), fault.error.word is not None) for fault in trial("Load", entry(**says))]

    def test_what_works_has_no_faults(self) -> None:
        assert self.faults(**SAYS) == []

    def test_a_key_that_does_not_exist_is_certain_to_fail(self) -> None:
        assert self.faults(description="{{ labels.tem }}", labels={"team": "x"}) == [
            ("description: tem is not known here; there are team", True)
        ]

    def test_a_fault_at_one_level_is_found_once(self) -> None:
        text = "{% if level == 'NO DATA' %}{{ 1 / 0 }}{% endif %}"
        assert self.faults(description=text) == [("description: division by zero", False)]

    @pytest.mark.parametrize(
        ("target", "other", "count"),
        [
            ("servers.*.lock", {}, 3),
            (" servers.{web,db}[0-9]?.lock ", {}, 3),
            ("load", {}, 1),
            ("aliasByNode(servers.*.disk.*.free, 1,-2)", {}, 2),
            ("aliasByNode( a.*.b ,1 )", {}, 1),
            ("servers.*.lock.time", {"ratio": Ratio(to=Query("servers.*.lock.total", "-1min", None))}, 3),
            ("f(a.b)", {"ratio": Ratio(to=Query("g(a.b)", "-1min", None), by=(1, -2))}, 2),
        ],
    )
    def test_a_node_beyond_those_of_the_target_is_found(self, target: str, other: dict[str, Any], count: int) -> None:
        last, beyond = f"{{{{ nodes[{count - 1}] }}}}", f"{{{{ nodes[{count}] }}}}"
        found = [[*trial("a", entry(target, summary=text, **other))] for text in (last, beyond)]
        assert [[str(fault) for fault in faults] for faults in found] == [[], [f"summary: there is no {count}"]]

    @pytest.mark.parametrize(
        ("target", "other"),
        [
            ("perSecond(servers.*.lock)", {}),
            ("servers.**.lock", {}),
            ("servers.{a,b.c}.lock", {}),
            ('aliasByNode(disk;host=a, "host")', {}),
            ("aliasByNode(perSecond(a.b), 1)", {}),
            ("a.b", {"ratio": Ratio(to=Query("a.c", "-1min", None), by=("host",))}),
            ("load", {"ratio": Ratio(to=Query("all", "-1min", None))}),
        ],
    )
    def test_where_only_graphite_knows_how_many_nodes_there_are_many_are_assumed(
        self, target: str, other: dict[str, Any]
    ) -> None:
        assert [*trial("a", entry(target, summary="{{ nodes[20] }}", **other))] == []


def test_the_pagers_own_troubles_have_the_default_words() -> None:
    own = own_alert(settings()).entries[0]
    made = message(entry=own, key=SeriesKey(OWN, "Graphite"), detail="Graphite unreachable", value=None)
    assert made.labels == {}


_ANYTHING = st.text(st.characters(exclude_categories=[]), max_size=40)
_PIECES = (
    *(f"{{{{ {name} }}}}" for name in sorted(NAMES)),
    *("{{ nodes[1] }}", "{{ value|round(1) }}", "{{ thresholds.critical }}", "{{ labels.a }}", "{{ variables.x }}"),
    *("{% if value %}", "{% endif %}", "{{ 1/0 }}", "{{ value * 1e300 * 1e300 }}", "{{ level|join(series) }}", "\n"),
)
_TEMPLATES = _ANYTHING | st.lists(st.sampled_from(_PIECES), max_size=8).map("".join)
_EVENTS = st.builds(
    event,
    st.sampled_from(EventKind),
    st.sampled_from(Level),
    key=st.builds(SeriesKey, _ANYTHING, _ANYTHING) | st.sampled_from([STORM, WHOLE]),
    value=st.none() | st.floats(),
    size=st.sampled_from([0, 0, 23]),
    detail=st.none() | _ANYTHING,
    reason=st.none() | _ANYTHING,
)


@given(_EVENTS, _TEMPLATES, _TEMPLATES)
def test_any_template_is_refused_or_makes_a_page_for_any_event(happened: Event, text: str, label: str) -> None:
    try:
        check(text, NAMES)
        check(label, LABEL_NAMES)
    except PagerError:
        return
    says = entry(summary=text, description=text, runbook=text, labels={"a": label}, variables={"x": text})
    began = time.process_time()
    made = render(replace(happened, entry=says), GRAPHITE_URL)
    assert time.process_time() - began < 2
    assert made.summary.isprintable()
    assert len(made.summary) <= SUMMARY_LIMIT
    assert all(line.isprintable() for line in str(made.details.get("description", "")).split("\n"))
    assert all(len(label) <= 500 and label.isprintable() for label in made.labels.values())
    assert len(str(made.details.get("template_errors", ""))) < 1200


def test_a_number_of_series_is_no_value() -> None:
    counted = SeriesKey(KEY.alert, COUNT)
    made = message(key=counted, description="{{ value }} of {{ thresholds.critical }}", warning=None, critical=None)
    assert "description" not in made.details
    assert "template_errors" not in made.details
