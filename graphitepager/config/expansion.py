"""What alerts.yml says in short, at length: `include`, `defaults`, `for_each` and `use` in, plain entries out.

It works on nodes, which keep their places. So whatever is found to be wrong with an entry later on is told where it
was written, be that an included file, the defaults or a ready-made check.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from graphitepager.config import yamlsource
from graphitepager.config.fields import did_you_mean
from graphitepager.config.files import items
from graphitepager.config.readymade import read_check
from graphitepager.config.repetition import odd_names, rounds_of
from graphitepager.config.schema import EXTENSION_PREFIX, AlertsFile, key_names
from graphitepager.config.substitution import substitute
from graphitepager.config.yamlsource import Document, Node, kind_of, mapping, sequence
from graphitepager.problems import Problem, quote

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from graphitepager.config.files import Files
    from graphitepager.config.readymade import Check
    from graphitepager.config.repetition import Complaint
    from graphitepager.config.yamlsource import Data, Place

    Children = dict[str | int, tuple[Place, Place, Node]]

_OF_ENTRY = ("for_each", "use", "with")
_NOT_BY_DEFAULT = ("name", "target", "ratio", *_OF_ENTRY)
_IN_INCLUDED = ("alerts", "defaults")
# Their keys are the user's own, and each of those wins by itself.
_MERGED = frozenset({"labels"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where an entry comes from: its place, the values of its `for_each`, and the ready-made check that it uses."""

    place: Place
    variables: Mapping[str, str] = field(default_factory=dict)
    check: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Expanded:
    """The document with plain entries, the origin of each, and what is wrong with what they were made of.

    `texts` are the other files that a problem may point into; `written` is what those and alerts.yml itself say.
    `entries` are the data of the plain entries.
    """

    document: Document
    entries: tuple[Data, ...]
    origins: tuple[Origin, ...]
    problems: tuple[Problem, ...]
    texts: Mapping[str, str]
    written: tuple[Mapping[str, Data], ...]

    @property
    def is_shared(self) -> bool:
        """Whether several entries may have the same thing from one place."""
        return "defaults" in self.written[0] or bool(self.texts) or any(origin.variables for origin in self.origins)


def expand(document: Document, files: Files, library: Mapping[str, str], *, strict: bool) -> Expanded:
    """Write out what the document says in short. `library` has the texts of the ready-made checks, by their names."""
    work = _Expansion(library, strict=strict)
    work.add_file(document)
    work.add_included(document, files)
    children = {key: part for key, part in document.root.children.items() if key not in {"defaults", "include"}}
    alerts = children.get("alerts")
    # Where it says nothing, or what is no list, the schema has the words for that.
    if work.entries or (alerts and isinstance(alerts[2].data, list)):
        key_place, place, _ = alerts or (document.root.place, document.root.place, None)
        children["alerts"] = (key_place, place, sequence(place, work.entries))
    root = mapping(document.root.place, children)
    return Expanded(
        document=Document({str(key): child.data for key, (_, _, child) in children.items()}, root),
        entries=tuple(entry.data for entry in work.entries),
        origins=tuple(work.origins),
        problems=tuple(dict.fromkeys(work.problems)),
        texts=work.texts,
        written=tuple(work.written),
    )


