"""Entries as YAML, as a person would write them and as this program reads them: without needless quotes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import yaml

from graphitepager.config.borrowed import is_reference
from graphitepager.config.entry import AlertEntry
from graphitepager.redaction import MASK, is_secret_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from graphitepager.config.expansion import Origin
    from graphitepager.config.yamlsource import Data

_ORDER = {field.alias or name: number for number, (name, field) in enumerate(AlertEntry.model_fields.items())}
# A target on one line can be searched for.
_WIDTH = 10_000
_NULL, _STR = "tag:yaml.org,2002:null", "tag:yaml.org,2002:str"
# YAML takes these for line breaks, and makes something else of them.
_OTHER_BREAKS = re.compile("[\x85\u2028\u2029]")
_TEMPLATES = ("summary", "description", "labels", "runbook")
# What a template asks `variables` for, where that can be told.
_VARIABLE = re.compile(r"""\bvariables\b(?:\s*\.\s*(?P<key>\w+)|\s*\[\s*["'](?P<item>\w+)["']\s*\])?""", re.ASCII)


class _Dumper(yaml.SafeDumper):
    """Every scalar is a text here, and only what would be read as nothing needs quotes for it."""

    yaml_implicit_resolvers = {None: []}  # noqa: RUF012 - PyYAML's way to say it

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def increase_indent(self, flow: Any = None, indentless: Any = None) -> None:
        super().increase_indent(flow, indentless=False)  # items stand deeper than the key of their list


def _text(dumper: _Dumper, text: str) -> yaml.Node:
    lines = text.strip("\n") == text.removesuffix("\n") and "\n" in text
    return dumper.represent_scalar(_STR, text, style='"' if _OTHER_BREAKS.search(text) else "|" if lines else None)


def _nothing(dumper: _Dumper, _data: None) -> yaml.Node:
    return dumper.represent_scalar(_NULL, "")


_Dumper.add_implicit_resolver(_NULL, re.compile("^(?:~|null|Null|NULL|)$"), ["~", "n", "N", ""])
_Dumper.add_representer(str, _text)
_Dumper.add_representer(type(None), _nothing)


def as_yaml(data: Data) -> str:
    """The text of a mapping or a list."""
    text: str = yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_WIDTH)
    return text


def tidy(entry: Data, variables: Mapping[str, str] | None = None) -> Data:
    """An entry that can be shown: its keys in the order of the reference, secrets masked.

    A key without a value stays: it may be there to take a default away. `variables` are the values of the entry's
    `for_each`; where a template asks for them, a `for_each` of one round has them.
    """
    if not isinstance(entry, dict):
        return entry
    asked = _asked_for(entry, variables or {})
    said: dict[str, Data] = {**entry, "for_each": [asked]} if asked else entry
    return {key: _shown(key, said[key]) for key in sorted(said, key=lambda key: _ORDER.get(key, len(_ORDER)))}


def _shown(key: str, value: Data) -> Data:
    if key == "labels":  # PagerDuty is told of them, whatever they are called
        return value
    if isinstance(value, dict):
        return {inner: _shown(key if is_secret_name(key) else inner, part) for inner, part in value.items()}
    if isinstance(value, list):
        return [_shown(key, part) for part in value]
    return MASK if value and is_secret_name(key) and not is_reference(value) else value


def _asked_for(entry: dict[str, Data], variables: Mapping[str, str]) -> dict[str, Data]:
    """Those of the variables that the entry's templates may use."""
    texts = [text for key in _TEMPLATES for text in _texts_in(entry.get(key))]
    names = {found["key"] or found["item"] for text in texts for found in _VARIABLE.finditer(text)}
    return {name: value for name, value in variables.items() if None in names or name in names}


def _texts_in(data: Data) -> list[str]:
    if isinstance(data, dict):
        return [text for part in data.values() for text in _texts_in(part)]
    return [data] if isinstance(data, str) else []


def written_out(entry: dict[str, Data], origin: Origin) -> str:
    """The entry as an item of `alerts`, under a comment that says where it comes from."""
    lines = as_yaml([tidy(entry, origin.variables)]).splitlines()
    return "".join(f"  {line}\n" for line in (f"# {_where(origin)}", *lines))


def _where(origin: Origin) -> str:
    values = ", ".join(f"{name}: {value}" for name, value in origin.variables.items())
    parts = [
        f"{origin.place.source}:{origin.place.line}",
        f"for_each {{{values}}}" if values else "",
        f"use {origin.check}" if origin.check else "",
    ]
    return " ".join(", ".join(part for part in parts if part).split())  # a value may hold a line break
