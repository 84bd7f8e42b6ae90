"""What systemd hears of a real process: that it is ready, and nothing of one that could not start."""

from __future__ import annotations

import socket
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from graphitepager.servicemanager import ServiceManager
from tests.fakes.graphite import FakeGraphite
from tests.fakes.pagerduty import FakePagerDuty
from tests.integration.pager_place import Place

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[socket.socket]:
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as listener:
        listener.bind(str(tmp_path / "notify"))
        listener.settimeout(15)
        yield listener


@pytest.fixture
def place(tmp_path: Path, systemd: socket.socket) -> Iterator[Place]:
    with FakeGraphite().serve() as graphite, FakePagerDuty() as pagerduty:
        place = Place(graphite, pagerduty, tmp_path, f"sqlite:///{tmp_path / 'state.db'}")
        place.environment["NOTIFY_SOCKET"] = systemd.getsockname()
        yield place


def test_it_is_ready_once_the_configuration_is_sound_and_the_database_open(
    place: Place, systemd: socket.socket
) -> None:
    with place.pager() as pager:
        assert systemd.recv(100) == b"READY=1", pager.output
        assert (place.folder / "state.db").exists()


def test_one_that_cannot_start_is_never_ready(place: Place, systemd: socket.socket) -> None:
    place.configure("alerts: [")
    with place.pager() as pager:
        assert pager.wait() == 1
    systemd.settimeout(0)
    with pytest.raises(BlockingIOError):
        systemd.recv(100)


def test_a_name_that_begins_with_an_at_sign_is_in_no_file_system() -> None:
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as listener:
        listener.bind("")
        listener.settimeout(15)
        name = listener.getsockname().decode().replace("\0", "@", 1)
        ServiceManager(name).alive()
        assert listener.recv(100) == b"WATCHDOG=1"


@pytest.mark.parametrize("address", [None, "", "/nowhere/at/all", "x" * 200])
def test_without_anybody_to_tell_nothing_happens(address: str | None) -> None:
    ServiceManager(address).ready()


def test_nobody_waits_for_a_listener_that_does_not_read(systemd: socket.socket) -> None:
    manager = ServiceManager(systemd.getsockname())
    for _ in range(2000):
        manager.alive()
