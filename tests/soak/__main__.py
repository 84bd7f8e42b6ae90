"""Run the soak test for long: `python -m tests.soak --examples 2000`."""

from __future__ import annotations

import argparse
import sys
import time

from tests.soak.run import STEPS, soak


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description="Draw what goes wrong, and look.")
    parser.add_argument("--examples", type=int, default=2000)
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--random", action="store_true", help="other examples each time, not always the same")
    parser.add_argument("--no-shrink", action="store_true", help="show the first that goes wrong as it is")
    options = parser.parse_args()
    began = time.monotonic()
    tally = soak(options.examples, steps=options.steps, is_random=options.random, shrinks=not options.no_shrink)
    sys.stdout.write("\n".join([*tally.lines(), f"in {time.monotonic() - began:.0f} s"]) + "\n")


if __name__ == "__main__":
    main()
