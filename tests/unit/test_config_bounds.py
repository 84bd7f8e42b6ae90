"""Thresholds with operators and units as alerts.yml has them, and which of them cannot be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphitepager.config import load
from graphitepager.thresholds import Operator, Threshold, written
from tests.unit.config_support import ENVIRON, headlines


def file_with(keys: str) -> str:
    return f"alerts:\n  - {{name: a, target: t, {keys}}}\n"


def thresholds_of(keys: str) -> list[str | None]:
    """The warning and the critical threshold, each with its operator."""
    loaded = load(file_with(keys), ENVIRON, source="alerts.yml", strict=True)
    assert [problem.headline for problem in loaded.problems] == []
    assert loaded.config is not None
    entry = loaded.config.alerts[0].entries[0]
    return [None if one is None else written(one) for one in (entry.warning, entry.critical)]


def complaint_about(keys: str) -> str:
    [headline] = headlines(file_with(keys))
    return headline.partition("alert 'a', ")[2]


@given(warning=st.floats(-1e6, 1e6), critical=st.floats(-1e6, 1e6))
def test_two_numbers_mean_what_they_always_did(warning: float, critical: float) -> None:
    loaded = load(file_with(f"warning: {warning!r}, critical: {critical!r}"), ENVIRON, source="alerts.yml")
    assert loaded.config is not None
    entry = loaded.config.alerts[0].entries[0]
    operator = Operator.AT_MOST if warning > critical else Operator.AT_LEAST
    assert (entry.warning, entry.critical) == (
        Threshold(operator=operator, bound=warning),
        Threshold(operator=operator, bound=critical),
    )


@pytest.mark.parametrize(
    ("written", "bound"),
    [
        ("0x10", "16"),
        ("-0xff", "-255"),
        ("0b101", "5"),
        ("1:30", "90"),
        ("1:00:00", "3600"),
        ("-1:30.5", "-90.5"),
        ("1_000", "1000"),
        ("007", "7"),
        ("08", "8"),
        ("017.5", "17.5"),
    ],
)
def test_a_number_as_yaml_1_1_has_it_is_what_it_was_to_the_old_program(written: str, bound: str) -> None:
    assert thresholds_of(f"warning: {written}, critical: 9999")[0] == f">= {bound}"


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("010", "'010' was 8 to graphitepager 0.2, and looks like 10 (write the one that is meant)"),
        ("-0100", "'-0100' was -64 to graphitepager 0.2, and looks like -100 (write the one that is meant)"),
        (
            ".inf",
            "expected a number, got '.inf' (leave it out, and give the other threshold an operator, as in '>= 90')",
        ),
        (
            "-.INF",
            "expected a number, got '-.INF' (leave it out, and give the other threshold an operator, as in '>= 90')",
        ),
        (
            ".nan",
            "expected a number, got '.nan' (leave it out, and give the other threshold an operator, as in '>= 90')",
        ),
    ],
)
def test_a_number_that_could_be_two_or_that_is_none_is_refused(written: str, said: str) -> None:
    assert complaint_about(f"warning: 1, critical: {written}") == f"critical: {said}"


@pytest.mark.parametrize(
    ("keys", "warning", "critical"),
    [
        ('critical: "> 90"', None, "> 90"),
        ('warning: "!= 0"', "!= 0", None),
        ('critical: "> 90", warning: 80', ">= 80", "> 90"),
        ('warning: "<5", critical: 2', "< 5", "<= 2"),
        ('warning: "outside 10..20", critical: "outside 5..30"', "outside 10..20", "outside 5..30"),
        ('warning: "outside 10..20", critical: "> 30"', "outside 10..20", "> 30"),
        ('warning: "!= 0", critical: "== 3"', "!= 0", "== 3"),
        ('warning: "> 5", critical: "> 5"', "> 5", "> 5"),
        ("warning: 200ms, critical: 1s", ">= 200ms", ">= 1s"),
        ("warning: 30%, critical: 20%", "<= 30%", "<= 20%"),
        ("warning: 500, critical: 1s, unit: ms", ">= 500ms", ">= 1s"),
        ("warning: , critical: '> 1'", None, "> 1"),
    ],
)
def test_a_threshold_may_have_an_operator_and_a_unit(keys: str, warning: str | None, critical: str | None) -> None:
    assert thresholds_of(keys) == [warning, critical]


@pytest.mark.parametrize(
    ("keys", "complaint"),
    [
        (
            'warning: "> 1", critical: "< 5"',
            "critical: below 5 and a warning above 1 are opposite directions",
        ),
        (
            'warning: "> 90", critical: "> 80"',
            "critical: above 80 is milder than a warning above 90, so no warning could be left",
        ),
        (
            'warning: "> 5", critical: 5',
            "critical: at 5 is milder than a warning above 5, so no warning could be left",
        ),
        (
            'warning: "> 5", critical: "== 0"',
            "critical: at exactly 0 it is not always a warning, too, which begins above 5",
        ),
        (
            'warning: "== 0", critical: 5',
            "critical: beside '==' a number alone does not say which side of it is bad",
        ),
        (
            'critical: "outside 2..1"',
            "critical: the range is empty: write the smaller number first, got 'outside 2..1'",
        ),
        ('critical: "> 500ms", warning: "> 90%"', "critical: 500ms is a time, and % a percentage"),
        ('critical: "> 500ms", unit: GiB', "critical: 500ms is a time, and GiB bytes"),
        ('critical: "> 5", clear: {critical: 5%}, unit: ms', "clear.critical: 5% is a percentage, and ms a time"),
        (
            'critical: "> 500ms", unit: ms, clear: {critical: 600}',
            "clear.critical: at 600ms it is still critical: expected 500ms or less",
        ),
        (
            'critical: "== 0", clear: {critical: 6}',
            "clear.critical: only a critical of >, >=, < or <= has a good side on which to clear, and this is ==",
        ),
        ('critical: "> 5", clear: {warning: 3}', "clear.warning: there is no warning that it could clear"),
        (
            'critical: "> 5s", unit: ms, value: age',
            "unit: value: age judges seconds, whatever the series' own unit",
        ),
    ],
)
def test_what_cannot_be_says_why(keys: str, complaint: str) -> None:
    assert complaint_about(keys).partition(" (")[0] == complaint


def test_a_unit_that_nobody_knows_is_answered_with_the_nearest() -> None:
    assert complaint_about('critical: "> 5KB"').endswith("Tibit or Pibit (did you mean kB?)")
    assert complaint_about('critical: "> 5", unit: mb').startswith("unit: unknown unit 'mb': expected %, ns")


@pytest.mark.parametrize("keys", ["critical: 90", "warning: 90%", "critical: ten", ""])
def test_one_number_alone_misses_the_other(keys: str) -> None:
    assert any("is missing (write warning and critical" in headline for headline in headlines(file_with(keys)))


def test_a_wrong_operator_is_all_that_is_said_of_its_alert() -> None:
    assert len(headlines(file_with('critical: "=> 5"'))) == 1


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("critical: > 90", "a text cannot begin with this character (put the value in quotes"),
        ("critical: >= 90", "a text cannot begin with this character (put the value in quotes"),
        ("critical: != 0", "the tag '!=' is not known (put it in quotes, as in '!= 0')"),
    ],
)
def test_yaml_wants_some_operators_in_quotes(line: str, complaint: str) -> None:
    for text in (file_with(line), f"alerts:\n  - name: a\n    target: t\n    {line}\n    from: -1min\n"):
        assert any(complaint in headline for headline in headlines(text)), headlines(text)


def test_clear_has_units_and_lies_on_the_good_side_of_its_operator() -> None:
    loaded = load(file_with('critical: "> 500ms", clear: {critical: 400ms}, unit: ms'), ENVIRON, source="alerts.yml")
    assert loaded.config is not None
    critical = loaded.config.alerts[0].entries[0].critical
    assert critical == Threshold(operator=Operator.ABOVE, bound=500, clear=400, unit="ms")
