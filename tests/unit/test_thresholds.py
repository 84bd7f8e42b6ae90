"""Which values a threshold calls bad, what may be written for it, and how it is shown."""

from __future__ import annotations

import contextlib
import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from graphitepager.thresholds import (
    UNITS,
    Operator,
    Quantity,
    Threshold,
    describe,
    format_value,
    parse,
    parse_quantity,
    parse_unit,
    phrase,
    threshold_of,
    written,
)

NUMBERS = st.decimals(min_value=-(10**9), max_value=10**9, places=3).map(lambda number: f"{number:f}")
UNIT_NAMES = st.sampled_from(["", *UNITS])
VALUES = st.one_of(st.floats(allow_nan=False), st.integers(-3, 3).map(float))
ORDERED = st.tuples(st.integers(-2, 2), st.integers(-2, 2)).map(lambda pair: (min(pair), max(pair)))


def read(text: str, unit: str | None = None) -> Threshold:
    """A threshold as alerts.yml would have it, with an operator of its own unless it is a number."""
    condition = parse(text)
    return threshold_of(condition, condition.operator or Operator.AT_LEAST, parse_unit(unit) if unit else None)


@st.composite
def thresholds(draw: st.DrawFn) -> Threshold:
    operator = draw(st.sampled_from(Operator))
    low, high = draw(ORDERED)
    is_range = operator in {Operator.INSIDE, Operator.OUTSIDE}
    return Threshold(operator=operator, bound=low, upper=high if is_range else None)


@given(value=VALUES, bound=VALUES)
def test_each_operator_compares_as_its_sign_says(value: float, bound: float) -> None:
    assume(math.isfinite(bound))
    breached = {one.value: Threshold(operator=one, bound=bound).is_breached_by(value) for one in Operator}
    assert breached[">="] is (value >= bound)
    assert breached["<="] is (value <= bound)
    assert breached[">"] is (value > bound)
    assert breached["<"] is (value < bound)
    assert breached["=="] is (value == bound)
    assert breached["!="] is (value != bound)


@pytest.mark.parametrize(
    ("value", "is_outside"), [(9.99, True), (10, False), (15, False), (20, False), (20.01, True), (math.inf, True)]
)
def test_the_ends_of_a_range_are_inside_of_it(value: float, is_outside: bool) -> None:
    assert read("outside 10..20").is_breached_by(value) is is_outside
    assert read("inside 10..20").is_breached_by(value) is not is_outside


@given(one=thresholds(), other=thresholds())
def test_within_is_that_each_value_that_breaches_one_breaches_the_other(one: Threshold, other: Threshold) -> None:
    # All bounds are whole numbers from -2 to 2: these values lie on each of them and between any two.
    values = [-math.inf, *(half / 2 for half in range(-6, 7)), math.inf]
    expected = all(other.is_breached_by(value) for value in values if one.is_breached_by(value))
    assert one.is_within(other) is expected


@given(operator=st.sampled_from(["", "> ", ">=", "<", "<= ", "== ", "!="]), number=NUMBERS, unit=UNIT_NAMES)
def test_what_is_read_and_written_again_reads_the_same(operator: str, number: str, unit: str) -> None:
    threshold = read(f"{operator}{number}{unit}")
    assert read(written(threshold)) == threshold


@given(word=st.sampled_from(["inside", "outside"]), numbers=st.tuples(NUMBERS, NUMBERS), unit=UNIT_NAMES)
def test_a_range_that_is_read_and_written_again_reads_the_same(word: str, numbers: tuple[str, str], unit: str) -> None:
    low, high = sorted(numbers, key=float)
    threshold = read(f"{word} {low}..{high}{unit}")
    assert read(written(threshold)) == threshold


