"""`graphite-pager runbooks`: a page to begin with for each alert, where its pages link to."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from graphitepager import runbooks, telemetry
from graphitepager.cli import configuration
from graphitepager.cli.configuration import complain
from graphitepager.errors import ConfigError, PagerError
from graphitepager.printable import printable
from graphitepager.reports import runbook as page

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from graphitepager.rules import Settings
    from graphitepager.runbooks import Runbook

_DEFAULT_FOLDER = "runbooks"


@click.command("runbooks")
@configuration.config_option
@click.option(
    "--into",
    "folder",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    default=_DEFAULT_FOLDER,
    show_default=True,
    help="The folder that docs_url shows.",
)
@click.option("--check", is_flag=True, help="Write nothing; exit code 1 where a page is missing.")
@click.option("--template", metavar="FILE", help="A template of your own for the pages, in Jinja2.")
def command(config_path: str, folder: Path, check: bool, template: str | None) -> int:
    """Write a page to begin with for each alert that has none, under the name that its pages link to.

    No page that exists is changed. Neither Graphite nor the database is asked.

    Example: graphite-pager runbooks --into docs/runbooks
    """
    loaded = configuration.read(config_path, needs_graphite=False)
    if loaded.config is None:
        raise ConfigError(loaded.problems)
    telemetry.keep_secret(configuration.secrets_of(loaded.config))
    settings = loaded.config.settings
    found = list(runbooks.runbooks_of(loaded.config.alerts, settings.docs_url))
    text = None if template is None else configuration.read_text(template, "name a template with --template FILE")
    written = _pages(found, settings, text, template or "the template")
    existing = {file for file in written if os.path.lexists(folder / file)}
    for file, content in written.items():
        if not check and file not in existing:
            _write(folder / file, content)
        _say("exists" if file in existing else "missing" if check else "written", str(folder / file))
    return _report(found, folder, missing=len(written) - len(existing), check=check)


def _pages(found: list[Runbook], settings: Settings, template: str | None, source: str) -> Mapping[str, str]:
    """What each page would hold, by its file below the folder."""
    sharing: dict[str, list[Runbook]] = {}
    for one in found:
        if one.file is not None:
            sharing.setdefault(one.file, []).append(one)
    return {
        file: telemetry.scrub(page.as_markdown(several, settings.graphite_url, template, source))
        for file, several in sharing.items()
    }


def _write(path: Path, content: str) -> None:
    """Write a new file; PagerError where that cannot be done, or it has come into being meanwhile."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(content)
    except FileExistsError:
        raise PagerError(f"{printable(str(path))}: there is a file on the way") from None
    except OSError as error:
        raise PagerError(f"{printable(str(path))}: {(error.strerror or 'cannot be written').lower()}") from None


def _report(found: list[Runbook], folder: Path, *, missing: int, check: bool) -> int:
    """Say what is no page of this folder, and what is a page of no alert; return the exit code."""
    unfit = 0
    for one in found:
        if one.is_elsewhere:
            _say("elsewhere", f"{one.alert.name}: {one.why}")
        elif one.file is None:
            unfit += 1
            complain(f"graphite-pager: alert {one.alert.name!r} can have no page: {one.why}; name one with runbook:")
    for file in runbooks.unlinked(_files(folder), found):
        _say("unlinked", f"{folder / file}")
    if any(one.url is None for one in found):
        complain("graphite-pager: no docs_url: no page links to these; set it to where the folder is shown")
    return 1 if unfit or (check and missing) else 0


def _files(folder: Path) -> Iterator[str]:
    """Every file below the folder, by its path there."""
    for place, _, names in os.walk(folder):
        for name in names:
            yield (Path(place) / name).relative_to(folder).as_posix()


def _say(what: str, text: str) -> None:
    click.echo(telemetry.scrub(f"{what:<9}  {printable(text)}"))
