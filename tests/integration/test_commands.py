"""The commands as their users call them: what they print, how they end, and what bad input gets."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.fakes.graphite import FakeGraphite, respond
from tests.fakes.pagerduty import assert_no_secret
from tests.integration.pager_process import run

if TYPE_CHECKING:
    from tests.graphite_server.client import Graphite
    from tests.integration.conftest import StartGraphite

DATA = Path(__file__).parent.parent / "data"
NOWHERE = "http://127.0.0.1:1"
KEY = "0123456789abcdef0123456789abcdef"
ONE_ALERT = "alerts: [{name: Depth, target: 'a.b', warning: 50, critical: 70}]\n"


def folder_with(folder: Path, text: str) -> Path:
    (folder / "alerts.yml").write_text(text)
    return folder


class TestBadInput:
    """One clear line that says what, where and what to do; exit code 1 at the start."""

    @pytest.mark.parametrize(
        ("text", "environment", "line"),
        [
            pytest.param(
                ONE_ALERT,
                {},
                "environment: GRAPHITE_URL is not set (export GRAPHITE_URL=https://",
                id="no GRAPHITE_URL",
            ),
            pytest.param(
                ONE_ALERT,
                {"GRAPHITE_URL": NOWHERE},
                "Graphite gives no usable answer: nothing listens at 127.0.0.1:1 (connection refused)",
                id="unreachable Graphite",
            ),
            pytest.param(
                ONE_ALERT,
                {"GRAPHITE_URL": "graphite.example.com"},
                "environment: GRAPHITE_URL: expected a URL like https://graphite.example.com",
                id="a Graphite without scheme",
            ),
            pytest.param(
                ONE_ALERT.replace("70", "seventy"),
                {"GRAPHITE_URL": NOWHERE},
                "alerts.yml:1:62: alert 'Depth', critical: expected a number, got 'seventy'",
                id="a threshold that is no number",
            ),
            pytest.param(
                "alerts:\n  - name: [\n", {"GRAPHITE_URL": NOWHERE}, "alerts.yml:3:1: ", id="a file that is no YAML"
            ),
            pytest.param("", {"GRAPHITE_URL": NOWHERE}, "alerts.yml", id="an empty file"),
            pytest.param(
                ONE_ALERT,
                {"GRAPHITE_URL": NOWHERE, "HEARTBEAT_SECONDS": "often"},
                "environment: HEARTBEAT_SECONDS: expected a number, got 'often'",
                id="a heartbeat that is no number",
            ),
            pytest.param(
                ONE_ALERT,
                {"GRAPHITE_URL": NOWHERE, "PAGERDUTY_KEY": KEY[:31]},
                "environment: PAGERDUTY_KEY: 31 characters, a routing key has 32 letters and digits",
                id="a key of 31 characters",
            ),
            pytest.param(
                ONE_ALERT,
                {"GRAPHITE_URL": NOWHERE, "DATABASE_URL": "hunter2@@somewhere"},
                "DATABASE_URL is not a database URL: expected postgres://user:password@host:5432/name",
                id="a bad DATABASE_URL",
            ),
            pytest.param(
                ONE_ALERT,
                {"GRAPHITE_URL": NOWHERE, "DATABASE_URL": "postgres://me:hunter2@127.0.0.1:1/pager"},
                "database pager at 127.0.0.1:1: ",
                id="an unreachable database",
            ),
            pytest.param(
                ONE_ALERT,
                {"GRAPHITE_URL": NOWHERE, "DYNO": "worker.1"},
                "SQLite does not last on Heroku, where every restart wipes the disk",
                id="SQLite on Heroku",
            ),
        ],
    )
    def test_it_ends_with_one_clear_line(
        self, tmp_path: Path, text: str, environment: dict[str, str], line: str
    ) -> None:
        done = run("run", environment=environment, folder=folder_with(tmp_path, text))
        assert done.returncode == 1
        assert done.stderr.startswith(f"graphite-pager: {line}")
        assert "Traceback" not in done.stdout + done.stderr
        assert_no_secret(done.stdout + done.stderr, [KEY[:31], "hunter2"])

    def test_a_missing_file_is_named(self, tmp_path: Path) -> None:
        done = run("-c", "other.yml", folder=tmp_path)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith(
            "graphite-pager: other.yml: no such file; name yours with -c FILE, or begin one with a check "
            "that `graphite-pager library` lists"
        )

    @pytest.mark.parametrize("arguments", [["-c", "x.yml", "verify"], ["verify", "-c", "x.yml"], ["--config", "x.yml"]])
    def test_the_file_can_be_named_before_and_behind_the_command(self, tmp_path: Path, arguments: list[str]) -> None:
        assert "x.yml: no such file" in run(*arguments, folder=tmp_path).stderr

    def test_a_graphite_that_wants_credentials_says_which_variables_are_wrong(
        self, tmp_path: Path, start_graphite: StartGraphite
    ) -> None:
        environment = {
            "GRAPHITE_URL": start_graphite(credentials="ann:correct-horse").url,
            "GRAPHITE_USER": "ann",
            "GRAPHITE_PASS": "hunter2hunter2",
        }
        done = run(environment=environment, folder=folder_with(tmp_path, ONE_ALERT))
        assert done.returncode == 1
        assert done.stderr.endswith("401 Unauthorized: check GRAPHITE_USER and GRAPHITE_PASS\n")
        assert_no_secret(done.stdout + done.stderr, ["hunter2hunter2"])

    def test_a_target_that_graphite_refuses_is_told_in_its_own_words(self, tmp_path: Path, graphite: Graphite) -> None:
        text = ONE_ALERT.replace("a.b", "noSuchFunction(a.b)")
        done = run(environment={"GRAPHITE_URL": graphite.url}, folder=folder_with(tmp_path, text))
        assert done.returncode == 1
        assert "unknown function: noSuchFunction" in done.stderr


class TestVerify:
    """Everything that is wrong, at once."""

    def test_a_broken_file_gets_every_problem_with_its_line(self, tmp_path: Path) -> None:
        folder = folder_with(tmp_path, (DATA / "broken.yml").read_text())
        done = run("verify", environment={"GRAPHITE_URL": NOWHERE}, folder=folder)
        of_the_file, _, _ = (DATA / "broken.txt").read_text().partition("environment: ")
        assert done.stderr == of_the_file + "alerts.yml: 11 errors, 4 warnings\n"
        assert done.returncode == 1

    @pytest.mark.parametrize("name", ["readme_example.yml", "heroku_example.yml", "every_old_key.yml"])
    def test_the_files_of_the_old_program_are_accepted(self, name: str) -> None:
        done = run("verify", "-c", name, environment={"GRAPHITE_URL": NOWHERE, "PAGERDUTY_KEY": KEY}, folder=DATA)
        assert done.returncode == 0, done.stderr

    def test_an_unknown_key_is_an_error_only_where_strict(self, tmp_path: Path) -> None:
        folder = folder_with(tmp_path, ONE_ALERT.replace("warning", "doc_ulr: x, warning"))
        environment = {"GRAPHITE_URL": NOWHERE, "PAGERDUTY_KEY": KEY}
        lenient = run("verify", environment=environment, folder=folder)
        strict = run("verify", "--strict", environment=environment, folder=folder)
        assert (lenient.returncode, strict.returncode) == (0, 1)
        assert "unknown key 'doc_ulr' (did you mean doc_url?)" in lenient.stderr
        assert lenient.stdout == "alerts.yml: 1 alert in 1 entry, 1 warning\n"


class TestCheck:
    """One evaluation now, for people and for monitoring systems."""

    def look(
        self,
        graphite: Graphite,
        folder: Path,
        *arguments: str,
        keys: str = "warning: 50, critical: 70",
        **depths: float,
    ) -> tuple[int, str, str]:
        now = int(time.time()) // 10 * 10
        prefix = folder.name.replace(".", "_")
        graphite.write({f"{prefix}.{name}.depth": [(now - 10, value), (now, value)] for name, value in depths.items()})
        target = f"aliasByNode({prefix}.*.depth, 1)"
        text = f"alerts: [{{name: Depth, target: '{target}', {keys}}}]\n"
        environment = {"GRAPHITE_URL": graphite.url, "STDOUT_ENABLED": "yes"}
        done = run("check", *arguments, environment=environment, folder=folder_with(folder, text))
        return done.returncode, done.stdout, done.stderr

    @pytest.mark.parametrize(("worst", "code"), [(10.0, 0), (50.0, 1), (82.4, 2)])
    def test_the_exit_code_is_the_worst_level(
        self, graphite: Graphite, tmp_path: Path, worst: float, code: int
    ) -> None:
        assert self.look(graphite, tmp_path, mail=10, web=worst)[0] == code

    def test_the_table_has_a_row_for_every_series(self, graphite: Graphite, tmp_path: Path) -> None:
        _, table, _ = self.look(graphite, tmp_path, mail=82.4, web=10)
        assert [re.split("  +", line.rstrip()) for line in table.splitlines()] == [
            ["Alert", "Series", "Value", "Warning", "Critical", "Distance", "Level"],
            ["Depth", "mail", "82.4", "50", "70", "12.4 past Critical", "Critical"],
            ["Depth", "web", "10", "50", "70", "40 to Warning", "Nominal"],
        ]

    def test_values_are_in_the_unit_of_their_threshold(self, graphite: Graphite, tmp_path: Path) -> None:
        keys = "critical: '> 500ms', expect_series: {min: 2}"
        code, table, problems = self.look(graphite, tmp_path, keys=keys, mail=0.82)
        assert (code, problems) == (2, "")
        assert [re.split("  +", line.rstrip()) for line in table.splitlines()] == [
            ["Alert", "Series", "Value", "Warning", "Critical", "Distance", "Level"],
            ["Depth", "mail", "820ms", "-", "> 500ms", "320ms past Critical", "Critical"],
            ["Depth", "1 series, expected at least 2", "1", "-", "-", "-", "Critical"],
        ]
        series, count = json.loads(self.look(graphite, tmp_path, "--json", keys=keys, mail=0.82)[1])["series"]
        assert (series["value"], series["warning"], series["critical"]) == (0.82, None, "> 500ms")
        assert (count["series"], count["value"]) == ("1 series, expected at least 2", 1.0)

    def test_json_says_the_same(self, graphite: Graphite, tmp_path: Path) -> None:
        _, text, _ = self.look(graphite, tmp_path, "--json", mail=82.4)
        (series,) = json.loads(text)["series"]
        assert (series["alert"], series["series"], series["level"], series["value"]) == (
            "Depth",
            "mail",
            "critical",
            82.4,
        )

    def test_what_is_not_there_is_unknown(self, graphite: Graphite, tmp_path: Path) -> None:
        code, table, _ = self.look(graphite, tmp_path)
        assert code == 3
        assert "NO DATA" in table

    def test_a_graphite_that_cannot_be_reached_is_unknown(self, tmp_path: Path) -> None:
        done = run("check", environment={"GRAPHITE_URL": NOWHERE}, folder=folder_with(tmp_path, ONE_ALERT))
        assert done.returncode == 3
        assert done.stderr.endswith("graphite-pager: a.b: nothing listens at 127.0.0.1:1 (connection refused)\n")

    @pytest.mark.parametrize("arguments", [["check", "--nonsense"], ["check", "-c", "missing.yml"], ["check"]])
    def test_a_mistake_of_the_caller_is_unknown_and_not_critical(self, tmp_path: Path, arguments: list[str]) -> None:
        assert run(*arguments, folder=folder_with(tmp_path, "alerts: 5")).returncode == 3

    def test_it_stores_nothing(self, graphite: Graphite, tmp_path: Path) -> None:
        self.look(graphite, tmp_path, mail=82.4)
        assert [path.name for path in tmp_path.iterdir()] == ["alerts.yml"]


def test_the_schema_command_prints_a_json_schema(tmp_path: Path) -> None:
    done = run("schema", folder=tmp_path)
    assert done.returncode == 0
    assert json.loads(done.stdout)["$schema"].startswith("https://json-schema.org/")


@pytest.mark.parametrize("arguments", [["run"], ["check"], ["check", "--json"]])
def test_a_password_that_graphite_repeats_is_not_printed(tmp_path: Path, arguments: list[str]) -> None:
    password = 'corr"ect horse'
    with FakeGraphite().serve() as graphite:
        graphite.default = respond(f"Invalid parameters: {password}\n".encode(), status="400 Bad Request")
        environment = {"GRAPHITE_URL": graphite.url, "GRAPHITE_USER": "ann", "GRAPHITE_PASS": password}
        done = run(*arguments, environment=environment, folder=folder_with(tmp_path, ONE_ALERT))
    assert done.returncode == (1 if arguments == ["run"] else 3)
    assert "Invalid parameters: ***" in done.stdout + done.stderr
    assert_no_secret(done.stdout + done.stderr, [password, 'corr\\"ect horse'])


def test_check_names_a_target_that_fails_once_however_often_it_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "alerts.yml").write_text(
        "alerts: [{name: Load, target: a.b, compare: {with: 1d}, warning: 1, critical: 2}]\n"
    )
    done = run("check", folder=tmp_path, environment={"GRAPHITE_URL": "http://127.0.0.1:1"})
    assert done.returncode == 3
    assert done.stderr.count("a.b") == 1


def test_a_notifiers_client_is_imported_only_when_it_is_wanted() -> None:
    program = "import sys, graphitepager.notifiers; sys.exit('pagerduty' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
