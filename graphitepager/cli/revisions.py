"""Another alerts.yml to compare with: a file, or this one as it was at a git revision."""

from __future__ import annotations

import io
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from graphitepager.cli import configuration
from graphitepager.errors import ConfigError, PagerError

if TYPE_CHECKING:
    from graphitepager.rules import Config

_GIT_S = 30.0
_LARGEST_FILE = 5 * 1024 * 1024


def read(against: str, config_path: str) -> Config:
    """The configuration in the file of this name, else in `config_path` at the revision of this name. PagerError."""
    if Path(against).is_file():
        return configuration.read_or_fail(against, lambda _: None)
    folder, name = Path(config_path).resolve().parent, Path(config_path).name
    with tempfile.TemporaryDirectory(prefix="graphite-pager-") as there:
        _check_out(folder, against, there)
        path = Path(there) / name
        if not path.is_file():
            raise PagerError(f"{against}: {name} did not exist at that revision")
        try:
            return configuration.read_or_fail(str(path), lambda _: None)
        except ConfigError as error:
            text = str(error).replace(f"{there}/", f"{against}:")
            raise PagerError(f"{name} at {against} cannot be used:\n{text}") from None


def _check_out(folder: Path, revision: str, there: str) -> None:
    """Put the files of a folder as they were into another: alerts.yml may include some of them."""
    if revision.startswith("-"):
        raise PagerError(f"{revision}: neither a file nor a git revision")
    command = ["git", "-C", str(folder), "archive", "--format=tar", revision, "."]
    try:
        done = subprocess.run(command, capture_output=True, timeout=_GIT_S, check=False)  # noqa: S603 - no shell
    except FileNotFoundError:
        raise PagerError(f"{revision}: no such file, and git is not installed to ask for such a revision") from None
    except subprocess.TimeoutExpired:
        raise PagerError(f"git took more than {_GIT_S:g} s for {revision}") from None
    if done.returncode:
        reason = done.stderr.decode(errors="replace").strip().splitlines()[-1:] or ["git failed"]
        raise PagerError(f"{revision}: no such file, and no git revision of {folder}: {reason[0]}")
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        small = (one for one in archive if one.isfile() and one.size <= _LARGEST_FILE)
        archive.extractall(there, members=small, filter="data")
