"""The fake PagerDuty as a process of its own, as the demo starts it."""

from __future__ import annotations

import json
import subprocess
import sys

from tests.fakes.pagerduty import FakePagerDuty, assert_no_secret
from tests.integration.pagerduty.support import KEY, post, trigger


def test_as_a_process_it_says_where_it_listens_and_ends_with_its_stdin() -> None:
    command = [sys.executable, "-m", "tests.fakes.pagerduty", "--events", "--max-seconds", "20"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        word, port = process.stdout.readline().split()
        reply = post(FakePagerDuty(port=int(port)), trigger())
        told = process.stdout.readline()
        process.stdin.close()
        assert (word, reply.status, process.wait(5)) == ("READY", 202, 0)
    assert json.loads(told) == {"action": "trigger", "effect": "opened", "dedup_key": "db1", "summary": "db1 is 82.4"}
    assert_no_secret(told, [KEY])
