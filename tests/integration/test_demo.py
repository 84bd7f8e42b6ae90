"""`make demo`: the first thing that anybody sees of this project has to work."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from tests.graphite_server.client import graphite_python
from tests.support import missing

ROOT = Path(__file__).parent.parent.parent


def test_an_incident_opens_and_resolves_within_a_minute_of_the_demo() -> None:
    if graphite_python() is None:
        missing("there is no Graphite environment: run `make setup`")
    done = subprocess.run(
        [sys.executable, "-m", "tests.demo"], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    told = [line for line in done.stdout.splitlines() if line.startswith("PagerDuty")]
    assert re.search(r"INCIDENT OPENED  CRITICAL MongoDB lock: db1 is 8\d", told[1])
    assert [re.sub(r"^PagerDuty │ +| .*", "", line) for line in told[2:6]] == ["severity", "value", "runbook", "graph"]
    assert "https://example.com/runbooks/MongoDB%20lock#db1" in told[4]
    assert "INCIDENT RESOLVED after" in told[6]
    assert "Traceback" not in done.stdout + done.stderr
