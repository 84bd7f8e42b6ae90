"""Whatever rows a database returns: Carbon stores every line that is sent, and none that was not meant."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from graphitepager.sql.lines import Renderer
from graphitepager.sql.model import NullPolicy, Tally
from tests.carbon_oracle import stored
from tests.unit.sql_support import NOW, query

HOSTILE = st.sampled_from([
    "a.b", "x;host", "x;h=1", "x;h=;i=2", "..", "/etc", "a\nb 1 1\nc", "a b", "\x85", "\u2028", "nul\0", "a" * 300,
    "None",
    "True", "1,5", "nan", "-inf", "1e400", "1_0", "\ud800", "~", "x" * 20_000, "{status}", "%s", "",
])  # fmt: skip
TEXTS = st.one_of(HOSTILE, st.text(max_size=20), st.text(alphabet="ab./;=~ \n\t{}*é\0", max_size=12))
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(min_value=-(10**400), max_value=10**400),
    st.floats(),
    st.decimals(),
    st.timedeltas(),
    st.datetimes(),
    st.datetimes(timezones=st.just(UTC)),
    st.dates(),
    st.binary(max_size=5),
    TEXTS,
)
TIMES = st.one_of(
    VALUES,
    st.integers(min_value=NOW - 400 * 86_400, max_value=NOW + 200),
    st.integers(min_value=NOW * 1000 - 10, max_value=NOW * 1000),
    st.timedeltas(min_value=timedelta(days=-800), max_value=timedelta(days=2)).map(
        lambda delta: datetime.fromtimestamp(NOW, UTC) + delta
    ),
)
FORMS = st.sampled_from([
    {},
    {"timestamp": "at"},
    {"metric": "orders.{name}", "value": "value", "tags": {"t": "{at}"}},
    {"metric": "a.x{name}-{at}y", "values": ("value",)},
    {"value": "value", "tags": {"at": "{at}", "b": "{name}"}},
])  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(
    rows=st.lists(st.tuples(st.one_of(TEXTS, VALUES), VALUES, TIMES), max_size=6),
    form=FORMS,
    null=st.sampled_from(NullPolicy),
)
def test_carbon_stores_what_is_sent_and_nothing_else(
    rows: list[tuple[object, object, object]], form: dict[str, object], null: NullPolicy
) -> None:
    tally = Tally()
    renderer = Renderer(query(null=null, **form), ("name", "value", "at"), prefix="db", now=NOW, tally=tally)
    points = stored(renderer.render(rows).text.encode(), NOW)
    assert all(point.name.startswith("db.") for point in points)
    skipped = tally.nulls if null is NullPolicy.SKIP else 0
    assert len(points) + tally.rejected + skipped == tally.rows == len(rows)


PLAIN_NAMES = st.one_of(st.from_regex(r"[a-z.]{1,6}", fullmatch=True), st.just("sql_to_graphite.finished"))
PLAIN_VALUES = st.one_of(st.integers(-(10**16), 10**16), st.floats())


REFUSED = (b"", b"", b"")
PLAIN_TIMES = st.one_of(st.just(NOW), st.integers(NOW - 400 * 86_400, NOW + 200), st.integers(NOW - 100, NOW))


@settings(max_examples=150, deadline=None)
@given(
    rows=st.lists(
        st.tuples(
            st.one_of(PLAIN_NAMES, PLAIN_NAMES, PLAIN_VALUES, TEXTS),
            st.one_of(PLAIN_VALUES, PLAIN_VALUES, st.decimals(), VALUES),
            st.one_of(PLAIN_TIMES, PLAIN_TIMES, TIMES),
        )
    ),
    form=st.one_of(FORMS, st.sampled_from([
        {"ignores_further_columns": True}, {"metric": "a.{name}.b", "values": ("value", "at")},
        {"metric": "y", "value": "value"},
        {"metric": "a.{name}", "timestamp": "at"}, {"metric": "sql_to_graphite.{name}", "value": "value"},
        {"metric": "x", "values": ("value", "name"), "timestamp": "at"},
    ])),
)  # fmt: skip
def test_rows_that_come_together_are_judged_as_each_by_itself(
    rows: list[tuple[object, object, object]], form: dict[str, Any]
) -> None:
    columns = ("name", "value", "at")
    together, apart = Tally(), Tally()
    text, keys = Renderer(query(**form), columns, prefix="db", now=NOW, tally=together).render(rows)
    # With one among them of which nothing can be sent, each is looked at.
    looked_at = Renderer(query(**form), columns, prefix="db", now=NOW, tally=apart).render([*rows, REFUSED])
    assert (text, list(keys)) == (looked_at.text, list(looked_at.keys))
    assert (together.rows + 1, together.good_rows, together.nulls) == (apart.rows, apart.good_rows, apart.nulls)
    assert together.named == apart.named[: len(together.named)]
    assert together.rejected < apart.rejected


@settings(max_examples=150, deadline=None)
@given(name=st.one_of(TEXTS, st.from_regex(r"[a-z.;=_-]{1,20}", fullmatch=True)), value=st.floats(allow_nan=False))
def test_a_name_that_is_sent_is_the_name_that_was_given(name: str, value: float) -> None:
    tally = Tally()
    lines = Renderer(query(), ("name", "value"), prefix="", now=NOW, tally=tally).render([(name, value)])
    for point in stored(lines.text.encode(), NOW):
        assert sorted(point.name.split(";")) == sorted(name.split(";"))
        assert point.value == value
