"""DATABASE_URL becomes something that can be opened, or one line that says what to do and quotes no password."""

from __future__ import annotations

import sys
import traceback

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from graphitepager.errors import StoreError
from graphitepager.store.database import database_url


def rendered(raw: str | None, *, on_heroku: bool = False, allow_ephemeral: bool = False) -> str:
    url = database_url(raw, beside="/srv/pager", on_heroku=on_heroku, allow_ephemeral=allow_ephemeral)
    return url.render_as_string(hide_password=False)


def refusal(raw: str | None, *, on_heroku: bool = False) -> str:
    with pytest.raises(StoreError) as raised:
        rendered(raw, on_heroku=on_heroku)
    assert "\n" not in str(raised.value)
    assert "hunter22" not in "".join(traceback.format_exception(raised.value))
    return str(raised.value)


@pytest.mark.parametrize("raw", [None, "", "  \n"])
def test_the_default_is_a_file_beside_alerts_yml(raw: str | None) -> None:
    assert rendered(raw) == "sqlite:////srv/pager/graphite-pager.db"


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg", "postgresql+psycopg2"])
def test_every_spelling_of_postgresql_means_psycopg_3(scheme: str) -> None:
    assert rendered(f"{scheme}://u:p@db.example.com:5433/state") == "postgresql+psycopg://u:p@db.example.com:5433/state"


def test_white_space_around_the_url_is_ignored() -> None:
    assert rendered(" postgres://db/state\n") == "postgresql+psycopg://db/state"


def test_an_escaped_password_is_understood() -> None:
    url = database_url("postgres://u:p%40ss%2Fw%3Ard@db/state", beside="", on_heroku=False)
    assert (url.password, url.host) == ("p@ss/w:rd", "db")


@pytest.mark.parametrize(
    ("raw", "on_heroku", "query"),
    [
        ("postgres://u:p@ec2-1-2-3-4.compute-1.amazonaws.com:5432/d", False, "?sslmode=require"),
        ("postgres://u:p@ec2-1-2-3-4.compute-1.amazonaws.com:5432/d?sslmode=verify-full", True, "?sslmode=verify-full"),
        ("postgres://u:p@db.example.com/d", True, "?sslmode=require"),
        ("postgres://u:p@db.example.com/d", False, ""),
        ("postgres://u:p@127.0.0.1:6000/d", True, ""),
        ("postgres://u:p@localhost/d", True, ""),
    ],
)
def test_heroku_databases_are_reached_through_tls(raw: str, on_heroku: bool, query: str) -> None:
    assert rendered(raw, on_heroku=on_heroku).partition("/d")[2] == query


def test_sqlite_on_heroku_is_refused_with_the_reason() -> None:
    error = refusal(None, on_heroku=True)
    assert "every restart wipes the disk" in error
    assert "heroku addons:create heroku-postgresql" in error
    assert "ALLOW_EPHEMERAL_STATE=1" in error
    assert refusal("sqlite:////app/state.db", on_heroku=True) == error


def test_sqlite_on_heroku_can_be_insisted_on() -> None:
    assert rendered(None, on_heroku=True, allow_ephemeral=True) == "sqlite:////srv/pager/graphite-pager.db"


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("mysql://u:hunter22@db/state", "mysql is not supported, only postgresql and sqlite"),
        ("redis://u:hunter22@db:6379/0", "redis is not supported"),
        ("postgres:/u:hunter22@db/state", "not a database URL"),
        ("hunter22", "not a database URL"),
        ("'postgres://u:hunter22@db/state'", "not a database URL"),
        ("postgres://u:hunter22@db:port/state", "not a database URL"),
        ("postgres://u:hunter22", "not a database URL"),
        ("postgres://u:pa@hunter22@db/state", "more than one @"),
        ("postgres://u:hunter22@db", "names no database"),
        ("postgres://u:hunter22@db/", "names no database"),
        ("sqlite://u:hunter22@db/state.db", "sqlite takes a path"),
        ("sqlite://hunter22.db", "sqlite takes a path"),
        ("sqlite:////srv/state.db?timeout=hunter22", "sqlite takes no parameters: leave out the ? and what follows it"),
        ("sqlite:///state.db?bogus=hunter22", "sqlite takes no parameters"),
        ("sqlite:///file:state.db?mode=ro&uri=true", "sqlite takes no parameters"),
        ("sqlite:///state.db?hunter22", "sqlite takes no parameters"),
        ("sqlite:///state.db?", "sqlite takes no parameters"),
        ("sqlite://", "in-memory database forgets"),
        ("sqlite:///:memory:", "in-memory database forgets"),
    ],
)
def test_what_cannot_be_used_is_refused_without_the_password(raw: str, expected: str) -> None:
    assert expected in refusal(raw)


@given(password=st.text(st.characters(codec="ascii")))
@example(password="Pa@ss:w/rd#?%")
@example(password="abc@def:ghi@jkl")
def test_no_password_is_quoted_however_badly_it_is_escaped(password: str) -> None:
    raw = f"postgres://app:Zq{password}qZ@db.example.com:5432/state"
    error = ""
    try:
        rendered(raw)
    except StoreError as refused:
        error = "".join(traceback.format_exception(refused))
    assert "Zq" not in error
    assert "qZ" not in error


def test_a_missing_driver_is_named_with_its_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    assert "pip install 'graphite-pager[postgres]'" in refusal("postgres://u:hunter22@db/state")
