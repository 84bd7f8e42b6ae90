"""From the command line and the environment to a run. The only file of sql-to-graphite that reads the environment."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from graphitepager import telemetry
from graphitepager.errors import PagerError
from graphitepager.redaction import credentials_in
from graphitepager.sql import exitcodes, original, running
from graphitepager.sql.apart import apart
from graphitepager.sql.names import is_path

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy.engine import URL

    from graphitepager.rules import Settings
    from graphitepager.sql.collecting import Receiver
    from graphitepager.sql.model import Loaded, Query

_PROGRAM = "sql-to-graphite"
_CARBON, _CARBON_TLS = 2003, 20030
# Hosted Graphite's key in the prefix, as its users have always written it.
_KEY_IN_PREFIX = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)

_NOT_IN_SQLITE = ("read-committed", "repeatable-read")
# What can be a user's name in HTTP's basic authentication.
_KEY_FOR_HTTP = re.compile(r"[!-9;-~]+")


class _Asked(NamedTuple):
    """The queries of a run, the variable of each of their databases, and what they are called."""

    queries: Sequence[Query]
    variables: Mapping[str, str]
    source: str


def start(given: Mapping[str, Any]) -> int:
    """Do what the options say, and return the exit code. Raises PagerError and click's UsageError."""
    if sys.stderr is None:  # closed: neither a socket nor the log on standard output may take its place
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115, PTH123 - until the process ends
    _check_usage(given)
    telemetry.configure(quiet=given["quiet"], timestamps="DYNO" not in os.environ, stream=sys.stderr)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: drivers cancel what they wait for
    _keep_secrets(given)
    asked = _asked(given["path"], given["only"])
    urls = _urls(asked, given["isolation"], may_be_unset=given["check"])
    if given["check"]:
        count = f"{len(asked.queries)} " + ("query" if len(asked.queries) == 1 else "queries")
        click.echo(f"{asked.source}: {count}")
        return exitcodes.OK
    run = _run(given, asked, urls)
    try:
        return _carry_out(run, given["every_s"])
    finally:
        telemetry.flush(2.0)


def _carry_out(run: running.Run, every_s: float | None) -> int:
    if every_s is None:
        return running.run_once(run)
    with contextlib.suppress(KeyboardInterrupt):  # a stop is how it ends
        running.run_every(run, every_s, threading.Event())
    return exitcodes.OK


def _check_usage(given: Mapping[str, Any]) -> None:
    if given["host"] and given["sink"]:
        raise click.UsageError("--graphite-host and --graphite-url exclude each other")
    if not (given["host"] or given["sink"] or given["dry_run"] or given["check"]):
        raise click.UsageError("say where Graphite is: --graphite-host HOST")
    if given["ca"] and not given["tls"]:
        raise click.UsageError("--ca needs --tls")
    if variable := given["key_env"]:
        key = os.environ.get(variable)
        if not key:
            raise PagerError(f"{variable} is not set, and --key-env says that it holds an API key")
        # Before a name, it is a part of it; Carbon would drop every line, and tell nobody.
        if not (_KEY_FOR_HTTP.fullmatch(key) if given["sink"] else is_path(key)):
            raise PagerError(f"{variable} does not hold an API key: look for spaces and line breaks in it")


def _keep_secrets(given: Mapping[str, Any]) -> None:
    secrets = [os.environ.get(given["key_env"] or "", ""), os.environ.get("GRAPHITE_PASS", "")]
    first = given["prefix"].partition(".")[0]
    telemetry.keep_secret([*secrets, *([first] if _KEY_IN_PREFIX.fullmatch(first) else ())])


def _asked(path: str | None, only: Sequence[str]) -> _Asked:
    asked = _from_stdin() if path is None else _from_file(path)
    if not asked.queries:
        raise PagerError(f"{asked.source}: there is no query; write one on each line")
    names = [query.name for query in asked.queries]
    for name in only:
        if name not in names:
            raise click.UsageError(f"--only {name}: no query is called so, but {', '.join(names)}")
    return asked._replace(queries=[query for query in asked.queries if not only or query.name in only])


def _from_stdin() -> _Asked:
    if sys.stdin is None:
        raise PagerError("there is no standard input: name a file with --queries")
    if sys.stdin.isatty():
        click.echo("sql-to-graphite: one query on each line, Ctrl-D after the last", err=True)
    try:
        text = sys.stdin.buffer.read().decode()
    except UnicodeDecodeError as error:
        raise PagerError(f"standard input: not UTF-8 text (byte {error.start})") from None
    return _Asked(original.queries_of(text), {original.DATABASE: original.VARIABLE}, "standard input")


