"""Paging does not depend on the log: real processes whose standard output takes nothing, or few characters."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests.fakes.graphite import FakeGraphite, respond
from tests.fakes.pagerduty import FakePagerDuty
from tests.integration.pager_process import running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# Letters that not every output has, and a command to the terminal.
SERIES = "日本\x1b[2J"
ALERTS = "alerts:\n  - {name: 負荷, target: a.b, warning: 50, critical: 70}\n"
PAGE = r"CRITICAL 負荷: 日本\x1b[2J is 82.4 (critical at 70)"


class Place:
    """A folder with an alerts.yml, a Graphite with one series, a PagerDuty."""

    def __init__(self, folder: Path, graphite: FakeGraphite, pagerduty: FakePagerDuty) -> None:
        self.folder = folder
        self.pagerduty = pagerduty
        self._graphite = graphite
        self.environment = {
            "PATH": os.environ["PATH"],
            "PYTHONUTF8": "1",
            "GRAPHITE_URL": graphite.url,
            "PAGERDUTY_KEY": "0123456789abcdef0123456789abcdef",
            "PAGERDUTY_EVENTS_URL": pagerduty.url,
            "HEARTBEAT_SECONDS": "0.3",
        }
        (folder / "alerts.yml").write_text(ALERTS, encoding="utf-8")
        self.measure(10)

    def measure(self, value: float) -> None:
        end = int(time.time()) // 10 * 10
        self._graphite.default = respond(f"{SERIES},{end - 60},{end},10|{','.join([str(value)] * 6)}\n".encode())

    @contextlib.contextmanager
    def pager(self, redirection: str = "", stdout: int | None = None) -> Iterator[subprocess.Popen[bytes]]:
        """A pager started by a shell, as people redirect its output."""
        command = ["/bin/sh", "-c", f'exec "$0" -m graphitepager {redirection}', sys.executable]
        with subprocess.Popen(
            command, cwd=self.folder, env=self.environment, stdout=stdout, stderr=subprocess.PIPE
        ) as process:
            try:
                yield process
            finally:
                process.kill()

    def expect_the_page(self, timeout_s: float = 5) -> None:
        assert self.pagerduty.wait_until(self._is_paged, timeout_s), self.pagerduty.events()

    def _is_paged(self) -> bool:
        return [one.title for one in self.pagerduty.open_incidents()] == [PAGE]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with FakeGraphite().serve() as graphite, FakePagerDuty() as pagerduty:
        yield Place(tmp_path, graphite, pagerduty)
        assert pagerduty.rejected() == ()


def end(process: subprocess.Popen[bytes]) -> None:
    """SIGTERM ends it within a second, and it has no complaint."""
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    assert process.wait(5) == 0
    assert time.monotonic() - began < 1
    assert process.stderr is not None
    assert process.stderr.read() == b""


@pytest.mark.parametrize("redirection", [">/dev/full", ">&-"])
def test_an_output_that_takes_nothing_still_pages(place: Place, redirection: str) -> None:
    place.measure(82.4)
    with place.pager(redirection) as process:
        place.expect_the_page()
        end(process)


def test_a_reader_that_leaves_does_not_end_the_paging(place: Place) -> None:
    reader, writer = os.pipe()
    with open(reader, "rb") as lines, place.pager(stdout=writer) as process:  # noqa: PTH123 - a file descriptor
        os.close(writer)
        assert b"event=started" in lines.readline()
        lines.close()
        place.measure(82.4)
        place.expect_the_page()
        end(process)


def test_a_pipe_that_nobody_reads_delays_neither_the_page_nor_the_end(place: Place) -> None:
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with contextlib.suppress(BlockingIOError):
        while os.write(writer, b"x" * 4096):
            pass
    os.set_blocking(writer, True)
    try:
        with place.pager(stdout=writer) as process:
            place.measure(82.4)
            place.expect_the_page()
            end(process)
    finally:
        os.close(reader)
        os.close(writer)


def test_names_that_the_output_cannot_encode_do_not_delay_the_page(place: Place) -> None:
    place.environment |= {"PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"}
    place.measure(82.4)
    with running(place.environment, place.folder) as pager:
        place.expect_the_page()
        pager.wait_for("event=sent")
        code, _ = pager.end()
    assert code == 0
    assert r"event=triggered alert=\u8ca0\u8377 series=\u65e5\u672c\x1b[2J" in pager.output
    (event,) = place.pagerduty.events()
    assert (event.payload["source"], event.payload["class"]) == (r"日本\x1b[2J", "負荷")
    assert event.payload["custom_details"]["series"] == r"日本\x1b[2J"
