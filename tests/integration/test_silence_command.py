"""`graphite-pager silence` as its users call it, on both databases."""

from __future__ import annotations

import getpass
import json
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import click
import pytest

from graphitepager.cli.silence import _login_name
from graphitepager.model import WHOLE_ALERT, Incident, Matcher, SeriesKey, SeriesState
from graphitepager.rules import Level
from graphitepager.store import Store
from tests.fakes.pagerduty import assert_no_secret
from tests.integration.pager_process import run
from tests.integration.store_support import NOON, record

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

    from sqlalchemy.engine import URL

    from graphitepager.model import Silence

KEY = "0123456789abcdef0123456789abcdef"
HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)
ALERTS = "alerts: [{name: Load, target: 'a.b', warning: 50, critical: 70}]\n"
MATCHERS = (Matcher("alert", "MongoDB*", is_negated=False), Matcher("series", "db1", is_negated=True))
ADD = ("add", "alert=Load", "--for", "2h", "--why", "new disks")


class Place:
    """A folder with an alerts.yml, and a database; there is no Graphite."""

    def __init__(self, folder: Path, url: URL) -> None:
        self.folder = folder
        self.url = url
        self.environment = {
            "DATABASE_URL": url.render_as_string(hide_password=False),
            "LOGNAME": "ann",
            "PAGERDUTY_KEY": KEY,
            "TZ": "UTC",
        }

    def silence(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return run("silence", *arguments, environment=self.environment | environment, folder=self.folder)

    def stored(self) -> tuple[Silence, ...]:
        with Store.open(self.url) as store:
            return store.silences()

    def knows(self, **series: SeriesState | None) -> None:
        """These series of Load are known, and such is their state."""
        with Store.open(self.url) as store:
            states = [state for state in series.values() if state]
            record(store, states=states, known={"Load": {"a.b": frozenset(series)}})


@pytest.fixture
def place(url: URL, tmp_path: Path) -> Place:
    (tmp_path / "alerts.yml").write_text(ALERTS)
    return Place(tmp_path, url)


def fires(series: str, level: Level, alert: str = "Load") -> SeriesState:
    incident = Incident(level=level, since=NOON, told_at=NOON)
    key = SeriesKey(alert, series)
    if level is Level.NO_DATA:
        return SeriesState(key=key, no_data=incident, no_data_since=NOON)
    return SeriesState(key=key, incident=incident)


class TestStatements:
    """What the database keeps of a silence."""

    def add(self, store: Store, *, comment: str = "new disks", begins_at: datetime = NOON) -> Silence:
        return store.add_silence(
            matchers=MATCHERS, author="ann", comment=comment, begins_at=begins_at, ends_at=begins_at + HOUR
        )

    def test_it_gives_back_what_it_was_given(self, store: Store) -> None:
        added = self.add(store, comment="Zoë's\0disks \ud800")
        assert added.matchers == MATCHERS
        assert (added.author, added.comment) == ("ann", "Zoë's\0disks \ud800")
        assert (added.begins_at, added.ends_at) == (NOON, NOON + HOUR)
        assert store.silences() == (added,)

    def test_only_those_that_are_not_over_are_listed_at_a_time(self, store: Store) -> None:
        first, later = self.add(store), self.add(store, begins_at=NOON + HOUR)
        assert store.silences(NOON) == (first, later)
        assert store.silences(first.ends_at - SECOND) == (first, later)
        assert store.silences(first.ends_at) == (later,)
        assert store.silences(later.ends_at) == ()
        assert store.silences() == (first, later)

    def test_it_can_be_ended_once(self, store: Store) -> None:
        first, second = self.add(store), self.add(store)
        ended = store.end_silence(first.id, NOON + SECOND)
        assert ended is not None
        assert (ended.id, ended.ends_at) == (first.id, NOON + SECOND)
        assert store.end_silence(first.id, NOON + 2 * SECOND) is None
        assert store.silences() == (ended, second)

    def test_one_that_is_over_or_never_was_cannot_be_ended(self, store: Store) -> None:
        added = self.add(store)
        assert store.end_silence(added.id, added.ends_at) is None
        assert store.end_silence(added.id + 1, NOON) is None
        assert store.silences() == (added,)


class TestAdd:
    """A silence is stored, and its author sees what it does."""

    def test_it_says_its_number_and_until_when(self, place: Place) -> None:
        began = datetime.now(UTC).replace(microsecond=0)
        done = place.silence("add", "alert=Mongo{DB,X}*", "series!=db1", "--for", "1h30min", "--why", "new disks")
        assert done.returncode == 0, done.stderr
        (stored,) = place.stored()
        assert stored.matchers == (
            Matcher("alert", "Mongo{DB,X}*", is_negated=False),
            Matcher("series", "db1", is_negated=True),
        )
        assert (stored.author, stored.comment) == ("ann", "new disks")
        assert stored.ends_at - stored.begins_at == timedelta(minutes=90)
        assert began <= stored.begins_at <= datetime.now(UTC)
        assert done.stdout.splitlines()[:2] == [
            f"silence {stored.id}: until {stored.ends_at:%Y-%m-%d %H:%M} UTC",
            "matchers: alert=Mongo{DB,X}* and series!=db1",
        ]

    def test_it_shows_what_it_would_hold_back_and_what_it_fits(self, place: Place) -> None:
        place.knows(
            web1=fires("web1", Level.WARNING),
            web2=fires("web2", Level.NO_DATA),
            web3=SeriesState(key=SeriesKey("Load", "web3"), critical_since=NOON),
            web4=SeriesState(key=SeriesKey("Load", "web4"), cycles=(NOON,)),
            web5=None,
            web6=None,
            db1=fires("db1", Level.CRITICAL),
            whole=fires(WHOLE_ALERT, Level.NO_DATA),
        )
        done = place.silence("add", "series!=db*", "--for", "1h", "--why", "x")
        not_fine = ("(all series) is NO DATA", "web1 is Warning", "web2 is NO DATA", "web3 is Critical")
        assert done.stdout.splitlines()[2:] == [
            f"not fine now: 4 ({', '.join(f'Load: {each}' for each in not_fine)})",
            "known series: 7 (Load: web1, Load: web2, Load: web3, Load: web4, Load: web5 and 2 more)",
        ]
        assert done.stderr == ""

    def test_the_level_counts_for_what_is_not_fine(self, place: Place) -> None:
        place.knows(web1=fires("web1", Level.WARNING), web2=fires("web2", Level.CRITICAL), web3=None)
        done = place.silence("add", "level=warning", "--for", "1h", "--why", "x")
        assert "not fine now: 1 (Load: web1 is Warning)\nknown series: 3 (" in done.stdout

    def test_what_fits_nothing_known_is_warned_of(self, place: Place) -> None:
        place.knows(web1=None)
        done = place.silence("add", "alert=Laod", "--for", "1h", "--why", "x")
        assert done.returncode == 0
        assert done.stdout.endswith("not fine now: none\nknown series: none\n")
        assert done.stderr.startswith("graphite-pager: warning: silence 1 fits nothing that is known by now")
        assert len(place.stored()) == 1

    def test_times_are_also_those_of_the_machine(self, place: Place) -> None:
        done = place.silence(*ADD, TZ="Asia/Tokyo")
        assert re.match(r"silence 1: until [-0-9]+ [:0-9]+ UTC \([-0-9]+ [:0-9]+ JST\)\n", done.stdout)

    @pytest.mark.parametrize(("offset", "begins"), [("", 0), ("Z", 1), ("-02:00", 3)])
    def test_it_can_begin_later_by_the_clocks_of_the_machine_or_of_any_zone(
        self, place: Place, offset: str, begins: int
    ) -> None:
        noon = datetime.now(UTC).replace(hour=11, minute=0, second=0, microsecond=0) + timedelta(days=2)
        done = place.silence(*ADD, "--from", f"{noon:%Y-%m-%dT%H:%M}{offset}", TZ="UTC-1")
        assert done.returncode == 0, done.stderr
        (stored,) = place.stored()
        assert stored.begins_at == noon + (begins - 1) * HOUR
        assert stored.ends_at == stored.begins_at + 2 * HOUR
        assert f"silence 1: from {stored.begins_at:%Y-%m-%d %H:%M} UTC" in done.stdout

    def test_the_author_can_be_named(self, place: Place) -> None:
        assert place.silence(*ADD, "--by", "Zoë").returncode == 0
        assert place.stored()[0].author == "Zoë"

    @pytest.mark.parametrize(
        ("arguments", "says"),
        [
            ([], "Missing argument 'MATCHER...'"),
            (["alert=Load"], "Missing option '--for'"),
            (["alert=Load", "--for", "2h"], "Missing option '--why'"),
            (["alert=Load", "--for", "2h", "--why", " "], "'--why': it is empty"),
            (["alert=Load", "--for", "2h", "--why", "x", "--by", ""], "'--by': it is empty"),
            (["alert=Load", "--for", "soon", "--why", "x"], "'--for': expected a duration such as "),
            (["alert=Load", "--for", "0s", "--why", "x"], "expected more than nothing and at most 366 days"),
            (["alert=Load", "--for", "367d", "--why", "x"], "expected more than nothing and at most 366 days"),
            (["alrt=Load", "--for", "2h", "--why", "x"], "unknown field 'alrt' (did you mean alert?)"),
            (["alert=Load", "--for", "2h", "--why", "x", "--from", "soon"], "expected a time such as "),
            (["alert=Load", "--for", "2h", "--why", "x", "--from", "2020-01-01"], "would be over"),
            (["alert=Load", "--for", "2h", "--why", "x", "--from", "9999-12-31T23:00Z"], "begin in more than 366 days"),
        ],
    )
    def test_a_slip_is_told_and_nothing_is_stored(self, tmp_path: Path, arguments: list[str], says: str) -> None:
        (tmp_path / "alerts.yml").write_text(ALERTS)
        done = run("silence", "add", *arguments, folder=tmp_path, environment={"LOGNAME": "ann"})
        assert (done.returncode, done.stdout) == (2, "")
        assert says in done.stderr
        assert [path.name for path in tmp_path.iterdir()] == ["alerts.yml"]


def test_who_has_no_login_name_is_asked_for_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_entry() -> str:
        raise KeyError("getpwuid(): uid not found: 1234")

    monkeypatch.setattr(getpass, "getuser", no_entry)
    with pytest.raises(click.UsageError, match="say who you are with --by NAME"):
        _login_name()


class TestList:
    """What is silenced, by whom, and for how long."""

    def test_every_silence_has_its_row(self, place: Place) -> None:
        place.silence("add", "alert=Load", "series!=web1", "--for", "2h", "--why", "new disks")
        begin = datetime.now(UTC).replace(microsecond=0) + timedelta(days=2)
        place.silence(*ADD, "--by", "bob", "--from", begin.isoformat())
        first, second = place.stored()
        done = place.silence("list")
        assert (done.returncode, done.stderr) == (0, "")
        heading, *rows = [re.split(" {2,}", line.strip()) for line in done.stdout.splitlines()]
        assert heading == ["Id", "Matchers", "Until", "Left", "Author", "Comment"]
        assert [row[:3] + row[4:] for row in rows] == [
            ["1", "alert=Load and series!=web1", f"{first.ends_at:%Y-%m-%d %H:%M} UTC", "ann", "new disks"],
            ["2", "alert=Load", f"{second.ends_at:%Y-%m-%d %H:%M} UTC", "bob", "new disks"],
        ]
        assert rows[0][3].startswith(("2h", "1h59min"))
        assert rows[1][3].startswith("begins in 1d23h")

    def test_json_says_the_same(self, place: Place) -> None:
        place.silence("add", "alert=Load", "series!=wëb1", "--for", "2h", "--why", "new\ndisks")
        (stored,) = place.stored()
        assert json.loads(place.silence("list", "--json").stdout) == {
            "silences": [
                {
                    "id": 1,
                    "matchers": ["alert=Load", "series!=wëb1"],
                    "author": "ann",
                    "comment": "new\ndisks",
                    "begins_at": stored.begins_at.isoformat(),
                    "ends_at": stored.ends_at.isoformat(),
                    "is_active": True,
                }
            ]
        }

    def test_those_that_are_over_are_listed_on_demand(self, place: Place) -> None:
        place.silence(*ADD)
        place.silence("end", "1")
        short, everything = place.silence("list"), place.silence("list", "--all")
        assert (short.returncode, short.stdout) == (0, "")
        assert short.stderr == "no silence that is not over; --all lists the others\n"
        assert " over " in everything.stdout
        assert json.loads(place.silence("list", "--json").stdout) == {"silences": []}

    def test_what_people_wrote_neither_drives_the_terminal_nor_shows_a_secret(self, place: Place) -> None:
        added = place.silence("add", f"series=\x1b[2J]{KEY}", "--for", "2h", "--why", f"\x1b[2J {KEY}")
        table, document = place.silence("list"), place.silence("list", "--json")
        printed = added.stdout + added.stderr + table.stdout + document.stdout
        assert "\x1b" not in printed
        assert r"\x1b[2J ***" in table.stdout
        assert_no_secret(printed, [KEY])


class TestEnd:
    """A silence is over before its time."""

    def test_it_is_over_at_once(self, place: Place) -> None:
        place.silence(*ADD)
        done = place.silence("end", "1")
        assert (done.returncode, done.stdout) == (
            0,
            "silence 1 is over: what still fires is triggered by the next poll\n",
        )
        (stored,) = place.stored()
        assert stored.ends_at <= datetime.now(UTC)

    def test_an_unknown_one_and_one_that_is_over_are_told_apart(self, place: Place) -> None:
        place.silence(*ADD)
        place.silence("end", "1")
        again, unknown = place.silence("end", "1"), place.silence("end", "2")
        assert (again.returncode, unknown.returncode) == (1, 1)
        assert again.stderr.startswith("graphite-pager: silence 1 is over since 2")
        assert unknown.stderr.startswith("graphite-pager: there is no silence 2; ")

    @pytest.mark.parametrize("silence_id", ["x", "0", "-1", str(2**63)])
    def test_what_can_be_no_number_of_one_is_refused(self, tmp_path: Path, silence_id: str) -> None:
        done = run("silence", "end", "--", silence_id, folder=tmp_path)
        assert (done.returncode, done.stdout) == (2, "")


def test_without_database_url_it_is_the_file_beside_alerts_yml(tmp_path: Path) -> None:
    (tmp_path / "alerts.yml").write_text(ALERTS)
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    file = str(tmp_path / "alerts.yml")
    assert run("silence", *ADD, "-c", file, "--by", "ann", folder=folder).returncode == 0
    assert "alert=Load" in run("-c", file, "silence", "list", folder=folder).stdout
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("arguments", [ADD, ("list",), ("end", "1")])
def test_what_cannot_be_read_or_opened_is_told_in_a_line(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    missing = run("silence", *arguments, folder=tmp_path)
    (tmp_path / "alerts.yml").write_text(ALERTS)
    environment = {"LOGNAME": "ann", "DATABASE_URL": "postgres://me:hunter2@127.0.0.1:1/pager"}
    closed = run("silence", *arguments, folder=tmp_path, environment=environment)
    assert (missing.returncode, closed.returncode) == (1, 1)
    assert missing.stderr.startswith("graphite-pager: alerts.yml: no such file; ")
    assert closed.stderr.startswith("graphite-pager: database pager at 127.0.0.1:1: ")
    assert_no_secret(closed.stdout + closed.stderr, ["hunter2"])


def test_help_shows_the_three_commands(tmp_path: Path) -> None:
    done = run("silence", "--help", folder=tmp_path)
    assert done.returncode == 0
    assert re.findall(r"^  (\w+)  ", done.stdout, re.MULTILINE)[-3:] == ["add", "end", "list"]
