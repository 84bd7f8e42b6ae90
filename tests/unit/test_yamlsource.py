"""YAML read as its author meant it, and everything wrong with it found at once, each at its place."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphitepager.config.yamlsource import Document, parse


def read(text: str) -> Document:
    document, problems = parse(text, "alerts.yml")
    assert not problems
    assert document is not None
    return document


def complaints(text: str) -> list[tuple[int | None, int | None, str]]:
    return [(problem.line, problem.column, problem.message) for problem in parse(text, "alerts.yml")[1]]


@pytest.mark.parametrize(
    "written", ["on", "off", "yes", "22:00", "1e3", "010", "0x1F", "1_000", "2024-01-31", ".inf", "0123e4567", "=", "5"]
)
def test_a_plain_scalar_stays_the_text_that_was_written(written: str) -> None:
    assert read(f"key: {written}").data == {"key": written}


@pytest.mark.parametrize("written", ["", "~", "null", "Null", "NULL", "!!null x"])
def test_a_value_left_out_is_none(written: str) -> None:
    assert read(f"key: {written}").data == {"key": None}


@pytest.mark.parametrize("written", ["''", '"~"', "'null'", "!!str ~", "!!str", "|\n  \n"])
def test_a_quoted_or_tagged_null_is_a_text(written: str) -> None:
    assert isinstance(read(f"key: {written}").data["key"], str)


def test_standard_tags_are_allowed_and_change_nothing() -> None:
    assert read("a: !!int 010\nb: !!str on\nc: ! x\nd: !!seq [y]").data == {"a": "010", "b": "on", "c": "x", "d": ["y"]}


def test_keys_are_texts_whatever_they_look_like() -> None:
    assert read("1: a\non: b\n~: c").data == {"1": "a", "on": "b", "~": "c"}


def test_places_count_lines_and_characters_from_one() -> None:
    document = read("# ü\nä: 1\nalerts:\n  - náme: x\n    w:  5\n")
    assert document.place(("ä",))[:2] == (2, 4)
    assert document.key_place(("alerts", 0, "w"))[:2] == (5, 5)
    assert document.place(("alerts", 0, "w"))[:2] == (5, 9)
    assert document.place(("alerts", 0))[:2] == (4, 5)


def test_the_place_of_what_is_not_there_is_that_of_what_is_around_it() -> None:
    document = read("alerts:\n  - name: x\n")
    assert document.place(("alerts", 0, "target"))[:2] == document.place(("alerts", 0))[:2] == (2, 5)
    assert document.place(("alerts", 7))[:2] == (2, 3)


def test_windows_line_ends_do_not_shift_places() -> None:
    assert read("a: 1\r\nb: 2\r\n").key_place(("b",))[:2] == (2, 1)


def test_an_alias_stands_where_it_is_used() -> None:
    document = read("a: &ten 10\nb: *ten\n")
    assert document.data == {"a": "10", "b": "10"}
    assert document.place(("b",))[:2] == (2, 4)


def test_merged_keys_give_way_to_explicit_ones_and_keep_their_own_places() -> None:
    document = read("x: &base\n  warning: 1\n  critical: 2\ny:\n  critical: 3\n  <<: *base\n")
    assert document.data["y"] == {"warning": "1", "critical": "3"}
    assert document.place(("y", "warning"))[:2] == (2, 12)
    assert document.place(("y", "critical"))[:2] == (5, 13)


def test_of_several_merged_mappings_the_first_wins() -> None:
    text = "a: &a {k: 1}\nb: &b {k: 2, l: 3}\nc: {<<: [*a, *b]}\nd: {<<: *a, <<: *b}"
    document = read(text)
    assert document.data["c"] == {"k": "1", "l": "3"}
    assert document.data["d"] == {"k": "2", "l": "3"}, "as PyYAML has always done"


def test_a_quoted_merge_sign_is_an_ordinary_key() -> None:
    assert read("a: {'<<': 1}").data == {"a": {"<<": "1"}}


def test_aliases_share_their_value_so_that_a_laughing_billion_stays_small() -> None:
    levels = ["a0: &a0 [x, x]"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 40)]
    started = time.process_time()
    assert len(read("\n".join(levels)).data) == 40
    assert time.process_time() - started < 1


def test_a_duplicate_key_is_an_error_at_its_second_place() -> None:
    assert complaints("a: 1\nb: 2\na: 3\n") == [(3, 1, "the key 'a' is already on line 1")]


def test_everything_wrong_is_told_at_once() -> None:
    text = "a: 1\na: 2\nb: !!python/name:os.system x\n? [k]\n: v\nc: *nothing\n"
    assert complaints(text) == [
        (2, 1, "the key 'a' is already on line 1"),
        (3, 4, "the tag '!!python/name:os.system' is not known"),
        (4, 3, "expected a name as key, got a list"),
        (6, 4, "nothing above is marked &nothing"),
    ]


@pytest.mark.parametrize(
    ("text", "line", "column", "message"),
    [
        ("a: b: c", 1, 5, "a ':' is not expected here"),
        ("a:\n\t- b\n", 2, 1, "a tab cannot indent in YAML"),
        ("target: *.cpu", 1, 9, "a text cannot begin with *, which calls up an anchor"),
        ("target: &.cpu", 1, 9, "a text cannot begin with &, which sets an anchor"),
        ("target: %x", 1, 9, "a text cannot begin with this character"),
        ('target: "a\\.b"', 1, 11, "this backslash means nothing in double quotes"),
        ("a: 'b\nc: d\n", 1, 4, "this quote is never closed"),
        ("a: [b, c\nd: e\n", 2, 2, "expected ',' or ']'"),
        ("a: {b: 1\nd: e}\n", 2, 2, "expected ',' or '}'"),
        ("a: {b,c}.cpu", 1, 9, "expected a key of the mapping above"),
        ("alerts:\n  - name: x\n   target: y\n", 3, 4, "expected '- ' here, as above in this list"),
        ("%YAML 3.0\n---\na: b", 1, 1, "this is not valid YAML: found incompatible YAML document"),
        ("a: " + "[" * 4000, 1, 53, "this is nested too deeply"),
        ("a: 1\n---\nb: 2\n", 2, 1, "a second document begins here, and only one is read"),
        ("a: &x [*x]", 1, 8, "this alias contains itself"),
        ("a: {<<: 5}", 1, 9, "<< takes over the keys of a mapping, and this is none"),
        ("- a", 1, 1, "expected the key 'alerts' at the top, got a list"),
        ("hello", 1, 1, "expected the key 'alerts' at the top, got a text"),
        ("a: b\nc: d\x00", 2, 5, "the character U+0000 is not allowed in YAML"),
        ("a: \x1b[31m", 1, 4, "the character U+001B is not allowed in YAML"),
        ("a: \ud800", 1, 4, "the character U+D800 is not allowed in YAML"),
    ],
)
def test_what_is_no_yaml_is_explained_at_its_place(text: str, line: int, column: int, message: str) -> None:
    assert complaints(text) == [(line, column, message)]


@pytest.mark.parametrize("text", ["", "\n\n", "# only a comment\n", "---\n", "~"])
def test_an_empty_file_is_told_what_a_minimal_one_looks_like(text: str) -> None:
    document, [problem] = parse(text, "alerts.yml")
    assert document is None
    assert problem.hint == (
        "the least that works is alerts: [{name: Load, target: servers.*.loadavg, warning: 5, critical: 10}]"
    )


def test_a_binary_file_does_not_flood_the_screen() -> None:
    assert len(complaints("\x00\n" * 1000)) == 10


_YAML_PIECES = st.sampled_from(
    [
        *"-:?,[]{}#&*!|>'\"%@`~ \t\n",
        "  ",
        "- ",
        ": ",
        "<<: ",
        "&a ",
        "*a",
        "!!x ",
        "---\n",
        "a",
        "b: ",
        "\\",
        "\u2028",
        "é",
    ]
)


@given(st.text() | st.lists(_YAML_PIECES, max_size=60).map("".join))
def test_no_text_is_an_accident(text: str) -> None:
    document, problems = parse(text, "alerts.yml")
    assert document is not None or problems
    lines = len(text.splitlines()) + 1
    assert all(problem.line is None or 1 <= problem.line <= lines for problem in problems)
