"""The examples of alerts.yml that the documentation holds."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = [
    ROOT / "README.md",
    ROOT / "CHANGELOG.md",
    *(page for page in sorted(DOCS.rglob("*.md")) if "_build" not in page.parts),
]
FENCE = re.compile(r"^```(\S*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


# What the examples have from the environment.
ENVIRON = {
    "GRAPHITE_URL": "https://graphite.example.com",
    "PAGERDUTY_KEY": "0123456789abcdef" * 2,
    "SLACK_OPS": "https://hooks.slack.com/services/T000/B000/secret",
    "MAIL_PASSWORD": "p%40ssword",
}

# Of another file, whose examples have a test of their own.
_QUERIES = re.compile(r"^queries:", re.MULTILINE)


class Example(NamedTuple):
    """A block of YAML on a page, and what a message calls it."""

    place: str
    text: str


def blocks() -> Iterator[Example]:
    """Every block of YAML that is of an alerts.yml, or could be."""
    for page in PAGES:
        for number, (language, text) in enumerate(FENCE.findall(page.read_text()), start=1):
            if language in {"yaml", "yml"} and not _QUERIES.search(text):
                yield Example(f"{page.relative_to(ROOT)}, block {number}", text)


def examples() -> Iterator[Example]:
    """Those that are a whole alerts.yml."""
    return (one for one in blocks() if re.search(r"^alerts:", one.text, re.MULTILINE))
