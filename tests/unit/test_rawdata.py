"""Graphite's raw format, as graphite-web 1.1.10 writes it and as a broken network delivers it."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphitepager import rawdata
from graphitepager.model import Series
from graphitepager.rawdata import LastPoint

NO_POINTS = Series("a", 1_700_000_000, 1_700_000_060, 10, b"")


def series_with(points: bytes) -> Series:
    return NO_POINTS._replace(points=points)


def test_a_line_becomes_a_series_with_its_points_untouched() -> None:
    assert rawdata.parse(b"servers.db1.lock,1700000000,1700000060,10|1.0,None,3.0\n").series == [
        Series("servers.db1.lock", 1_700_000_000, 1_700_000_060, 10, b"1.0,None,3.0")
    ]


def test_an_empty_answer_holds_no_series() -> None:
    assert rawdata.parse(b"") == rawdata.holding([])


@pytest.mark.parametrize(
    "name",
    [
        "",
        "scale(divideSeries(a.b,c.d),100)",
        'alias(a,"x|y,1,2,3|4.0")',
        "disk;host=web1;mount=/var",
        "größe.naïve.度",
        "with space and 'quotes'",
        "ends.with.bar|",
    ],
)
def test_a_name_may_hold_anything_but_a_newline(name: str) -> None:
    answer = rawdata.parse(f"{name},1700000000,1700000010,10|1.0\n".encode())
    assert [series.name for series in answer.series] == [name]
    assert answer.bad_lines == []


def test_a_name_that_is_no_utf8_stays_recognisable_and_distinct() -> None:
    answer = rawdata.parse(b"caf\xe9,0,10,10|1.0\ncaf\xe8,0,10,10|2.0\n")
    assert [series.name for series in answer.series] == ["caf\\xe9", "caf\\xe8"]


@pytest.mark.parametrize(
    "line",
    [
        b"<html><body>502 Bad Gateway</body></html>",
        b"a.b|1.0,2.0",
        b"a.b,1700000000,1700000060|1.0",
        b"a.b,yesterday,today,10|1.0",
        b"a.b,1700000000,1700000060,0|1.0",
        b"a.b,1700000000,1700000060,-10|1.0",
        b"a.b,-5,60,10|1.0",
        b"a.b,99999999999999999999,99999999999999999999,10|1.0",
        b"a.b,1700000000,1700000060,10",
    ],
)
def test_a_line_that_cannot_be_a_series_is_reported_and_the_others_still_count(line: bytes) -> None:
    answer = rawdata.parse(b"good.1,0,10,10|1.0\n" + line + b"\ngood.2,0,10,10|2.0\n")
    assert [series.name for series in answer.series] == ["good.1", "good.2"]
    assert answer.bad_lines == [line.decode()]


def test_a_last_line_without_its_newline_was_cut_off() -> None:
    answer = rawdata.parse(b"a,0,10,10|1.0\nb,0,10,10|12")
    assert [series.name for series in answer.series] == ["a"]
    assert answer.bad_lines == ["b,0,10,10|12"]


def test_a_huge_bad_line_is_shown_short_and_printable() -> None:
    (shown,) = rawdata.parse(b"\x1b[2J" + b"x" * 1_000_000 + b"\n").bad_lines
    assert len(shown) < 200
    assert shown.isprintable()


@pytest.mark.parametrize(
    ("points", "value", "slots"),
    [
        (b"1.0", 1.0, 1),
        (b"1.0,2.0,None", 2.0, 2),
        (b"None,5,None,None", 5.0, 2),
        (b"1.0,1e-05", 1e-05, 2),
        (b"1.0,1e+16,nan", 1e16, 2),
        (b"-0.25,nan,None,nan", -0.25, 1),
        (b"1.0,inf", math.inf, 2),
        (b"1.0,-inf,None", -math.inf, 2),
        (b"0.30000000000000004", 0.30000000000000004, 1),
        (b"7,null,NaN", 7.0, 1),
    ],
)
def test_the_last_point_is_the_newest_that_holds_a_number(points: bytes, value: float, slots: int) -> None:
    assert rawdata.last_point(series_with(points)) == LastPoint(value, NO_POINTS.start + slots * 10)


@pytest.mark.parametrize("points", [b"", b"None", b"None,None,None", b"nan", b"nan,None"])
def test_a_series_without_a_number_has_no_last_point(points: bytes) -> None:
    assert rawdata.last_point(series_with(points)) is None


@pytest.mark.parametrize("points", [b"1.0,abc", b"1.0,2.0x", b"1.0,<html>", b"1.0,--2"])
def test_text_in_the_place_of_the_last_number_is_an_error(points: bytes) -> None:
    with pytest.raises(ValueError, match="could not convert"):
        rawdata.last_point(series_with(points))


@given(
    name=st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"])),
    start=st.integers(0, 4_000_000_000),
    step=st.integers(1, 86_400),
    values=st.lists(st.none() | st.floats()),
)
def test_whatever_graphite_writes_is_read_back(name: str, start: int, step: int, values: list[float | None]) -> None:
    points = ",".join(map(repr, values))
    answer = rawdata.parse(f"{name},{start},{start + step * len(values)},{step}|{points}\n".encode())
    (series,) = answer.series
    assert (series.name, series.start, series.step, answer.bad_lines) == (name, start, step, [])
    numbers = [place for place, value in enumerate(values) if value is not None and not math.isnan(value)]
    last = rawdata.last_point(series)
    if not numbers:
        assert last is None
    else:
        assert last == LastPoint(values[numbers[-1]] or 0.0, start + (numbers[-1] + 1) * step)


@given(st.binary())
def test_no_bytes_at_all_raise(body: bytes) -> None:
    answer = rawdata.parse(body)
    assert len(answer.series) + len(answer.bad_lines) <= body.count(b"\n") + 1


LINES = st.tuples(
    st.sampled_from(["a", "b.c", "d|e", "f,0,60,10|4.0", "g"]),
    st.sampled_from([(0, 60, 10), (0, 60, 60), (10, 70, 10)]),
    st.sampled_from(["1.0,2.0", "None", "3.0,None"]),
).map(lambda line: f"{line[0]},{','.join(map(str, line[1]))}|{line[2]}\n".encode())


@given(st.lists(LINES | st.just(b"<html>\n"), max_size=8))
def test_lines_with_one_another_are_read_as_each_by_itself(lines: list[bytes]) -> None:
    alone = [rawdata.parse(line) for line in lines]
    together = rawdata.parse(b"".join(lines))
    assert sorted(together.series) == sorted(series for answer in alone for series in answer.series)
    assert together.bad_lines == [line for answer in alone for line in answer.bad_lines]
    assert together.roll.texts() == [series.name for series in together.series]


def test_the_roll_is_kept_while_the_names_are_the_same() -> None:
    first = rawdata.parse(b"a,0,10,10|1.0\nb,0,10,10|2.0\n").roll
    assert rawdata.parse(b"a,10,20,10|3.0\nb,10,20,10|4.0\n", first).roll is first
    for names in (b"a,10,20,10|3.0\n", b"b,0,10,10|1.0\na,0,10,10|2.0\n", b""):
        assert rawdata.parse(names, first) == rawdata.parse(names)
