"""What has to be there before the command lines of a page can be run: metrics, files, addresses, earlier commands."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import requests

from tests import past
from tests.documented import ROOT
from tests.fakes import receivers
from tests.fakes.graphite import FakeGraphite, respond
from tests.fakes.mail import FakeMail

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import ExitStack

    from tests.fakes.pagerduty import FakePagerDuty
    from tests.graphite_server.client import Graphite

POLL = "graphite-pager run --once"
STEP_S, POINTS = 10, 120

DEFAULT = """\
alerts:
  - {name: MongoDB lock, target: "aliasByNode(servers.*.lock, 1)", warning: 50, critical: 70}
  - {name: Load, target: "aliasByNode(servers.*.loadavg.01, 1)", warning: 8, critical: 12}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """How it is set for a page, or for a part of one.

    `alerts` is alerts.yml, by default the nearest example above the command. `metrics` are those of the real Graphite:
    a value, or one for each number of a datapoint, the newest being 0. With `past` there is a canned Graphite instead,
    which is told of its answers. `before` is run first. `codes` are the exit codes that lines without a printed
    answer have, by their beginnings, where they are not 0. `near` starts what the page's addresses are taken for, and
    says for which of them; `after` is what happens at PagerDuty once all of that is done.
    """

    alerts: str | None = None
    metrics: Mapping[str, float | Callable[[int], float]] = field(
        default_factory=lambda: {"servers.db1.lock": 10.0, "servers.web7.loadavg.01": 1.0}
    )
    archives: tuple[tuple[int, int], ...] = ((STEP_S, 360),)
    files: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    before: tuple[str, ...] = ()
    codes: Mapping[str, int] = field(default_factory=dict)
    past: Callable[[FakeGraphite], None] | None = None
    near: Callable[[ExitStack], Mapping[str, str]] = lambda _: {}
    after: Callable[[FakePagerDuty], None] = lambda _: None


