"""Writes docs/reference/api.md from the OpenAPI document: `python docs/api_page.py`."""  # noqa: INP001

from __future__ import annotations

from pathlib import Path
from typing import Any

from graphitepager.web.api import openapi, operations

PAGE = Path(__file__).parent / "reference" / "api.md"

_BEGIN = """# API

What the [status page](../how-to/status-page.md) shows, as JSON, and silences. It is served at the same address. Who may
see the page may ask: WEB_TOKEN as a bearer token, or WEB_USER and WEB_PASSWORD, or any name with WEB_TOKEN as the
password. To change something, an Authorization header has to be sent also where a proxy has let somebody in.

```text
API=https://pager.example.com/api/v1 AUTH="Authorization: Bearer $WEB_TOKEN"

curl -H "$AUTH" "$API/incidents?state=open"

curl -H "$AUTH" "$API/silences" --json '{"matchers": ["alert=MongoDB*"],
  "length": "2h", "comment": "new disks", "author": "ann"}'

curl -H "$AUTH" "$API/silences/7" -X DELETE
```

- `/api/v1/openapi.json` describes all of it as OpenAPI 3.1.
- Times are UTC: `2026-03-01T22:00:00Z`. Names of series stand as they are; what is no text has escapes instead.
- Lists come in pages. `next` is the `cursor` of the next page, null on the last one; a Link header says the same.
- What goes wrong is `application/problem+json`, with `detail` for people, and `faults` where a parameter or a field is
  to blame. An unknown parameter is refused: a slip must not look like an answer.
- Fields may be added to answers. None of them will mean something else before `/api/v2`.
- Any request may be answered by 400 (a parameter or the body cannot be read), 401 (nobody has logged in, or not
  rightly), 429 (too many failed logins) or 503 (the pager's database cannot be read).
- No answer holds a routing key, a URL with a secret, or a password.

This page is made from the same description as the API itself.
"""
_END = """
## For load balancers and badges

| path | login | what it is |
|---|---|---|
| `/healthz` | none | `ok` while the pages are served. It asks nobody. |
| `/readyz` | none | 200 while a pager polls in time; 503 with the reason where none does. |
| `/badge.svg` | as the page | How many incidents are open, and how bad; `?alert=NAME` for one alert. |
| `/feed.atom` | as the page | The newest incidents as an Atom feed. |
| `/metrics` | as the page | [Metrics](metrics.md) for Prometheus. |
"""


def page() -> str:
    """The whole page."""
    document = openapi.document(operations.all, is_guarded=True)
    sections = [
        _section(method.upper(), path, described)
        for path, methods in document["paths"].items()
        for method, described in methods.items()
    ]
    schemas = document["components"]["schemas"]
    shapes = [_shape(name, schema) for name, schema in sorted(schemas.items()) if "properties" in schema]
    return "\n".join([_BEGIN, *sections, "## Objects\n", *shapes]) + _END


def _section(method: str, path: str, described: dict[str, Any]) -> str:
    lines = [f"## {method} {path}\n", described["summary"], ""]
    queries = [one for one in described["parameters"] if one["in"] == "query"]
    if queries:
        lines += ["| parameter | value | meaning |", "|---|---|---|"]
        lines += [f"| `{one['name']}` | {_value(one['schema'])} | {one['description']} |" for one in queries]
        lines.append("")
    if body := described.get("requestBody"):
        lines += [f"The body is a {_kind(body['content']['application/json']['schema'])}.", ""]
    for status, response in described["responses"].items():
        if int(status) in openapi.USUAL_FAULTS:
            continue
        content = response.get("content", {}).get("application/json")
        about = f"{_kind(content['schema'])}." if content else f"{response['description'].removesuffix('.')}."
        lines.append(f"- {status}: {about}")
    return "\n".join(lines) + "\n"


def _shape(name: str, schema: dict[str, Any]) -> str:
    required = set(schema.get("required", ()))
    lines = [f"### {name}\n", " ".join(schema["description"].split()), ""]
    lines += ["| field | value | meaning |", "|---|---|---|"]
    for field, part in schema["properties"].items():
        about = part.get("description", "")
        if field not in required and name == "NewSilence":
            about += " May be left out."
        lines.append(f"| `{field}` | {_kind(part)} | {about.strip()} |")
    return "\n".join(lines) + "\n"


def _value(schema: dict[str, Any]) -> str:
    """What a parameter may be, and what it is where it is left out."""
    bounds = f" from {schema['minimum']} to {schema['maximum']}" if schema.get("maximum", 10**6) < 10**6 else ""
    default = f", by default {schema['default']}" if "default" in schema else ""
    return f"{_kind(schema)}{bounds}{default}"


def _kind(schema: dict[str, Any]) -> str:
    """What stands there, in a few words."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})" if name not in _WORDS else _WORDS[name]
    if "anyOf" in schema:
        return " or ".join(_kind(one) for one in schema["anyOf"])
    if "enum" in schema:
        return ", ".join(f"`{word}`" for word in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_kind(schema['items'])}"
    if schema.get("format") == "date-time":
        return "time"
    return str(schema.get("type", "any"))


_WORDS = {
    name: ", ".join(f"`{word}`" for word in schema["enum"])
    for name, schema in openapi.document(operations.all, is_guarded=True)["components"]["schemas"].items()
    if "enum" in schema
}


if __name__ == "__main__":
    PAGE.write_text(page())
