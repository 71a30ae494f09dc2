"""The page of documentation: the OpenAPI description and its examples as plain HTML, nothing from elsewhere."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from api.errors import STATUS, UNEXPECTED, anchor
from api.http.docs.examples import Example
from engine.texts import safe_json, visible

Schema = dict[str, Any]


def docs_page(description: dict[str, Any], worked: Sequence[Example], base_url: str) -> str:
    """The page."""
    info = description["info"]
    operations = [
        _operation(method, path, operation, description, [e for e in worked if e.path == path], base_url)
        for path, methods in description["paths"].items()
        for method, operation in methods.items()
    ]
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en"><head><meta charset="utf-8"><title>routelab: HTTP service</title>',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<link rel="icon" href="data:,"><link rel="stylesheet" href="/static/docs.css">',
            '<script src="/static/docs.js" defer></script></head><body>',
            f"<header><h1>{escape(info['title'])} {escape(info['version'])}</h1>",
            f"<p>{escape(info['description'])}</p>",
            '<p>The same for machines: <a href="/openapi.json">openapi.json</a>. The examples use the newest ',
            'snapshot; <a href="/snapshots">/snapshots</a> lists what there is.</p></header><main>',
            *operations,
            _errors(),
            "</main></body></html>",
        ]
    )


def _operation(
    method: str, path: str, operation: Schema, description: dict[str, Any], worked: Iterable[Example], base_url: str
) -> str:
    name = anchor(f"{method} {path}")
    parts = [
        f'<section id="{name}"><h2><span class="method">{method.upper()}</span> <code>{escape(path)}</code></h2>',
        f"<p>{escape(operation['summary'])}. {escape(operation.get('description', ''))}</p>",
    ]
    schemas = description["components"]["schemas"]
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    if body:
        parts += ["<h3>Fields</h3>", _fields(_resolved(body, schemas), schemas, "Default")]
    answer = operation["responses"].get("200", {}).get("content", {}).get("application/json", {}).get("schema")
    # A route that answers one of several things has a table of each.
    for one in () if answer is None else answer.get("anyOf", [answer]):
        shown = _resolved(one, schemas)
        said = f"<p>{escape(shown.get('description', ''))}</p>" if one is not answer else ""
        parts += ["<h3>Answer</h3>", said, _fields(shown, schemas, "")]
    examples = [_example(example, base_url) for example in worked]
    if examples:
        parts += ["<h3>Examples</h3>", *examples]
    elif method == "get" and "{" not in path:
        parts.append(_command(f"curl -s {shlex.quote(visible(base_url) + path)}"))
    return "\n".join([*parts, "</section>"])


def _fields(schema: Schema, schemas: dict[str, Schema], default: str) -> str:
    """A table of fields; the column of defaults has a title in requests, and is left out in answers."""
    rows = "".join(_rows(schema, schemas, "", bool(default), {}))
    titles = "<th>".join(title for title in ("Field", "Type", default, "Meaning") if title)
    return f"<table><thead><tr><th>{titles}</tr></thead><tbody>{rows}</tbody></table>"


def _rows(
    schema: Schema, schemas: dict[str, Schema], prefix: str, defaults: bool, told: dict[str, str]
) -> Iterable[str]:
    """Rows of an object's fields and of those inside them; objects that are told of already are named only."""
    required = set(schema.get("required", ()))
    for name, field in schema.get("properties", {}).items():
        inner = _resolved(field, schemas)
        has_fields = inner is not field and "properties" in inner
        first = told.setdefault(inner["title"], prefix + name) if has_fields else ""
        about = [field.get("description", "")]
        if has_fields and first != prefix + name:
            about.append(f"Fields as in {first}.")
        cells = [f"<code>{escape(prefix + name)}</code>", escape(_type(field, schemas))]
        if defaults:
            default = "as follows" if has_fields else json.dumps(field.get("default"))
            cells.append("required" if name in required else escape(default))
        yield f"<tr><td>{'<td>'.join(cells)}<td>{escape(' '.join(filter(None, about)))}</tr>"
        if has_fields and first == prefix + name:
            yield from _rows(inner, schemas, f"{prefix}{name}.", defaults, told)


def _type(field: Schema, schemas: dict[str, Schema]) -> str:
    if "$ref" in field or "properties" in field:
        return "object"
    if "anyOf" in field:
        return " or ".join(_type(one, schemas) for one in field["anyOf"])
    if "enum" in field:
        return " or ".join(map(json.dumps, field["enum"]))
    if "const" in field:
        return json.dumps(field["const"])
    kind = field.get("format") or field.get("type", "any")
    kind = " or ".join(kind) if isinstance(kind, list) else kind
    if kind == "array" and "items" in field:
        return f"list of {_type(field['items'], schemas)}"
    return f"{kind}{_bounds(field)}"


def _bounds(field: Schema) -> str:
    low, high = field.get("minimum"), field.get("maximum")
    if low is None and high is None:
        return ""
    low, high = (None if one is None else f"{one:,}" if isinstance(one, int) else f"{one:,.12g}" for one in (low, high))
    if low is None or high is None:
        return f" from {low}" if high is None else f" to {high}"
    return f" {low} to {high}"


def _resolved(schema: Schema, schemas: dict[str, Schema]) -> Schema:
    """The object behind a reference, in a list of references, or either beside null."""
    for one in (schema, *schema.get("anyOf", ())):
        reference = one.get("$ref") or one.get("items", {}).get("$ref")
        if reference:
            return schemas[reference.rsplit("/", 1)[1]]
    return schema


def _example(example: Example, base_url: str) -> str:
    body = safe_json(json.dumps(example.body, ensure_ascii=False))
    command = (
        f"curl -s {shlex.quote(visible(base_url) + example.path)} -H 'Content-Type: application/json' \\\n"
        f"  -d {shlex.quote(body)}"
    )
    about = f"<p>{escape(visible(example.about))}</p>" if example.about else ""
    return (
        f'<article id="{anchor(example.name)}"><h4>{escape(visible(example.summary))} '
        f'<span class="status">{example.status}</span></h4>{about}{_command(command)}'
        f'<p><button class="run" data-path="{escape(example.path)}" data-body="{escape(body)}">Run</button></p>'
        '<pre class="answer" hidden></pre></article>'
    )


def _command(text: str) -> str:
    return f'<div class="command"><pre>{escape(text)}</pre><button class="copy">Copy</button></div>'


def _errors() -> str:
    rows = "".join(
        f'<tr id="{anchor(title)}"><td>{status}<td>{escape(title)}<td>{escape(about)}</tr>'
        for status, title, about in sorted(_kinds())
    )
    return (
        '<section id="errors"><h2>Answers that fail</h2><p>All of them are <code>application/problem+json</code>: '
        "type, title, status, detail (what was found and the way out), instance, and problems where there are "
        f"several.</p><table><thead><tr><th>Status<th>Title<th>Meaning</tr></thead><tbody>{rows}</tbody></table></section>"
    )


def _kinds() -> Iterable[tuple[int, str, str]]:
    for kind, (status, title) in STATUS.items():
        # Python may be asked to leave docstrings out.
        yield status, title, (kind.__doc__ or title).strip().splitlines()[0]
    yield *UNEXPECTED, "The service has a fault; the answer's id is in its log."
