"""What graphite-web 1.1.10 and its Django 3.0 miss on Python 3.12 and later; harmless elsewhere.

Only as much as it takes to build them and to answer /render, /metrics and /version.
"""

import configparser
import email.message
import importlib
import sys
import types


def supply(name: str, **contents: object) -> None:
    """Put a module of this name, with these contents, in place of the one that cannot be had."""
    sys.modules[name] = types.ModuleType(name)
    vars(sys.modules[name]).update(contents)


def supply_cairo() -> None:
    """Let graphite-web be imported without libcairo; it could not draw then, but nobody asks it to."""
    try:
        importlib.import_module("cairocffi")
    except (ImportError, OSError):  # OSError: the binding is there, libcairo.so is not
        supply("cairocffi")


def _parse_header(line: str) -> tuple[str, dict[str, str]]:
    """Take `text/html; charset=utf-8` apart, as the cgi module did."""
    message = email.message.Message()
    message["content-type"] = line
    (value, _), *parameters = message.get_params(failobj=[("", "")])
    return value, {name.lower(): text for name, text in parameters}


if sys.version_info >= (3, 12):
    configparser.SafeConfigParser = configparser.ConfigParser
    configparser.RawConfigParser.readfp = configparser.RawConfigParser.read_file  # for setup.py
    supply("imp")  # graphite.util imports it, and uses it for custom finders only
if sys.version_info >= (3, 13):
    supply("cgi", parse_header=_parse_header, valid_boundary=bool)
