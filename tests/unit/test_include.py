"""Alerts in several files: which of them count, in which order, and what is told of whom."""

from __future__ import annotations

import pytest

from graphitepager.config import Loaded, load
from graphitepager.config.files import Files, IncludedFile, pack, patterns, unpack
from tests.examples import bound_of
from tests.unit.config_support import ENVIRON

OWN = "alerts:\n  - {name: own, target: t, warning: 1, critical: 2}\n"
PATTERN = "alerts.d/*.yml"
HOLDS = "(an included file holds alerts, and defaults for them)"


def an_alert(name: str, keys: str = "warning: 1, critical: 2") -> str:
    return f"alerts:\n  - {{name: {name}, target: t, {keys}}}\n"


def including(*texts: str, top: str = OWN, strict: bool = False) -> Loaded:
    """A file that includes these, which are called a.yml, b.yml and so on."""
    included = tuple(IncludedFile(f"{'abc'[number]}.yml", text) for number, text in enumerate(texts))
    files = Files(f"include: {PATTERN}\n{top}", ((PATTERN, included),))
    return load(files, ENVIRON, source="alerts.yml", strict=strict)


def names(loaded: Loaded) -> list[str]:
    assert loaded.config is not None, loaded.problems
    return [alert.name for alert in loaded.config.alerts]


def said(loaded: Loaded) -> list[str]:
    return [problem.headline for problem in loaded.problems]


def test_the_alerts_of_the_file_come_first_and_then_those_of_each_file_in_turn() -> None:
    loaded = including(an_alert("a"), an_alert("b"))
    assert (names(loaded), said(loaded)) == (["own", "a", "b"], [])
    assert names(including(an_alert("a"), top="")) == ["a"]


def test_the_defaults_of_a_file_are_for_its_own_alerts() -> None:
    top = f"defaults: {{warning: 5}}\n{OWN.replace('warning: 1, ', '').replace('critical: 2', 'critical: 9')}"
    loaded = including(f"defaults: {{warning: 7}}\n{an_alert('a', 'critical: 9')}", an_alert("b"), top=top)
    assert loaded.config is not None
    bounds = [bound_of(alert.entries[0].warning) for alert in loaded.config.alerts]
    assert bounds == [5, 7, 1]


def test_a_file_that_two_patterns_fit_is_read_once() -> None:
    file = IncludedFile("a.yml", an_alert("a"))
    files = Files(f"include: ['*', a.yml]\n{OWN}", (("*", (file,)), ("a.yml", (file,))))
    assert names(load(files, ENVIRON, source="alerts.yml")) == ["own", "a"]


def test_problems_name_the_file_that_they_are_in() -> None:
    loaded = including(an_alert("a", "warning: 1, critical: 2, waring: 3"), "alerts:\n  - {name: [\n")
    assert said(loaded) == [
        "a.yml:2:51: warning: unknown key 'waring' (did you mean warning?)",
        "b.yml:3:1: this is not valid YAML: did not find expected node content",
    ]
    assert loaded.problems[0].excerpt == "  - {name: a, target: t, warning: 1, critical: 2, waring: 3}"


def test_names_reach_from_file_to_file() -> None:
    assert said(including(an_alert("a", "warning: 1, critical: 2, depends_on: own"))) == []
    [headline] = said(including(an_alert("a", "warning: 1, critical: 2, depends_on: won")))
    assert headline == "a.yml:2:63: alert 'a', depends_on: no alert is called 'won' (did you mean own?)"


def test_one_alert_in_two_files_is_told_with_both_places() -> None:
    own = OWN.replace("critical: 2", "critical: 2, storm_limit: 5")
    [headline] = said(including(an_alert("own", "warning: 1, critical: 2, storm_limit: 6"), top=own))
    assert headline.startswith("a.yml:2:66: alert 'own', storm_limit: line 3 says 5 for the same alert")
    [headline] = said(including(*(an_alert("b", f"warning: 1, critical: 2, storm_limit: {limit}") for limit in (5, 6))))
    assert "line 2 of a.yml says 5" in headline


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("include: x\n", "a.yml:1:1: an included file cannot include others (include them in alerts.yml)"),
        (
            "docs_url: https://x\n",
            f"a.yml:1:1: docs_url has no place in an included file: write it in alerts.yml {HOLDS}",
        ),
        ("alert: []\n", "a.yml:1:1: warning: unknown key 'alert' (did you mean alerts?)"),
        ("alerts: {name: a}\n", "a.yml:1:9: alerts: expected a list, got a mapping (begin each item with '- ')"),
        ("x-busy: &busy {warning: 1}\n", None),
        ("alerts:\n", None),
    ],
)
def test_an_included_file_holds_alerts_and_little_else(text: str, complaint: str | None) -> None:
    assert said(including(text)) == ([complaint] if complaint else [])


def test_an_unknown_key_of_an_included_file_is_an_error_where_it_is_one_elsewhere() -> None:
    assert including("alert: []\n", strict=True).config is None


def test_a_pattern_that_nothing_fits_is_a_warning_at_its_place() -> None:
    assert said(including()) == ["alerts.yml:1:10: warning: include: no file fits 'alerts.d/*.yml'"]


def test_an_unreadable_file_is_an_error_at_the_include() -> None:
    files = Files(f"include: [x.yml]\n{OWN}", (("x.yml", (IncludedFile("x.yml", "", "x.yml: permission denied"),)),))
    assert said(load(files, ENVIRON, source="alerts.yml")) == [
        "alerts.yml:1:11: include: x.yml: permission denied",
    ]


def test_an_include_is_a_text() -> None:
    [headline] = said(load(f"include: [{{a: b}}]\n{OWN}", ENVIRON, source="alerts.yml"))
    assert headline.startswith("alerts.yml:1:11: include: expected a text, got a mapping (write a file's name or")


def test_a_secret_of_an_included_file_is_never_shown() -> None:
    key = "correct-horse-battery"
    loaded = including(an_alert(key, f"warning: x, critical: 2, pagerduty_key: {key}"))
    assert loaded.problems
    assert key not in "".join(problem.render() for problem in loaded.problems)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("include: a.yml", ["a.yml"]),
        ("include: [a.yml, 'b/*', {c: d}]", ["a.yml", "b/*"]),
        ("include:", []),
        ("alerts: []", []),
        ("include: [", []),
        ("- include", []),
    ],
)
def test_the_patterns_can_be_known_before_anything_else(text: str, found: list[str]) -> None:
    assert patterns(text) == found


@pytest.mark.parametrize("text", [OWN, "", "ä\n", "#!graphite-pager: alerts.yml and what it includes, as JSON\n{"])
def test_what_is_packed_comes_out_as_it_was(text: str) -> None:
    files = Files(text, (("*.yml", (IncludedFile("a.yml", "ü"), IncludedFile("b.yml", "", "gone"))), ("c", ())))
    assert unpack(pack(files)) == files
    assert unpack(pack(Files(text))) == Files(text)


def test_a_file_that_includes_nothing_is_kept_as_it_always_was() -> None:
    assert pack(Files(OWN)) == OWN
    assert unpack(OWN) == Files(OWN)
