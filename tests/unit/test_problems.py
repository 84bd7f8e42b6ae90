"""How a problem is shown: its place, its words, its line with a caret, and never a secret."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphitepager.problems import Problem, present, quote
from graphitepager.redaction import is_secret_name, redact, redact_line


def shown(text: str, line: int, column: int, *secrets: str) -> str:
    """The excerpt and the caret's line of a problem there, without their gutter."""
    problem = Problem(source="alerts.yml", message="wrong", line=line, column=column)
    [presented] = present([problem], {"alerts.yml": text}, secrets)
    return "\n".join(row.partition("| ")[2] for row in presented.render().splitlines()[1:])


def test_a_headline_says_place_kind_message_and_hint() -> None:
    problem = Problem(source="a.yml", line=12, column=7, message="odd", hint="mend it", is_error=False)
    assert problem.headline == "a.yml:12:7: warning: odd (mend it)"
    assert Problem(source="environment", message="odd").render() == "environment: odd"


def test_a_caret_points_to_the_column() -> None:
    assert shown("a: 1\nbcd: ten\n", 2, 6) == "bcd: ten\n     ^"


def test_problems_are_shown_in_file_order_and_then_the_environments() -> None:
    places = [("environment", None, None), ("a", 3, 1), ("a", 2, 9), ("a", 2, 1), ("a", None, None)]
    problems = [Problem(source=s, line=line, column=c, message="x") for s, line, c in places]
    assert [(p.source, p.line, p.column) for p in present(problems, {"a": ""}, ())] == [
        ("a", None, None), ("a", 2, 1), ("a", 2, 9), ("a", 3, 1), ("environment", None, None),
    ]  # fmt: skip


def test_a_tab_and_control_characters_take_one_column_each() -> None:
    assert shown("a:\t\x1b[31mten", 1, 9) == "a: \ufffd[31mten\n        ^"


def test_a_long_line_is_cut_around_the_caret() -> None:
    line = "x" * 500 + "HERE" + "y" * 500
    excerpt, caret = shown(line, 1, 501).split("\n")
    assert len(excerpt) == 162
    assert excerpt[len(caret) - 1 :].startswith("HERE")
    assert (excerpt[0], excerpt[-1]) == ("…", "…")


def test_an_endless_line_has_no_excerpt() -> None:
    [problem] = present([Problem(source="a", line=1, column=1, message="x")], {"a": "x" * 20_000}, ())
    assert problem.render() == "a:1:1: x"


def test_a_quote_is_one_short_line() -> None:
    assert quote("a\nb") == r"'a\nb'"
    assert len(quote("very " * 100)) <= 62


@pytest.mark.parametrize(
    "name",
    [
        "pagerduty_key", "PAGERDUTY_KEY", "graphite_pass", "password", "slack_url", "api_token", "client_secret",
        "webhook", "sentry_dsn", "database_url", "redis_url", "pagerduty", "slack", "pagerduty_kye", "graphite_pas",
    ],
)  # fmt: skip
def test_a_name_that_sounds_secret_is_one(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize(
    "name", ["name", "target", "graphite_url", "graphite_user", "docs_url", "pagerduty_events_url", "x" * 100]
)
def test_other_names_are_no_secret(name: str) -> None:
    assert not is_secret_name(name)


@pytest.mark.parametrize(
    ("line", "masked"),
    [
        ("pagerduty_key: abc", "pagerduty_key: ****"),
        ("  - 'graphite_pass' : \"a: b\" # c", "  - 'graphite_pass' : ****"),
        ("graphite_pass hunter2", "graphite_pass ****"),
        ("PAGERDUTY_KEY=abc", "PAGERDUTY_KEY=****"),
        ("{name: x, slack_url: abc, warning: 1}", "{name: x, slack_url: ****, warning: 1}"),
        ('{"pagerduty_key":"a, }b","w":1}', '{"pagerduty_key":****,"w":1}'),
        ("{pagerduty: {critical: abc}, w: 1}", "{pagerduty: ****"),
        ("graphite_url: https://me:pw@g.example.com/x", "graphite_url: https://****@g.example.com/x"),
        ("doc: see https://hooks.slack.com/services/T/B/c now", "doc: see https://hooks.slack.com/**** now"),
        ("doc: 0123456789abcdef0123456789abcdef", "doc: ****"),
        ("x: &anchor hunter2", "x: &anchor ****"),
        ("x: &anchor {warning: 1}", "x: &anchor {warning: 1}"),
        ("target: aliasByNode(servers.redis.keyspace_hits,1)", "target: aliasByNode(servers.redis.keyspace_hits,1)"),
        ("target: averageSeriesWithWildcards(a.*.b,1)", "target: averageSeriesWithWildcards(a.*.b,1)"),
    ],
)
def test_a_line_loses_its_secrets_and_keeps_the_rest(line: str, masked: str) -> None:
    assert redact_line(line)[0] == masked


def test_a_known_secret_is_masked_wherever_it_turns_up() -> None:
    assert (
        redact("nothing is marked hunter2, but hunter22 is", {"hunter2"}) == "nothing is marked ****, but hunter22 is"
    )


def test_the_caret_follows_what_masking_moves() -> None:
    text = "{pagerduty_key: 0123456789, warning: ten}"
    assert shown(text, 1, 38) == "{pagerduty_key: ****, warning: ten}\n                               ^"
    assert shown(text, 1, 20) == "{pagerduty_key: ****, warning: ten}\n                ^"


@pytest.mark.parametrize(
    "text",
    [
        "graphite_pass: |\n  hunter2\n",
        "graphite_pass:\n    hunter2\n",
        "pagerduty:\n  critical: hunter2\n",
        "alerts:\n  - slack_url: >-\n      hunter2\n",
    ],
)
def test_a_line_that_continues_a_secret_is_masked(text: str) -> None:
    last = text.count("\n")
    assert "hunter2" not in shown(text, last, 1)
    assert "****" in shown(text, last, 1)


@given(st.text(), st.integers(0, 500), st.lists(st.text(min_size=1), max_size=3))
def test_masking_keeps_the_caret_inside_the_line(line: str, column: int, known: list[str]) -> None:
    masked, moved = redact_line(line, min(column, len(line)), known)
    assert 0 <= moved <= len(masked)


@pytest.mark.parametrize("piece", ["a", "key", "key: ", "{key: ", "://", "://a@", "'", "a ", "hooks.slack.com/", "\\"])
def test_masking_takes_no_longer_than_a_blink_whatever_the_line(piece: str) -> None:
    redact_line(piece * (10_000 // len(piece)), 0, {"hunter2"})
