"""The questions of an entry, asked of another time."""

from __future__ import annotations

from datetime import timedelta

from graphitepager import lookback
from graphitepager.rules import Compare, Query, Ratio
from tests.examples import NOON, entry

HOUR = timedelta(hours=1)
NOON_S = int(NOON.timestamp())


def asking(from_: str, until: str | None = None) -> Query:
    return Query("a.b", from_, until)


def test_a_short_window_becomes_as_long_as_is_wanted() -> None:
    assert lookback.over(entry(query=asking("-1min")), HOUR).query == asking("-3600s")


def test_what_is_left_out_as_too_new_stays_left_out() -> None:
    assert lookback.over(entry(query=asking("-3min", "-2min")), HOUR).query == asking("-3720s", "-2min")


def test_a_longer_window_stays_as_it_is() -> None:
    assert lookback.over(entry(query=asking("-1d")), HOUR).query == asking("-1d")


def test_a_time_that_is_not_relative_stays_as_it_is() -> None:
    assert lookback.over(entry(query=asking("noon_yesterday")), HOUR).query == asking("noon_yesterday")


def test_both_parts_of_a_ratio_look_back_and_a_comparison_is_left_out() -> None:
    compare = Compare(queries=(asking("-1441min", "-1440min"),), ago=timedelta(days=1))
    looking = lookback.over(entry(query=asking("-1min"), ratio=Ratio(to=asking("-1min")), compare=compare), HOUR)
    assert looking.ratio is not None
    assert (looking.query, looking.ratio.to, looking.compare) == (asking("-3600s"), asking("-3600s"), None)


def test_at_a_moment_every_question_is_asked_as_if_it_were_then() -> None:
    compare = Compare(queries=(asking("-1441min", "-1440min"),), ago=timedelta(days=1))
    then = lookback.at(entry(query=asking("-1min"), compare=compare), NOON)
    assert then.query == asking(str(NOON_S - 60), str(NOON_S))
    assert then.compare is not None
    assert then.compare.queries == (asking(str(NOON_S - 86460), str(NOON_S - 86400)),)