def _from_file(path: str) -> _Asked:
    loaded = apart(lambda: _load(path))
    for problem in loaded.problems:
        complain(problem.render())
    if loaded.problems:
        raise PagerError(f"{path}: mend this first")
    return _Asked(loaded.queries, loaded.variables, path)


def _load(path: str) -> Loaded:
    from graphitepager.sql import queriesfile  # noqa: PLC0415 - pydantic is slow to import

    folder = Path(path).parent
    return queriesfile.load(_read(path), path, read=lambda name: _read(str(folder / name)))


def _read(path: str) -> str:
    from graphitepager.cli.configuration import read_text  # noqa: PLC0415 - as above

    return read_text(path, "name yours with --queries FILE")


def _urls(asked: _Asked, isolation: str | None, *, may_be_unset: bool) -> dict[str, URL]:
    """The URL of each database that is needed; what is in the variables is a secret from here on."""
    from graphitepager.sql.urls import SQLITE, parse  # noqa: PLC0415 - SQLAlchemy is slow to import

    urls = {}
    for name in dict.fromkeys(query.database for query in asked.queries):
        variable = asked.variables[name]
        raw = os.environ.get(variable, "")
        telemetry.keep_secret([raw, *credentials_in(raw)])
        if raw.strip():
            urls[name] = parse(raw, variable, on_heroku="DYNO" in os.environ)
            if isolation in _NOT_IN_SQLITE and urls[name].get_backend_name() == SQLITE:
                raise PagerError(f"--isolation {isolation}: SQLite has only read-uncommitted and serializable")
        elif may_be_unset:
            complain(f"{_PROGRAM}: warning: {variable} is not set")
        else:
            raise PagerError(f"{variable} is not set: export {variable}=postgres://user:password@host/name")
    return urls


def _run(given: Mapping[str, Any], asked: _Asked, urls: Mapping[str, URL]) -> running.Run:
    from graphitepager.sql.databases import Access  # noqa: PLC0415 - as above
    from graphitepager.sql.progress import Progress  # noqa: PLC0415

    key, prefix = _key_and_prefix(given)
    path = str(Path(given["path"]).resolve()) if given["path"] else ""
    return running.Run(
        queries=asked.queries,
        urls=urls,
        access=Access(may_write=given["allow_write"], isolation=given["isolation"]),
        prefix=prefix,
        key=None if given["sink"] else key,
        timeout_s=given["timeout_s"],
        receiver=None if given["dry_run"] else _receiver(given, key),
        echoes=given["path"] is None and not given["quiet"],
        verify=_graphite(given["verify_url"]),
        verify_s=given["verify_s"],
        lock=given["lock"],
        identity="\0".join((path, given["prefix"], *given["only"])),
        print_text=lambda text: click.echo(text, nl=False),
        progress=Progress(sys.stderr, quiet=given["quiet"]),
    )


def _key_and_prefix(given: Mapping[str, Any]) -> tuple[str | None, str]:
    """The API key, and the prefix without it: Carbon's names have one before the other, Graphite's only the prefix."""
    key = os.environ.get(given["key_env"] or "") or None
    first, _, rest = given["prefix"].partition(".")
    if key is None and not given["sink"] and _KEY_IN_PREFIX.fullmatch(first):
        return first, rest
    return key, given["prefix"]


def _receiver(given: Mapping[str, Any], key: str | None) -> Receiver:
    if given["sink"]:
        from graphitepager.sql.httpsink import HttpSink  # noqa: PLC0415 - requests is slow to import

        return HttpSink(given["sink"], key, given["graphite_timeout_s"])
    from graphitepager.carbon import Carbon  # noqa: PLC0415

    port = given["port"] or (_CARBON_TLS if given["tls"] else _CARBON)
    return Carbon(given["host"], port, given["graphite_timeout_s"], tls=given["tls"], ca=given["ca"])


def _graphite(url: str | None) -> Settings | None:
    if url is None:
        return None
    from graphitepager.rules import Settings  # noqa: PLC0415

    user, password = os.environ.get("GRAPHITE_USER"), os.environ.get("GRAPHITE_PASS")
    return Settings(graphite_url=url, graphite_user=user, graphite_pass=password)


def complain(text: str) -> None:
    """Print a line on standard error, without the secrets that are known by now."""
    click.echo(telemetry.scrub(text), err=True)
