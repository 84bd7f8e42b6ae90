"""The stdout notifier and the registry: a message is one safe line."""

from __future__ import annotations

import io
import os
from datetime import UTC, datetime
from typing import Any

import pytest

from graphitepager.errors import SendError
from graphitepager.model import EventKind, Link, Message
from graphitepager.notifiers import NOTIFIERS, load
from graphitepager.notifiers.stdout import Stdout
from graphitepager.rules import Level, Settings

SETTINGS = Settings(graphite_url="http://graphite")


def message(kind: EventKind = EventKind.TRIGGERED, **other: Any) -> Message:
    fields: dict[str, Any] = {
        "level": Level.CRITICAL,
        "dedup_key": "lock/db1/critical",
        "alert": "MongoDB lock",
        "series": "db1",
        "summary": "CRITICAL MongoDB lock: db1 is 82.4 (critical at 70)",
        "at": datetime(2026, 3, 1, 12, tzinfo=UTC),
        "details": {},
        "links": (Link("https://wiki/lock#db1", "Runbook"), Link("http://graphite/render?x", "Graph")),
    }
    return Message(kind=kind, **fields | other)


def printed(sent: Message) -> str:
    stream = io.StringIO()
    assert Stdout(stream).send(sent, "") == "printed"
    return stream.getvalue()


def test_a_message_is_one_line_with_its_links() -> None:
    assert printed(message()) == (
        "CRITICAL MongoDB lock: db1 is 82.4 (critical at 70)"
        " runbook=https://wiki/lock#db1 graph=http://graphite/render?x\n"
    )


def test_a_resolve_says_so() -> None:
    sent = message(EventKind.RESOLVED, summary="RESOLVED MongoDB lock: db1 is 12, was Critical for 5min", links=())
    assert printed(sent) == "RESOLVED MongoDB lock: db1 is 12, was Critical for 5min\n"


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("a\nTRIGGER b", r"a\nTRIGGER b"),
        ("a\r\x1b[2J\x07", r"a\r\x1b[2J\x07"),
        ("a\u2028b\x85c", r"a\u2028b\x85c"),
        ("a\u202egnp", r"a\u202egnp"),
        ("a\udce9", r"a\udce9"),
        ("Größe 測定 🔥", "Größe 測定 🔥"),
    ],
)
def test_no_name_can_break_the_line_or_command_the_terminal(hostile: str, shown: str) -> None:
    line = printed(message(summary=hostile, links=(Link(hostile, "Graph"),)))
    assert line == f"{shown} graph={shown}\n"


def test_a_terminal_of_few_characters_gets_the_rest_as_escapes() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii", write_through=True)
    Stdout(stream).send(message(summary="Größe", links=()), "")
    assert raw.getvalue() == b"Gr\\xf6\\xdfe\n"


def test_each_line_is_out_at_once() -> None:
    reader, writer = os.pipe()
    with open(reader) as lines, open(writer, "w") as stream:  # noqa: PTH123 - file descriptors, not paths
        Stdout(stream).send(message(links=()), "")
        assert lines.readline().startswith("CRITICAL")


def test_a_broken_pipe_is_a_failed_send() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    unbuffered: Any = io.FileIO(writer, "w")  # or closing it would fail once more
    with io.TextIOWrapper(unbuffered) as stream:
        with pytest.raises(SendError, match="Broken pipe") as caught:
            Stdout(stream).send(message(), "")
        assert not caught.value.permanent


def test_the_registry_prints_to_this_processs_output(capsys: pytest.CaptureFixture[str]) -> None:
    load("stdout", SETTINGS).send(message(), "")
    assert capsys.readouterr().out.startswith("CRITICAL")


@pytest.mark.parametrize("name", NOTIFIERS)
def test_every_name_in_the_registry_can_be_loaded(name: str) -> None:
    assert callable(load(name, SETTINGS).send)


def test_a_notifier_that_is_not_there_is_a_permanent_failure() -> None:
    with pytest.raises(
        SendError, match="no notifier called 'pigeon'; there are apprise, exec, mail, pagerduty"
    ) as caught:
        load("pigeon", SETTINGS)
    assert caught.value.permanent
