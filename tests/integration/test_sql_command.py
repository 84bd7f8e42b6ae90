"""The command sql-to-graphite: its options, its exit codes, and what it says."""

from __future__ import annotations

import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.fakes.receiver import receiving
from tests.integration.sql_support import (
    PROGRAM,
    database,
    environment,
    metrics,
    on_a_terminal,
    run,
    start,
    wait_until_it_asks,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

MANY = "WITH RECURSIVE r(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM r WHERE n < 900000) SELECT 'a'||n, n FROM r"
ONE = "SELECT 'a', 1\n"
SLEEPS = "SELECT 'x', 1 FROM pg_sleep(20)"
QUERIES = """queries:
  users: {sql: "SELECT 'users', 2"}
  orders: {sql: "SELECT 'orders', 3"}
"""
PASSWORD = "hunter2-Xy_9"


@pytest.fixture
def dsn(tmp_path: Path) -> Iterator[str]:
    with database("sqlite", tmp_path) as dsn:
        yield dsn


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "queries.yml").write_text(QUERIES)
    return folder


class TestExitCodes:
    """The same everywhere, and documented."""

    def test_0_all_is_well(self, dsn: str) -> None:
        assert run("--dry-run", queries=ONE, dsn=dsn).returncode == 0

    def test_1_without_a_dsn(self) -> None:
        done = run("--graphite-host", "127.0.0.1", queries=ONE)
        assert done.returncode == 1
        assert done.stderr == (
            "sql-to-graphite: S2G_DSN is not set: export S2G_DSN=postgres://user:password@host/name\n"
        )

    @pytest.mark.parametrize("queries", ["", "\n\n", "-- nothing\n"])
    def test_1_without_a_query(self, dsn: str, queries: str) -> None:
        done = run("--dry-run", queries=queries, dsn=dsn)
        assert (done.returncode, done.stdout) == (1, "")
        assert "there is no query" in done.stderr

    def test_1_with_a_file_that_is_wrong_and_all_that_is_wrong_with_it(self, folder: Path, dsn: str) -> None:
        (folder / "queries.yml").write_text(QUERIES.replace("{sql:", "{sql_: 1, sqll:"))
        done = run("--queries", "queries.yml", "--dry-run", dsn=dsn, folder=folder)
        assert done.returncode == 1
        assert done.stderr.count("queries.yml:2:") == 3
        assert done.stderr.endswith("sql-to-graphite: queries.yml: mend this first\n")

    @pytest.mark.parametrize(
        ("arguments", "sentence"),
        [
            ([], "say where Graphite is: --graphite-host HOST"),
            (["--graphite-host", "h", "--graphite-url", "http://h/"], "exclude each other"),
            (["--graphite-host", "h", "--graphite-port", "0"], "0 is not in the range 1<=x<=65535"),
            (["--graphite-host", "h", "--graphite-prefix", "a b"], "expected nodes with dots between them"),
            (["--graphite-host", "h", "--ca", "/dev/null"], "--ca needs --tls"),
            (["--graphite-host", "h", "--timeout", "soon"], "expected a duration such as 90s"),
            (["--graphite-host", "h", "--every", "0"], "expected a duration of more than 0"),
            (["--graphite-host", "h", "--nonsense"], "No such option"),
            (["--graphite-host", "h", "--only", "nobody"], "--only nobody: no query is called so, but line_1"),
            (["--graphite-host", "h", "--verify-url", f"http://me:{PASSWORD}@h"], "give it in the environment"),
        ],
    )
    def test_2_for_a_command_line_that_is_wrong(self, dsn: str, arguments: list[str], sentence: str) -> None:
        done = run(*arguments, queries=ONE, dsn=dsn)
        assert (done.returncode, done.stdout) == (2, "")
        assert sentence in done.stderr
        assert PASSWORD not in done.stderr

    def test_1_where_the_disk_is_full(self, dsn: str) -> None:
        limited = ["/bin/sh", "-c", 'ulimit -f 1; trap "" XFSZ; exec "$@"', "sh", *PROGRAM, "--dry-run", "--quiet"]
        many = (
            "WITH RECURSIVE r(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM r WHERE n < 90000) SELECT 'a'||n, n FROM r"
        )
        done = subprocess.run(
            limited, input=many, capture_output=True, text=True, check=False, env=environment({"S2G_DSN": dsn})
        )
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith("sql-to-graphite: the temporary folder: file too large; ")

    def test_3_where_some_queries_failed(self, dsn: str) -> None:
        assert run("--dry-run", queries=f"{ONE}SELECT nonsense\n", dsn=dsn).returncode == 3

    def test_3_where_nothing_of_a_query_can_be_sent(self, dsn: str) -> None:
        done = run("--dry-run", queries="SELECT 'now', datetime('now')", dsn=dsn)
        assert done.returncode == 3
        assert "none of its rows can be sent: row 1, now: the value is no number" in done.stderr

    def test_3_where_fewer_rows_came_than_expected(self, folder: Path, dsn: str) -> None:
        (folder / "queries.yml").write_text(
            "queries:\n  a: {sql: SELECT 'a' WHERE 0, expect: {min_rows: 1}}\n  b: {sql: SELECT 'b' WHERE 0}\n"
        )
        done = run("--queries", "queries.yml", "--dry-run", dsn=dsn, folder=folder)
        assert done.returncode == 3
        assert 'query=a reason="it gave 0 usable rows, and at least 1 are expected"' in done.stderr
        assert "db.sql_to_graphite.b.ok 1 " in done.stdout

    @pytest.mark.parametrize("scheme", ["postgres", "mysql"])
    def test_4_where_a_database_cannot_be_reached(self, scheme: str) -> None:
        with receiving() as receiver:
            done = run(
                "--graphite-host", "127.0.0.1", "--graphite-port", str(receiver.port), queries=ONE + ONE,
                dsn=f"{scheme}://me:{PASSWORD}@127.0.0.1:1/shop",
            )  # fmt: skip
            receiver.wait_for(1)
        assert done.returncode == 4
        assert "database shop at 127.0.0.1:1: " in done.stderr
        assert b"db.sql_to_graphite.line_1.ok 0 " in receiver.received[0]
        assert b"finished" not in receiver.received[0]

    @pytest.mark.parametrize("scheme", ["postgres", "mysql"])
    def test_4_where_a_database_accepts_and_never_says_a_word(self, scheme: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            dsn = f"{scheme}://me@127.0.0.1:{silent.getsockname()[1]}/shop"
            done = run("--dry-run", queries=ONE, dsn=dsn)
        assert done.returncode == 4
        assert "timeout" in done.stderr or "no answer within 15 s" in done.stderr

    def test_5_where_graphite_did_not_take_it(self, dsn: str) -> None:
        assert run("--graphite-host", "127.0.0.1", "--graphite-port", "1", queries=ONE, dsn=dsn).returncode == 5


class TestLocks:
    """Runs that would overlap."""

    @pytest.mark.parametrize("lock", ["file", "db"])
    @pytest.mark.parametrize("kind", ["postgresql", "mysql"])
    def test_75_while_another_run_goes_on_and_0_after_its_end(self, tmp_path: Path, kind: str, lock: str) -> None:
        slow = SLEEPS if kind == "postgresql" else "SELECT 'x', sleep(20)"
        with database(kind, tmp_path) as dsn:
            other = start("--dry-run", "--lock", lock, "--timeout", "15s", queries=slow, dsn=dsn, TMPDIR=str(tmp_path))
            try:
                wait_until_it_asks(other)
                done = run("--dry-run", "--lock", lock, queries=ONE, dsn=dsn, TMPDIR=str(tmp_path))
                assert done.returncode == 75, done.stderr
                assert "another run is not over yet" in done.stderr
                other_prefix = run("--dry-run", "--lock", lock, "--graphite-prefix", "x", queries=ONE, dsn=dsn)
                assert other_prefix.returncode == 0
            finally:
                other.kill()
                other.communicate()
            end = time.monotonic() + 20
            while run("--dry-run", "--lock", lock, queries=ONE, dsn=dsn, TMPDIR=str(tmp_path)).returncode != 0:
                assert time.monotonic() < end, "the lock outlived its process"

    def test_a_lock_in_sqlite_is_a_mistake(self, dsn: str) -> None:
        done = run("--dry-run", "--lock", "db", queries=ONE, dsn=dsn)
        assert done.returncode == 1
        assert "with SQLite use --lock file" in done.stderr


class TestOptions:
    """What can be asked for."""

    def test_a_dry_run_prints_what_would_be_sent_and_sends_nothing(self, dsn: str) -> None:
        with receiving() as receiver:
            done = run("--graphite-host", "127.0.0.1", "--graphite-port", str(receiver.port), "--dry-run",
                       queries=ONE, dsn=dsn)  # fmt: skip
        assert receiver.received == []
        names = [line.split()[0] for line in done.stdout.splitlines()]
        assert names[0] == "db.a"
        assert names[-1] == "db.sql_to_graphite.finished"

    def test_a_check_needs_no_database(self, folder: Path) -> None:
        dsn = f"postgres://me:{PASSWORD}@127.0.0.1:1/shop"
        done = run("--queries", "queries.yml", "--check", dsn=dsn, folder=folder)
        assert (done.returncode, done.stdout, done.stderr) == (0, "queries.yml: 2 queries\n", "")
        unset = run("--queries", "queries.yml", "--check", folder=folder)
        assert (unset.returncode, unset.stderr) == (0, "sql-to-graphite: warning: S2G_DSN is not set\n")
        bad = run("--queries", "queries.yml", "--check", dsn=f"nosql://me:{PASSWORD}@h", folder=folder)
        assert bad.returncode == 1
        assert PASSWORD not in bad.stderr

    def test_a_name_that_came_already_is_refused_also_in_another_query(self, dsn: str) -> None:
        queries = (
            "SELECT 'a', 1 UNION ALL SELECT 'b', 2\nSELECT 'b', 3 UNION ALL SELECT 'c', 4 UNION ALL SELECT 'c', 5\n"
        )
        done = run("--dry-run", queries=queries, dsn=dsn)
        assert metrics(done.stdout) == {"db.a": 1, "db.b": 2, "db.c": 4}
        assert [line for line in done.stdout.splitlines() if "rejected" in line][1].startswith(
            "db.sql_to_graphite.line_2.rejected 2 "
        )
        assert 'event=rejected query=line_2 what="b: this name and time are there already"' in done.stderr

    def test_only_some_queries_are_run(self, folder: Path, dsn: str) -> None:
        done = run("--queries", "queries.yml", "--dry-run", "--only", "orders", dsn=dsn, folder=folder)
        assert metrics(done.stdout) == {"db.orders": 3}

    def test_quiet_says_nothing_unless_something_is_wrong(self, folder: Path, dsn: str) -> None:
        with receiving() as receiver:
            to = ["--graphite-host", "127.0.0.1", "--graphite-port", str(receiver.port), "--quiet"]
            quiet = run(*to, queries=ONE, dsn=dsn)
            assert (quiet.returncode, quiet.stdout, quiet.stderr) == (0, "", "")
            loud = run(*to, queries=f"{ONE}SELECT nonsense\n", dsn=dsn)
        assert loud.stdout == ""
        assert "event=query_failed query=line_2" in loud.stderr

    def test_queries_of_a_file_are_not_echoed(self, folder: Path, dsn: str) -> None:
        with receiving() as receiver:
            to = ["--graphite-host", "127.0.0.1", "--graphite-port", str(receiver.port)]
            done = run(*to, "--queries", "queries.yml", dsn=dsn, folder=folder)
        assert (done.returncode, done.stdout) == (0, "")

    def test_several_databases_are_asked(self, folder: Path, tmp_path: Path, dsn: str) -> None:
        (folder / "queries.yml").write_text(
            "databases: {shop: SHOP_URL, books: BOOKS_URL}\n"
            "queries:\n"
            "  shop: {database: shop, sql_file: sub/shop.sql}\n"
            "  books: {database: books, sql: SELECT 2}\n"
        )
        (folder / "sub").mkdir()
        (folder / "sub" / "shop.sql").write_text("SELECT 1\n")
        arguments = ["--queries", str(folder / "queries.yml"), "--dry-run"]
        done = run(*arguments, SHOP_URL=dsn, BOOKS_URL=dsn)
        assert metrics(done.stdout) == {"db.shop": 1, "db.books": 2}
        half = run(*arguments, SHOP_URL=dsn, BOOKS_URL=f"sqlite:///{tmp_path}/none.db")
        assert half.returncode == 4
        assert metrics(half.stdout) == {"db.shop": 1}
        assert "BOOKS_URL is not set" in run(*arguments, SHOP_URL=dsn).stderr
        assert run(*arguments, "--only", "shop", SHOP_URL=dsn).returncode == 0

    def test_every_runs_again_and_again_until_it_is_stopped(self, dsn: str) -> None:
        with receiving() as receiver:
            process = start(
                "--graphite-host", "127.0.0.1", "--graphite-port", str(receiver.port), "--every", "1s", queries=ONE,
                dsn=dsn,
            )  # fmt: skip
            receiver.wait_for(3)
            process.terminate()
            _, errors = process.communicate(timeout=10)
        assert process.returncode == 0, errors
        times = [int(data.split()[2]) for data in receiver.received[:3]]
        assert times[0] < times[1] < times[2] <= times[0] + 5

    def test_every_goes_on_after_a_run_that_failed(self, dsn: str) -> None:
        process = start("--graphite-host", "127.0.0.1", "--graphite-port", "1", "--every", "1s", queries=ONE, dsn=dsn)
        assert process.stderr is not None
        seen = 0
        for line in process.stderr:
            seen += "event=run_failed" in line
            if seen == 2:
                break
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=10)
        assert process.returncode == 0

    def test_a_terminal_shows_how_far_it_is_and_a_file_does_not(self, dsn: str) -> None:
        shown = on_a_terminal(f"{ONE}{MANY}", dsn)
        assert b"\rline_1: 0 rows, 0 s" in shown
        assert b"\rline_2: 0 rows, 0 s" in shown
        assert b"000 rows, " in shown
        assert "\x1b" not in run("--dry-run", queries=ONE, dsn=dsn).stderr

    def test_quiet_shows_nothing_on_a_terminal(self, dsn: str) -> None:
        assert on_a_terminal(MANY, dsn, "--quiet") == b""

    def test_it_runs_where_standard_error_is_closed(self, dsn: str) -> None:
        closed = ["/bin/sh", "-c", 'exec "$@" 2>&-', "sh", *PROGRAM, "--dry-run"]
        done = subprocess.run(
            closed, input=ONE, stdout=subprocess.PIPE, text=True, check=False, env=environment({"S2G_DSN": dsn})
        )
        assert (done.returncode, len(metrics(done.stdout))) == (0, 1)


