"""Serve the fake as a process of its own: prints `READY <port>`, ends when its stdin does."""

from __future__ import annotations

import argparse
import json
import os
import select
import sys
import time
from typing import TYPE_CHECKING

from tests.fakes.pagerduty import FakePagerDuty

if TYPE_CHECKING:
    from tests.fakes.pagerduty import Event


def main() -> None:
    options = _parser().parse_args()
    with FakePagerDuty(port=options.port, on_event=_tell if options.events else None) as fake:
        _say(f"READY {fake.port}")
        _wait_for_end_of_stdin(options.max_seconds)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.fakes.pagerduty", description="A strict fake PagerDuty.")
    parser.add_argument("--port", type=int, default=0, help="the loopback port; 0 lets the system choose")
    parser.add_argument("--max-seconds", type=float, default=86_400.0, help="end after this long, stdin or not")
    parser.add_argument("--events", action="store_true", help="print each accepted event as a line of JSON")
    return parser


def _wait_for_end_of_stdin(at_most_s: float) -> None:
    ends_at = time.monotonic() + at_most_s
    while (left_s := ends_at - time.monotonic()) > 0:
        readable, _, _ = select.select([0], [], [], left_s)
        if readable and not os.read(0, 4096):
            return


def _tell(event: Event) -> None:
    """Print what happened, without the routing key."""
    told = {"action": event.action, "effect": event.effect.value, "dedup_key": event.dedup_key}
    _say(json.dumps(told | {"summary": event.payload.get("summary")}))


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
