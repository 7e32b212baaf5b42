"""Every operation the OpenAPI document knows, with an example of each body and parameter."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from allotment.server.console.app import routes

Tree = Any

METHODS = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True)
class Operation:
    """One method of one path; `scope` is what its callers need, "none" where anybody may call."""

    method: str
    path: str
    scope: str
    said: Mapping[str, Any]
    document: Mapping[str, Any]

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    def parameters(self, where: str) -> list[Mapping[str, Any]]:
        """The parameters that stand there: in the "path", the "query" or the "header"."""
        own = [self.resolved(each) for each in self.said.get("parameters", ())]
        return [each for each in own if each["in"] == where]

    @property
    def is_stream(self) -> bool:
        """Whether the answer is a stream of events, which has no end."""
        return "text/event-stream" in self.said["responses"].get("200", {}).get("content", {})

    def url(self, **values: str) -> str:
        """The path with these values, or the examples, in the place of its parameters."""
        names = [each["name"] for each in self.parameters("path")]
        return self.path.format(**{name: values.get(name, example_id(name)) for name in names})

    @property
    def body(self) -> Mapping[str, Any] | None:
        """The schema of its JSON body, if it takes one."""
        content = self.said.get("requestBody", {}).get("content", {})
        schema: Mapping[str, Any] | None = content.get("application/json", {}).get("schema")
        return schema

    @property
    def secret(self) -> str | None:
        """The field of the body that holds the token, where no header does."""
        field: str | None = self.said.get("x-allotment-secret")
        return field

    def example(self) -> Tree:
        """A body that the schema describes, with every field it names."""
        assert self.body is not None
        return self._example(self.body)

    def resolved(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        if "$ref" not in schema:
            return schema
        found: Tree = self.document
        for part in schema["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        return self.resolved(found)

    def _example(self, schema: Mapping[str, Any] | bool, depth: int = 0) -> Tree:
        if isinstance(schema, bool):  # anything will do
            return "an example"
        schema = self.resolved(schema)
        if given := [schema[word] for word in ("const", "example") if word in schema]:
            return given[0]
        if given := [schema[word][0] for word in ("enum", "examples") if word in schema]:
            return given[0]
        if choices := schema.get("anyOf") or schema.get("oneOf"):
            return self._example(choices[0], depth)
        if "allOf" in schema:
            parts = [self._example(each, depth) for each in schema["allOf"]]
            return {name: value for part in parts for name, value in part.items()}
        kind = schema.get("type", "string")
        kind = kind[0] if isinstance(kind, list) else kind
        if kind == "object" or "properties" in schema:
            return self._example_object(schema, depth)
        if kind == "array":
            return [] if depth > 6 else [self._example(schema.get("items", {}), depth + 1)]
        return {"string": "an example", "integer": 1, "number": 1, "boolean": True}.get(kind)

    def _example_object(self, schema: Mapping[str, Any], depth: int) -> Tree:
        if depth > 6:
            return {}
        named = schema.get("properties", {})
        tree = {name: self._example(each, depth + 1) for name, each in named.items()}
        more = schema.get("additionalProperties")
        if isinstance(more, Mapping) and not named:
            tree["example"] = self._example(more, depth + 1)
        return tree


def example_id(name: str) -> str:
    """A value for a path parameter that names nothing there is."""
    known = {
        "unit": "someone",
        "projectKey": "default",
        "environmentKey": "production",
        "project": "default",
        "environment": "production",
    }
    return known.get(name, "nothing")


def answer_of(
    client: httpx.Client, method: str, url: httpx.URL | str, **sent: Any
) -> httpx.Response:
    """What a request is answered; of a stream of events, which has no end, only the head."""
    with client.stream(method, url, **sent) as answer:
        if not answer.headers.get("content-type", "").startswith("text/event-stream"):
            answer.read()
    return answer


def operations(document: Mapping[str, Any]) -> list[Operation]:
    """All of them, in the order of the document."""
    return [
        Operation(method.upper(), path, said["x-allotment-scope"], said, document)
        for path, item in document["paths"].items()
        for method, said in item.items()
        if method in METHODS
    ]


def console_pages() -> list[Operation]:
    """The pages of the console that need a token, which the document does not have."""
    return [
        Operation(method, each.path, str(each.needs), _path_parameters(each.path), {})
        for each in routes("/console")
        if each.needs is not None
        for method in each.methods
    ]


def _path_parameters(path: str) -> Mapping[str, Any]:
    names = re.findall(r"{(\w+)}", path)
    return {"parameters": [{"name": name, "in": "path"} for name in names], "responses": {}}


def leaves(tree: Tree, where: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The place of every value in a tree, and of the tree itself."""
    yield where
    items = (
        tree.items()
        if isinstance(tree, dict)
        else enumerate(tree)
        if isinstance(tree, list)
        else ()
    )
    for name, value in items:
        yield from leaves(value, (*where, name))


def put(tree: Tree, where: tuple[str | int, ...], value: Tree) -> Tree:
    """The tree with another value at one place."""
    if not where:
        return value
    name, *rest = where
    changed = dict(tree) if isinstance(tree, dict) else list(tree)
    changed[name] = put(tree[name], tuple(rest), value)
    return changed
