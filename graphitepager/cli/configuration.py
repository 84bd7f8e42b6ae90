"""What every command reads first: alerts.yml and the environment, and where the state lives."""

from __future__ import annotations

import base64
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import unquote, unquote_plus

import click

from graphitepager import config as configuration
from graphitepager import telemetry
from graphitepager.errors import ConfigError, PagerError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from graphitepager.config import Loaded
    from graphitepager.model import Config
    from graphitepager.problems import Problem

DEFAULT_PATH = "alerts.yml"

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


def read(path: str, *, strict: bool = False, needs_graphite: bool = True) -> Loaded:
    """Read the file and the environment; PagerError when there is no file to read."""
    try:
        text = Path(path).read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise PagerError(
            f"{path}: no such file; name yours with -c FILE, or start from the sample alerts.yml"
        ) from None
    except UnicodeDecodeError as error:
        raise PagerError(f"{path}: not UTF-8 text (byte {error.start}); save the file as UTF-8") from None
    except OSError as error:
        raise PagerError(f"{path}: {(error.strerror or 'cannot be read').lower()}") from None
    return configuration.load(text, os.environ, source=path, strict=strict, needs_graphite=needs_graphite)


def read_or_fail(path: str, tell: Callable[[Problem], None]) -> Config:
    """Return a configuration that can be run, its warnings told; raise ConfigError otherwise."""
    loaded = read(path)
    if loaded.config is None:
        raise ConfigError(loaded.problems)  # the warnings, too: an unknown key may be the one that is missing
    telemetry.keep_secret(secrets_of(loaded.config))
    for problem in loaded.problems:
        tell(problem)
    return loaded.config


def complain(text: str) -> None:
    """Print a line on standard error, without the secrets that are known by now."""
    click.echo(telemetry.scrub(text), err=True)


def database_url(config: Config, path: str) -> Any:
    """Where the state lives: DATABASE_URL, or a SQLite file beside alerts.yml. StoreError when it cannot be used."""
    from graphitepager import store  # noqa: PLC0415 - SQLAlchemy is slow to import, and few commands need it

    return store.database_url(
        config.settings.database_url,
        beside=str(Path(path).resolve().parent),
        on_heroku=is_heroku(),
        allow_ephemeral=os.environ.get("ALLOW_EPHEMERAL_STATE", "").lower() in {"1", "true", "yes", "on"},
    )


def secrets_of(config: Config) -> Iterator[str]:
    """Everything in this configuration that no log line may hold."""
    settings = config.settings
    candidates = (
        settings.graphite_pass,
        settings.database_url,
        *_credentials(settings.database_url or ""),
        settings.pagerduty_key,
        *settings.pagerduty_keys.values(),
        *_credentials(settings.pagerduty_events_url),
        *(entry.pagerduty_key for alert in config.alerts for entry in alert.entries),
    )
    yield from (secret for secret in candidates if secret)
    if settings.graphite_user:
        basic = f"{settings.graphite_user}:{settings.graphite_pass or ''}"
        yield base64.b64encode(basic.encode(errors="replace")).decode()


def _credentials(url: str) -> Iterator[str]:
    """`user:password` of a URL and the password alone, encoded and plain. A broken URL holds secrets, too."""
    _, _, rest = url.partition("://")
    authority = re.split("[/?#]", rest, maxsplit=1)[0]
    # A password with a slash in it is none to a browser, but to a database driver it is.
    for userinfo in {authority.rpartition("@")[0], rest.partition("@")[0] if "@" in rest else ""}:
        password = userinfo.partition(":")[2]
        if password:  # a user alone is often a word such as postgres
            yield from (userinfo, unquote(userinfo), password, unquote(password))
    for password in re.findall(r"[?&](?:ssl)?password=([^&#]*)", rest):
        yield from (password, unquote_plus(password))


def is_heroku() -> bool:
    """Whether this is a dyno, whose disk does not last and whose log lines are stamped with the time by Heroku."""
    return "DYNO" in os.environ


def _chosen(ctx: click.Context, _parameter: click.Parameter, value: str | None) -> str:
    return value or (ctx.obj if isinstance(ctx.obj, str) else None) or DEFAULT_PATH
