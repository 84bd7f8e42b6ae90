"""What tests of every kind share."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable


def missing(reason: str) -> NoReturn:
    """Skip a test for want of something; where REQUIRE_ALL=1 says that nothing may be missing, fail it."""
    if os.environ.get("REQUIRE_ALL") == "1":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def eventually(holds: Callable[[], object], timeout_s: float = 15) -> bool:
    """Whether it holds before long."""
    give_up_at = time.monotonic() + timeout_s
    while not holds():
        if time.monotonic() > give_up_at:
            return False
        time.sleep(0.005)
    return True


def is_gone(pid: int) -> bool:
    """Whether no process runs under this number; its parent need not have noticed."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z"
    except FileNotFoundError:
        return True


def certificate_for_loopback(folder: Path) -> tuple[Path, Path]:
    """A certificate that signs itself, for 127.0.0.1 and localhost, and its key."""
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-days", "2"]
    names = ["-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"]
    try:
        subprocess.run(
            [*command, *names, "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True
        )
    except FileNotFoundError:
        missing("there is no openssl to make a certificate with")
    return certificate, key
