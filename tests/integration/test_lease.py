"""The lease on both databases: one at a time has it, and it ends with its holder."""

from __future__ import annotations

import contextlib
import multiprocessing
import socket
import threading
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from graphitepager.store import Store, lease
from tests.integration.store_support import KINDS, NOON, empty_database

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.connection import Connection
    from multiprocessing.synchronize import Barrier
    from pathlib import Path

    from sqlalchemy.engine import URL

LASTS = timedelta(seconds=3)
ROUNDS = 10


def test_one_has_it_and_the_other_gets_it_when_it_is_released(store: Store) -> None:
    ours, theirs = store.lease("ours", LASTS), store.lease("theirs", LASTS)
    assert (ours.acquire(NOON), theirs.acquire(NOON)) == (True, False)
    assert ours.acquire(NOON + LASTS)
    ours.release()
    assert theirs.acquire(NOON + LASTS)
    assert not ours.acquire(NOON + LASTS)
    theirs.release()
    ours.release()


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_a_row_that_is_not_renewed_is_free_again(store: Store) -> None:
    ours, theirs = store.lease("ours", LASTS), store.lease("theirs", LASTS)
    assert ours.acquire(NOON)
    assert not theirs.acquire(NOON + LASTS / 2)
    assert theirs.acquire(NOON + LASTS)
    assert not ours.acquire(NOON + LASTS)


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_a_row_from_a_clock_that_was_set_back_keeps_nobody_out(store: Store) -> None:
    assert store.lease("ours", LASTS).acquire(NOON + timedelta(hours=1))
    assert store.lease("theirs", LASTS).acquire(NOON)


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_a_short_heartbeat_takes_nothing_from_a_long_one(store: Store) -> None:
    assert store.lease("ours", timedelta(hours=1)).acquire(NOON)
    assert not store.lease("theirs", LASTS).acquire(NOON + timedelta(seconds=89))
    assert store.lease("theirs", LASTS).acquire(NOON + timedelta(seconds=90))


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_the_server_ends_a_session_that_is_silent_for_too_long(store: Store) -> None:
    ours, theirs = store.lease("ours", timedelta(seconds=0.3)), store.lease("theirs", LASTS)
    assert ours.acquire(NOON)
    time.sleep(0.6)
    assert theirs.acquire(NOON)
    assert not ours.acquire(NOON)
    assert not ours.acquire(NOON)
    theirs.release()
    ours.release()


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_each_schema_has_a_lease_of_its_own(store: Store, tmp_path: Path) -> None:
    ours = store.lease("ours", LASTS)
    assert ours.acquire(NOON)
    with empty_database("postgresql", tmp_path) as url, Store.open(url) as elsewhere:
        theirs = elsewhere.lease("theirs", LASTS)
        assert theirs.acquire(NOON)
        theirs.release()
    ours.release()


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_a_session_that_breaks_gives_nobody_the_lease_and_the_next_one_does(url: URL) -> None:
    with closing(_Between(url)) as line, Store.open(line.url) as store, Store.open(url) as elsewhere:
        ours, theirs = store.lease("ours", LASTS), elsewhere.lease("theirs", LASTS)
        for words in (b"tcp_keepalives_idle", b"pg_try_advisory_lock"):
            line.cut_at = words
            assert not ours.acquire(NOON)
        line.cut_at = None
        assert ours.acquire(NOON)
        line.cut_at = b"SELECT 1"
        assert not ours.acquire(NOON)
        line.cut_at = None
        assert theirs.acquire(NOON)
        assert not ours.acquire(NOON)
        theirs.release()
        ours.release()


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_a_server_that_does_not_answer_is_given_up(url: URL, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "_PATIENCE_S", 0.3)
    with closing(_Between(url)) as line, Store.open(line.url) as store:
        ours = store.lease("ours", LASTS)
        assert ours.acquire(NOON)
        line.is_stuck = True
        began = time.monotonic()
        assert not ours.acquire(NOON)
        assert time.monotonic() - began < 2
        ours.release()


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_behind_a_pooler_the_row_counts(url: URL) -> None:
    with closing(_Between(url)) as pooler:
        pooler.is_pooler = True
        with Store.open(pooler.url) as store:
            ours, theirs = store.lease("ours", LASTS), store.lease("theirs", LASTS)
            assert (ours.acquire(NOON), theirs.acquire(NOON)) == (True, False)
            assert theirs.acquire(NOON + LASTS)
            assert not ours.acquire(NOON + LASTS)
            theirs.release()
            ours.release()


def take_at_once(url: URL, both: Barrier, result: Connection) -> None:
    with Store.open(url) as store:
        mine = store.lease(f"{threading.get_native_id()}", LASTS)
        for _ in range(ROUNDS):
            both.wait(30)
            result.send(mine.acquire(datetime.now(UTC)))
            both.wait(30)
            mine.release()


@pytest.fixture(params=KINDS)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[URL]:
    with empty_database(request.param, tmp_path) as url:
        yield url


def test_of_two_that_ask_at_the_same_instant_never_both_have_it(url: URL) -> None:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    with Store.open(url):
        both = context.Barrier(2)
        pipes = [context.Pipe(duplex=False) for _ in range(2)]
        workers = [context.Process(target=take_at_once, args=(url, both, sender)) for _, sender in pipes]
        for worker in workers:
            worker.start()
        outcomes = [sorted(receiver.recv() for receiver, _ in pipes) for _ in range(ROUNDS)]
        for worker in workers:
            worker.join()
            worker.close()
        for receiver, sender in pipes:
            receiver.close()
            sender.close()
    assert outcomes[0] == [False, True]
    assert [True, True] not in outcomes  # nobody, where PostgreSQL has not yet noticed that the last holder left


class _Between:
    """What stands between a client and the server: a plain line, one that breaks or is stuck, or a pooler.

    A pooler greets with a process number of its own. `cut_at` are the words of a client that break the line.
    """

    def __init__(self, url: URL) -> None:
        self.is_pooler = False
        self.is_stuck = False
        self.cut_at: bytes | None = None
        self._server = (url.host or "127.0.0.1", url.port or 5432)
        self._door = socket.create_server(("127.0.0.1", 0))
        port = self._door.getsockname()[1]
        self.url = url.set(host="127.0.0.1", port=port).update_query_dict({"sslmode": "disable"})
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        for each in (self._door, *self._open):
            each.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._door.accept()
                server = socket.create_connection(self._server)
                self._open += [client, server]
                threading.Thread(target=self._pass_on, args=(client, server, self._asked), daemon=True).start()
                threading.Thread(target=self._pass_on, args=(server, client, self._answered), daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket, change: Callable[[bytes], bytes | None]) -> None:
        with contextlib.suppress(OSError):
            while (data := source.recv(65536)) and (changed := change(data)) is not None:
                sink.sendall(changed)
        for each in (source, sink):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def _asked(self, data: bytes) -> bytes | None:
        if self.cut_at is not None and self.cut_at in data:
            return None
        return b"" if self.is_stuck else data

    def _answered(self, data: bytes) -> bytes:
        before, greeting, after = data.partition(b"K\0\0\0\x0c")  # BackendKeyData
        return before + greeting + b"\0\x7f\xff\xff" + after[4:] if greeting and self.is_pooler else data
