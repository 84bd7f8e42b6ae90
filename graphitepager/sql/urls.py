"""From the text of a database's URL to one that names the driver; no error quotes it, for it holds a password."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from graphitepager.sql.errors import UrlError

if TYPE_CHECKING:
    from collections.abc import Callable

_EXPECTED = "expected postgres://user:password@host/name, mysql://user:password@host/name or sqlite:////path/of.db"
_ESCAPES = "in the password write @ as %40, : as %3A, / as %2F"
POSTGRESQL, MYSQL, SQLITE = "postgresql", "mysql", "sqlite"
_KINDS = {
    "postgres": POSTGRESQL, "postgresql": POSTGRESQL,
    "mysql": MYSQL, "mysql2": MYSQL, "mariadb": MYSQL,
    "sqlite": SQLITE, "sqlite3": SQLITE,
}  # fmt: skip
# The module, what installs it, and the name under which SQLAlchemy knows it.
_DRIVERS = {
    POSTGRESQL: ("psycopg", "graphite-pager[postgres]", "postgresql+psycopg"),
    MYSQL: ("pymysql", "graphite-pager[mysql]", "mysql+pymysql"),
}
# What PyMySQL takes from a URL; any other would end in a TypeError, or be a safety that is not there.
_MYSQL_PARAMETERS = frozenset(
    {
        "charset",
        "init_command",
        "ssl_ca",
        "ssl_cert",
        "ssl_key",
        "ssl_verify_cert",
        "ssl_verify_identity",
        "unix_socket",
    }
)
_MYSQL_FILES = ("ssl_ca", "ssl_cert", "ssl_key")
# Rails' own, which Heroku's add-ons put there.
_MEANINGLESS = frozenset({"reconnect", "encoding", "pool"})
_LOCAL = frozenset({"", "localhost", "127.0.0.1", "::1"})
_HIGHEST_PORT = 65535
# A socket's folder that is not there: libpq looks at everything else first, and then gives up at once.
_NOWHERE = "/nonexistent"
_NOT_THERE = "connection to server"


def parse(raw: str, variable: str, *, on_heroku: bool) -> URL:
    """The URL to open for the text of the variable; UrlError where it is none that can be used."""
    raw = raw.strip()
    scheme = raw.partition("://")[0].partition("+")[0].lower()
    if scheme not in _KINDS:
        known = f"{scheme} is not supported" if scheme.isalnum() and "://" in raw else "this is no database URL"
        raise UrlError(f"{variable}: {known}: {_EXPECTED}")
    if raw.count("@") > 1:
        raise UrlError(f"{variable} has more than one @: write those of the user and the password as %40")
    try:
        url = make_url(raw)
    except (ArgumentError, ValueError):
        raise UrlError(f"{variable} is no database URL: {_EXPECTED}; {_ESCAPES}") from None
    kind = _KINDS[scheme]
    if kind in _DRIVERS:
        module, package, name = _DRIVERS[kind]
        try:
            importlib.import_module(module)
        except ImportError:
            raise UrlError(f"{variable} needs the driver {module}: run pip install '{package}'") from None
        url = url.set(drivername=name)
    _check_address(url, variable)
    checks: dict[str, Callable[[URL, str, bool], URL]] = {POSTGRESQL: _postgresql, MYSQL: _mysql, SQLITE: _sqlite}
    return checks[kind](url, variable, on_heroku)


def place(url: URL) -> str:
    """The database as it may be shown: no user, no password, no parameters."""
    if url.get_backend_name() == SQLITE:
        return f"database {url.database or 'in memory'}"
    return f"database {url.database or ''} at {url.host or 'the local socket'}" + (f":{url.port}" if url.port else "")


def _check_address(url: URL, variable: str) -> None:
    """Refuse what no server can have; drivers find that only when they connect, and say so in odd ways."""
    try:
        if "/" not in (url.host or ""):  # a folder of sockets
            (url.host or "").encode("idna")
    except UnicodeError:
        raise UrlError(f"{variable}: the host is no name that a host can have; {_ESCAPES}") from None
    if url.port is not None and not 0 < url.port <= _HIGHEST_PORT:
        raise UrlError(f"{variable}: expected a port from 1 to {_HIGHEST_PORT}, got {url.port}")


def _postgresql(url: URL, variable: str, on_heroku: bool) -> URL:  # noqa: FBT001 - one signature for all kinds
    url = url.difference_update_query(_MEANINGLESS)
    _check_parameters(url, variable)
    host = url.host or ""
    if "sslmode" not in url.query and (host.endswith(".amazonaws.com") or (on_heroku and host not in _LOCAL)):
        return url.update_query_dict({"sslmode": "require"})
    return url


def _check_parameters(url: URL, variable: str) -> None:
    """Refuse the parameters that libpq refuses, without their values: one may be a password at the wrong place."""
    import psycopg  # noqa: PLC0415 - an extra, and there is such a URL
    from psycopg import conninfo, pq  # noqa: PLC0415 - as above

    places = ("host", "hostaddr", "port", "service")
    given = {key: value for key, value in url.query.items() if key not in places and isinstance(value, str)}
    try:
        text = conninfo.make_conninfo(host=_NOWHERE, **given)
        conninfo.timeout_from_conninfo(conninfo.conninfo_to_dict(text))
        attempt = pq.PGconn.connect_start(text.encode())
        reason = attempt.error_message.decode(errors="replace")
        attempt.finish()
    except psycopg.Error as error:
        reason = str(error)
    if reason and not reason.startswith(_NOT_THERE):
        shown = reason.partition(":")[0].partition("\n")[0]
        raise UrlError(f"{variable}: {shown}: see the parameters of a PostgreSQL connection")


def _mysql(url: URL, variable: str, _on_heroku: bool) -> URL:  # noqa: FBT001 - as above
    url = url.difference_update_query(_MEANINGLESS)
    if unknown := sorted(url.query.keys() - _MYSQL_PARAMETERS):
        raise UrlError(
            f"{variable} has the parameter {unknown[0]}, which means nothing here: "
            f"leave it out, or use one of {', '.join(sorted(_MYSQL_PARAMETERS))}"
        )
    charsets = importlib.import_module("pymysql.charset")  # which has no types
    if "charset" in url.query and charsets.charset_by_name(str(url.query["charset"])) is None:
        raise UrlError(f"{variable}: MySQL has no such charset; leave it out for utf8mb4")
    for name in _MYSQL_FILES:
        if name in url.query and not Path(str(url.query[name])).is_file():
            raise UrlError(f"{variable}: the file that {name} names is not there")
    return url


def _sqlite(url: URL, variable: str, _on_heroku: bool) -> URL:  # noqa: FBT001 - as above
    if url.host or url.username or url.password or url.port or url.query:
        raise UrlError(f"{variable}: sqlite takes a path alone: sqlite:///relative.db or sqlite:////absolute/path.db")
    return url.set(drivername="sqlite")
