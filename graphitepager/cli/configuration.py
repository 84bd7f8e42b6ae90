"""What every command reads first: alerts.yml and the environment, and where the state lives."""

from __future__ import annotations

import base64
import glob
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from graphitepager import config as configuration
from graphitepager import notifiers, telemetry
from graphitepager.config import files
from graphitepager.config.files import Files, IncludedFile
from graphitepager.errors import ConfigError, PagerError, StoreError
from graphitepager.library import Library
from graphitepager.problems import ENVIRONMENT, Problem
from graphitepager.redaction import credentials_in, paths_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from graphitepager.config import Loaded
    from graphitepager.records import KeptConfig
    from graphitepager.rules import Config

DEFAULT_PATH = "alerts.yml"

_HINT = "name yours with -c FILE, or begin one with a check that `graphite-pager library` lists"

_Function = TypeVar("_Function", bound="Callable[..., Any]")


def config_option(function: _Function) -> _Function:
    """Add `-c/--config`, which may stand before the command as well as behind it, as it always could."""
    return click.option(
        "-c",
        "--config",
        "config_path",
        metavar="FILE",
        callback=_chosen,
        help="The alerts file.  [default: alerts.yml]",
    )(function)


def read_text(path: str, hint: str = _HINT) -> str:
    """What the file holds; PagerError when it cannot be read, with the hint where there is none."""
    try:
        return Path(path).read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise PagerError(f"{path}: no such file; {hint}") from None
    except UnicodeDecodeError as error:
        raise PagerError(f"{path}: not UTF-8 text (byte {error.start}); save the file as UTF-8") from None
    except OSError as error:
        raise PagerError(f"{path}: {(error.strerror or 'cannot be read').lower()}") from None


def read_watched(path: str) -> str:
    """What read_files() gives, for a program that goes on reading it: a pipe would keep it waiting for ever."""
    _refuse_pipe(path, "; name a file with -c FILE")
    return read_files(path)


def _refuse_pipe(path: str, hint: str = "") -> None:
    if Path(path).is_fifo():
        raise PagerError(f"{path}: a pipe, which can be read only once{hint}")


def read_files(path: str, hint: str = _HINT) -> str:
    """What the file and those that it includes hold, packed into one text; PagerError when it cannot be read."""
    text = read_text(path, hint)
    included = tuple((pattern, tuple(_included(path, pattern))) for pattern in files.patterns(text))
    return files.pack(Files(text, included))


def _included(path: str, pattern: str) -> Iterator[IncludedFile]:
    """The files that the pattern fits, seen from the folder of the file at `path`, sorted by name."""
    folder = Path(path).parent
    try:
        found = sorted(glob.glob(pattern, root_dir=folder, recursive=True))  # noqa: PTH207 - Path takes no absolute ones
    except (OSError, ValueError, re.error):  # a NUL, for example
        found = []
    for name in found:
        source = str(folder / name)
        if Path(source).resolve() == Path(path).resolve():
            continue  # include: "*.yml" means the others
        try:
            _refuse_pipe(source)
            yield IncludedFile(source, read_text(source))
        except PagerError as error:
            yield IncludedFile(source, "", str(error))


def load(text: str, source: str, *, strict: bool = False, needs_graphite: bool = True) -> Loaded:
    """Make a configuration of what read_files() gave, or the database has kept."""
    return configuration.load(
        files.unpack(text),
        os.environ,
        source=source,
        strict=strict,
        needs_graphite=needs_graphite,
        library=Library(),
        notifiers=notifiers.SECTIONS,
    )


def read(path: str, *, strict: bool = False, needs_graphite: bool = True) -> Loaded:
    """Read the file and the environment; PagerError when there is no file to read."""
    return load(read_files(path), path, strict=strict, needs_graphite=needs_graphite)


def load_or_fail(text: str, source: str, tell: Callable[[Problem], None], *, needs_graphite: bool = True) -> Config:
    """Make a configuration that can be run of read_files()' text, its warnings told; raise ConfigError otherwise."""
    loaded = load(text, source, needs_graphite=needs_graphite)
    if loaded.config is None:
        raise ConfigError(loaded.problems)  # the warnings, too: an unknown key may be the one that is missing
    telemetry.keep_secret(secrets_of(loaded.config))
    for problem in loaded.problems:
        tell(problem)
    return loaded.config


def read_or_fail(path: str, tell: Callable[[Problem], None], hint: str = _HINT) -> Config:
    """Return a configuration that can be run, its warnings told; raise ConfigError otherwise."""
    return load_or_fail(read_files(path, hint), path, tell)


