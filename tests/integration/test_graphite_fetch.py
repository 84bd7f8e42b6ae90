"""The fetcher against the real Graphite."""

from __future__ import annotations

import time
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from graphitepager import rawdata
from graphitepager.errors import FetchError
from graphitepager.graphite import Fetcher
from graphitepager.rawdata import RawAnswer
from graphitepager.rules import Query, Settings
from tests import sample_data

if TYPE_CHECKING:
    from tests.graphite_server.client import Graphite
    from tests.integration.conftest import StartGraphite


@pytest.fixture(scope="module", autouse=True)
def _hosts(graphite: Graphite) -> None:
    times = sample_data.intervals(time.time())
    graphite.write({f"fetch.web{number}": [(when, float(number)) for when in times] for number in range(300)})


def fetch(settings: Settings, *targets: str) -> dict[str, RawAnswer | FetchError]:
    queries = [Query(target, "-1min", None) for target in targets]
    with closing(Fetcher(settings)) as fetcher:
        return {query.target: answer for query, answer in fetcher.fetch_all(queries, deadline_s=30).items()}


def last_values(answer: RawAnswer | FetchError) -> dict[str, float]:
    assert isinstance(answer, RawAnswer)
    lasts = {series.name: rawdata.last_point(series) for series in answer.series}
    return {name: last.value for name, last in lasts.items() if last is not None}


def reason(answer: RawAnswer | FetchError) -> str:
    assert isinstance(answer, FetchError)
    return answer.reason


def test_series_come_with_their_values(graphite: Graphite) -> None:
    answers = fetch(Settings(graphite_url=graphite.url), "fetch.web7", "aliasByNode(fetch.*,1)", "nothing.here")
    assert last_values(answers["fetch.web7"]) == {"fetch.web7": 7.0}
    assert last_values(answers["aliasByNode(fetch.*,1)"]) == {f"web{number}": float(number) for number in range(300)}
    assert answers["nothing.here"] == rawdata.holding([])


def test_one_bad_target_harms_no_other(graphite: Graphite) -> None:
    answers = fetch(Settings(graphite_url=graphite.url), "fetch.web1", "nosuch(a.b)", "scale(fetch.web1)", "fetch.web2")
    assert reason(answers["nosuch(a.b)"]) == (
        '400 Bad Request: Invalid parameters (Received request for unknown function: nosuch); targets: "nosuch(a.b)"'
    )
    assert reason(answers["scale(fetch.web1)"]) == (
        "500 Internal Server Error: TypeError: scale() missing 1 required positional argument: 'factor'"
    )
    assert last_values(answers["fetch.web1"]) == {"fetch.web1": 1.0}
    assert last_values(answers["fetch.web2"]) == {"fetch.web2": 2.0}


def test_a_target_of_ten_thousand_characters_is_asked_whole(graphite: Graphite) -> None:
    numbers = range(300)
    target = f"sumSeries({','.join(f'scale(scale(scale(fetch.web{number},1),1),1)' for number in numbers)})"
    assert len(target) > 10_000
    [value] = last_values(fetch(Settings(graphite_url=graphite.url), target)[target]).values()
    assert value == sum(numbers) == 44_850


def test_a_graphite_behind_a_password_answers_those_who_have_it(start_graphite: StartGraphite) -> None:
    url = start_graphite(credentials="pager:pässword").url
    refused = "401 Unauthorized: check GRAPHITE_USER and GRAPHITE_PASS"
    right = Settings(graphite_url=url, graphite_user="pager", graphite_pass="pässword")
    wrong = Settings(graphite_url=url, graphite_user="pager", graphite_pass="password")
    assert last_values(fetch(right, "constantLine(7)")["constantLine(7)"]) == {"7.0": 7.0}
    assert reason(fetch(wrong, "constantLine(7)")["constantLine(7)"]) == refused
    assert reason(fetch(Settings(graphite_url=url), "constantLine(7)")["constantLine(7)"]) == refused


def test_another_page_of_graphite_is_told_from_its_root(graphite: Graphite) -> None:
    settings = Settings(graphite_url=f"{graphite.url}/metrics")
    assert reason(fetch(settings, "fetch.web1")["fetch.web1"]).startswith("404 Not Found")
