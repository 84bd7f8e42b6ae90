"""A database that hangs keeps no page waiting for the pages before it."""

from __future__ import annotations

import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

from sqlalchemy.engine import URL

from graphitepager.errors import StoreError
from graphitepager.web.opening import LateStore

PAGES = 6


def test_of_many_pages_one_tries_a_database_that_hangs() -> None:
    tries: list[socket.socket] = []
    with closing(socket.create_server(("127.0.0.1", 0))) as deaf:

        def take() -> None:
            while True:
                try:
                    tries.append(deaf.accept()[0])
                except OSError:
                    return

        threading.Thread(target=take, daemon=True).start()
        url = URL.create("postgresql+psycopg", "postgres", host="127.0.0.1", port=deaf.getsockname()[1], database="x")
        together = threading.Barrier(PAGES)

        with closing(LateStore(url)) as store, ThreadPoolExecutor(PAGES) as pool:

            def page() -> str:
                together.wait(10)
                try:
                    store()
                except StoreError as error:
                    return str(error)
                return "opened"

            said = {one.result() for one in [pool.submit(page) for _ in range(PAGES)]}
        deaf.shutdown(socket.SHUT_RDWR)
    for one in tries:
        one.close()
    assert len(said) == 1
    assert "timeout" in said.pop()
    assert len(tries) == 1
