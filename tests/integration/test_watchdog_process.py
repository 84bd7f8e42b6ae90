"""A process that hangs, and how the watchdog ends it."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

HANGS = """
import os, sys
from graphitepager import telemetry
from graphitepager.watchdog import Watchdog

def tick():
    open(sys.argv[1])  # a pipe that nobody writes to

telemetry.configure()
telemetry.keep_secret(["tick"])
watchdog = Watchdog(look_every_s=0.1)
with watchdog.watching():
    watchdog.beat("loop", 0.2)
    tick()
"""


def test_a_real_process_that_hangs_ends_with_its_stacks_scrubbed(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    done = subprocess.run(
        [sys.executable, "-c", HANGS, str(pipe)], capture_output=True, text=True, timeout=20, check=False
    )
    assert done.returncode == 70, done.stderr
    hung, *stacks = done.stdout.splitlines()
    assert "level=critical event=hung part=loop silent_s=" in hung
    assert any('thread=MainThread stack="<string>:7 *** < <string>:14 <module>"' in line for line in stacks), stacks
    assert any("thread=watchdog" in line for line in stacks)
