"""The fetcher against a Graphite that misbehaves, over a real loopback socket."""

from __future__ import annotations

import threading
import time
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from graphitepager import rawdata
from graphitepager.graphite import Fetcher
from graphitepager.model import Series
from graphitepager.rules import Query, Settings
from tests.fakes.graphite import FOREVER, SERIES, Answer, FakeGraphite, head, respond
from tests.support import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from graphitepager.errors import FetchError
    from graphitepager.rawdata import RawAnswer

WEB1 = rawdata.holding([Series("web1", 1_700_000_000, 1_700_000_060, 10, b"1.0,2.0,None")])
ENDLESS = tuple(step for _ in range(200) for step in (b"web", 0.02))
RAW = head("200 OK", "Content-Type: text/plain")


def query(target: str) -> Query:
    return Query(target, "-1min", None)


@pytest.fixture
def settings(graphite: FakeGraphite) -> Settings:
    return Settings(
        graphite_url=graphite.url,
        graphite_connect_timeout_s=0.1,
        graphite_read_timeout_s=0.2,
        graphite_concurrency=2,
    )


@pytest.fixture
def fetcher(settings: Settings) -> Iterator[Fetcher]:
    with closing(Fetcher(settings)) as fetcher:
        yield fetcher


def fetch(fetcher: Fetcher, *targets: str, deadline_s: float = 5.0) -> dict[str, RawAnswer | FetchError]:
    answers: dict[str, RawAnswer | FetchError] = {}

    def take(asked: Query, answer: RawAnswer | FetchError) -> None:
        assert asked.target not in answers
        answers[asked.target] = answer

    fetcher.fetch([query(target) for target in targets], take, deadline_s=deadline_s, stop=threading.Event())
    return answers


def test_equal_queries_are_asked_once(graphite: FakeGraphite, fetcher: Fetcher) -> None:
    assert fetch(fetcher, "a", "b", "a") == {"a": WEB1, "b": WEB1}
    assert sorted(graphite.targets) == ["a", "b"]


def test_connections_are_kept_and_no_more_than_the_setting_says(graphite: FakeGraphite, fetcher: Fetcher) -> None:
    graphite.default = Answer((*respond().steps[:1], 0.005, SERIES), keeps=True)
    targets = [f"t{number}" for number in range(20)]
    for _ in range(2):
        assert fetch(fetcher, *targets) == dict.fromkeys(targets, WEB1)
    assert graphite.connections == graphite.most_at_once == 2


def test_one_bad_target_harms_no_other(graphite: FakeGraphite, fetcher: Fetcher) -> None:
    graphite.answers = {"bad": respond(b"no", status="400 Bad Request"), "hangs": Answer((FOREVER,))}
    targets = [f"t{number}" for number in range(20)]
    answers = fetch(fetcher, "bad", "hangs", *targets)
    assert {target for target, answer in answers.items() if answer == WEB1} == set(targets)


def test_answers_come_in_the_order_in_which_they_arrive(graphite: FakeGraphite, fetcher: Fetcher) -> None:
    graphite.answers = {"slow": Answer((0.05, *respond().steps), keeps=True)}
    assert list(fetch(fetcher, "slow", "quick")) == ["quick", "slow"]


def test_what_has_not_come_by_the_deadline_is_an_error(graphite: FakeGraphite, settings: Settings) -> None:
    graphite.answers = {"hangs": Answer((FOREVER,)), "trickles": Answer((RAW, *ENDLESS))}
    late = ["hangs", "trickles", "never asked"]
    with closing(Fetcher(replace(settings, graphite_read_timeout_s=10))) as fetcher:
        begun = time.monotonic()
        answers = fetch(fetcher, *late, deadline_s=0.2)
        assert 0.2 <= time.monotonic() - begun < 0.4
        assert {target: str(answer) for target, answer in answers.items()} == {
            target: f"{target}: no answer within the tick's deadline of 0.2 s" for target in late
        }
        assert fetch(fetcher, "after that") == {"after that": WEB1}
    assert "never asked" not in graphite.targets


