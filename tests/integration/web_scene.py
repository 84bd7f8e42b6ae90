"""A bad night, for pictures and for browsers: something of everything that the status page can show."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from tests.integration.web_support import Pager

if TYPE_CHECKING:
    from graphitepager.store import Store
    from tests.integration.web_support import Values

ALERTS = """\
docs_url: https://wiki.example.com/runbooks
defaults:
  labels: {team: platform}
mute_windows:
  backups: {from: "01:00", until: "04:00"}
alerts:
  - name: MongoDB lock
    target: aliasByNode(servers.*.mongodb.lock_percent, 1)
    warning: 50%
    critical: 70%
    labels: {team: dba}
    runbook: https://wiki.example.com/runbooks/mongodb-lock#{{ series }}
  - name: Checkout p95
    target: aliasByNode(shop.*.checkout.p95, 1)
    warning: "> 800ms"
    critical: "> 1500ms"
    unit: ms
    labels: {team: shop, tier: "1"}
  - name: HTTP 5xx
    target: aliasByNode(haproxy.*.5xx_percent, 1)
    warning: "> 1%"
    critical: "> 5%"
    keep_firing_for: 10min
    labels: {team: shop}
  - name: Disk used
    target: aliasByNode(servers.*.disk.used_percent, 1)
    warning: 85%
    critical: 95%
    for: 10min
  - name: Queue depth
    target: aliasByNode(rabbitmq.*.messages, 1)
    warning: "> 5000"
    critical: "> 20000"
    labels: {team: dba}
  - name: Nightly export
    target: aliasByNode(jobs.*.runtime, 1)
    warning: "> 10min"
    critical: "> 30min"
    unit: s
    mute: backups
    labels: {team: shop}
  - name: Sensor temperature
    target: aliasByNode(lab.*.temperature, 1)
    warning: "> 30"
    critical: "> 40"
    no_data_for: 5min
  - name: Login failures
    target: aliasByNode(auth.*.failures, 1)
    warning: "> 50"
    critical: "> 200"
"""

LENGTH = 45  # minutes


def wave(minute: int, low: float, high: float, period: float = 7) -> float:
    return low + (high - low) * (0.5 + 0.5 * math.sin(minute * 2 * math.pi / period))


def night(target: str, minute: int) -> Values:  # noqa: PLR0911 - one for each alert
    """What Graphite says of each target at each minute."""
    if "mongodb" in target:
        return {
            "db1": 82 + wave(minute, -3, 3) if minute > 26 else wave(minute, 8, 14),
            "db2": 61 + wave(minute, -4, 2) if minute > 33 else wave(minute, 10, 20),
            "db3": wave(minute, 5, 12),
        }
    if "checkout" in target:
        return {"eu-west": wave(minute, 300, 420) + (1600 if minute > 31 else 0), "us-east": wave(minute, 250, 330)}
    if "haproxy" in target:
        return {"api": 6.4 if 20 < minute < 40 else 0.2, "www": 0.1}
    if "disk" in target:
        return {"db1": 71.0, "web3": 88.0 + minute / 50 if minute > 39 else 84.0, "web4": 40.0}
    if "rabbitmq" in target:
        return {"invoices": 23_400.0 if minute > 12 else 800.0, "mails": 120.0}
    if "jobs" in target:
        return {"export-orders": 2100.0 if minute > 30 else 300.0}
    if "lab" in target:
        return {"rack-1": 24.5, "rack-2": None if minute > 30 else 25.0, "rack-3": None if minute > 41 else 23.0}
    return {"sso": 260.0 if minute % 5 in (1, 2) and minute < 42 else 12.0, "ldap": 3.0}


def bad_night(store: Store) -> Pager:
    """The pager at the end of it: it fires, waits, recovers, flaps, misses data, and is silenced."""
    pager = Pager(store, ALERTS, night)
    pager.poll(10)
    pager.silence(
        "alert=Queue depth", "series=invoices", author="Mara", comment="consumer redeploy, back by four", hours=3
    )
    pager.poll(LENGTH - 10)
    return pager


def whole_day(store: Store) -> Pager:
    """The day before that night: two breaches that were over, a gap, an index rebuild that was silenced."""
    day = 24 * 60

    def at(target: str, minute: int) -> Values:
        if "mongodb" not in target:
            return night(target, max(minute - day + LENGTH, 0))
        found = {name: _load_of_a_day(minute, number) for number, name in enumerate(("db1", "db2", "db3"))}
        late = night(target, minute - day + LENGTH) if minute > day - LENGTH + 26 else {}
        rise = 44 if 500 < minute < 590 else 30 if 980 < minute < 1004 else 0
        gone = {"db1": None} if 700 < minute < 712 else {"db1": found["db1"] + rise}
        firing = {name: value for name, value in late.items() if value is not None and value > 50}
        return {**found, **gone, **firing}

    pager = Pager(store, ALERTS, at)
    pager.poll(1100)
    pager.silence("alert=MongoDB lock", "series=db1", author="Mara", comment="index rebuild", hours=1.5)
    pager.poll(day - 1100)
    return pager


def _load_of_a_day(minute: int, number: int) -> float:
    jitter = math.sin(minute * 12.9898 + number) * 43758.5453 % 1 - 0.5
    return 22 + 12 * math.sin(minute / 190 + number) + 4 * math.sin(minute / 31 + number) + 6 * jitter


def nothing_fires(store: Store) -> Pager:
    pager = Pager(store, ALERTS, lambda target, _: night(target, 0))
    pager.poll(3)
    return pager


MANY = """\
docs_url: https://wiki.example.com/runbooks
alerts:
  - name: Load
    target: aliasByNode(servers.*.loadavg.01, 1)
    warning: 8
    critical: 12
    labels: {team: platform}
  - name: Disk used
    target: aliasByNode(servers.*.disk.used_percent, 1)
    warning: 85%
    critical: 95%
    storm_limit: 10000
    labels: {team: platform, rack: "{{ series }}"}
  - name: HTTP 5xx
    target: aliasByNode(haproxy.*.5xx_percent, 1)
    warning: "> 1%"
    critical: "> 5%"
"""


def five_hundred_fire(store: Store) -> Pager:
    """Of 10,000 known series 500 fire: 380 in a storm, 117 by themselves, and a few of another alert."""

    def at(target: str, minute: int) -> Values:
        if "loadavg" in target:
            return {f"web{i:04}": 13.5 + i / 1000 if i < 380 and minute else 2.0 for i in range(5000)}
        if "disk" in target:
            return {f"web{i:04}": (96.0 if i % 3 else 87.5) if i < 117 and minute else 40.0 for i in range(4990)}
        return {f"frontend{i}": 7.5 if i < 3 and minute else 0.1 for i in range(10)}

    pager = Pager(store, MANY, at)
    pager.poll(3)
    return pager
