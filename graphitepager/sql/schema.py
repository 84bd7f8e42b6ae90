"""What queries.yml may hold, key by key: the reference in docs/ and the JSON Schema for editors are made from this."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field

from graphitepager.config.fields import Names, RowCount, SeriesCount, SomeTime, Text, refuse, word_of
from graphitepager.config.sections import Section
from graphitepager.problems import quote
from graphitepager.sql.model import DEFAULT_MAX_AGE_S, DEFAULT_MAX_ROWS, NullPolicy
from graphitepager.sql.names import clean_tag_value, is_path, is_tag
from graphitepager.sql.plans import columns_in, filled_in

EXTENSION_PREFIX = "x-"
NAME_PATTERN = "^[A-Za-z0-9_-]+$"
_VARIABLE_PATTERN = "^[A-Za-z_][A-Za-z0-9_]*$"


def _metric(text: str) -> str:
    _balanced(text)
    if not is_path(filled_in(text, "x")):
        raise refuse(
            f"expected the name of a metric, such as orders.{{status}}, got {quote(text)}",
            "nodes stand between dots, without spaces, slashes, brackets or quotes",
        )
    return text


def _tags(tags: dict[str, str]) -> dict[str, str]:
    for tag, text in tags.items():
        _balanced(text)
        if not is_tag(tag):
            raise refuse(f"expected a tag's name of letters, digits and _, other than name, got {quote(tag)}")
        if clean_tag_value(filled_in(text, "x")) != filled_in(text, "x"):
            raise refuse(f"expected letters, digits and _ : @ + . - for the tag {tag}, got {quote(text)}")
    return tags


def _balanced(text: str) -> None:
    rest = filled_in(text, "")
    if "{" in rest or "}" in rest or "" in columns_in(text):
        raise refuse(f"expected {{column}}, with one brace on either side, in {quote(text)}")


class ExpectedRows(Section):
    """What must have come of a query, else it has failed."""

    min_rows: SeriesCount = Field(1, description="The least number of lines that it is to give.", examples=[1])


class QueryKeys(Section):
    """One query, and what its columns are."""

    sql: Text | None = Field(None, description="The query.", examples=["SELECT 'users', count(*) FROM users"])
    sql_file: Text | None = Field(
        None, description="A file with the query, seen from the folder of this one.", examples=["orders.sql"]
    )
    database: Text | None = Field(
        None, description="One of `databases`; needed only where there are several.", examples=["shop"]
    )
    metric: Annotated[Text, AfterValidator(_metric)] | None = Field(
        None,
        description="The metric's name; {column} is that column's value as one node.",
        examples=["orders.{status}"],
    )
    value: Text | None = Field(None, description="The column that holds the value.", examples=["n"])
    values: Names = Field(
        [], description="Columns that hold values; their names become the last node.", examples=[["n", "total"]]
    )
    tags: Annotated[dict[str, Text], AfterValidator(_tags)] = Field(
        default={}, description="Tags for the metrics of this query.", examples=[{"shop": "{shop}", "env": "live"}]
    )
    timestamp: Text | None = Field(
        None, description="The column that holds the time: epoch seconds, or a time with a zone.", examples=["day"]
    )
    timeout: SomeTime | None = Field(
        None, description="How long the database may take; by default what --timeout says.", examples=["30s"]
    )
    max_rows: RowCount = Field(
        DEFAULT_MAX_ROWS, description="With more rows than that the query has failed.", examples=[1000]
    )
    max_age: SomeTime = Field(
        f"{DEFAULT_MAX_AGE_S // 86_400}d",
        validate_default=True,
        description="Older timestamps are refused: set it to what Graphite retains.",
        examples=["7d"],
    )
    null: Annotated[NullPolicy, BeforeValidator(word_of(NullPolicy))] = Field(
        NullPolicy.SKIP, description="What a NULL value means: no line, a zero, or a refusal.", examples=["zero"]
    )
    expect: ExpectedRows | None = Field(
        None, description="What must have come of it, else it has failed.", examples=[{"min_rows": 1}]
    )


class QueriesFile(Section):
    """A whole queries.yml."""

    model_config = ConfigDict(json_schema_extra={"patternProperties": {f"^{EXTENSION_PREFIX}": {}}})

    databases: dict[str, Text] = Field(
        default={"main": "S2G_DSN"},
        description="Databases by name, each with the environment variable that holds its URL.",
        examples=[{"shop": "SHOP_DATABASE_URL"}],
        json_schema_extra={
            "additionalProperties": {"type": "string", "pattern": _VARIABLE_PATTERN},
            "minProperties": 1,
        },
    )
    queries: dict[str, QueryKeys] = Field(
        description="The queries by name, in the order in which they run.",
        examples=[{"users": {"sql": "SELECT 'users', count(*) FROM users"}}],
        min_length=1,
    )


def json_schema() -> dict[str, Any]:
    """The JSON Schema of queries.yml, for editors that check while one writes."""
    schema = QueriesFile.model_json_schema(by_alias=True)
    query = schema["$defs"]["QueryKeys"]
    query["oneOf"] = [{"required": ["sql"]}, {"required": ["sql_file"]}]
    schema["properties"]["queries"] |= {"propertyNames": {"pattern": NAME_PATTERN}, "minProperties": 1}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": "queries.yml of sql-to-graphite",
    }
