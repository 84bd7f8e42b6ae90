"""A message comes back from its stored form as it went in, whatever a series is called."""

from __future__ import annotations

from datetime import UTC

from hypothesis import given
from hypothesis import strategies as st

from graphitepager.model import EventKind, Image, Link, Message
from graphitepager.records import from_json, to_json
from graphitepager.rules import Level, Severity

any_text = st.text(st.characters(exclude_categories=[]))  # lone surrogates and U+0000 included
messages = st.builds(
    Message,
    kind=st.sampled_from(EventKind),
    level=st.sampled_from(Level),
    dedup_key=any_text,
    alert=any_text,
    series=any_text,
    summary=any_text,
    at=st.datetimes(timezones=st.just(UTC)),
    details=st.dictionaries(any_text, st.none() | any_text | st.floats(allow_nan=False)),
    links=st.lists(st.builds(Link, any_text, any_text)).map(tuple),
    labels=st.dictionaries(any_text, any_text),
    severity=st.none() | st.sampled_from(Severity),
    image=st.none() | st.builds(Image, any_text, any_text),
)


@given(messages)
def test_a_message_survives_its_stored_form(message: Message) -> None:
    assert from_json(to_json(message)) == message


def test_a_row_of_the_version_before_labels_and_severity_is_read() -> None:
    row = (
        '{"kind":"trigger","level":"critical","dedup_key":"k","alert":"a","series":"s","summary":"x",'
        '"at":"2026-01-15T12:00:00+00:00","details":{"value":1.5},"links":[["https://wiki","Runbook"]]}'
    )
    message = from_json(row)
    assert (message.labels, message.severity, message.summary) == ({}, None, "x")


@given(messages)
def test_the_stored_form_is_a_line_that_every_database_takes(message: Message) -> None:
    stored = to_json(message)
    assert stored.isascii()
    assert stored.isprintable()
