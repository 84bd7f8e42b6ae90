"""How many pictures somebody gets in a minute."""

from __future__ import annotations

from graphitepager.web.pace import Pace


def test_each_address_has_its_own_measure() -> None:
    pace = Pace(2, 10)
    assert [pace.wait_s("a", 0.0), pace.wait_s("a", 10.0)] == [0.0, 0.0]
    assert pace.wait_s("a", 20.0) == 40.0
    assert pace.wait_s("b", 20.0) == 0.0
    assert pace.wait_s("a", 60.0) == 0.0


def test_all_together_have_one_too() -> None:
    pace = Pace(5, 3)
    assert [pace.wait_s(each, 0.0) for each in "abcd"] == [0.0, 0.0, 0.0, 60.0]
