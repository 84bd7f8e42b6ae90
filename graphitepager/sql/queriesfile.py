"""queries.yml, queries.sql or lines of standard input in; queries out, or everything that is wrong with them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from graphitepager.config import yamlsource
from graphitepager.config.fields import did_you_mean
from graphitepager.config.inputs import Inputs
from graphitepager.config.sections import key_names
from graphitepager.config.validation import explained, left_of, validate
from graphitepager.config.yamlsource import kind_of
from graphitepager.errors import PagerError
from graphitepager.problems import Problem, present, quote
from graphitepager.sql.model import Loaded, Query
from graphitepager.sql.schema import EXTENSION_PREFIX, NAME_PATTERN, ExpectedRows, QueriesFile, QueryKeys
from graphitepager.sql.sqlsource import document_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pydantic_core import ErrorDetails

    from graphitepager.config.sections import Section
    from graphitepager.config.yamlsource import Path

MINIMAL_FILE = "queries: {users: {sql: \"SELECT 'users', count(*) FROM users\"}}"
_SQL_SUFFIX = ".sql"


def load(text: str, source: str, *, read: Callable[[str], str]) -> Loaded:
    """Read the text of the file that the user calls `source`, as SQL where that ends so.

    `read` gives the text of a file of `sql_file`; it raises PagerError.
    """
    if source.lower().endswith(_SQL_SUFFIX):
        document, problems = document_of(text, source)
    else:
        document, problems = yamlsource.parse(text.removeprefix("\ufeff"), source, top="queries", minimal=MINIMAL_FILE)
    queries: list[Query] = []
    variables: dict[str, str] = {}
    if document is not None:
        inputs = Inputs(source=source, document=document, variables={})
        data = {key: value for key, value in inputs.data.items() if not key.startswith(EXTENSION_PREFIX)}
        parsed, unknown, errors = validate(QueriesFile, data)
        problems += [_unknown_key(path, inputs) for path in unknown]
        problems += [_explained(error, inputs) for error in errors]
        wrong = [*unknown, *(error["loc"] for error in errors)]
        # What is wrong in one place is no reason to keep back what is wrong in others.
        if file := parsed or left_of(QueriesFile, data, wrong):
            variables = file.databases
            problems += _wrong_variables(file, inputs)
            for name, keys in file.queries.items():
                found = list(_wrong_query(name, keys, inputs))
                problems += found
                if found or not (keys.sql or keys.sql_file):
                    continue
                try:
                    queries.append(_query(name, keys, file, read))
                except (PagerError, ValueError) as error:
                    problems.append(_problem(("queries", name, "sql_file"), str(error), inputs))
    shown = present(problems, {source: text}, frozenset())
    return Loaded((), {}, shown) if problems else Loaded(tuple(queries), variables, shown)


def _query(name: str, keys: QueryKeys, file: QueriesFile, read: Callable[[str], str]) -> Query:
    sql = keys.sql if keys.sql_file is None else read(keys.sql_file)
    if not (sql or "").strip():
        raise ValueError("there is no SQL in this file")
    return Query(
        name=name,
        sql=sql or "",
        database=keys.database or next(iter(file.databases), ""),
        metric=keys.metric,
        value=keys.value,
        values=tuple(keys.values),
        tags=keys.tags,
        timestamp=keys.timestamp,
        timeout_s=keys.timeout.total_seconds() if keys.timeout else None,
        max_rows=keys.max_rows,
        max_age_s=keys.max_age.total_seconds(),
        null=keys.null,
        min_rows=keys.expect.min_rows if keys.expect else 0,
    )


def _wrong_variables(file: QueriesFile, inputs: Inputs) -> Iterator[Problem]:
    if not file.databases:
        yield _problem(("databases",), "expected at least one", inputs, "leave it out for the one of S2G_DSN")
    for name, variable in file.databases.items():
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", variable):
            # Most likely a URL with a password, so it is not quoted.
            message = "expected the name of an environment variable, such as S2G_DSN"
            yield _problem(("databases", name), message, inputs, "put the URL into the environment, not into this file")


def _wrong_query(name: str, keys: QueryKeys, inputs: Inputs) -> Iterator[Problem]:
    """`keys` may lack what could not be read of it: what is missing is said by the file itself."""
    path: Path = ("queries", name)
    has_sql, has_file, has_database = (
        inputs.at((*path, key)) not in (None, "") for key in ("sql", "sql_file", "database")
    )
    databases = inputs.at(("databases",))
    names = list(map(str, databases if isinstance(databases, dict) else QueriesFile.model_fields["databases"].default))
    if not re.fullmatch(NAME_PATTERN, name):
        yield _problem(
            path, "expected a name of letters, digits, _ and -, for it becomes a metric's", inputs, at_key=True
        )
    if has_sql == has_file:
        message = "sql and sql_file exclude each other" if has_sql else "sql is missing"
        yield _problem(path, message, inputs, "every query needs either sql or sql_file", at_key=True)
    if keys.value and keys.values:
        yield _problem((*path, "values"), "value and values exclude each other", inputs, at_key=True)
    if not has_database and len(names) > 1:
        yield _problem(path, "database is missing", inputs, f"one of {', '.join(names)}", at_key=True)
    elif keys.database is not None and keys.database not in names:
        hint = did_you_mean(keys.database, names) or "name it under databases"
        yield _problem((*path, "database"), f"no database is called {quote(keys.database)}", inputs, hint)


def _explained(error: ErrorDetails, inputs: Inputs) -> Problem:
    path: Path = error["loc"]
    got = kind_of(inputs.at(path))
    if path == ("queries",) and error["type"] in {"missing", "too_short"}:
        return _problem(
            path, f"expected at least one query, got {got}", inputs, f"the least that works is {MINIMAL_FILE}"
        )
    message, hint = explained(error, got)
    return _problem(path, message, inputs, hint)


def _unknown_key(path: Path, inputs: Inputs) -> Problem:
    """An unknown key is an error: a limit that is misspelt is a limit that is missing."""
    sections: dict[int, type[Section]] = {1: QueriesFile, 3: QueryKeys}
    hint = did_you_mean(str(path[-1]), key_names(sections.get(len(path), ExpectedRows)))
    return inputs.problem(path, f"unknown key {quote(str(path[-1]))}", hint, at_key=True)


def _problem(path: Path, message: str, inputs: Inputs, hint: str | None = None, *, at_key: bool = False) -> Problem:
    top, *steps = map(str, path)
    if top == "queries" and steps:
        label = f"query {quote(steps[0])}" + (f", {'.'.join(steps[1:])}" if steps[1:] else "")
    else:
        label = ".".join([top, *steps])
    return inputs.problem(path, f"{label}: {message}", hint, at_key=at_key)
