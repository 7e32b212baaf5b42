"""`/docs`: the OpenAPI document as a page to read, which loads nothing from anywhere."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any, Final

_METHODS: Final = ("get", "put", "post", "patch", "delete")

_STYLE: Final = """
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem }
summary { cursor: pointer; padding: .3rem 0 } code, pre { font: 14px/1.4 ui-monospace, monospace }
pre { background: #8881; overflow: auto; padding: .7rem } h2 { margin-top: 2rem }
details details { margin-left: 1.2rem } small { opacity: .7 } :root { color-scheme: light dark }
"""

# Nothing but the style above may be used: the page holds no script and loads none.
POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"


def page(document: Mapping[str, Any]) -> str:
    """The page."""
    return "\n".join(_lines(document)) + "\n"


def _lines(document: Mapping[str, Any]) -> Iterator[str]:
    info = document["info"]
    title = escape(f"{info['title']} {info['version']}")
    yield f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
    yield f"<style>{_STYLE}</style><h1>{title}</h1><p>{escape(info['description'])}</p>"
    yield '<p>The same for programs: <a href="/openapi.json">/openapi.json</a>.</p>'
    tags: dict[str, list[str]] = {}
    for path, operations in document["paths"].items():
        for method in _METHODS:
            if method in operations:
                said = operations[method]
                tag = (said.get("tags") or ["other"])[0]
                tags.setdefault(tag, []).extend(_operation(method, path, said))
    for tag, lines in tags.items():
        yield f"<h2>{escape(tag)}</h2>"
        yield from lines
    yield "<h2>schemas</h2>"
    for name, schema in sorted(document["components"]["schemas"].items()):
        yield f'<details id="{escape(name)}"><summary><code>{escape(name)}</code></summary>'
        yield f"{_json(schema)}</details>"


def _operation(method: str, path: str, said: Mapping[str, Any]) -> Iterator[str]:
    scope = escape(said.get("x-allotment-scope", "none"))
    head = f"<code><b>{method.upper()}</b> {escape(path)}</code> {escape(said['summary'])}"
    yield f"<details><summary>{head} <small>{scope}</small></summary>"
    if "description" in said:
        yield f"<p>{escape(said['description'])}</p>"
    for part in ("parameters", "requestBody", "responses"):
        if said.get(part):
            yield f"<details><summary>{part}</summary>{_json(said[part])}</details>"
    yield "</details>"


def _json(tree: object) -> str:
    return f"<pre>{escape(json.dumps(tree, indent=2, ensure_ascii=False))}</pre>"
