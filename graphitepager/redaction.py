"""Hide secrets in text that people will read: a line of alerts.yml, a message about it.

Several nets, because a file with mistakes in it is just where one net tears: what stands behind a secret-looking key,
what is known to be a secret from elsewhere, and what looks like a secret whatever stands before it.
"""

from __future__ import annotations

import difflib
import functools
import re
from itertools import chain
from typing import TYPE_CHECKING
from urllib.parse import unquote, unquote_plus

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

MASK = "****"

_SECRET_WORD = re.compile(
    r"key|pass|secret|token|slack|webhook|dsn|database_url|ping_url|redis|^pagerduty$|^notifiers$",
    re.IGNORECASE,
)
# Misspelt, these are as secret as spelt well.
_SECRET_NAMES = (
    "database_url",
    "graphite_pass",
    "heartbeat_ping_url",
    "hipchat_key",
    "pagerduty",
    "pagerduty_key",
    "pushbullet_key",
    "redis_url",
    "redistogo_url",
    "slack",
    "slack_url",
)
_LONGEST_NAME = 40
# A shorter path, or piece of it, is an ordinary word, such as ping or workflows.
_SHORTEST_PATH = 12
# Shorter values would blot out ordinary words.
_SHORTEST_VALUE = 4

# Possessive quantifiers (`++`) and bounds keep all of these linear, whatever the text.
_USERINFO = re.compile(r"(?<=://)[^\s\"']{0,500}(?=@)")
_SLACK_PATH = re.compile(r"(?<=hooks\.slack\.com/)[^\s\"',}]++", re.IGNORECASE)
_LONG_WORD = re.compile(r"[A-Za-z0-9]{20,}+")

_KEY = re.compile(r"""(?<![\w-])(?P<name>[\w-]++)["']?\s*+[:=]\s*+""")
_ASSIGNMENT = re.compile(r"""(?<![\w-])(?P<name>[\w-]++)["']?[:=](?P<value>\S.*)""")
_FIRST_WORD = re.compile(r"""[-?\s"']*+(?P<name>\w[\w-]*+)["']?\s*+[:=]?\s*+""")
# A scalar with an anchor: an alias may call it up behind a secret-looking key elsewhere.
_ANCHORED = re.compile(r"(?<![^\s:,\[{-])&[\w-]++\s++(?P<value>[^\s{\[].*)")
# One value inside {…}: quoted, or up to the next comma or brace.
_FLOW_VALUE = re.compile(
    r"""("(?:[^"\\]|\\.)*+"|'(?:[^']|'')*+'|[^\s,{}\[\]"'][^,{}\[\]]*+)(?=\s*+[,}])""",
)

Span = tuple[int, int]


@functools.lru_cache(maxsize=4096)
def is_secret_name(name: str) -> bool:
    """Tell whether the value of such a key must not be shown, also where the key is misspelt."""
    if _SECRET_WORD.search(name):
        return True
    return len(name) < _LONGEST_NAME and bool(difflib.get_close_matches(name.lower(), _SECRET_NAMES, n=1, cutoff=0.8))


def secret_words(values: Iterable[str]) -> frozenset[str]:
    """The pieces by which secret values are found again in other places (a folded value loses its line breaks)."""
    return frozenset(word for value in values for word in value.split() if len(word) >= _SHORTEST_VALUE)


def credentials_in(url: str) -> Iterator[str]:
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


def paths_of(url: str) -> Iterator[str]:
    """What a server quotes of a URL that is secret as a whole: path and query, and the path alone, also decoded."""
    rest = url.partition("://")[2].partition("/")[2]
    for path in (rest, rest.partition("?")[0]):
        if len(path) >= _SHORTEST_PATH:
            yield from (path, unquote(path))


def pieces_of(url: str) -> Iterator[str]:
    """Those, and each of their pieces that is too long for an ordinary word."""
    yield from paths_of(url)
    for piece in re.split("[/?&=]", url.partition("://")[2].partition("/")[2]):
        if len(piece) >= _SHORTEST_PATH:
            yield from (piece, unquote(piece))


def redact(text: str, known: Collection[str] = ()) -> str:
    """Mask what looks like a secret in running text, and the `known` words."""
    return cover(text, _recognized(text, known))[0]


def redact_words(text: str) -> str:
    """The same for words of the user: there, `graphite_pass:…` is a mapping that lacks a space."""
    assigned = [match.span("value") for match in _ASSIGNMENT.finditer(text) if is_secret_name(match["name"])]
    return cover(text, [*_recognized(text, ()), *assigned])[0]


def redact_line(line: str, column: int = 0, known: Collection[str] = (), *, whole: bool = False) -> tuple[str, int]:
    """Mask a line of YAML; also return where `column` (from 0) has moved to.

    `whole` says that the line belongs to a secret that began on a line above.
    """
    return cover(
        line, chain(_recognized(line, known), _in_secret_places(line), _content(line) if whole else ()), column
    )


def cover(text: str, spans: Iterable[Span], column: int = 0) -> tuple[str, int]:
    """Put the mask over the spans; a column inside one moves to the mask's first character."""
    pieces: list[str] = []
    end = 0
    moved = column
    for start, stop in _merged(spans):
        pieces += text[end:start], MASK
        if column >= stop:
            moved += len(MASK) - (stop - start)
        elif column > start:
            moved -= column - start
        end = stop
    return "".join((*pieces, text[end:])), moved


def lines_inside_secrets(lines: Sequence[str]) -> frozenset[int]:
    """The indices of lines that continue, by their indentation, the value of a secret-looking key above them."""
    inside = set()
    secret_indent: int | None = None
    for index, line in enumerate(lines):
        content = line.lstrip(" ")
        if not content.strip():
            continue
        # A line may also begin with the colon of a key that stands on the line above, behind a question mark.
        if secret_indent is not None and (len(line) - len(content) > secret_indent or content.startswith(":")):
            inside.add(index)
            continue
        key = _FIRST_WORD.match(line)
        secret_indent = key.start("name") if key and is_secret_name(key["name"]) else None
    return frozenset(inside)


def _recognized(text: str, known: Collection[str]) -> list[Span]:
    spans = [match.span() for pattern in (_USERINFO, _SLACK_PATH) for match in pattern.finditer(text)]
    long_words = _LONG_WORD.finditer(text)
    spans += [word.span() for word in long_words if not word[0].isalpha() and not word[0].isdigit()]
    for secret in known:
        if secret in text:
            spans += [match.span() for match in re.finditer(rf"(?<!\w){re.escape(secret)}(?!\w)", text)]
    return spans


def _in_secret_places(line: str) -> list[Span]:
    spans = [anchored.span("value") for anchored in _ANCHORED.finditer(line)]
    first = _FIRST_WORD.match(line)
    for key in chain([first] if first else (), _KEY.finditer(line)):
        if is_secret_name(key["name"]):
            in_flow = "{" in line[: key.start()] and _FLOW_VALUE.match(line, key.end())
            spans.append(in_flow.span() if in_flow else (key.end(), len(line)))
    return spans


def _content(line: str) -> list[Span]:
    """The value of a line that has a key, else all of it."""
    key = _FIRST_WORD.match(line)
    if key and line[: key.end()].rstrip().endswith(":"):
        return [(key.end(), len(line))]
    return [(len(line) - len(line.lstrip()), len(line))]


def _merged(spans: Iterable[Span]) -> list[Span]:
    merged: list[Span] = []
    for start, stop in sorted(span for span in spans if span[0] < span[1]):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(stop, merged[-1][1]))
        else:
            merged.append((start, stop))
    return merged
