"""`for_each`: from the lists that it holds to one set of values for each entry that is to be made."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, NamedTuple

from graphitepager.config.fields import did_you_mean
from graphitepager.config.files import items
from graphitepager.config.substitution import NAME, names_in, words_of_templates
from graphitepager.config.yamlsource import kind_of
from graphitepager.problems import quote

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from graphitepager.config.yamlsource import Node, Place

    Values = dict[str, Node]

MOST_ROUNDS = 1000


class Complaint(NamedTuple):
    """What is wrong with a `for_each`; `about` is the part of it, to go behind its label."""

    place: Place
    about: str
    message: str
    hint: str | None = None


def rounds_of(node: Node) -> tuple[list[Values], list[Complaint]]:
    """The values of each round, by their names: the combinations of a mapping's lists, or a list's items."""
    if isinstance(node.data, dict):
        return _combinations(node)
    if isinstance(node.data, list):
        return _as_listed(node)
    hint = "write {env: [prod, staging]}, or a list of mappings such as {env: prod, threshold: 90}"
    return [], [Complaint(node.place, "", f"expected keys and values, or a list of them, got a {_kind(node)}", hint)]


def _combinations(node: Node) -> tuple[list[Values], list[Complaint]]:
    complaints = list(_bad_names(node))
    lists: dict[str, list[Node]] = {}
    for name, (key_place, _, values) in node.children.items():
        lists[str(name)] = items(values)
        if not lists[str(name)]:
            complaints.append(Complaint(key_place, str(name), "expected at least one value"))
        complaints += [complaint for value in lists[str(name)] for complaint in _bad_value(str(name), value)]
    count = math.prod(len(values) for values in lists.values())
    complaints += [] if complaints else _bad_count(node, count if lists else 0)
    if complaints:
        return [], complaints
    return [dict(zip(lists, values, strict=True)) for values in itertools.product(*lists.values())], []


def _as_listed(node: Node) -> tuple[list[Values], list[Complaint]]:
    complaints = list(_bad_count(node, len(node.children)))
    rounds: list[Values] = []
    for item in items(node):
        if not isinstance(item.data, dict) or not item.data:
            hint = "write {env: prod, threshold: 90}"
            complaints.append(Complaint(item.place, "", f"expected keys and values, got {kind_of(item.data)}", hint))
            continue
        complaints += _bad_names(item)
        values = {str(name): value for name, (_, _, value) in item.children.items()}
        complaints += [complaint for name, value in values.items() for complaint in _bad_value(name, value)]
        if rounds and values.keys() != rounds[0].keys():
            expected = ", ".join(rounds[0])
            complaints.append(Complaint(item.place, "", f"expected the names of the first one, {expected}"))
        rounds.append(values)
    return ([], complaints) if complaints else (rounds, [])


def _bad_count(node: Node, count: int) -> Iterator[Complaint]:
    if count == 0:
        yield Complaint(node.place, "", "expected at least one name with values")
    elif count > MOST_ROUNDS:
        yield Complaint(node.place, "", f"expected at most {MOST_ROUNDS:,} combinations, got {count:,}")


def _bad_names(node: Node) -> Iterator[Complaint]:
    for name, (key_place, _, _) in node.children.items():
        if not NAME.fullmatch(str(name)):
            message = f"expected a name of letters, digits and _, got {quote(str(name))}"
            yield Complaint(key_place, "", message)


def _bad_value(name: str, value: Node) -> Iterator[Complaint]:
    if not isinstance(value.data, str):
        yield Complaint(value.place, name, f"expected a text or a number, got {kind_of(value.data)}")


def _kind(node: Node) -> str:
    return kind_of(node.data).removeprefix("a ")


def odd_names(node: Node, rounds: Sequence[Values], texts: Sequence[Node]) -> Iterator[Complaint]:
    """Names that nothing in the texts makes use of, and names in braces there that are nearly one of them."""
    if not rounds:
        return
    known = rounds[0].keys()
    in_braces = [found for text in texts for found in names_in(text)]
    used = {name for name, _ in in_braces} | {word for text in texts for word in words_of_templates(text)}
    part = node if isinstance(node.data, dict) else items(node)[0]
    for name in known - used:
        message = f"{{{name}}} stands nowhere in this alert"
        yield Complaint(part.children[name][0], name, message)
    for name, text in in_braces:
        if name not in known and (hint := did_you_mean(name, known)):
            message = f"{{{name}}} in {quote(str(text.data))} is none of its names, and left as it is"
            yield Complaint(text.place, "", message, hint)
