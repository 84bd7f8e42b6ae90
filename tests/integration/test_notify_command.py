"""`graphite-pager notify --test`, against a strict Slack and the output of the process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.fakes import receivers
from tests.fakes.receivers import Fault
from tests.integration.pager_process import run

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

ALERTS = """
notifiers:
  ops: {{type: slack, url: "{url}"}}
  console: {{type: stdout}}
alerts:
  - {{name: a, target: b, warning: 1, critical: 2, notify: [ops, console]}}
"""
KINDS = [
    "warning", "critical", "no data", "storm", "repeat", "flapping", "resolve of warning", "resolve of critical",
    "resolve of no data", "resolve of storm", "digest",
]  # fmt: skip


def notify(folder: Path, name: str, url: str = "https://hooks.slack.com/x") -> subprocess.CompletedProcess[str]:
    (folder / "alerts.yml").write_text(ALERTS.format(url=url))
    return run("notify", "--test", name, folder=folder)


def test_a_sample_of_each_kind_is_sent_and_told_of(tmp_path: Path) -> None:
    with receivers.slack() as slack:
        ended = notify(tmp_path, "ops", slack.url)
        assert (ended.returncode, slack.objections) == (0, [])
        assert [line[:20].strip() for line in ended.stdout.splitlines()] == KINDS
        assert all(" ms  200 ok" in line for line in ended.stdout.splitlines())
        assert [body["text"].startswith("TEST ") for body in slack.received] == [True] * len(KINDS)


def test_one_that_is_not_accepted_is_said_to_have_failed(tmp_path: Path) -> None:
    with receivers.slack() as slack:
        slack.fault = Fault.FORBIDDEN
        ended = notify(tmp_path, "ops", slack.url)
        assert ended.returncode == 1
        first, *others = ended.stdout.splitlines()
        assert "FAILED" in first
        assert "invalid_token (the webhook was removed" in first
        assert not any("FAILED" in line for line in others)
        assert "SecretPath" not in ended.stdout + ended.stderr


def test_a_name_that_nobody_has_ends_with_a_hint(tmp_path: Path) -> None:
    ended = notify(tmp_path, "opps")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "no notifier is called 'opps' (did you mean ops?)" in ended.stderr


def test_standard_output_can_be_tried_out_too(tmp_path: Path) -> None:
    ended = notify(tmp_path, "console")
    assert ended.returncode == 0
    assert "TEST CRITICAL graphite-pager test: test-1 is 12.6 (critical at 12)" in ended.stdout