def read_beside_pager(path: str) -> Config:
    """Return the configuration for a command that works on the pager's database, and never asks Graphite.

    On a one-off dyno nothing may say where Graphite is. Where alerts.yml is no good, the pager runs the last good one,
    and so does this. Its warnings are for `verify` to tell.
    """
    try:
        loaded = read(path, needs_graphite=False)
        if loaded.config is None:
            raise ConfigError(loaded.problems)
        config = loaded.config
    except PagerError:
        instead = _instead(path)
        if instead is None:
            raise
        config = instead
        complain(f"graphite-pager: {path} is no good, the last good one counts; graphite-pager verify says more")
    telemetry.keep_secret(secrets_of(config))
    return config


def _instead(path: str) -> Config | None:
    kept = last_good(path)
    return kept and load(kept.text, path, needs_graphite=False).config


def last_good(path: str, *, only_look: bool = False) -> KeptConfig | None:
    """What the database keeps of this file, where that can be found without the file: DATABASE_URL, or beside it.

    With `only_look`, of a database that needs no migration.
    """
    from graphitepager.store import Store  # noqa: PLC0415 - as in database_url()

    try:
        url = _database_url(os.environ.get("DATABASE_URL"), path)
        if url.get_backend_name() == "sqlite" and not Path(url.database).is_file():
            return None  # to look must not make one
        with (Store.open_to_read if only_look else Store.open)(url) as store:
            kept = store.kept_config()
    except StoreError:
        return None
    if kept is None or Path(kept.source).name != Path(path).name:  # a slip in -c is told, not covered up
        return None
    config = load(kept.text, kept.source, needs_graphite=False).config
    # The database of another time, if it says itself that it is not the one.
    return kept if config and database_url(config, path) == url else None


def config_of(kept: KeptConfig) -> Config | None:
    """What the database has kept as a configuration, with the present environment; None where it is none any more."""
    return load(kept.text, kept.source, needs_graphite=False).config


def complain(text: str) -> None:
    """Print a line on standard error, without the secrets that are known by now."""
    click.echo(telemetry.scrub(text), err=True)


def database_url(config: Config, path: str) -> Any:
    """Where the state lives: DATABASE_URL, or a SQLite file beside alerts.yml. StoreError when it cannot be used."""
    return _database_url(config.settings.database_url, path)


def database_problems(config: Config, path: str) -> list[Problem]:
    """What is wrong with the place of the state, without SQLAlchemy where nothing can be."""
    if config.settings.database_url or is_heroku():
        try:
            database_url(config, path)
        except StoreError as error:
            return [Problem(source=ENVIRONMENT, message=str(error))]
    return []


def _database_url(raw: str | None, path: str) -> Any:
    from graphitepager import store  # noqa: PLC0415 - SQLAlchemy is slow to import, and few commands need it

    return store.database_url(
        raw,
        beside=str(Path(path).resolve().parent),
        on_heroku=is_heroku(),
        allow_ephemeral=os.environ.get("ALLOW_EPHEMERAL_STATE", "").lower() in {"1", "true", "yes", "on"},
    )


def secrets_of(config: Config) -> Iterator[str]:
    """Everything in this configuration that no log line may hold."""
    settings = config.settings
    slack_urls = [settings.slack_url, *settings.slack_urls.values()]
    slack_urls += [one.slack_url for alert in config.alerts for one in alert.entries]
    notified = [*(route.address for route in settings.notifiers.values()), *settings.notifier_secrets]
    urls = [url for url in (settings.heartbeat_ping_url, *slack_urls, *notified) if url and "://" in url]
    candidates = (
        settings.graphite_pass,
        settings.database_url,
        *credentials_in(settings.database_url or ""),
        settings.pagerduty_key,
        *settings.pagerduty_keys.values(),
        *slack_urls,
        *notified,
        *credentials_in(settings.pagerduty_events_url),
        *credentials_in(settings.pagerduty_api_url),
        settings.pagerduty_api_token,
        settings.heartbeat_ping_url,
        settings.web.password,
        settings.web.token,
        settings.web.secret,
        *credentials_in(settings.heartbeat_ping_url or ""),
        *(path for url in urls for path in paths_of(url)),
        *(one.pagerduty_key for alert in config.alerts for one in alert.entries),
    )
    yield from (secret for secret in candidates if secret)
    if settings.graphite_user:
        basic = f"{settings.graphite_user}:{settings.graphite_pass or ''}"
        yield base64.b64encode(basic.encode(errors="replace")).decode()


def drill_key() -> str | None:
    """The routing key of the service that takes drills, where the environment has it."""
    return os.environ.get("DRILL_PAGERDUTY_KEY", "").strip() or None


def is_heroku() -> bool:
    """Whether this is a dyno, whose disk does not last and whose log lines are stamped with the time by Heroku."""
    return "DYNO" in os.environ


def _chosen(ctx: click.Context, _parameter: click.Parameter, value: str | None) -> str:
    return value or (ctx.obj if isinstance(ctx.obj, str) else None) or DEFAULT_PATH
