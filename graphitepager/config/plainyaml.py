"""Entries as YAML, as a person would write them and as this program reads them: without needless quotes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import yaml

from graphitepager.config.entry import AlertEntry
from graphitepager.redaction import MASK, is_secret_name

if TYPE_CHECKING:
    from graphitepager.config.yamlsource import Data

_ORDER = {field.alias or name: number for number, (name, field) in enumerate(AlertEntry.model_fields.items())}
# A target on one line can be searched for.
_WIDTH = 10_000
_NULL = "tag:yaml.org,2002:null"


class _Dumper(yaml.SafeDumper):
    """Every scalar is a text here, and only what would be read as nothing needs quotes for it."""

    yaml_implicit_resolvers = {None: []}  # noqa: RUF012 - PyYAML's way to say it

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def increase_indent(self, flow: Any = None, indentless: Any = None) -> None:
        super().increase_indent(flow, indentless=False)  # items stand deeper than the key of their list


_Dumper.add_implicit_resolver(_NULL, re.compile("^(?:~|null|Null|NULL|)$"), ["~", "n", "N", ""])


def as_yaml(data: Data) -> str:
    """The text of a mapping or a list."""
    text: str = yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_WIDTH)
    return text


def tidy(entry: Data) -> Data:
    """An entry that can be shown: its keys in the order of the reference, without empty ones, secrets masked."""
    if not isinstance(entry, dict):
        return entry
    said = [key for key, value in entry.items() if value is not None]
    return {key: _shown(key, entry[key]) for key in sorted(said, key=lambda key: _ORDER.get(key, len(_ORDER)))}


def _shown(key: str, value: Data) -> Data:
    if isinstance(value, dict):
        return {inner: _shown(key if is_secret_name(key) else inner, part) for inner, part in value.items()}
    if isinstance(value, list):
        return [_shown(key, part) for part in value]
    return MASK if value and is_secret_name(key) else value
