"""URLs of databases: which driver they mean, and that none of them is ever shown."""

from __future__ import annotations

import pytest

from graphitepager.redaction import credentials_in
from graphitepager.sql.errors import UrlError
from graphitepager.sql.urls import parse, place


@pytest.mark.parametrize(
    ("raw", "driver"),
    [
        ("postgres://u:p@h/d", "postgresql+psycopg"),
        ("postgresql://u:p@h/d", "postgresql+psycopg"),
        ("postgresql+psycopg2://u:p@h/d", "postgresql+psycopg"),
        ("postgres://u:p@h/d?reconnect=true&pool=5&encoding=unicode", "postgresql+psycopg"),
        ("postgres:///d?host=/var/run/postgresql", "postgresql+psycopg"),
        ("postgres://u:p@[::1]/d?sslmode=prefer&options=-csearch_path%3Dx&connect_timeout=3", "postgresql+psycopg"),
        ("mysql://u:p@h/d", "mysql+pymysql"),
        ("mysql2://u:p@h/d?reconnect=true", "mysql+pymysql"),
        ("mariadb://u:p@h/d?charset=utf8mb4", "mysql+pymysql"),
        ("sqlite:////tmp/x.db", "sqlite"),
        (" sqlite:///x.db\n", "sqlite"),
    ],
)
def test_every_spelling_means_one_driver(raw: str, driver: str) -> None:
    url = parse(raw, "S2G_DSN", on_heroku=False)
    assert url.drivername == driver
    assert "reconnect" not in url.query


@pytest.mark.parametrize(
    ("raw", "on_heroku", "mode"),
    [
        ("postgres://u:p@ec2-1.compute-1.amazonaws.com/d", False, "require"),
        ("postgres://u:p@db.example.com/d", True, "require"),
        ("postgres://u:p@db.example.com/d", False, None),
        ("postgres://u:p@localhost/d", True, None),
        ("postgres://u:p@db.example.com/d?sslmode=verify-full", True, "verify-full"),
    ],
)
def test_herokus_databases_are_spoken_to_over_tls(raw: str, mode: str | None, *, on_heroku: bool) -> None:
    assert parse(raw, "S2G_DSN", on_heroku=on_heroku).query.get("sslmode") == mode


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("hunter2", "S2G_DSN: this is no database URL"),
        ("sqlserver://u:hunter2@h/d", "S2G_DSN: sqlserver is not supported"),
        ("postgres://u:hunter2@x@h/d", "S2G_DSN has more than one @"),
        ("postgres://u:hunter2@h:port/d", "S2G_DSN is no database URL"),
        ("mysql://u:hunter2@h/d?sslmode=hunter2", "S2G_DSN has the parameter sslmode"),
        ("mysql://u:p@h/d?charset=hunter2", "S2G_DSN: MySQL has no such charset"),
        ("mysql://u:p@h/d?ssl_ca=/hunter2", "S2G_DSN: the file that ssl_ca names is not there"),
        ("mysql://u:p@a..hunter2/d", "S2G_DSN: the host is no name that a host can have"),
        ("mysql://u:p@h:99999/d", "S2G_DSN: expected a port from 1 to 65535, got 99999"),
        ("postgres://u:hunter2@h:0/d", "S2G_DSN: expected a port from 1 to 65535, got 0"),
        ("postgres://u:hunter2@h/d?nonsense=1", 'S2G_DSN: invalid connection option "nonsense": see the parameters'),
        ("postgres://u:p@h/d?sslmode=hunter2", "S2G_DSN: invalid sslmode value: see the parameters"),
        ("postgres://u:p@h/d?connect_timeout=hunter2", "S2G_DSN: bad value for connect_timeout: see"),
        ("postgres://u:p@h/d?autocommit=true", 'S2G_DSN: invalid connection option "autocommit"'),
        ("sqlite://hunter2/x.db", "S2G_DSN: sqlite takes a path alone"),
        ("sqlite:///x.db?mode=hunter2", "S2G_DSN: sqlite takes a path alone"),
    ],
)
def test_one_that_cannot_be_used_is_named_and_never_shown(raw: str, reason: str) -> None:
    with pytest.raises(UrlError) as error:
        parse(raw, "S2G_DSN", on_heroku=False)
    assert str(error.value).startswith(reason)
    assert "hunter2" not in str(error.value)


def test_a_place_shows_neither_user_nor_password_nor_parameters() -> None:
    url = parse("postgres://me:hunter2@db.example.com:5433/shop?password=hunter3", "S2G_DSN", on_heroku=False)
    assert place(url) == "database shop at db.example.com:5433"


def test_passwords_are_found_wherever_they_stand_in_a_url() -> None:
    found = set(credentials_in("postgres://me:p%40ss@h/d?password=hun%2Bter&sslpassword=x2x2"))
    assert {"p%40ss", "p@ss", "hun%2Bter", "hun+ter", "x2x2"} <= found
