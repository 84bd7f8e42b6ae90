"""The log: a line never costs more than a line, and holds no secret and nothing that commands a terminal."""

from __future__ import annotations

import base64
import contextlib
import io
import logging
import os
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from graphitepager import logwriter, telemetry
from graphitepager.cli.configuration import secrets_of
from graphitepager.rules import Config, Settings
from graphitepager.telemetry import configure, flush, keep_secret, log, scrub
from tests.support import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

SETTINGS = Settings(graphite_url="http://graphite")


@pytest.fixture(autouse=True)
def _as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Forget the secrets and the stream of each test."""
    monkeypatch.setattr(telemetry, "_secrets", ())
    yield
    configure(stream=io.StringIO())


def logged(*secrets: str, **values: Any) -> str:
    """The keys and values of the one line that this is in the log."""
    stream = io.StringIO()
    keep_secret(secrets)
    configure(timestamps=False, stream=stream)
    log.info("it", **values)
    assert flush(2)
    line = stream.getvalue()
    assert line.endswith("\n")
    return line.removeprefix("level=info event=it ").removesuffix("\n")


def writers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "log"]


@contextlib.contextmanager
def a_full_pipe() -> Iterator[tuple[int, Any]]:
    """The reader of a pipe that takes nothing more, and a stream that writes to it."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with contextlib.suppress(BlockingIOError):
        while os.write(writer, b"x" * 4096):
            pass
    os.set_blocking(writer, True)
    with open(writer, "w") as stream:  # noqa: PTH123 - a file descriptor, not a path
        try:
            yield reader, stream
        finally:
            os.close(reader)  # which ends a write that still waits
            flush(2)


def test_a_line_has_its_keys_in_order_and_leaves_out_what_is_not_there() -> None:
    assert logged(b=1, a=None, c="two words", d=0.12345, e="") == 'b=1 c="two words" d=0.123 e='


def test_values_are_cut_at_a_thousand_characters() -> None:
    assert logged(a="x" * 1001) == "a=" + "x" * 1000 + "…"


def test_a_secret_is_not_half_shown_where_a_value_is_cut() -> None:
    assert logged("hunter2-hunter2", a="x" * 995 + "hunter2-hunter2") == "a=" + "x" * 995 + "***"


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [("a\x1b[2Jb\x00", r"a\x1b[2Jb\x00"), ("a\u202egnp", r"a\u202egnp"), ("a\r\x85", r"a\r\x85"), ("a\nb", r"a\nb")],
)
def test_no_control_character_reaches_the_log(hostile: str, shown: str) -> None:
    assert logged(series=hostile) == f"series={shown}"
    assert logged(series=[hostile]).isprintable()


def test_a_value_that_cannot_be_shown_costs_only_itself() -> None:
    class Broken:
        def __str__(self) -> str:
            raise RuntimeError

    assert logged(a=Broken(), b=1) == "a=(Broken) b=1"


@pytest.mark.parametrize("shown", ['sek"x y', "sek%22x%20y", "sek%22x+y", 'sek\\"x y'])
def test_a_secret_is_masked_in_every_form(shown: str) -> None:
    assert logged('sek"x y', reason=f"a {shown} b") == 'reason="a *** b"'
    assert scrub(f"a {shown} b") == "a *** b"


def test_a_number_that_is_a_secret_is_masked_in_the_finished_line() -> None:
    assert logged("12345678", a=12345678) == "a=***"


def test_secrets_accumulate_and_short_ones_are_left() -> None:
    keep_secret(["first-secret", "abc"])
    keep_secret(["second-secret"])
    assert scrub("first-secret second-secret abc\n") == "*** *** abc\n"


def test_a_urls_credentials_are_masked_whatever_they_are() -> None:
    assert scrub("https://a:b@host/x http://c@d/, http://e/@f") == "https://***@host/x http://***@d/, http://e/@f"


def settings_with(**values: Any) -> Config:
    return Config(settings=replace(SETTINGS, **values), alerts=())


def test_basic_authentication_is_a_secret_as_it_is_sent() -> None:
    found = set(secrets_of(settings_with(graphite_user="me", graphite_pass="pässword")))
    assert {"pässword", base64.b64encode("me:pässword".encode()).decode()} <= found


@pytest.mark.parametrize(
    ("url", "passwords"),
    [
        ("postgres://me:p%40ssword@db/x", {"p%40ssword", "p@ssword"}),
        ("postgres://me:pass/word@db/x", {"pass/word"}),
        ("postgres://db/x?user=me&password=p%40ssword", {"p%40ssword", "p@ssword"}),
        ("postgres://me:password@[db/x", {"password"}),
        ("postgres://postgres@db/x", set()),
        ("sqlite:///state.db", set()),
    ],
)
def test_the_databases_password_is_a_secret_of_its_own(url: str, passwords: set[str]) -> None:
    found = set(secrets_of(settings_with(database_url=url)))
    assert passwords | {url} <= found
    assert "postgres" not in found