@given(text=st.text(max_size=20))
def test_any_other_text_is_answered_with_a_sentence_or_is_finite(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert all(math.isfinite(one.in_unit(None)) for one in parse(text).quantities)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("80%", 80), ("500ms", 0.5), ("2s", 2), ("1min", 60), ("1h", 3600), ("1d", 86_400), ("3us", 3e-6),
        ("10k", 10_000), ("3M", 3e6), ("2G", 2e9), ("2kB", 2000), ("2MB", 2e6), ("2KiB", 2048), ("2GiB", 2**31),
        ("10kbit", 10_000), (" 1.5 h ", 5400), ("1e3 ms", 1), ("0.3ms", 0.0003), ("-5ms", -0.005), ("1_000", 1000),
    ],
)  # fmt: skip
def test_a_quantity_counts_in_its_base_unit(text: str, value: float) -> None:
    assert parse_quantity(text).in_unit(None) == value


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("500ms", "ms", 500),
        ("2s", "ms", 2000),
        ("1GiB", "MiB", 1024),
        ("3M", "k", 3000),
        ("7", "ms", 7),
        ("5%", "%", 5),
    ],
)
def test_a_quantity_counts_in_the_unit_of_the_series(text: str, unit: str, value: float) -> None:
    assert parse_quantity(text).in_unit(parse_unit(unit)) == value


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("ten", "expected a number, got 'ten'"),
        ("", "expected a number, got ''"),
        ("nan", "expected a number, got 'nan'"),
        ("> inf", "expected a number, got ' inf'"),
        ("1e300 GiB", "expected a number, got '1e300 GiB'"),
        ("=> 5", "expected one of the operators >, >=, <, <=, == and !=, got '=> 5'"),
        ("<> 5", "expected one of the operators >, >=, <, <=, == and !=, got '<> 5'"),
        ("inside 2..1", "the range is empty: write the smaller number first, got 'inside 2..1'"),
        ("inside 1s..500ms", "the range is empty: write the smaller number first, got 'inside 1s..500ms'"),
        ("inside 1%..2s", "a range from a percentage to a time is none, got 'inside 1%..2s'"),
    ],
)
def test_what_is_no_threshold_says_why(text: str, complaint: str) -> None:
    with pytest.raises(ValueError) as raised:  # noqa: PT011 - the text is what is looked at
        parse(text)
    assert str(raised.value) == complaint


def test_an_unknown_unit_names_those_that_there_are() -> None:
    with pytest.raises(ValueError, match=r"^unknown unit 'apples': expected %, ns, us, .*, Tibit or Pibit$"):
        parse("> 5 apples")


@pytest.mark.parametrize(
    ("text", "described", "in_a_sentence"),
    [
        ("70", "70", "at 70"),
        (">= 70%", "70%", "at 70%"),
        ("<= 5", "5 or less", "at 5 or less"),
        (">500ms", "> 500ms", "above 500ms"),
        ("< 2GiB", "< 2GiB", "below 2GiB"),
        ("== 0", "== 0", "at exactly 0"),
        ("!= 0", "!= 0", "at anything but 0"),
        ("outside 10..20ms", "outside 10ms..20ms", "outside 10ms..20ms"),
        ("inside 0 .. 1", "inside 0..1", "inside 0..1"),
    ],
)
def test_a_threshold_is_shown_in_the_unit_it_was_written_in(text: str, described: str, in_a_sentence: str) -> None:
    assert (describe(read(text)), phrase(read(text))) == (described, in_a_sentence)


@pytest.mark.parametrize(
    ("value", "text", "unit", "shown"),
    [
        (0.82, "500ms", None, "820ms"),
        (820, "500ms", "ms", "820ms"),
        (820, "1s", "ms", "0.82s"),
        (820, "500", "ms", "820ms"),
        (91.2, "80%", None, "91.2%"),
        (3 * 2**30, "2GiB", None, "3GiB"),
        (82.4, "70", None, "82.4"),
    ],
)
def test_so_is_the_value(value: float, text: str, unit: str | None, shown: str) -> None:
    assert format_value(value, read(text, unit)) == shown


@given(bound=st.integers(-3, 3), gap=st.integers(0, 3), value=st.integers(-8, 8))
def test_past_clear_an_incident_ends_and_before_it_goes_on(bound: int, gap: int, value: int) -> None:
    clear = Quantity(str(bound - gap))
    high = threshold_of(parse(f"> {bound}"), Operator.ABOVE, None, clear)
    assert high.is_held_by(value) is (value > bound - gap)
    low = threshold_of(parse(f"< {bound}"), Operator.BELOW, None, Quantity(str(bound + gap)))
    assert low.is_held_by(value) is (value < bound + gap)


@given(thresholds(), VALUES)
def test_no_value_in_the_good_range_is_a_breach(threshold: Threshold, value: float) -> None:
    low, high = threshold.good_range
    assert not (low <= value <= high and threshold.is_breached_by(value))


def test_nothing_is_certainly_good_where_the_bound_is_infinite() -> None:
    assert Threshold(operator=Operator.AT_MOST, bound=math.inf).good_range == (math.inf, -math.inf)