def write(graphite: Graphite, stage: Stage) -> None:
    """Have Graphite hold the stage's metrics up to now, and nothing else."""
    graphite.forget()
    now = int(time.time()) // STEP_S * STEP_S
    metrics = {}
    for name, value in stage.metrics.items():
        of = value if callable(value) else (lambda _, value=value: value)
        steps = [(step, points) for step, points in stage.archives]
        times = sorted({now - step * number for step, points in steps for number in range(min(points - 1, 1100))})
        metrics[name] = [(time_, of((now - time_) // STEP_S)) for time_ in times]
    graphite.write(metrics, archives=stage.archives)


def _the_day(graphite: FakeGraphite) -> None:
    for target, series in (("servers.*.lock", past.LOCK), ("servers.*.load", past.LOAD)):
        graphite.answers[target] = respond(b"".join(past.line(name, values) for name, values in series.items()))


def _the_night(graphite: FakeGraphite) -> None:
    begin = 1_772_398_800  # 2026-03-01 21:00 UTC
    values = [10.0] * 50 + [90.0] * 20 + [10.0] * 50
    line = f"db1,{begin},{begin + 120 * 60},60|{','.join(map(str, values))}\n"
    graphite.answers["servers.*.lock"] = respond(line.encode())


def _growing(per_step: float) -> Callable[[int], float]:
    """A counter that grows by so much from one datapoint to the next."""
    return lambda number: 1e9 - number * per_step


def _mail(stack: ExitStack) -> dict[str, str]:
    port = stack.enter_context(FakeMail()).port
    return {"smtp://pager:password@mail.example.com": f"smtp://127.0.0.1:{port}"}


def _teams(stack: ExitStack) -> dict[str, str]:
    url = stack.enter_context(receivers.teams()).url
    return {"https://prod-00.westeurope.logic.azure.com/workflows/secret": url}


def _webhook(stack: ExitStack) -> dict[str, str]:
    return {"https://tickets.example.com/hooks/graphite": stack.enter_context(receivers.webhook()).url}


def _slack(stack: ExitStack) -> dict[str, str]:
    return {"https://hooks.slack.com/services/T000/B000/secret": stack.enter_context(receivers.slack()).url}


def _open_again(pagerduty: FakePagerDuty) -> None:
    """What has ended opens once more, as where a resolve has come while its service was disabled."""
    for event in pagerduty.events():
        if event.action == "trigger":
            requests.post(f"{pagerduty.url}/v2/enqueue", json=event.body, timeout=5).raise_for_status()


LOCKS = {"servers.db1.lock": 82.4, "servers.db2.lock": 10.0, "servers.db3.lock": 10.0}
LOADS_WITH_WORKERS = {
    "servers.web9.loadavg.01": 0.9, "servers.worker-1.loadavg.01": 14.0, "servers.worker-2.loadavg.01": 17.5,
}  # fmt: skip
MONGODB = "servers.{}.MongoDBCollector.globalLock.{}"
CHECKS = {
    f"servers.{balancer}.haproxy.{backend}.{server}.check_duration": value
    for balancer in ("lb1", "lb2")
    for backend, server, value in (("api", "web1", 11.0), ("api", "web2", 13.0), ("www", "web3", 30.0))
}
SILENCE = "graphite-pager silence add 'alert=MongoDB*' 'series=db[12]' --for 2h --why 'new disks' --by ann"
TWO_LOCKS = {"servers.db1.lock": 82.4, "servers.db2.lock": 55.0}
ANN = {"LOGNAME": "ann"}
LOAD_OF_ENVIRONMENTS = """\
# Loads
alerts:

  - use: host/load
    name: Load in {env}
    for_each: [{env: prod, threshold: 30}, {env: staging, threshold: 90}]
    with: {hosts: "{env}-*"}
    warning: 20
    critical: "{threshold}"
    pagerduty_key: 0123456789abcdef0123456789abcdef
"""

TYPO = """\
docs_url: https://wiki.example.com/runbooks

alerts:
  - name: Load
    target: servers.*.loadavg
    warning: 3.2
    crticial: 4.8
    from: -5m
"""
LIVE = """\
alerts:
  - name: Load
    target: aliasByNode(servers.*.loadavg, 1)
    from: -5min
    warning: 800
    critical: 1200

  # Everything that is full is full of logs: look there first.




  - name: Disk
    target: servers.*.diskk
    warning: 80
    critical: 90
"""
RUNNING = """\
alerts:
  - {name: MongoDB lock, target: "aliasByNode(servers.*.lock, 1)", warning: 50, critical: 70}
  - {name: Load, target: "aliasByNode(servers.worker-*.loadavg.01, 1)", warning: 20, critical: 30}
  - {name: Load, target: "aliasByNode(servers.*.loadavg.01, 1)", warning: 8, critical: 12}
  - {name: Queue, target: "aliasByNode(queues.*.depth, 1)", warning: 50, critical: 90}
"""
NEW = """\
alerts:
  - {name: MongoDB lock, target: "aliasByNode(servers.*.lock, 1)", warning: 40, critical: 70}
  - name: Load
    target: aliasByNode(servers.*.loadavg.01, 1)
    warning: 8
    critical: 12
    pagerduty_key: fedcba9876543210fedcba9876543210
  - {name: Disk, target: "aliasByNode(servers.*.disk, 1)", warning: 80, critical: 90}
"""
EXPLAINED = """\
alerts:
  - name: MongoDB lock
    target: aliasByNode(servers.*.lock, 1)
    warning: 50
    critical: 70
  - name: Load
    target: aliasByNode(servers.worker-*.loadavg.01, 1)
    warning: 20
    critical: 30
  # As long as nothing else is known of them.

  - name: Load
    target: aliasByNode(servers.*.loadavg.01, 1)
    warning: 8
    critical: 12
    for: 5min
"""
OPS = """\
notifiers: {ops: {type: slack, url: "https://hooks.slack.com/services/T000/B000/secret"}}
alerts: [{name: Load, target: a.b, warning: 8, critical: 12, notify: ops}]
"""

# By page, or by page and heading.
STAGES: dict[str, Stage] = {
    "README.md#Before it pages": Stage(
        alerts=past.ALERTS.replace("for: 5min", "for: 1min").replace("warning: 50", "warning: 55"),
        files={"old.yml": past.ALERTS},
        past=_the_day,
    ),
    "docs/contributing.md": Stage(before=("mkdir docs",)),
    "docs/how-to/backtest.md": Stage(
        alerts=past.ALERTS,
        past=_the_day,
        before=(
            "git init --quiet --initial-branch main . && git add alerts.yml",
            "git -c user.name=a -c user.email=a@example.com commit --quiet -m before",
        ),
    ),
    "docs/how-to/check-before-you-deploy.md": Stage(files={"new.yml": DEFAULT}, before=(POLL,)),
    "docs/how-to/haproxy.md": Stage(metrics=CHECKS | LOADS_WITH_WORKERS),
    "docs/how-to/mongodb.md": Stage(
        metrics={
            MONGODB.format(host, name): _growing(growth)
            for host, held in (("db1", 8.24), ("db2", 5.5), ("db3", 4.0))
            for name, growth in (("lockTime", held * 1e6), ("totalTime", 1e7))
        }
    ),
    "docs/how-to/reconcile.md": Stage(before=(POLL,)),
    "docs/how-to/silence.md": Stage(alerts=DEFAULT, metrics=LOCKS, environment=ANN, before=(POLL,)),
    "docs/how-to/test-your-alerts.md": Stage(alerts=past.ALERTS.partition("  - name: Load")[0], past=_the_night),
    "docs/how-to/why-did-it-page.md": Stage(metrics=LOCKS, before=(POLL,)),
    "docs/how-to/write-a-summary.md": Stage(before=("sed -i 's/value|round/valeu|round/' alerts.yml",)),
    "docs/migrating.md": Stage(alerts=(ROOT / "tests" / "data" / "every_old_key.yml").read_text()),
    "docs/notifiers/exec.md": Stage(
        files={"page": "#!/bin/sh\ncat >/dev/null\necho flown\n"},
        before=("chmod +x page",),
        near=lambda _: {"/usr/local/bin/page": "./page"},
    ),
    "docs/notifiers/mail.md": Stage(near=_mail),
    "docs/notifiers/slack.md": Stage(near=_slack),
    "docs/notifiers/teams.md": Stage(near=_teams),
    "docs/notifiers/webhook.md": Stage(near=_webhook),
    "docs/reference/commands.md#`verify`": Stage(
        alerts=LIVE,
        files={"typo.yml": TYPO},
        metrics={"servers.web1.loadavg": 1.0, "servers.web2.loadavg": 1.5},
        archives=((STEP_S, 360), (600, 1100)),
    ),
    "docs/reference/commands.md#`check`": Stage(
        metrics={"servers.db1.lock": 82.5, "servers.db2.lock": 54.9, "servers.db3.lock": 40.4}
    ),
    "docs/reference/commands.md#`plan`": Stage(
        alerts=RUNNING,
        files={"new.yml": NEW},
        metrics={
            "servers.db3.lock": 40.4,
            "servers.worker-1.loadavg.01": 14.0,
            "servers.web1.loadavg.01": 13.0,
            "queues.mail.depth": 95.0,
        },
        before=(POLL, "graphite-pager silence add series=worker-1 --for 2h --why 'new disks' --by ann"),
    ),
    "docs/reference/commands.md#`explain`": Stage(
        alerts=EXPLAINED, metrics={"servers.web1.loadavg.01": 13.9, "servers.worker-1.loadavg.01": 14.0}, before=(POLL,)
    ),
    "docs/reference/commands.md#`notify`": Stage(alerts=OPS, near=_slack, environment={}),
    "docs/reference/commands.md#`migrate`": Stage(alerts=(ROOT / "alerts.yml").read_text()),
    "docs/reference/commands.md#`healthcheck`": Stage(before=(POLL,)),
    "docs/reference/commands.md#`reconcile`": Stage(
        metrics={"servers.web7.loadavg.01": 9.0, "servers.db1.lock": 82.4},
        before=(POLL, "sed -i 's/warning: 8/warning: 10/' alerts.yml", POLL),
        after=_open_again,
    ),
    "docs/reference/commands.md#`silence add`": Stage(metrics=TWO_LOCKS, before=(POLL,)),
    "docs/reference/commands.md#`silence list`": Stage(metrics=TWO_LOCKS, before=(POLL, SILENCE)),
    "docs/reference/commands.md#`silence end`": Stage(metrics=TWO_LOCKS, before=(POLL, SILENCE)),
    "docs/reference/commands.md#`show`": Stage(
        alerts="include: alerts.d/*.yml\nalerts: []\n", files={"alerts.d/load.yml": LOAD_OF_ENVIRONMENTS}
    ),
    "docs/reference/commands.md#`runbooks`": Stage(
        alerts="""\
docs_url: https://wiki.example.com/runbooks
alerts:
  - {name: Load, target: a.b, warning: 8, critical: 12}
  - {name: MongoDB lock, target: a.b, warning: 8, critical: 12}
  - {name: Disk, target: a.b, warning: 8, critical: 12, runbook: https://wiki.example.com/storage/disks}
""",
        files={"runbooks/Load.md": "# Load\n", "runbooks/Memory.md": "# Memory\n"},
    ),
}
# Pages whose parts have nothing to do with each other.
BY_HEADING = {"README.md", "docs/reference/commands.md"}
