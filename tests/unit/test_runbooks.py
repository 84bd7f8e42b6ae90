"""Which page is whose runbook, and what a first page says."""

from __future__ import annotations

import shlex

import pytest

from graphitepager import globs, runbooks, silences
from graphitepager.errors import PagerError
from graphitepager.messages import runbook_link
from graphitepager.model import Silence
from graphitepager.reports.runbook import as_markdown
from graphitepager.rules import Entry, Level
from tests.examples import GRAPHITE_URL, NOON, alert, entry

DOCS_URL = "https://wiki.example.com/runbooks"


def found(*entries: Entry, name: str = "Load", docs_url: str | None = DOCS_URL) -> list[runbooks.Runbook]:
    return list(runbooks.runbooks_of([alert(*entries, name=name)], docs_url))


def plain(name: str) -> runbooks.Runbook:
    [one] = found(entry(runbook_base=DOCS_URL), name=name)
    return one


def linking_to(runbook: str) -> runbooks.Runbook:
    [one] = found(entry(runbook_base=DOCS_URL, runbook=runbook))
    return one


def page(one: runbooks.Runbook, template: str | None = None, graphite_url: str = GRAPHITE_URL) -> str:
    return as_markdown([one], graphite_url, template, "own.md")


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("Load", "Load.md"),
        ("MongoDB lock", "MongoDB lock.md"),
        ("Lager/Über 100 %?", "Lager/Über 100 %?.md"),
        ("v1.2", "v1.2.md"),
        ("a..b", "a..b.md"),
        ("Load.md", "Load.md"),
    ],
)
def test_a_page_is_called_as_the_link_to_it(name: str, file: str) -> None:
    one = plain(name)
    assert one.file == file
    assert one.url == runbook_link(DOCS_URL, name, "").rstrip("#")


@pytest.mark.parametrize("name", ["..", "../x", "a/../../x", "a/./b", "/etc/x", "a//b", ".hidden", "é" * 130])
def test_a_name_that_no_file_can_have_is_told_and_never_leads_out_of_the_folder(name: str) -> None:
    one = plain(name)
    assert one.file is None
    assert not one.is_elsewhere
    assert one.why


@pytest.mark.parametrize("runbook", [f"{DOCS_URL}/%2e%2e/x", f"{DOCS_URL}/a%2Fb", f"{DOCS_URL}/a%00b"])
def test_a_link_that_hides_a_slash_or_worse_has_no_page(runbook: str) -> None:
    assert linking_to(runbook).file is None


@pytest.mark.parametrize(
    ("runbook", "file"),
    [
        (f"{DOCS_URL}/load", "load.md"),
        (f"{DOCS_URL}/dba/load.html#{{{{ series }}}}", "dba/load.md"),
        (f"{DOCS_URL}/load/", "load.md"),
        (f"{DOCS_URL}/{{{{ alert }}}}.md?host={{{{ nodes[1] }}}}", "Load.md"),
    ],
)
def test_an_alerts_own_link_below_docs_url_is_followed(runbook: str, file: str) -> None:
    assert linking_to(runbook).file == file


@pytest.mark.parametrize(
    "runbook",
    [
        "https://elsewhere.example.com/x",
        f"{DOCS_URL}/{{{{ series }}}}",
        f"{DOCS_URL}/{{{{ level }}}}",
        f"{DOCS_URL}2/x",
    ],
)
def test_a_page_elsewhere_and_one_for_each_series_are_nobodys_to_write(runbook: str) -> None:
    one = linking_to(runbook)
    assert (one.file, one.is_elsewhere, one.why) == (None, True, runbook)


def test_a_doc_url_below_docs_url_is_a_folder() -> None:
    [one] = found(entry(runbook_base=f"{DOCS_URL}/dba"))
    assert one.file == "dba/Load.md"


def test_entries_with_other_links_have_other_pages() -> None:
    ones = found(
        entry(runbook_base=DOCS_URL),
        entry(runbook_base=DOCS_URL, runbook=f"{DOCS_URL}/b"),
        entry(runbook_base=DOCS_URL),
    )
    assert [(one.file, len(one.entries)) for one in ones] == [("Load.md", 2), ("b.md", 1)]


