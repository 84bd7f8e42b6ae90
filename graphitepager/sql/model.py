"""What is asked of databases: queries, and what becomes of their rows."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from graphitepager.problems import Problem

DEFAULT_MAX_ROWS = 1_000_000
DEFAULT_MAX_AGE_S = 365 * 86_400


class NullPolicy(enum.Enum):
    """What becomes of a NULL where a value is expected."""

    SKIP = "skip"
    ZERO = "zero"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """One query, and how its rows become metrics.

    `metric` is a template with columns in braces, `value` the column for it, `values` several, whose names are added
    as a last node. Without any of them a row is (name, value[, timestamp]). `timeout_s` and `max_age_s` are seconds.
    `ignores_further_columns` is how the original read its rows: two columns count, and no third is a timestamp.
    """

    name: str
    sql: str
    database: str
    metric: str | None = None
    value: str | None = None
    values: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    timestamp: str | None = None
    timeout_s: float | None = None
    max_rows: int = DEFAULT_MAX_ROWS
    max_age_s: float = DEFAULT_MAX_AGE_S
    null: NullPolicy = NullPolicy.SKIP
    min_rows: int = 0
    ignores_further_columns: bool = False


class Loaded(NamedTuple):
    """The queries of a file, and the variables of its databases by their names; none where there is a problem."""

    queries: tuple[Query, ...]
    variables: dict[str, str]
    problems: tuple[Problem, ...]


@dataclass(slots=True, kw_only=True)
class Tally:
    """What became of one query's rows. `good_rows` gave a line at least; `named` are the first refusals."""

    rows: int = 0
    good_rows: int = 0
    nulls: int = 0
    rejected: int = 0
    seconds: float = 0.0
    named: list[str] = field(default_factory=list)
    failure: str | None = None

    @property
    def is_ok(self) -> bool:
        return self.failure is None
