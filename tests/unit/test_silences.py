"""Silences: how matchers are written, what they fit, and which silence counts."""

from __future__ import annotations

import fnmatch
import re
import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphitepager.model import Matcher, Silence
from graphitepager.rules import Level
from graphitepager.silences import format_matcher, from_json, matches, parse_matcher, silencing, to_json

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
FIELDS = ("alert", "series", "level")


def silence(*matchers: str, id_: int = 1, begins: datetime = NOW, ends: datetime = NOW + HOUR) -> Silence:
    return Silence(
        id=id_,
        matchers=tuple(map(parse_matcher, matchers)),
        author="ann",
        comment="new disk",
        begins_at=begins,
        ends_at=ends,
    )


def fits(pattern: str, series: str) -> bool:
    return matches(silence(f"series={pattern}"), "Load", series, Level.WARNING)


@pytest.mark.parametrize(
    ("text", "matcher"),
    [
        ("alert=MongoDB*", Matcher("alert", "MongoDB*", is_negated=False)),
        ("series!=db1.*", Matcher("series", "db1.*", is_negated=True)),
        ("level=warning", Matcher("level", "warning", is_negated=False)),
        ("level={warning,no_data}", Matcher("level", "{warning,no_data}", is_negated=False)),
        (" alert = MongoDB lock ", Matcher("alert", "MongoDB lock", is_negated=False)),
        ("series=cpu;host=web!=1", Matcher("series", "cpu;host=web!=1", is_negated=False)),
        ("series=[~]x", Matcher("series", "[~]x", is_negated=False)),
    ],
)
def test_a_matcher_is_a_field_and_a_pattern(text: str, matcher: Matcher) -> None:
    assert parse_matcher(text) == matcher


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("db1", "'db1' is no matcher: write alert=MongoDB*, "),
        ("", "'' is no matcher: write alert=MongoDB*, "),
        ("serie=db1", "unknown field 'serie' (did you mean series?)"),
        ("Alert=x", "unknown field 'Alert' (did you mean alert?)"),
        ("host=db1", "unknown field 'host': write alert="),
        ("=db1", "unknown field '': write alert="),
        ("series=", "the pattern is empty: write series=* for any series"),
        ("alert!= ", "the pattern is empty: write alert=* for any alert"),
        ("level=warn", "unknown level 'warn' (did you mean warning?): the levels are warning, critical, no_data"),
        ("level=NO DATA", "unknown level 'NO DATA' (did you mean no_data?)"),
        ("level=ok", "unknown level 'ok': the levels are"),
        ("level!=x*", "unknown level 'x*'"),
        ("alert=~Mongo.+", "globs and not regular expressions"),
        ("alert==Mongo", "globs and not regular expressions"),
        ("series=db[1", "'series=db[1': [ has no end: write [[] for the character itself"),
        ("series=db{1", "{ has no end (braces cannot hold braces): write [{] for the character itself"),
        ("series={a,{b,c}}", "{ has no end (braces cannot hold braces)"),
        ("series=" + "{a,b}" * 10, "the braces make more than 1000 patterns"),
        ("series={" + ",".join("ab" * 400) + "}" + "x*" * 100, "written out, it has more than 20000 characters"),
        ("series=" + "x*" * 10_001, "written out, it has more than 20000 characters"),
    ],
)
def test_a_matcher_that_cannot_be_read_says_what_to_write(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=re.escape(says)):
        parse_matcher(text)


@pytest.mark.parametrize(
    ("pattern", "series", "is_fit"),
    [
        ("db1", "db1", True),
        ("db1", "db10", False),
        ("db1", "mydb1", False),
        ("db1", "DB1", False),
        ("db*", "db1.disk/a\nb", True),
        ("db*", ".db", False),
        ("*", "", True),
        ("*", ".hidden/file", True),
        ("db?", "db1", True),
        ("db?", "db", False),
        ("db[12]", "db2", True),
        ("db[1-3]", "db4", False),
        ("db[!12]", "db3", True),
        ("db[!12]", "db1", False),
        ("db[]]", "db]", True),
        ("[{]a}", "{a}", True),
        ("{db,web}1", "web1", True),
        ("{db,web}1", "{db,web}1", False),
        ("{db,web[1-3,]}", "web,", True),
        ("{db,web[1-3,]}.x", "db.x", True),
        ("db{,.disk}", "db", True),
        ("{a,b}{1,2}*", "b2x", True),
        ("{a,b}{1,2}*", "c2x", False),
        ("*{ab,a}*b", "ab", True),
        ("a.c", "abc", False),
        ("(a|b)", "(a|b)", True),
        ("日本*", "日本\udc80", True),
    ],
)
def test_a_pattern_is_a_glob_over_the_whole_text(pattern: str, series: str, is_fit: bool) -> None:
    assert fits(pattern, series) is is_fit


