"""How a command ends: with its exit code, and with a line, never a traceback, where something went wrong."""

from __future__ import annotations

import errno
import gc
import io
import os
import sys
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

import click

from graphitepager.errors import PagerError, describe_bug

if TYPE_CHECKING:
    from collections.abc import Callable

INTERRUPTED = 130

_NO_OUTPUT = {errno.EPIPE, errno.ENOSPC, errno.EIO, errno.EBADF}


class Codes(Protocol):
    """Which exit codes a program has for what no command has foreseen."""

    def usage(self, error: click.UsageError) -> int: ...

    def failure(self, error: PagerError) -> int: ...

    @property
    def unknown(self) -> int: ...


class _NoOutputError(OSError):
    """Nobody takes what we print."""


def leave(
    command: click.Command, arguments: list[str] | None, *, program: str, codes: Codes, complain: Callable[[str], None]
) -> NoReturn:
    """Run a command and leave with its exit code; what goes wrong is told in a line by `complain`."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a name that the terminal cannot show is no reason to fail
    try:
        sys.exit(_run(command, arguments) or 0)
    except click.UsageError as error:
        error.show()
        sys.exit(codes.usage(error))
    except click.exceptions.Exit as error:
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(INTERRUPTED)
    except _NoOutputError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # or the interpreter tries to write the rest of it
        if error.errno == errno.EPIPE:  # the reader of a pipe has left, for example `| head`
            sys.exit(0)
        complain(f"{program}: standard output: {(error.strerror or '').lower()}")
        sys.exit(codes.unknown)
    except PagerError as error:
        complain(f"{program}: {error}")
        sys.exit(codes.failure(error))
    except Exception as error:  # noqa: BLE001 - a bug of ours is told in a line, too
        complain(f"{program}: internal error, please report it: {describe_bug(error)}")
        sys.exit(codes.unknown)


def _run(command: click.Command, arguments: list[str] | None) -> Any:
    try:
        code = command.main(arguments, standalone_mode=False)
        if sys.stdout is not None:  # closed from the start
            sys.stdout.flush()
    except SystemExit:  # what click makes of a reader that has left
        raise _NoOutputError(errno.EPIPE, os.strerror(errno.EPIPE)) from None
    except OSError as error:
        if error.errno in _NO_OUTPUT:
            raise _NoOutputError(error.errno, error.strerror) from None
        raise
    finally:
        gc.freeze()  # or the interpreter looks through everything as it ends: a fifth of a second
    return code
