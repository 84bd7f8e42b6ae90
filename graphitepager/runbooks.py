"""Which page is the runbook of which alert: the file that its pages link to, below docs_url."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import unquote, urldefrag

from graphitepager import messages
from graphitepager.model import Event, EventKind, SeriesKey
from graphitepager.rules import Level
from graphitepager.wording import node_count

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from graphitepager.model import Message
    from graphitepager.rules import Alert, Entry

RUNBOOK = "Runbook"  # what messages call the link
SUFFIX = ".md"
# Pages of a folder that are no runbook, whatever stands before their suffix in capitals.
_OTHER_PAGES = {"readme", "index"}
_LONGEST_PART = 255  # bytes, on every file system that is in use
_BEGINNING = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Runbook:
    """A page that an alert links to, for those of its entries that do.

    `file` is its path below the folder of docs_url; None where it is not there, `why` says why. It `is_elsewhere` where
    that is as it should be: then `why` is the link. `url` is what pages link to, None without docs_url.
    """

    alert: Alert
    entries: tuple[Entry, ...]
    url: str | None
    file: str | None
    why: str | None = None
    is_elsewhere: bool = False


def runbooks_of(alerts: Iterable[Alert], docs_url: str | None) -> Iterator[Runbook]:
    """Yield the runbooks of each alert, usually one, in the order of the file."""
    base = f"{docs_url.rstrip('/')}/" if docs_url else "/"
    for alert in alerts:
        by_url: dict[str | None, list[Entry]] = {}
        for entry in alert.entries:
            by_url.setdefault(_constant_link(alert, entry, base), []).append(entry)
        for url, entries in by_url.items():
            yield _runbook(alert, tuple(entries), url, base)


def unlinked(files: Iterable[str], runbooks: Iterable[Runbook]) -> list[str]:
    """Those of a folder's files that are runbooks of nothing, sorted; paths below the folder, parted by slashes."""
    linked = {_plain(one.file) for one in runbooks if one.file is not None}
    return sorted(file for file in files if _may_be_runbook(file) and _plain(file) not in linked)


def message_of(alert: Alert, entry: Entry, level: Level, series: str) -> Message:
    """What a page says when this series reaches the entry's threshold of that level."""
    threshold = entry.threshold(level)
    event = Event(
        kind=EventKind.TRIGGERED,
        key=SeriesKey(alert.name, series),
        level=level,
        at=_BEGINNING,
        since=_BEGINNING,
        value=None if threshold is None else threshold.bound,
        entry=entry,
    )
    return messages.render(event, "")


def levels_of(entry: Entry) -> tuple[Level, ...]:
    """The levels that the entry has thresholds for, the worst first."""
    return tuple(level for level in (Level.CRITICAL, Level.WARNING) if entry.threshold(level) is not None)


def _constant_link(alert: Alert, entry: Entry, base: str) -> str | None:
    """The page that all of its series link to, at every level; the template where they differ; None without a link."""
    links = {
        _without_query(urldefrag(link.href).url, base)
        for level in (*levels_of(entry), Level.NO_DATA)
        for series in _two_series(entry)
        for link in message_of(alert, entry, level, series).links
        if link.text == RUNBOOK
    }
    if len(links) > 1:
        return entry.runbook
    return next(iter(links), None)


def _without_query(url: str, base: str) -> str:
    """The page itself; a query that is a part of docs_url leads to it."""
    is_below = url.startswith(base)
    return base + url.removeprefix(base).partition("?")[0] if is_below else url


def _two_series(entry: Entry) -> tuple[str, str]:
    nodes = node_count(entry) or 32
    return ".".join(f"a{number}" for number in range(nodes)), ".".join(f"b{number}" for number in range(nodes))


def _runbook(alert: Alert, entries: tuple[Entry, ...], url: str | None, base: str) -> Runbook:
    # Without any link, the page is where it would be with docs_url.
    link = urldefrag(messages.runbook_link(base, alert.name, "")).url if url is None else url
    if not link.startswith(base) or "{{" in link or "{%" in link:
        return Runbook(alert=alert, entries=entries, url=url, file=None, why=url, is_elsewhere=True)
    below = link.removeprefix(base).removesuffix("/")
    parts = [unquote(part, errors="surrogateescape") for part in below.split("/")]
    why = _why_not(parts)
    return Runbook(alert=alert, entries=entries, url=url, file=None if why else _with_suffix("/".join(parts)), why=why)


def _why_not(parts: list[str]) -> str | None:
    """Why these cannot be the parts of a file's path, if they cannot."""
    if any(part in {".", ".."} for part in parts):
        return "a browser takes . and .. out of the link, which then leads to another page"
    if not all(parts):
        return "a part of the link is empty"
    if any("/" in part or not part.isprintable() for part in parts):
        return "no file can be called so"
    if any(len(part.encode(errors="surrogateescape")) + len(SUFFIX) > _LONGEST_PART for part in parts):
        return f"a file's name is {_LONGEST_PART} bytes long at most"
    if parts[0].startswith("."):
        return "a file whose name begins with a dot is hidden, and most servers do not show it"
    return None


def _with_suffix(path: str) -> str:
    """`Load` and `Load.html` are what becomes of Load.md on its way to a browser."""
    path = path.removesuffix(".html")
    return path if path.lower().endswith(SUFFIX) else path + SUFFIX


def _may_be_runbook(file: str) -> bool:
    parts = file.split("/")
    is_hidden = any(part.startswith((".", "_")) for part in parts)
    name = parts[-1].lower()
    return name.endswith(SUFFIX) and not is_hidden and name.removesuffix(SUFFIX) not in _OTHER_PAGES


def _plain(file: str) -> str:
    return unicodedata.normalize("NFC", file)  # some file systems take names apart
