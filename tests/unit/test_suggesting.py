"""The ladder of thresholds that `suggest` tries."""

from __future__ import annotations

import pytest

from graphitepager.suggesting import candidates


@pytest.mark.parametrize(
    ("samples", "is_low_bad"),
    [
        ([99.9 + 0.001 * place for place in range(100)], True),
        ([1_234_500.0 + place for place in range(100)], False),
        ([-0.001 * place for place in range(100)], True),
    ],
)
def test_the_ladder_lies_beyond_what_is_usual_however_close_together_values_are(
    samples: list[float], is_low_bad: bool
) -> None:
    bounds = candidates(samples, is_low_bad=is_low_bad)
    ranked = sorted(samples, reverse=is_low_bad)
    usual = ranked[75]
    assert len(bounds) == 11
    assert all((bound < usual) if is_low_bad else (bound > usual) for bound in bounds)
    assert bounds == sorted(bounds, reverse=is_low_bad)
    assert (bounds[-1] < min(samples)) if is_low_bad else (bounds[-1] > max(samples))


def test_a_rung_has_no_more_digits_than_a_person_would_write() -> None:
    assert candidates([20.0] * 80 + [90.123] * 20, is_low_bad=False)[:2] == [27, 34]


def test_the_ladder_of_a_constant_begins_beyond_it() -> None:
    assert candidates([1.0] * 9, is_low_bad=False)[0] == 1.1
    assert candidates([0.0] * 9, is_low_bad=True)[0] < 0
    assert candidates([], is_low_bad=True) == []
