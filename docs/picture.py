"""Draws docs/demo.svg, the terminal of `make demo`, from a run of its own: `python docs/picture.py`."""  # noqa: INP001

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

DOCS = Path(__file__).resolve().parent
WIDTH = 120
POLLS_SHOWN = 2

_QUIET_POLL = re.compile(r"event=poll .* changes=0 ")
_TIMESTAMP = re.compile(r"at=\S+ ")
_WEB_FONT = re.compile(r"@font-face \{.*?\}\s*|<!--.*?-->", re.DOTALL)  # a picture must not load anything


def main() -> int:
    """Run the demo, draw what it printed, and return its exit code."""
    command = [sys.executable, "-m", "tests.demo"]
    environment = {**os.environ, "FORCE_COLOR": "1", "TERM": "xterm-256color"}
    demo = subprocess.run(  # noqa: S603 - the command is fixed
        command, cwd=DOCS.parent, env=environment, stdout=subprocess.PIPE, text=True, check=False
    )
    console = Console(record=True, width=WIDTH, file=io.StringIO())
    console.print("[bold]$ make demo[/]", highlight=False)
    for line in shortened(Text.from_ansi(line) for line in demo.stdout.splitlines()):
        console.print(line)
    console.print()  # or the last line's underscores would be cut off
    picture = console.export_svg(title="graphite-pager", unique_id="demo")
    (DOCS / "demo.svg").write_text(_WEB_FONT.sub("", picture))
    return demo.returncode


def shortened(lines: Iterable[Text]) -> Iterator[Text]:
    """Leave out timestamps and most of the polls in which nothing changes, and cut what is too long."""
    polls = 0
    for line in lines:
        polls = polls + 1 if _QUIET_POLL.search(line.plain) else 0
        if polls > POLLS_SHOWN:
            continue
        time = _TIMESTAMP.search(line.plain)
        short = line[: time.start()] + line[time.end() :] if time else line
        short.truncate(WIDTH, overflow="ellipsis")
        yield short


if __name__ == "__main__":
    sys.exit(main())
