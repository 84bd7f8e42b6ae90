"""Which command lines of the documentation no test runs as they stand, and why: the only place that says so."""

from __future__ import annotations

# By the first word of the line.
PROGRAMS = {
    "apt": "installs",
    "apt-get": "installs",
    "curl": "asks a server that only its readers have",
    "docker": "wants Docker; a test builds what the image holds",
    "gh": "speaks to GitHub",
    "git": "pushes to another machine",
    "journalctl": "wants systemd",
    "make": "installs; CI runs `make check` and `make test`, and tests/integration/test_demo.py the demo",
    "pip": "installs; tests/integration/test_wheel.py installs what is built",
    "pipx": "installs; tests/integration/test_wheel.py installs what is built",
    "pre-commit": "installs",
    "sudo": "changes the machine",
    "systemctl": "wants systemd",
    "uv": "installs",
    "uvx": "installs",
}

# By the beginning of the line, on a page.
LINES = {
    ("docs/contributing.md", ".venv/bin/python -m pytest"): "runs tests within tests",
    (
        "docs/how-to/backtest.md",
        "graphite-pager backtest --from -30d",
    ): "takes long; test_backtest_page.py makes a page",
    (
        "docs/notifiers/apprise.md",
        "graphite-pager notify",
    ): "starts apprise eleven times; test_notifiers.py sends by it",
    ("docs/how-to/install.md", "~/graphite-pager/bin/"): "installs; test_wheel.py installs what is built",
    ("docs/notifiers/slack.md", "graphite-pager notify --test ops"): "asks slack.com; test_notifiers.py has a bot",
    ("docs/reliability.md", "python -m pytest"): "takes minutes; `make test` runs it",
}

# Pages whose commands have a test of their own.
PAGES = {
    "docs/tutorial.md": "tests/integration/test_tutorial.py",
    "docs/how-to/sql-to-graphite.md": "tests/integration/test_sql_docs.py",
    "docs/reference/sql-to-graphite.md": "tests/integration/test_sql_docs.py",
}


def program(line: str) -> str:
    """The first word of a line, without the folder that it may be called from."""
    return line.split(maxsplit=1)[0].rpartition("/")[2]


def reason(page: str, line: str) -> str | None:
    """Why no test runs this line, or None where one does."""
    if "…" in line:
        return "leaves something for the reader to fill in"
    for (other, beginning), why in LINES.items():
        if page == other and line.startswith(beginning):
            return why
    return PAGES.get(page) or PROGRAMS.get(program(line))