def test_the_events_urls_credentials_are_secrets() -> None:
    url = "https://me:p%40ssword@proxy.example.com/"
    config = settings_with(pagerduty_events_url=url)
    assert {"me:p%40ssword", "p%40ssword", "p@ssword"} <= set(secrets_of(config))
    line = logged(*secrets_of(config), settings=config.settings, reason="401 for p@ssword")
    assert "ssword" not in line
    assert "https://***@proxy.example.com/" in line


def test_libraries_warnings_are_lines_too() -> None:
    stream = io.StringIO()
    configure(timestamps=False, stream=stream)
    logging.getLogger("some.library").warning("a %s", "b")
    logging.getLogger("some.library").warning("a %d", "b")
    logging.getLogger("some.library").info("too much")
    flush(2)
    assert stream.getvalue() == (
        'level=warning event=library logger=some.library message="a b"\n'
        'level=warning event=library logger=some.library message="a %d"\n'
    )


def test_a_reload_starts_no_other_thread() -> None:
    stream = io.StringIO()
    for _ in range(3):
        configure(stream=stream)
        log.info("it")
        flush(2)
    assert eventually(lambda: len(writers()) == 1)  # that of the test before may be about to end
    for _ in range(3):
        configure(stream=io.StringIO())
        log.info("it")
        flush(2)
    assert eventually(lambda: len(writers()) == 1)


def test_what_was_logged_before_another_stream_is_not_lost() -> None:
    first, second = io.StringIO(), io.StringIO()
    configure(stream=first)
    log.info("one")
    configure(stream=second)
    log.info("two")
    assert eventually(lambda: "event=one" in first.getvalue())
    assert eventually(lambda: "event=two" in second.getvalue())


def test_a_terminal_of_few_characters_gets_the_rest_as_escapes() -> None:
    raw = io.BytesIO()
    configure(timestamps=False, stream=io.TextIOWrapper(raw, encoding="ascii", write_through=True))
    log.info("it", series="日本")
    assert flush(2)
    assert raw.getvalue() == b"level=info event=it series=\\u65e5\\u672c\n"


@pytest.mark.parametrize("kind", ["full", "closed", "broken", "read-only"])
def test_a_stream_that_takes_nothing_raises_nothing(kind: str) -> None:
    with contextlib.ExitStack() as stack:
        if kind == "broken":
            reader, writer = os.pipe()
            os.close(reader)
            stream = stack.enter_context(open(writer, "w"))  # noqa: PTH123 - a file descriptor, not a path
        else:
            path = Path("/dev/null" if kind == "read-only" else "/dev/full")
            stream = stack.enter_context(path.open("r" if kind == "read-only" else "w"))
        if kind == "closed":
            stream.close()
        configure(stream=stream)
        for _ in range(3):
            log.info("it")
            assert flush(2)


def test_no_standard_output_at_all_raises_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout", None)
    configure()
    log.info("it")
    assert flush(2)


def test_lines_that_were_lost_are_counted_when_it_flows_again() -> None:
    class FullForOnce(io.StringIO):
        is_full = True

        def write(self, text: str) -> int:
            if self.is_full:
                raise OSError
            return super().write(text)

    stream = FullForOnce()
    configure(timestamps=False, stream=stream)
    for _ in range(3):
        log.info("lost")
        flush(2)
    stream.is_full = False
    log.info("it")
    flush(2)
    assert stream.getvalue() == "level=warning event=log_lines_dropped count=3\nlevel=info event=it\n"


def test_a_pipe_that_nobody_reads_delays_nothing_and_the_dropped_lines_are_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(logwriter, "_QUEUE_BYTES", 1000)
    with a_full_pipe() as (reader, stream):
        configure(timestamps=False, stream=stream)
        began = time.monotonic()
        for number in range(500):
            log.info("it", number=number)
        assert not flush(0.1)
        assert time.monotonic() - began < 1
        read = b""
        while accounted_for(read) < 500:
            read += os.read(reader, 65536)
        log.info("last")
        assert flush(2)
        read += os.read(reader, 65536)
    assert accounted_for(read) == 501
    assert b"event=log_lines_dropped count=" in read
    assert read.endswith(b"\nlevel=info event=last\n")


def accounted_for(read: bytes) -> int:
    """How many lines there are, and are said to be missing."""
    whole = read.lstrip(b"x").rpartition(b"\n")[0].decode().splitlines()
    return sum(int(line.rpartition("count=")[2]) if "log_lines_dropped" in line else 1 for line in whole)


def test_a_pipe_that_does_not_block_is_waited_for() -> None:
    with a_full_pipe() as (reader, stream):
        os.set_blocking(stream.fileno(), False)
        configure(timestamps=False, stream=stream)
        log.info("it")
        assert not flush(0.1)
        read = os.read(reader, 1 << 20)
        assert flush(2)
        os.set_blocking(reader, False)
        read += os.read(reader, 1 << 20)
        assert read.lstrip(b"x") == b"level=info event=it\n"
