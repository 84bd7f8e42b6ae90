"""How long a week of 1,000 series takes to replay, and in how much memory: `python -m benchmarks.backtest`.

Seconds are those of the processor, because machines are shared. The history is made, not fetched, a day at a time as
the command fetches it; making it is not counted. Most series are noisy and fine, a few fire every day, and a few have
gaps.
"""

from __future__ import annotations

import random
import resource
import time
from typing import TYPE_CHECKING

from rich.console import Console

from graphitepager import rawdata
from graphitepager.history import sorted_times, tracks_of
from graphitepager.replay import Replay
from graphitepager.rules import Alert, Config, Entry, Query, Settings
from graphitepager.thresholds import Operator, Threshold

if TYPE_CHECKING:
    from collections.abc import Iterator

SERIES, DAYS, STEP_S = 1_000, 7, 60
ALERTS = (1, 10, 100)  # among which the series are divided
_DAY_S = 86_400
_START = 1_700_006_400
_LEAD_S = 3_600


def main() -> None:
    for alerts in ALERTS:
        seconds, polls, events = _measure(alerts)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        each = seconds / polls / SERIES * 1e6
        Console().print(
            f"{alerts:4} alerts, {SERIES} series, {polls} polls: {seconds:5.1f} s, {each:.2f} µs for each series and"
            f" poll, {events} events, at most {peak:.0f} MB",
            soft_wrap=True,
        )


def _measure(alerts: int) -> tuple[float, int, int]:
    """Seconds, polls and events of a week."""
    chance = random.Random(0)  # noqa: S311 - the same week for everybody
    queries = [Query(f"servers.*.cpu{number}", "-1min", None) for number in range(alerts)]
    replay = Replay(Config(settings=Settings(graphite_url=""), alerts=tuple(map(_alert, queries))))
    seconds, polls, events = 0.0, 0, 0
    for day in range(DAYS):
        begin = _START + day * _DAY_S
        shares = ((query, range(number, SERIES, alerts)) for number, query in enumerate(queries))
        answers = {query: b"".join(_lines(begin, numbers, chance)) for query, numbers in shares}
        began = time.process_time()
        times = sorted_times(begin, begin + _DAY_S - STEP_S, STEP_S)
        history = {query: tracks_of(rawdata.parse(answers.pop(query)), {}) for query in queries}
        events += sum(len(poll.events) for poll in replay.run(times, history))
        seconds += time.process_time() - began
        polls += len(times)
    return seconds, polls, events


def _alert(query: Query) -> Alert:
    warning, critical = (Threshold(operator=Operator.AT_LEAST, bound=bound) for bound in (80.0, 90.0))
    return Alert(name=query.target, entries=(Entry(query=query, warning=warning, critical=critical, line=1),))


def _lines(begin: int, numbers: range, chance: random.Random) -> Iterator[bytes]:
    start = begin - _LEAD_S
    count = (_DAY_S + _LEAD_S) // STEP_S
    usual = [round(chance.uniform(5, 75), 3) for _ in range(997)]
    for number in numbers:
        first = chance.randrange(len(usual))
        values = [repr(value) for value in (usual * 3)[first : first + count]]
        if number % 50 == 0:
            breach = chance.randrange(120, count - 60)
            values[breach : breach + 30] = ["95.5"] * 30
        if number % 20 == 1:
            for gap in chance.sample(range(count), 40):
                values[gap] = "None"
        yield f"web{number},{start},{start + count * STEP_S},{STEP_S}|{','.join(values)}\n".encode()


if __name__ == "__main__":
    main()
