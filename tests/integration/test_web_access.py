"""Who is let in to the pages, and who is not; nobody else's page can act for them."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy.engine import URL

from graphitepager.store import Store
from graphitepager.websettings import WebSettings, parse_networks
from tests.integration.web_scene import nothing_fires
from tests.integration.web_support import Pager, app_of, client_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from werkzeug.test import TestResponse

PASSWORD, TOKEN = "correct horse", "a-token-of-24-characters"
BY_PASSWORD = WebSettings(user="oncall", password=PASSWORD)
BY_TOKEN = WebSettings(token=TOKEN)
BY_PROXY = WebSettings(proxy_header="X-Forwarded-User", proxies=parse_networks("10.0.0.1, 10.0.0.2"))


@pytest.fixture(scope="module")
def pager(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pager]:
    url = URL.create("sqlite", database=str(tmp_path_factory.mktemp("web") / "state.db"))
    with Store.open(url) as store:
        yield nothing_fires(store)


def basic(user: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def status(pager: Pager, settings: WebSettings, headers: dict[str, str], **other: Any) -> int:
    return client_of(pager, settings=settings).get("/", headers=headers, **other).status_code


@pytest.mark.parametrize(
    ("settings", "headers"),
    [
        (BY_PASSWORD, basic("oncall", PASSWORD)),
        (BY_TOKEN, bearer(TOKEN)),
        (BY_TOKEN, basic("mara", TOKEN)),
        (BY_TOKEN, basic("", TOKEN)),
    ],
)
def test_the_right_password_or_token_opens(pager: Pager, settings: WebSettings, headers: dict[str, str]) -> None:
    assert status(pager, settings, headers) == 200


@pytest.mark.parametrize(
    ("settings", "headers"),
    [
        (BY_PASSWORD, {}),
        (BY_PASSWORD, basic("oncall", "wrong")),
        (BY_PASSWORD, basic("oncall", "")),
        (BY_PASSWORD, basic("somebody", PASSWORD)),
        (BY_PASSWORD, bearer(PASSWORD)),
        (BY_TOKEN, bearer("")),
        (BY_TOKEN, bearer(TOKEN + "x")),
        (BY_TOKEN, basic(TOKEN, "")),
        (BY_TOKEN, {"Authorization": f"Digest {TOKEN}"}),
        (BY_TOKEN, {"Authorization": "Basic \xff"}),
        (BY_PROXY, {"X-Forwarded-User": "mara"}),
        (BY_PROXY, {}),
    ],
)
@pytest.mark.parametrize("path", ["/", "/silences", "/silences/new", "/nowhere"])
def test_anything_else_does_not(pager: Pager, settings: WebSettings, headers: dict[str, str], path: str) -> None:
    answer = client_of(pager, settings=settings).get(path, headers=headers)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Basic ")
    assert answer.data == b"Log in to see this page.\n"


def test_a_proxy_says_who_somebody_is_if_it_is_the_one_that_is_named(pager: Pager) -> None:
    headers = {"X-Forwarded-User": "mara"}
    assert status(pager, BY_PROXY, headers, environ_base={"REMOTE_ADDR": "10.0.0.1"}) == 200
    assert status(pager, BY_PROXY, headers, environ_base={"REMOTE_ADDR": "10.0.0.3"}) == 401
    assert status(pager, BY_PROXY, {}, environ_base={"REMOTE_ADDR": "10.0.0.1"}) == 401


def test_style_and_script_need_no_login_and_are_kept_for_ever(pager: Pager) -> None:
    client = client_of(pager, settings=BY_TOKEN)
    page = client.get("/", headers=bearer(TOKEN)).text
    links = re.findall(r'(?:href|src)="(/static/[^"]+)"', page)
    assert {link.rpartition(".")[2] for link in links} == {"css", "js", "svg"}
    for link in links:
        answer = client.get(link)
        assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "public, max-age=31536000, immutable")
    assert client.get("/static/0000000000000000/app.css").status_code == 404
    assert client.get(links[0].rpartition("/")[0] + "/..%2Fsite.py").status_code in {401, 404}


def test_the_eleventh_wrong_password_is_not_even_looked_at(pager: Pager) -> None:
    client = client_of(pager, settings=BY_PASSWORD)
    codes = [client.get("/", headers=basic("oncall", f"wrong {n}")).status_code for n in range(11)]
    assert codes == [401] * 10 + [429]
    answer = client.get("/", headers=basic("oncall", PASSWORD))
    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 301
    elsewhere = client.get("/", headers=basic("oncall", PASSWORD), environ_base={"REMOTE_ADDR": "198.51.100.7"})
    assert elsewhere.status_code == 200


def test_behind_a_proxy_it_is_the_client_that_waits(pager: Pager) -> None:
    settings = WebSettings(user="oncall", password=PASSWORD, proxies=parse_networks("10.0.0.1"))
    client = client_of(pager, settings=settings)

    def ask(password: str, forwarded: str) -> int:
        headers = basic("oncall", password) | {"X-Forwarded-For": forwarded}
        return client.get("/", headers=headers, environ_base={"REMOTE_ADDR": "10.0.0.1"}).status_code

    # What the client itself writes there comes first, and is not believed.
    assert [ask("wrong", f"192.0.2.{n}, 203.0.113.5") for n in range(11)] == [401] * 10 + [429]
    assert ask(PASSWORD, "203.0.113.6") == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example:8000", "10.0.0.1:8000", "[::2]"]
)
def test_without_a_login_no_other_name_of_this_machine_is_answered(pager: Pager, host: str) -> None:
    answer = client_of(pager).get("/", headers={"Host": host})
    assert answer.status_code == 400
    assert "series" not in answer.text


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:8000", "127.0.0.1:9", "127.0.0.2:8000", "127.1.2.3", "[::1]:8000", "[::1]"]
)
def test_loopback_names_are(pager: Pager, host: str) -> None:
    assert client_of(pager).get("/", headers={"Host": host}).status_code == 200


def test_with_public_url_that_name_is_answered_and_no_other(pager: Pager) -> None:
    settings = WebSettings(token=TOKEN, public_url="https://pager.example.com/folder")
    client = client_of(pager, settings=settings)
    headers = bearer(TOKEN)
    for path in ("/", "/folder/"):
        answer = client.get(path, headers=headers | {"Host": "pager.example.com"})
        assert answer.status_code == 200
        assert 'href="/folder/silences"' in answer.text
    assert client.get("/", headers=headers | {"Host": "other.example.com"}).status_code == 400


def fill_in(answer: TestResponse, **fields: str) -> dict[str, str]:
    found = re.search(r'name="form_token" value="([^"]+)"', answer.text)
    assert found
    form = {"matchers": "alert=HTTP 5xx", "length": "1h", "comment": "deploy", "author": "Mara"}
    return {**form, "form_token": found[1], **fields}


def test_a_form_of_ours_is_taken_once_it_says_everything(pager: Pager) -> None:
    client = client_of(pager, settings=BY_PASSWORD)
    form = fill_in(client.get("/silences/new", headers=basic("oncall", PASSWORD)))
    assert client.post("/silences", data=form, headers=basic("oncall", PASSWORD)).status_code == 303


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ],
)
def test_a_form_that_another_page_sends_is_refused(pager: Pager, headers: dict[str, str]) -> None:
    client = client_of(pager)
    form = fill_in(client.get("/silences/new"))
    before = len(pager.store.silences())
    assert client.post("/silences", data=form, headers=headers).status_code == 403
    assert len(pager.store.silences()) == before


@pytest.mark.parametrize("token", ["", "x", "WyJhIixudWxsXQ.aaaa.bbbb"])
@pytest.mark.parametrize("path", ["/silences", "/silences/1/end"])
@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "multipart/form-data", "text/plain", None])
def test_a_form_without_our_token_is_refused(pager: Pager, token: str, path: str, kind: str | None) -> None:
    client = client_of(pager)
    form = fill_in(client.get("/silences/new"), form_token=token)
    data: Any = form if kind != "text/plain" else "form_token=" + token
    before = pager.store.silences()
    assert client.post(path, data=data, content_type=kind).status_code == 403
    assert pager.store.silences() == before


def test_a_token_is_good_for_its_own_browser_and_its_own_user_only(pager: Pager) -> None:
    settings = BY_TOKEN
    theirs = client_of(pager, settings=settings)
    form = fill_in(theirs.get("/silences/new", headers=basic("mara", TOKEN)))
    other_browser = app_of(pager, settings=settings).test_client()
    assert other_browser.post("/silences", data=form, headers=basic("mara", TOKEN)).status_code == 403
    assert theirs.post("/silences", data=form, headers=basic("jo", TOKEN)).status_code == 403
    assert theirs.post("/silences", data=form, headers=basic("mara", TOKEN)).status_code == 303


def test_the_cookie_of_forms_is_for_no_script_and_no_other_site(pager: Pager) -> None:
    settings = WebSettings(token=TOKEN, public_url="https://pager.example.com")
    answer = client_of(pager, settings=settings).get(
        "/silences/new", headers=bearer(TOKEN) | {"Host": "pager.example.com"}
    )
    cookie = answer.headers["Set-Cookie"]
    assert all(word in cookie for word in ("HttpOnly", "SameSite=Strict", "Secure"))


def test_what_is_too_large_is_refused(pager: Pager) -> None:
    client = client_of(pager)
    form = fill_in(client.get("/silences/new"), comment="x" * 100_000)
    assert client.post("/silences", data=form).status_code == 413


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE"])
def test_other_methods_are_not_for_these_pages(pager: Pager, method: str) -> None:
    assert client_of(pager).open("/", method=method).status_code in {403, 405}


def test_head_and_options_tell_no_more_than_they_should(pager: Pager) -> None:
    client = client_of(pager)
    head = client.head("/")
    assert (head.status_code, head.data) == (200, b"")
    options = client.options("/")
    assert (options.status_code, options.data) == (200, b"")
    assert "Access-Control-Allow-Origin" not in options.headers


@pytest.mark.parametrize("path", ["/", "/silences", "/silences/new", "/nowhere"])
def test_every_page_runs_nothing_but_our_script_and_is_kept_by_nobody(pager: Pager, path: str) -> None:
    answer = client_of(pager).get(path)
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert answer.headers["Cache-Control"] == "no-store"
    assert not re.search(r"<style|style=|<script>|\son\w+=", answer.text)
