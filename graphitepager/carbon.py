"""Carbon's plaintext protocol, over TCP or TLS: everything on one connection, until the other end has read it all.

Carbon acknowledges nothing. The sign that it has read to the end is that it closes after we have closed our half: a
frozen one never does, and one that was killed resets.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
from typing import TYPE_CHECKING, NamedTuple

from graphitepager.deadlines import run_within
from graphitepager.errors import GraphiteError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_CONNECT_S = 10.0


class Carbon(NamedTuple):
    """Where a Carbon listens. `timeout_s` bounds each wait for it; `ca` is a file of certificates to trust.

    `longest_s` bounds everything together: a receiver may take a little now and then.
    """

    host: str
    port: int
    timeout_s: float
    tls: bool = False
    ca: str | None = None
    longest_s: float = 600.0

    @property
    def place(self) -> str:
        return f"{self.host}:{self.port}"

    def send(self, batches: Iterable[bytes]) -> None:
        """Send all of it; GraphiteError where nobody can be sure that it was read."""
        with self._explained():
            end = time.monotonic() + self.longest_s
            with self._connected() as connection:
                for batch in batches:
                    self._allow(connection, end)
                    connection.sendall(batch)
                self._allow(connection, end)
                self._finish(connection)

    def _allow(self, connection: socket.socket, end: float) -> None:
        left = end - time.monotonic()
        if left <= 0:
            raise GraphiteError(f"{self.place} took longer than {self.longest_s:g} s to read it all")
        connection.settimeout(min(left, self.timeout_s))

    def _connected(self) -> socket.socket:
        patience = min(self.timeout_s, _CONNECT_S)
        # The timeout of a socket does not count for the name's resolution.
        plain = run_within(patience + 0.5, lambda: socket.create_connection((self.host, self.port), timeout=patience))
        if not self.tls:
            return plain
        plain.settimeout(self.timeout_s)
        try:
            return ssl.create_default_context(cafile=self.ca).wrap_socket(plain, server_hostname=self.host)
        except BaseException:
            plain.close()
            raise

    def _finish(self, connection: socket.socket) -> None:
        """Close our half, and wait for theirs."""
        if isinstance(connection, ssl.SSLSocket):
            # Waits for the other end's goodbye, too; many just close instead, which is as good.
            with contextlib.suppress(ssl.SSLEOFError, ssl.SSLZeroReturnError):
                connection = connection.unwrap()
        with contextlib.suppress(OSError):  # it may have closed already
            connection.shutdown(socket.SHUT_WR)
        if connection.recv(1):
            # It may well close in good order then, as servers of other protocols do.
            reason = f"{self.place} answers, which Carbon does not: is this the right port?"
            raise GraphiteError(reason, permanent=True)

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except TimeoutError:
            raise GraphiteError(f"{self.place} did not go on for {self.timeout_s:g} s") from None
        except (socket.gaierror, UnicodeError):  # the latter of a name with an empty or too long part
            raise GraphiteError(f"the host name of {self.place} cannot be resolved") from None
        except ConnectionRefusedError:
            raise GraphiteError(f"nothing listens at {self.place} (connection refused)") from None
        except ssl.SSLCertVerificationError as error:
            raise GraphiteError(f"TLS with {self.place} failed: {error.verify_message}", permanent=True) from None
        except ssl.SSLError as error:
            raise GraphiteError(f"TLS with {self.place} failed: {(error.reason or 'no answer').lower()}") from None
        except ConnectionError:
            raise GraphiteError(f"{self.place} closed the connection before it had read everything") from None
        except OSError as error:
            raise GraphiteError(f"no connection to {self.place}: {error.strerror or type(error).__name__}") from None
