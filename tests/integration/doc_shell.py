"""A shell in which the command lines of a page are run as its readers run them, and what they print is compared."""

from __future__ import annotations

import re
import subprocess
import sys
import uuid
from typing import TYPE_CHECKING, NamedTuple, Self

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from types import TracebackType

# Programs that go on until somebody ends them: they get a Ctrl-C once they have said something.
_ENDLESS = re.compile(r"graphite-pager(?: run| web)?(?: --web \S+)?\s*(?:#.*)?$|graphite-pager check .*--watch")
# Where a page installs the command: here it is ours.
_OF_AN_ENVIRONMENT = re.compile(r"~/[\w-]+/bin/")
_BRIEFLY = """\
import signal, subprocess, sys
process = subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
print(process.stdout.readline(), end="")
process.send_signal(signal.SIGINT)
print(process.communicate(timeout=20)[0], end="")
sys.exit(process.returncode % 130)  # 130: it was still beginning, which tests of its own look at
"""

# Where a one-off dyno would run it, here it is run: with the config as the environment.
_HEROKU = """\
#!/bin/sh
command=$1; shift
case "$command" in
  config:get) eval "printf '%s\\n' \\"\\$$1\\"" ;;
  run) exec sh -c "$*" ;;
  create|addons:create|addons:open|config:set|ps:scale|ps|ps:restart|logs|releases|restart) ;;
  *) echo "tests/integration/doc_shell.py knows no heroku $command" >&2; exit 2 ;;
esac
"""
_PROGRAMS = {"graphite-pager": "graphitepager", "sql-to-graphite": "graphitepager.sql.cli"}

# What is another thing each time, and what stands for it.
_UNSTEADY = (
    (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d)?(?:Z| UTC)?(?: \(\d[^)]*\))?", "TIME"),
    (r"\b\d\d:\d\d:\d\d(?: -?[\d.]+| -)?", "CLOCK"),
    (r"\b\d{10}\b", "EPOCH"),
    (r"(seconds=|heartbeat_s=|(?:took|its end) )[\d.]+", r"\1N"),
    (r"\b\d+(?:\.\d+)? (m?s)\b", r"N \1"),
    (r"(was \w+ for) \d[\dhmins.]*", r"\1 LONG"),
    (r"^database .*: (its|migrated|is)", r"database WHERE: \1"),
    (r"revision \d{4}", "revision NUMBER"),
    (r"last poll \w+ ago", "last poll LONG ago"),
    (r"[▁▂▃▄▅▆▇█·]{3,}", "BARS"),
    (r"/incidents/\w+", "/incidents/ID"),
    (r" {2,}", "  "),
)


class Done(NamedTuple):
    """What a command line printed, on both of its streams, and its exit code."""

    printed: str
    code: int


def steady(text: str) -> list[str]:
    """The lines of what was printed, without what is different each time."""
    for pattern, instead in _UNSTEADY:
        text = re.sub(pattern, instead, text, flags=re.MULTILINE)
    return [line.rstrip() for line in text.strip("\n").splitlines()]


def is_like(printed: str, documented: str) -> bool:
    """Whether it is what the page says: `…` stands for any text on its line, and alone on a line for any lines."""
    lines = [r"(?:.*\n)*?" if line == "…" else f"{re.escape(line).replace('…', '.*')}\n" for line in steady(documented)]
    return re.fullmatch("".join(lines), "".join(f"{line}\n" for line in steady(printed))) is not None


class Shell:
    """A shell of its own, in one folder, with these variables and nothing else of ours; `with` ends it."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._code = 0  # what `echo $?` says next
        programs = folder.parent / f"{folder.name}.bin"
        programs.mkdir()
        for name, module in _PROGRAMS.items():
            _script(programs / name, f'#!/bin/sh\nexec {sys.executable} -m {module} "$@"\n')
        _script(programs / "heroku", _HEROKU)
        _script(programs / "briefly", f"#!{sys.executable}\n{_BRIEFLY}")
        self._process = subprocess.Popen(
            ["bash", "--noprofile", "--norc"],  # noqa: S607 - the bash that there is
            cwd=folder,
            env={"PATH": f"{programs}:/usr/bin:/bin", "HOME": str(folder), "LANG": "C.UTF-8", **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, line: str) -> Done:
        """Run one line to its end."""
        line = _OF_AN_ENVIRONMENT.sub("", line)
        if _ENDLESS.match(line):
            line = f"briefly {line}"
        mark = uuid.uuid4().hex
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        # The commands must not read what is to be run after them.
        self._process.stdin.write(f"{{ (exit {self._code})\n{line}\n}} </dev/null\nprintf '\\n{mark} %s\\n' $?\n")
        self._process.stdin.flush()
        printed = ""
        for text in self._process.stdout:
            if text.startswith(mark):
                self._code = int(text.split()[1])
                return Done(printed.removesuffix("\n"), self._code)
            printed += text
        raise AssertionError(f"the shell has ended at {line!r}:\n{printed}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        self._process.kill()
        self._process.wait()


def _script(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)
