"""Silences in the pages: what is wrong with one is said beside its field, and none is stored before all is right."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy.engine import URL

from graphitepager.rules import Level
from graphitepager.silences import matches
from graphitepager.store import Store
from tests.integration import web_scene
from tests.integration.web_support import Pager, client_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from flask.testing import FlaskClient


@pytest.fixture
def pager(tmp_path: Path) -> Iterator[Pager]:
    with Store.open(URL.create("sqlite", database=str(tmp_path / "state.db"))) as store:
        yield web_scene.nothing_fires(store)


@pytest.fixture
def client(pager: Pager) -> FlaskClient:
    return client_of(pager)


def words(markup: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", re.sub(r"</?(bdi|time)[^>]*>", "", markup))).split())


def send(client: FlaskClient, path: str = "/silences", **changed: str) -> tuple[int, str]:
    token = re.search(r'name="form_token" value="([^"]+)"', client.get("/silences/new").text)
    assert token
    form = {"matchers": "alert=HTTP 5xx\nseries=api", "length": "90min", "comment": "deploy", "author": "Mara"}
    answer = client.post(path, data=form | {"form_token": token[1]} | changed, follow_redirects=True)
    return answer.status_code, words(answer.text)


def test_one_that_is_complete_is_stored_and_shown(pager: Pager, client: FlaskClient) -> None:
    code, shown = send(client)
    assert code == 200
    assert "alert=HTTP 5xx series=api deploy Mara ends in 1 h 30 min" in shown
    (one,) = pager.store.silences()
    assert one.ends_at - one.begins_at == timedelta(minutes=90)


@pytest.mark.parametrize("name", ["nul\0here", "two\nlines", "\r", "a\u2028b\x85", "[\n]", " x"])
def test_what_no_text_field_holds_is_silenced_all_the_same(pager: Pager, client: FlaskClient, name: str) -> None:
    form = client.get("/silences/new", query_string={"alert": "HTTP 5xx", "series": name}).text
    typed = re.search(r"<textarea[^>]*>(.*?)</textarea>", form, re.DOTALL)
    assert typed
    sent = html.unescape(typed[1]).replace("\0", "\ufffd").replace("\n", "\r\n")  # as browsers do
    assert send(client, matchers=sent)[0] == 200
    (one,) = pager.store.silences()
    assert len(one.matchers) == 2
    assert matches(one, "HTTP 5xx", name, Level.CRITICAL)
    assert not matches(one, "HTTP 5xx", f"{name}y", Level.CRITICAL)


@pytest.mark.parametrize(
    ("field", "value", "what"),
    [
        ("author", " ", "Say who you are"),
        ("comment", "", "Say why: others will want to know"),
        ("length", "soon", "such as"),
        ("length", "400d", "expected more than nothing and at most 366 days"),
        ("matchers", "  \n ", "Say what to silence, such as alert=MongoDB*"),
        ("matchers", "alert=a[", "[ has no end: write [[] for the character itself"),
        ("matchers", "host=db1", "unknown field 'host'"),
        ("matchers", "level=critcal", "did you mean critical?"),
        ("matchers", "alert=a\n" * 21, "At most 20 lines"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_stored(
    pager: Pager, client: FlaskClient, field: str, value: str, what: str
) -> None:
    code, shown = send(client, **{field: value})
    assert code == 400
    assert "Nothing is silenced yet" in shown
    assert what in shown
    assert pager.store.silences() == ()


def test_what_was_written_is_not_lost(client: FlaskClient) -> None:
    token = re.search(r'name="form_token" value="([^"]+)"', client.get("/silences/new").text)
    assert token
    form = {"form_token": token[1], "matchers": "alert=Disk*", "length": "3d", "comment": "", "author": "<Jo>"}
    page = client.post("/silences", data=form).text
    assert all(text in page for text in ('value="3d"', 'value="&lt;Jo&gt;"', "alert=Disk*</textarea>"))


def test_the_preview_is_the_matchers_own_verdict(client: FlaskClient) -> None:
    shown = words(client.get("/silences/new?matchers=alert%3DHTTP*%0Aseries!%3Dwww").text)
    assert "Known series 1 HTTP 5xx: api" in shown
    assert "Nothing that is known by now. Is that a slip?" in words(client.get("/silences/new?alert=HTTP").text)


def test_one_is_ended_once_and_that_is_no_error_the_second_time(pager: Pager, client: FlaskClient) -> None:
    send(client)
    for _ in range(2):
        code, shown = send(client, "/silences/1/end")
        assert code == 200
        assert "Nothing is silenced. Over" in shown
    assert send(client, "/silences/99/end")[0] == 404
    assert send(client, f"/silences/{2**70}/end")[0] == 404


def test_who_silenced_last_need_not_say_so_again(client: FlaskClient) -> None:
    send(client)
    assert 'name="author" value="Mara"' in client.get("/silences/new").text


def test_the_list_has_no_end_and_the_page_has(pager: Pager, client: FlaskClient) -> None:
    for number in range(30):
        silence = pager.silence("alert=*", author="x" * 1000, comment="y" * 5000, hours=1)
        if number:
            pager.store.end_silence(silence.id, pager.now - timedelta(minutes=1))
    page = client.get("/silences").text
    assert page.count('<li class="card') == 21
    assert len(page) < 200_000
