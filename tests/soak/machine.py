"""What can happen, drawn by hypothesis."""

from __future__ import annotations

import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from graphitepager.silences import parse_matcher
from tests.fakes.pagerduty import Fault
from tests.soak import verdict
from tests.soak.drawn import ALERTS, BLOWS, MEANWHILE, MEASURES, POLL_DOOMS, RULES, SEND_DOOMS, SERIES, SWITCHES, WHICH
from tests.soak.faults import Blow, Boundary, Doom
from tests.soak.rulebook import BAD, FINE, SIMPLE, UNEASY
from tests.soak.world import Daemon, World

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.soak.canned import Lack


class Machine(RuleBasedStateMachine):
    """One example: a world, what happens in it, and the judgement at its end."""

    make_world: ClassVar[Callable[[], World]]

    def __init__(self) -> None:
        super().__init__()
        self.world = type(self).make_world()
        self.world.watch_log()
        self.world.tally.examples += 1
        self.respects_lease = True

    # What Graphite shows.

    @rule(series=st.lists(st.sampled_from(SERIES), min_size=1, max_size=3), what=MEASURES)
    def measure(self, series: list[str], what: float | Lack) -> None:
        for name in series:
            self.world.graphite.measure(name, what)

    @rule(alert=RULES, what=MEASURES, but=st.integers(0, 2))
    def measure_most(self, alert: Any, what: float | Lack, but: int) -> None:
        """A storm, more than half gone, or everything well again."""
        for name in alert.series[but:]:
            self.world.graphite.measure(name, what)

    @rule(alerts=st.sets(st.sampled_from(ALERTS), max_size=3) | st.just(set(ALERTS)))
    def graphite_fails_for(self, alerts: set[str]) -> None:
        self.world.graphite.down = frozenset(alerts)

    # What people do.

    @rule(alert=st.sampled_from(ALERTS), switch=SWITCHES)
    def edit(self, alert: str, switch: str) -> None:
        self.world.reroutes += "key" in switch
        self.world.book = self.world.book.edited(alert, switch)

    @rule(
        matcher=st.sampled_from(["alert=*", f"alert={SIMPLE}", "series=?1", "level=warning", "alert=Stormy"]),
        minutes=st.sampled_from((2, 30, 600)),
    )
    def silence(self, matcher: str, minutes: int) -> None:
        now = self.world.clock()
        self.world.store.add_silence(
            matchers=[parse_matcher(matcher)],
            author="soak",
            comment="drawn",
            begins_at=now,
            ends_at=now + timedelta(minutes=minutes),
        )

    @rule()
    def end_silences(self) -> None:
        now = self.world.clock()
        for one in self.world.store.silences(now):
            self.world.store.end_silence(one.id, now)

    @rule(trouble=st.sampled_from((None, "alerts.yml:7:15: expected a number")))
    def spoil_file(self, trouble: str | None) -> None:
        self.world.file_trouble = trouble

    # Time.

    @rule(seconds=st.sampled_from((1, 20, 61, 200, 900, 3600, 5 * 3600)))
    def wait(self, seconds: int) -> None:
        self.world.wait(seconds)

    @rule(seconds=st.sampled_from((-2, 2, -90, 90, -1000, 1000, -7200, 7200)))
    def jump(self, seconds: int) -> None:
        self.world.jump(seconds)

    # What the pagers do.

    @rule(which=WHICH, meanwhile=MEANWHILE)
    def poll(self, which: int, meanwhile: str | None) -> None:
        self._poll(which, None, meanwhile)

    @rule(which=WHICH, doom=POLL_DOOMS, meanwhile=MEANWHILE)
    def poll_and_die(self, which: int, doom: Doom, meanwhile: str | None) -> None:
        self._poll(which, doom, meanwhile)

    @rule(which=WHICH, meanwhile=MEANWHILE, blows=BLOWS)
    def send(self, which: int, meanwhile: str | None, blows: list[Blow]) -> None:
        self._send(which, None, meanwhile, blows)

    @rule(which=WHICH, doom=SEND_DOOMS, meanwhile=MEANWHILE, blows=st.just([]) | BLOWS)
    def send_and_die(self, which: int, doom: Doom, meanwhile: str | None, blows: list[Blow]) -> None:
        self._send(which, doom, meanwhile, blows)

    @rule(minutes=st.integers(1, 3), which=WHICH)
    def minutes_pass(self, minutes: int, which: int) -> None:
        for _ in range(minutes):
            self.world.wait(60)
            self._poll(which)
            self._send(which)

    @rule(
        alert=RULES,
        what=MEASURES,
        but=st.integers(0, 3),
        which=WHICH,
        poll_doom=st.none() | POLL_DOOMS,
        send_doom=st.none() | SEND_DOOMS,
        meanwhile=MEANWHILE,
        blows=BLOWS,
    )
    def everything_at_once(  # noqa: PLR0913 - each drawn by itself, so that what does not matter shrinks away
        self,
        *,
        alert: Any,
        what: float | Lack,
        but: int,
        which: int,
        poll_doom: Doom | None,
        send_doom: Doom | None,
        meanwhile: str | None,
        blows: list[Blow],
    ) -> None:
        self.world.wait(60)
        self.measure_most(alert, what, but)
        self._poll(which, poll_doom, meanwhile)
        self._send(which, send_doom, meanwhile, blows)

    @rule(
        alert=RULES,
        values=st.lists(st.sampled_from((FINE, BAD, UNEASY)), min_size=1, max_size=3, unique=True),
        which=WHICH,
        blows=BLOWS,
        doom=st.none() | SEND_DOOMS,
        is_stopped=st.booleans(),
    )
    def it_changes_while_nothing_arrives(
        self, *, alert: Any, values: list[float], which: int, blows: list[Blow], doom: Doom | None, is_stopped: bool
    ) -> None:
        """What is on its way is overtaken by events."""
        for value in (BAD, *values):
            self.world.wait(1)
            self.measure_most(alert, value, 0)
            self._poll(which)
            self._send(which, doom, "stop" if is_stopped else None, blows)
            self.world.wait(2)
            self._send(which, None, None, blows[::-1])

    @rule(alert=RULES, values=st.lists(MEASURES, min_size=2, max_size=3), which=WHICH)
    def it_lasts(self, alert: Any, values: list[float | Lack], which: int) -> None:
        self._clear_up()
        for value in values:
            self.measure_most(alert, value, 0)
            self.minutes_pass(3, which)

    @rule(alert=RULES, which=WHICH, switch=SWITCHES, blows=BLOWS)
    def it_is_edited_while_it_fires(self, alert: Any, which: int, switch: str, blows: list[Blow]) -> None:
        self._clear_up()
        self.measure_most(alert, BAD, 0)
        self.minutes_pass(1, which)
        self.edit(alert.name, switch)
        for sends in ([*blows, Blow(Fault.UNKNOWN_KEY)], []):
            self.world.wait(61)
            self._poll(which)
            self._send(which, None, None, sends)

    @rule(which=WHICH)
    def kill(self, which: int) -> None:
        self._any(which).die()

    @rule(respects_lease=st.booleans())
    def start_another(self, respects_lease: bool) -> None:
        if len(self.world.daemons) == 1:
            self.world.daemons.append(Daemon(self.world))
            self.respects_lease = respects_lease

    @precondition(lambda self: len(self.world.daemons) > 1)
    @rule()
    def the_first_one_dies(self) -> None:
        """For good, so that the other takes over."""
        self.world.daemons.pop(0)

    @rule(fault=st.sampled_from((None, None, Fault.REFUSED, Fault.UNAVAILABLE, Fault.RESET_AFTER_INGEST)))
    def pagerduty_fails(self, fault: Fault | None) -> None:
        self.world.network.standing = fault

    # What must hold.

    @rule()
    def a_breach_is_paged_soon(self) -> None:
        """Within some calm minutes, what the simple alert breaches is open at PagerDuty."""
        world = self.world
        world.network.standing = None
        for _ in range(4):
            world.wait(60)
            for daemon in world.daemons:
                daemon.poll()
                daemon.send()
        verdict.judge_calm(world)

    @invariant()
    def nothing_is_wrong(self) -> None:
        self.world.tally.steps += 1
        self.world.oracle.check_tables()
        self.world.oracle.check_pagerduty()
        assert not self.world.complaints, self.world.complaints

    def teardown(self) -> None:
        try:
            if sys.exc_info()[0] is None:
                verdict.come_to_rest(self.world)
                verdict.judge(self.world)
                self.nothing_is_wrong()
                verdict.all_is_well_again(self.world)
                verdict.judge(self.world)
                still_open = self.world.pagerduty.open_incidents()
                assert not still_open, [one.title for one in still_open]
                self.nothing_is_wrong()
        finally:
            self.world.close()

    def _poll(self, which: int, doom: Doom | None = None, meanwhile: str | None = None) -> None:
        daemon = self._leader(which)
        self._strike("fetch", daemon, doom, meanwhile)
        daemon.poll()
        self._calm()

    def _send(
        self, which: int, doom: Doom | None = None, meanwhile: str | None = None, blows: list[Blow] | None = None
    ) -> None:
        daemon = self._any(which)
        self.world.network.blows = list(blows or ())
        self._strike("send", daemon, doom, meanwhile)
        daemon.send()
        self._calm()

    def _any(self, which: int) -> Daemon:
        return self.world.daemons[which % len(self.world.daemons)]

    def _leader(self, which: int) -> Daemon:
        """Who polls: always the same one while the lease is respected."""
        return self.world.daemons[0] if self.respects_lease else self._any(which)

    def _strike(self, place: str, actor: Daemon, doom: Doom | None, meanwhile: str | None) -> None:
        """Have the doom strike, and have the other process act just then."""
        self.world.fate.arm(doom)
        if meanwhile == "stop" and place == "send":
            self.world.plan = (place, lambda: self._stop(actor))
            return
        others = [one for one in self.world.daemons if one is not actor]
        if meanwhile is None or not others:
            return
        (other,) = others

        def act() -> None:
            if meanwhile == "die":
                other.die()
            if meanwhile in {"poll", "both"} and not self.respects_lease:
                other.poll()
            if meanwhile in {"send", "both"}:
                other.send()

        self.world.plan = (place, act)

    def _stop(self, actor: Daemon) -> None:
        self.world.fate.arm(None)
        actor.stop()
        self.world.fate.arm(Doom(Boundary.AFTER_INGEST))

    def _clear_up(self) -> None:
        """Fair weather, for what takes some time."""
        self.world.graphite.down = frozenset()
        self.pagerduty_fails(None)
        self.end_silences()

    def _calm(self) -> None:
        self.world.fate.arm(None)
        self.world.plan = None
        self.world.network.blows.clear()