def test_without_docs_url_pages_are_called_as_they_will_be() -> None:
    [one] = found(entry(), name="MongoDB lock", docs_url=None)
    assert (one.file, one.url) == ("MongoDB lock.md", None)


def test_pages_of_no_alert_are_found_and_other_pages_are_left_alone() -> None:
    files = ["Load.md", "Old.md", "dba/Older.md", "README.md", "index.md", "_draft.md", ".git/x.md", "graph.png"]
    assert runbooks.unlinked(files, [plain("Load")]) == ["Old.md", "dba/Older.md"]


def test_a_name_that_a_file_system_has_taken_apart_is_the_same_name() -> None:
    assert runbooks.unlinked(["U\u0308ber.md"], [plain("\u00dcber")]) == []


def test_a_page_says_what_is_watched_and_what_to_do() -> None:
    text = page(plain("MongoDB lock"))
    for words in (
        "# MongoDB lock\n",
        "> CRITICAL MongoDB lock: SERIES is 70 (critical at 70)",
        "`servers.*.lock`",
        "`warning >= 50`, `critical >= 70`, `no data for 3min`",
        "graphite-pager explain 'MongoDB lock' SERIES",
        "graphite-pager silence add 'alert=MongoDB lock' series=SERIES",
        f"]({GRAPHITE_URL}/render?",
        f"{DOCS_URL}/MongoDB%20lock",
        "TODO",
    ):
        assert words in text
    assert text.endswith("\n")


def test_a_description_is_what_it_means() -> None:
    [one] = found(entry(description="Writes of {{ series }} time out."), entry(description="So do reads."))
    assert "## What it means\n\nWrites of SERIES time out.\n\nSo do reads.\n" in page(one)


def test_a_description_that_takes_a_real_series_is_left_to_do() -> None:
    [one] = found(entry(description="Writes of {{ nodes[1] }} time out."))
    assert "## What it means\n\nTODO" in page(one)


def test_without_graphites_url_there_is_no_link_to_a_graph() -> None:
    assert "/render" not in page(plain("Load"), graphite_url="")


@pytest.mark.parametrize("name", ["it's $(reboot)", "`a`", "[a]*{b}?", "=x", "~x"])
def test_commands_on_a_page_mean_this_alert_and_nothing_else(name: str) -> None:
    lines = [shlex.split(line) for line in page(plain(name)).splitlines() if line.startswith("graphite-pager")]
    [explain] = [line for line in lines if line[1] == "explain"]
    assert explain[2] == name
    [silence] = [line for line in lines if line[1] == "silence"]
    matcher = silences.parse_matcher(silence[3])
    one = Silence(id=1, matchers=(matcher,), author="", comment="", begins_at=NOON, ends_at=NOON)
    assert silences.matches(one, name, "web7", Level.WARNING)
    assert not silences.matches(one, f"{name}x", "web7", Level.WARNING)


def test_names_are_no_markdown() -> None:
    assert page(plain("*a* `b` <c>")).startswith("# \\*a\\* \\`b\\` \\<c\\>\n")


def test_a_template_of_ones_own_is_used() -> None:
    assert page(plain("Load"), "{{ title }}: {{ watched[0].target }}\n") == "Load: servers.*.lock\n"


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("a\n{% if %}", "own.md:2: "),
        ("{{ titel }}", "own.md: 'titel' is undefined"),
        ("{{ ''.__class__ }}", "own.md: access to attribute '__class__'"),
    ],
)
def test_a_template_that_is_no_good_is_told_in_a_line(template: str, words: str) -> None:
    with pytest.raises(PagerError) as raised:
        page(plain("Load"), template)
    assert str(raised.value).startswith(words)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("text", ["a*", "[", "{a,b}", "?", "plain", "]!"])
def test_a_literal_glob_fits_its_text_only(text: str) -> None:
    assert globs.compiled(globs.literal(text)).fullmatch(text)
    assert not globs.compiled(globs.literal(text)).fullmatch(text + "a")
