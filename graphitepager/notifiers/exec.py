"""Hand a message to a command of your own: JSON on its standard input, exit code 0 for a yes."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, Field

from graphitepager.config.fields import Names, SomeTime, refuse
from graphitepager.config.notifying import NotifierKeys
from graphitepager.errors import SendError
from graphitepager.notifiers import Kind
from graphitepager.notifiers.payload import payload
from graphitepager.notifiers.posting import one_line
from graphitepager.notifiers.programs import run

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import timedelta

    from graphitepager.model import Message
    from graphitepager.rules import Settings

_LONGEST_S = 10
_DATA_ERROR = os.EX_DATAERR


def _command(value: list[str]) -> list[str]:
    if not value or not value[0].strip():
        raise refuse("expected the program and its arguments, as a list", 'write ["/usr/local/bin/page", "--loud"]')
    if any("\0" in argument for argument in value):
        raise refuse("an argument holds a NUL character, which no program can be given")
    return value


def _timeout(value: timedelta) -> timedelta:
    if value.total_seconds() > _LONGEST_S:
        raise refuse(f"expected at most {_LONGEST_S}s: what follows waits as long")
    return value


class Keys(NotifierKeys):
    """A command of your own."""

    command: Annotated[Names, AfterValidator(_command)] = Field(
        description="The program and its arguments; no shell looks at them.",
        examples=[["/usr/local/bin/page", "--loud"]],
    )
    timeout: Annotated[SomeTime, AfterValidator(_timeout)] = Field(
        "10s", validate_default=True, description="When it is killed, 10s at most.", examples=["5s"]
    )

    def address(self) -> str:
        return json.dumps({"command": self.command, "timeout_s": self.timeout.total_seconds()})

    def secrets(self) -> Iterable[str]:
        return ()  # words such as --loud are none; a secret belongs into a file that the program reads


def from_settings(_settings: Settings) -> Exec:
    """Make the notifier; its address says everything."""
    return Exec()


KIND = Kind(keys=Keys, make=from_settings)


class Exec:
    """Runs the command in the address, a JSON object with `command` and `timeout_s`."""

    def send(self, message: Message, address: str) -> str:
        place = json.loads(address)
        command, timeout_s = place["command"], place["timeout_s"]
        try:
            code, output = run(command, payload(message), timeout_s)
        except TimeoutError:
            raise SendError(f"{command[0]} was killed after {timeout_s:g} s") from None
        except (OSError, ValueError) as error:
            why = one_line(str(getattr(error, "strerror", None) or error))
            # It may be on its way: a release that is just being unpacked.
            raise SendError(f"{command[0]} cannot be run: {why}", permanent=True, may_pass=True) from None
        said = one_line(output)
        if code == 0:
            return f"exit code 0: {said}" if said else "exit code 0"
        how = f"ended with exit code {code}" if code > 0 else f"was ended by signal {-code}"
        reason = f"{command[0]} {how}" + (f": {said}" if said else "")
        raise SendError(reason, permanent=code == _DATA_ERROR, is_invalid=code == _DATA_ERROR)
