"""`graphite-pager runbooks` as its users call it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.pager_process import run

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

KEY = "0123456789abcdef0123456789abcdef"
ALERTS = f"""\
docs_url: https://wiki.example.com/runbooks
alerts:
  - {{name: MongoDB lock, target: servers.*.lock, warning: 50, critical: 70, pagerduty_key: {KEY}}}
  - {{name: Lager/Über, target: a.b, critical: "< 3"}}
  - {{name: Away, target: a.b, critical: "> 3", runbook: "https://else.example.com/x"}}
"""
MONGODB, STOCK = "runbooks/MongoDB lock.md", "runbooks/Lager/Über.md"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "alerts.yml").write_text(ALERTS)
    return tmp_path


def runbooks(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    done = run("runbooks", *arguments, folder=folder, environment=environment)
    assert "Traceback" not in done.stderr
    return done


def test_each_alert_gets_a_page_and_no_page_is_ever_changed(folder: Path) -> None:
    (folder / "runbooks").mkdir()
    (folder / MONGODB).write_text("ours\n")
    (folder / "runbooks" / "Old.md").write_text("of an alert that is gone\n")
    done = runbooks(folder, GRAPHITE_URL="https://me:hush@graphite.example.com")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        f"exists     {MONGODB}",
        f"written    {STOCK}",
        "elsewhere  Away: https://else.example.com/x",
        "unlinked   runbooks/Old.md",
    ]
    assert (folder / MONGODB).read_text() == "ours\n"
    page = (folder / STOCK).read_text()
    assert page.startswith("# Lager/Über\n")
    assert "https://graphite.example.com/render?" in page
    assert "hush" not in page

    again = runbooks(folder)
    assert again.stdout.splitlines()[:2] == [f"exists     {MONGODB}", f"exists     {STOCK}"]
    assert (folder / STOCK).read_text() == page


def test_check_writes_nothing_and_fails_as_long_as_a_page_is_missing(folder: Path) -> None:
    done = runbooks(folder, "--check", "--into", "pages")
    assert done.returncode == 1
    assert done.stdout.splitlines()[:2] == ["missing    pages/MongoDB lock.md", "missing    pages/Lager/Über.md"]
    assert not (folder / "pages").exists()
    assert runbooks(folder, "--into", "pages").returncode == 0
    assert runbooks(folder, "--check", "--into", "pages").returncode == 0


def test_a_name_that_no_page_can_have_fails_and_the_others_are_written(folder: Path) -> None:
    (folder / "alerts.yml").write_text(ALERTS + '  - {name: ../../x, target: a.b, critical: "> 3"}\n')
    done = runbooks(folder, "--into", "deep/er")
    assert done.returncode == 1
    assert done.stderr.startswith("graphite-pager: alert '../../x' can have no page: a browser takes . and .. out")
    assert len(done.stderr.splitlines()) == 1
    assert sorted(path.name for path in folder.rglob("*.md")) == ["MongoDB lock.md", "Über.md"]


def test_without_docs_url_the_pages_are_written_and_the_lack_is_told(folder: Path) -> None:
    (folder / "alerts.yml").write_text(ALERTS.partition("\n")[2])
    done = runbooks(folder)
    assert done.returncode == 0
    assert done.stderr == "graphite-pager: no docs_url: no page links to these; set it to where the folder is shown\n"
    assert (folder / MONGODB).exists()


def test_a_template_of_ones_own_and_its_mistakes(folder: Path) -> None:
    (folder / "page.md").write_text("# {{ title }}, owner: TODO\n")
    assert runbooks(folder, "--template", "page.md").returncode == 0
    assert (folder / MONGODB).read_text() == "# MongoDB lock, owner: TODO\n"
    (folder / "page.md").write_text("# {{ title }\n")
    done = runbooks(folder, "--template", "page.md")
    assert (done.returncode, done.stderr) == (1, "graphite-pager: page.md:1: unexpected '}'\n")
    done = runbooks(folder, "--template", "pages.md")
    assert (done.returncode, done.stderr) == (
        1, "graphite-pager: pages.md: no such file; name a template with --template FILE\n",
    )  # fmt: skip


def test_what_is_in_the_way_is_told_in_a_line(folder: Path) -> None:
    (folder / "runbooks").mkdir()
    (folder / "runbooks" / "Lager").write_text("a file")
    done = runbooks(folder)
    assert (done.returncode, done.stderr) == (1, f"graphite-pager: {STOCK}: there is a file on the way\n")
    done = runbooks(folder, "--into", "alerts.yml")
    assert done.returncode == 2
    assert "is a file" in done.stderr


def test_a_mistake_in_alerts_yml_is_told_as_everywhere(folder: Path) -> None:
    (folder / "alerts.yml").write_text("alerts: []\n")
    done = runbooks(folder)
    assert done.returncode == 1
    assert "alerts.yml:1:" in done.stderr
    assert not (folder / "runbooks").exists()
