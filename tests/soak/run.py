"""Run the machine so many times, on a database in memory where there is a place for it."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from sqlalchemy.engine import URL

from tests.soak.machine import Machine
from tests.soak.parts import SoakStore
from tests.soak.tally import Tally
from tests.soak.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator

STEPS = 50
_MEMORY = Path("/dev/shm")  # noqa: S108 - a directory of our own inside of it


class Ground:
    """A place for one database after the other, each of them empty; the schema and the engine are made once."""

    def __init__(self, folder: Path) -> None:
        self._pristine = folder / "empty.db"
        self._database = folder / "state.db"
        with SoakStore.open(URL.create("sqlite", database=str(self._pristine))):
            pass
        self.store = SoakStore.open(URL.create("sqlite", database=str(self._database)))

    def world(self, tally: Tally) -> World:
        """A new world on an empty database; the one before must be closed."""
        self.store.close()  # the engine lives on, with what it has compiled; the file is let go
        shutil.copyfile(self._pristine, self._database)
        return World(self.store, self._database, tally)


@contextmanager
def ground() -> Iterator[Ground]:
    """Lay one out, and keep the log out of the way: what it would say is checked or counted."""
    before = structlog.get_config()
    folder = Path(tempfile.mkdtemp(prefix="graphite-pager-soak-", dir=_MEMORY if _MEMORY.is_dir() else None))
    try:
        laid_out = Ground(folder)
        try:
            yield laid_out
        finally:
            laid_out.store.close()
    finally:
        structlog.configure(**before)
        shutil.rmtree(folder, ignore_errors=True)


def soak(examples: int, *, steps: int = STEPS, is_random: bool = False, shrinks: bool = True) -> Tally:
    """Run so many examples and return what they did; the first that goes wrong raises, shrunk if `shrinks`."""
    tally = Tally()
    with ground() as laid_out:
        machine = type("Soak", (Machine,), {"make_world": staticmethod(lambda: laid_out.world(tally))})
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=examples,
                stateful_step_count=steps,
                deadline=None,
                derandomize=not is_random,
                database=None,
                print_blob=False,
                phases=(Phase.generate, Phase.shrink) if shrinks else (Phase.generate,),
                suppress_health_check=list(HealthCheck),
            ),
        )
    return tally
