"""What a run of the soak test did, counted."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Tally:
    """The numbers that a run prints at its end."""

    examples: int = 0
    steps: int = 0
    polls: int = 0
    refused_polls: int = 0
    sends: int = 0
    missed: int = 0
    left_open: int = 0
    duplicates: int = 0
    opened: int = 0
    crashes: Counter[str] = field(default_factory=Counter)
    lost_answers: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)

    def lines(self) -> list[str]:
        """The report, a line for each thing."""
        return [
            _run(self),
            f"crashes {self.crashes.total()}: {_listed(self.crashes)}",
            f"database connections lost {self.lost_answers.total()}: {_listed(self.lost_answers)}",
            f"faults of the network {self.faults.total()}: {_listed(self.faults)}",
            f"missed {self.missed}, left open {self.left_open}, duplicate incidents {self.duplicates}",
        ]


def _run(tally: Tally) -> str:
    return (
        f"examples {tally.examples}, steps {tally.steps}, polls {tally.polls} ({tally.refused_polls} refused, since "
        f"another process had polled), sends {tally.sends}, incidents opened {tally.opened}"
    )


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items())) or "none"