@given(st.text("ab*?[]!-.\n"), st.text("ab[]!-.\n"))
def test_without_braces_a_pattern_is_what_pythons_globs_are(pattern: str, series: str) -> None:
    try:
        is_fit = fits(f"x{pattern}x", f"x{series}x")
    except ValueError:  # fnmatch takes a bracket without end for itself
        return
    assert is_fit is fnmatch.fnmatchcase(f"x{series}x", f"x{pattern}x")


def test_no_pattern_takes_long() -> None:
    began = time.process_time()
    assert not fits("{a,b}" + "*a" * 200 + "*b", "a" * 5000)
    assert time.process_time() - began < 1


class TestMatches:
    """All matchers have to fit."""

    @pytest.mark.parametrize(
        ("matchers", "is_fit"),
        [
            (["alert=MongoDB*"], True),
            (["alert=MongoDB*", "series=db1"], True),
            (["alert=MongoDB*", "series=db2"], False),
            (["series!=db1"], False),
            (["series!=db2", "level!=critical"], True),
            (["level=critical"], False),
            (["level={warning,no_data}"], True),
        ],
    )
    def test_every_matcher_must_fit(self, matchers: list[str], is_fit: bool) -> None:
        assert matches(silence(*matchers), "MongoDB lock", "db1", Level.WARNING) is is_fit

    def test_without_matchers_nothing_fits(self) -> None:
        assert not matches(silence(), "MongoDB lock", "db1", Level.WARNING)


class TestSilencing:
    """Of many silences, the one that counts."""

    def of(self, *silences: Silence, now: datetime = NOW) -> Silence | None:
        return silencing(silences, "Load", "web1", Level.CRITICAL, now)

    def test_it_counts_from_its_begin_until_just_before_its_end(self) -> None:
        one = silence("alert=Load")
        assert self.of(one) is one
        assert self.of(one, now=NOW - timedelta(microseconds=1)) is None
        assert self.of(one, now=NOW + HOUR - timedelta(microseconds=1)) is one
        assert self.of(one, now=NOW + HOUR) is None

    def test_the_one_that_lasts_longest_is_named(self) -> None:
        short, long = silence("alert=Load"), silence("series=web*", id_=2, ends=NOW + 2 * HOUR)
        later = silence("alert=Load", id_=3, begins=NOW + HOUR, ends=NOW + 3 * HOUR)
        other = silence("alert=Disk", id_=4, ends=NOW + 4 * HOUR)
        assert self.of(short, long, later, other) is long
        assert self.of(long, short) is long

    def test_without_a_silence_nothing_is_silenced(self) -> None:
        assert self.of() is None


ANY_TEXT = st.text(st.characters() | st.characters(categories=["Cs"]))
MATCHERS = st.builds(Matcher, st.sampled_from(FIELDS), ANY_TEXT, st.booleans())


@given(st.lists(MATCHERS))
def test_the_database_gives_back_what_it_was_given_in_ascii(matchers: list[Matcher]) -> None:
    text = to_json(matchers)
    assert text.isascii()
    assert from_json(text) == tuple(matchers)


@given(st.sampled_from(("alert", "series", "level=", "")), st.sampled_from(("=", "!=", "")), st.text())
def test_any_text_is_a_matcher_that_can_be_written_and_read_again_or_refused(
    field: str, operator: str, pattern: str
) -> None:
    try:
        matcher = parse_matcher(field + operator + pattern)
    except ValueError:
        return
    assert parse_matcher(format_matcher(matcher)) == matcher