@pytest.mark.parametrize("first", [RAW, RAW[:-2]], ids=["body", "headers"])
def test_answers_that_trickle_do_not_hold_up_the_others(graphite: FakeGraphite, fetcher: Fetcher, first: bytes) -> None:
    trickle = Answer((first, *ENDLESS))
    graphite.answers = {"one": trickle, "two": trickle}
    arrived = list(fetch(fetcher, "one", "two", "quick", "quicker", deadline_s=0.6).items())
    assert [answer for _, answer in arrived[:2]] == [WEB1, WEB1]
    assert all("deadline" in str(answer) for _, answer in arrived[2:])


def test_threads_that_are_stuck_are_replaced_but_not_for_ever(graphite: FakeGraphite, settings: Settings) -> None:
    graphite.default = Answer((RAW[:-2], *ENDLESS))
    with closing(Fetcher(replace(settings, graphite_concurrency=1))) as fetcher:
        for tick in range(8):
            fetch(fetcher, f"stuck{tick}", deadline_s=0.05)
        assert graphite.most_at_once == 5
        graphite.hang_up()
        graphite.default = respond()
        assert fetch(fetcher, "x") == {"x": WEB1}


def test_a_late_answer_is_not_taken_for_the_next_ticks(graphite: FakeGraphite, fetcher: Fetcher) -> None:
    graphite.once = [Answer((0.1, *respond(b"late,0,10,10|1.0\n").steps), keeps=True)]
    assert "deadline" in str(fetch(fetcher, "x", deadline_s=0.05)["x"])
    time.sleep(0.1)
    assert fetch(fetcher, "x") == {"x": WEB1}


def test_stop_ends_the_wait_without_inventing_errors(graphite: FakeGraphite, settings: Settings) -> None:
    graphite.default = Answer((FOREVER,))
    stop = threading.Event()
    with closing(Fetcher(replace(settings, graphite_read_timeout_s=10))) as fetcher:
        threading.Timer(0.05, stop.set).start()
        begun = time.monotonic()
        answers: dict[Query, RawAnswer | FetchError] = {}
        fetcher.fetch([query("x"), query("y")], answers.__setitem__, deadline_s=5, stop=stop)
        assert answers == {}
        assert time.monotonic() - begun < 0.3


def test_answers_are_taken_one_at_a_time(fetcher: Fetcher) -> None:
    at_once, most = 0, 0

    def take(asked: Query, answer: RawAnswer | FetchError) -> None:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        threading.Event().wait(0.002)
        at_once -= 1

    fetcher.fetch([query(f"t{number}") for number in range(20)], take, deadline_s=5, stop=threading.Event())
    assert most == 1


def test_what_taking_an_answer_raises_ends_the_fetch_and_the_next_one_works(fetcher: Fetcher) -> None:
    taken = []

    def take(asked: Query, answer: RawAnswer | FetchError) -> None:
        taken.append(asked)
        raise ValueError(asked.target)

    with pytest.raises(ValueError, match=r"^t"):
        fetcher.fetch([query(f"t{number}") for number in range(20)], take, deadline_s=5, stop=threading.Event())
    assert len(taken) == 1
    assert fetch(fetcher, "x") == {"x": WEB1}


def test_nothing_is_taken_once_the_fetch_is_over(graphite: FakeGraphite, fetcher: Fetcher) -> None:
    graphite.answers = {"late": Answer((0.1, *respond().steps), keeps=True)}
    taken: list[str] = []

    def take(asked: Query, answer: RawAnswer | FetchError) -> None:
        taken.append(str(answer))

    fetcher.fetch([query("late")], take, deadline_s=0.05, stop=threading.Event())
    assert taken == ["late: no answer within the tick's deadline of 0.05 s"]
    assert eventually(lambda: graphite.is_idle)
    fetcher.close()  # by now, its threads have seen the answer
    assert len(taken) == 1


def test_nothing_to_ask_is_no_wait(fetcher: Fetcher) -> None:
    assert fetch(fetcher) == {}


def test_its_threads_end_with_it(fetcher: Fetcher) -> None:
    fetch(fetcher, "x", "y")
    fetcher.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "graphite-fetch"]