class TestSecrets:
    """They come in through the environment, and do not come out."""

    @pytest.mark.parametrize(
        "dsn",
        [
            f"postgres://me:{PASSWORD}@127.0.0.1:1/shop",
            f"postgres://127.0.0.1:1/shop?user=me&password={PASSWORD}",
            f"mysql://me:{PASSWORD}@127.0.0.1:3306/shop",
            f"mysql://me:{PASSWORD}@127.0.0.1/shop?nonsense=1",
            f"postgres://me:x@{PASSWORD}@127.0.0.1/shop",
            f"postgres://me:{PASSWORD}/x@127.0.0.1/shop",
            f"postgres://me:{PASSWORD}@[::1/shop",
            f"sqlite://me:{PASSWORD}@host/shop",
            f"oracle://me:{PASSWORD}@host/shop",
            PASSWORD,
        ],
    )
    def test_no_message_holds_the_password(self, dsn: str) -> None:
        done = run("--dry-run", queries=ONE, dsn=dsn)
        assert done.returncode in {1, 4}
        assert PASSWORD not in done.stdout + done.stderr
        assert "Traceback" not in done.stderr

    def test_no_other_process_sees_it(self, tmp_path: Path) -> None:
        with database("postgresql", tmp_path) as dsn:
            secret = dsn.replace("postgres@", f"postgres:{PASSWORD}@", 1)
            process = start("--dry-run", "--timeout", "10s", queries=SLEEPS, dsn=secret)
            folder = Path(f"/proc/{process.pid}")
            try:
                wait_until_it_asks(process)
                titles = (folder / "cmdline").read_bytes() + (folder / "comm").read_bytes()
            finally:
                process.kill()
                process.communicate()
        assert PASSWORD.encode() not in titles

    def test_a_database_that_says_the_password_is_not_repeated(self, dsn: str) -> None:
        """As one does whose URL has an @ that is not escaped, or a query that failed and held it."""
        password = "hunter2_Xy_9"
        done = run("--dry-run", queries="SELECT 'a', 1 FROM hunter2_Xy_9", dsn=dsn, GRAPHITE_PASS=password)
        assert done.returncode == 3
        assert "no such table: ***" in done.stderr
        assert password not in done.stderr


def test_the_schema_is_printed_without_anything_else() -> None:
    done = run("--schema")
    published = Path(__file__).parents[2] / "docs" / "queries.schema.json"
    assert (done.returncode, done.stdout) == (0, published.read_text())


def test_the_installed_command_answers_quickly() -> None:
    done = run("--version")
    assert done.stdout.startswith("sql-to-graphite, version ")