class _Expansion:
    """Owns what has come out so far, and the checks that were read for it."""

    def __init__(self, library: Mapping[str, str], *, strict: bool) -> None:
        self.entries: list[Node] = []
        self.origins: list[Origin] = []
        self.problems: list[Problem] = []
        self.texts: dict[str, str] = {}
        self.written: list[Mapping[str, Data]] = []
        self._library = library
        self._strict = strict
        self._checks: dict[str, Check] = {}

    def add_file(self, document: Document) -> None:
        """Expand the alerts of a file with the defaults of the same file."""
        self.written.append(document.data)
        defaults = self._defaults(document.root)
        alerts = document.root.children.get("alerts")
        if alerts is None or not isinstance(alerts[2].data, list):
            return
        for _, place, entry in alerts[2].children.values():
            if isinstance(entry.data, dict):
                self._add_entry(Node(place, entry.data, entry.children), defaults)
            else:
                self._add(Node(place, entry.data, entry.children), Origin(place=place))

    def add_included(self, document: Document, files: Files) -> None:
        """Expand the alerts of the files that `include` names, each file once."""
        include = document.root.children.get("include")
        fitting = dict(files.included)
        for pattern in items(include[2]) if include else []:
            if not isinstance(pattern.data, str):
                hint = "write a file's name or a pattern such as alerts.d/*.yml"
                self._report(pattern.place, f"include: expected a text, got {kind_of(pattern.data)}", hint)
                continue
            found = fitting.get(pattern.data, ())
            if not found:
                self._report(pattern.place, f"include: no file fits {quote(pattern.data)}", is_error=False)
            for file in found:
                if file.error is not None:
                    self._report(pattern.place, f"include: {file.error}")
                elif file.source not in self.texts:
                    self._add_included(file.source, file.text)

    def _add_included(self, source: str, text: str) -> None:
        self.texts[source] = text
        document, problems = yamlsource.parse(text, source)
        self.problems += problems
        if document is None:
            return
        for key in document.data:
            self._judge_key(key, document.key_place((key,)))
        alerts = document.data.get("alerts")
        if not isinstance(alerts, (list, type(None))):
            message = f"alerts: expected a list, got {kind_of(alerts)}"
            self._report(document.place(("alerts",)), message, "begin each item with '- '")
        self.add_file(document)

    def _judge_key(self, key: str, place: Place) -> None:
        hint = "an included file holds alerts, and defaults for them"
        if key in _IN_INCLUDED or key.startswith(EXTENSION_PREFIX):
            return
        if key == "include":
            self._report(place, "an included file cannot include others", "include them in alerts.yml")
        elif key in key_names(AlertsFile):
            self._report(place, f"{key} has no place in an included file: write it in alerts.yml", hint)
        else:
            hint = did_you_mean(key, _IN_INCLUDED) or hint
            self._report(place, f"unknown key {quote(key)}", hint, is_error=self._strict)

    def _defaults(self, root: Node) -> Children:
        part = root.children.get("defaults")
        if part is None or part[2].data is None:
            return {}
        _, place, defaults = part
        if not isinstance(defaults.data, dict):
            self._report(place, f"defaults: expected keys and values, got {kind_of(defaults.data)}", "write key: value")
            return {}
        for key in _NOT_BY_DEFAULT:
            if key in defaults.children:
                self._report(defaults.children[key][0], f"defaults: {key} belongs to each alert, and has no default")
        return {key: part for key, part in defaults.children.items() if key not in _NOT_BY_DEFAULT}

    def _add_entry(self, entry: Node, defaults: Children) -> None:
        own = mapping(entry.place, {key: part for key, part in entry.children.items() if key != "for_each"})
        by_default = mapping(entry.place, defaults)
        for_each = entry.children.get("for_each")
        if for_each is None or for_each[2].data is None:
            self._add_round(own, defaults, {})
            return
        label = f"{_label(entry)}, for_each"
        key_place, _, repeated = for_each
        rounds, complaints = rounds_of(repeated)
        self._complain(label, complaints)
        self._complain(label, odd_names(repeated, rounds, (own, by_default)), is_error=False)
        before = len(self.entries)
        for values in rounds:
            self._add_round(substitute(own, values), substitute(by_default, values).children, values)
        made = [(_at(node, "name"), _at(node, "target"), _ratio(node)) for node in self.entries[before:]]
        if len(set(made)) < len(made):
            message = f"{label}: it makes the same alert with the same target twice"
            self._report(key_place, message, "write its names in braces, such as {env}, in name and in target")

    def _add_round(self, own: Node, defaults: Children, values: Mapping[str, Node]) -> None:
        variables = {name: str(value.data) for name, value in values.items()}
        keys = {key: part for key, part in own.children.items() if key not in _OF_ENTRY}
        used = own.children.get("use")
        if used is None or used[2].data is None:
            if "with" in own.children:
                message = f"{_label(own)}, with has no effect"
                self._report(own.children["with"][0], message, "it needs use", is_error=False)
            self._add(_laid_over(own.place, keys, defaults), Origin(place=own.place, variables=variables))
            return
        check = self._check(_label(own), used[1], used[2])
        parameters = self._parameters(check, own) if check else None
        if check is None or parameters is None:
            return
        origin = Origin(place=own.place, variables=variables, check=check.name)
        for entry in check.entries:
            self._add(_laid_over(own.place, keys, substitute(entry, parameters).children, defaults), origin)

    def _check(self, label: str, place: Place, used: Node) -> Check | None:
        name = used.data.strip() if isinstance(used.data, str) else ""
        if name not in self._checks:
            text = self._library.get(name) if name else None
            if text is None:
                got = quote(used.data) if isinstance(used.data, str) else kind_of(used.data)
                hint = did_you_mean(name, self._library) or "graphite-pager library lists them all"
                self._report(place, f"{label}, use: no ready-made check is called {got}", hint)
                return None
            self._checks[name] = read_check(name, text)
            self.texts[self._checks[name].source] = text
        return self._checks[name]

    def _parameters(self, check: Check, own: Node) -> Mapping[str, Node] | None:
        """What the check's parameters are here; None where that cannot be said."""
        label = f"{_label(own)}, with"
        values = {one.name: one.default for one in check.parameters if one.default is not None}
        before = len(self.problems)
        _, place, given = own.children.get("with", (own.place, own.place, Node(own.place, None)))
        if not isinstance(given.data, (dict, type(None))):
            self._report(place, f"{label}: expected keys and values, got {kind_of(given.data)}", "write key: value")
        for key, (key_place, _, value) in given.children.items() if isinstance(given.data, dict) else ():
            known = {one.name for one in check.parameters}
            if key not in known:
                hint = did_you_mean(str(key), known) or f"it has {', '.join(sorted(known))}"
                self._report(key_place, f"{label}: {check.name} has no parameter {quote(str(key))}", hint)
            elif isinstance(value.data, str):
                values[str(key)] = value
            elif value.data is not None:
                message = f"{label}.{key}: expected a text or a number, got {kind_of(value.data)}"
                self._report(value.place, message)
        for one in check.parameters:
            if one.name not in values and len(self.problems) == before:
                self._report(place, f"{label}: {check.name} needs {one.name}", one.about)
        return values if len(self.problems) == before else None

    def _add(self, entry: Node, origin: Origin) -> None:
        self.entries.append(entry)
        self.origins.append(origin)

    def _complain(self, label: str, complaints: Iterable[Complaint], *, is_error: bool = True) -> None:
        for place, about, message, hint in complaints:
            shown = f"{label}.{about}" if about else label
            self._report(place, f"{shown}: {message}", hint, is_error=is_error)

    def _report(self, place: Place, message: str, hint: str | None = None, *, is_error: bool = True) -> None:
        line, column, source = place
        self.problems.append(
            Problem(source=source, line=line, column=column, message=message, hint=hint, is_error=is_error)
        )


def _laid_over(place: Place, *layers: Children) -> Node:
    """The keys of all layers; of a key in several, the first layer has its way."""
    children: Children = {}
    for layer in layers:
        for key, part in layer.items():
            if key not in children:
                children[key] = part
            elif key in _MERGED and isinstance(part[2].data, dict) and isinstance(children[key][2].data, dict):
                key_place, own_place, own = children[key]
                children[key] = (key_place, own_place, _laid_over(own.place, own.children, part[2].children))
    return mapping(place, children)


def _at(entry: Node, key: str) -> str:
    part = entry.children.get(key)
    return part[2].data if part and isinstance(part[2].data, str) else ""


def _ratio(entry: Node) -> str:
    """What the entry divides, where it watches no target."""
    return repr(entry.data.get("ratio")) if isinstance(entry.data, dict) else ""


def _label(entry: Node) -> str:
    """What a message calls it, as Inputs.label() does."""
    name = _at(entry, "name")
    return f"alert {quote(name)}" if name else "an alert without a name"
