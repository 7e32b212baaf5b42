"""Names every difference between two OpenAPI documents: operations, parameters, statuses, fields.

    python tests/openapi_changes.py before.json after.json

Saves a document with `curl localhost:8080/openapi.json`. Exits with 1 where there is a difference.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Facts = dict[str, Any]


def facts(document: Any) -> Facts:
    """What a client may rely on, by where it stands."""
    found: Facts = {}
    for path, item in document["paths"].items():
        for method, said in item.items():
            where = f"{method.upper()} {path}"
            found[where] = said.get("x-allotment-scope")
            for parameter in said.get("parameters", ()):
                each = _resolved(document, parameter)
                found[f"{where} {each['in']} {each['name']}"] = each.get("required", False)
            if "requestBody" in said:
                found.update(_body(document, f"{where} body", said["requestBody"]))
            for status, answer in said["responses"].items():
                found.update(_body(document, f"{where} {status}", _resolved(document, answer)))
    return found


def _body(document: Any, where: str, said: Any) -> Facts:
    found: Facts = {where: sorted(said.get("content", {}))}
    for content in said.get("content", {}).values():
        found.update(_fields(document, where, content.get("schema", {}), ()))
    return found


def _fields(document: Any, where: str, schema: Any, above: tuple[str, ...]) -> Iterator[Any]:
    """The fields of objects, with whether each is required; a schema within itself ends there."""
    name = schema.get("$ref", "") if isinstance(schema, dict) else ""
    if name in above and name:
        return
    schema = _resolved(document, schema)
    if not isinstance(schema, dict):
        return
    inside = (*above, name) if name else above
    for field, each in schema.get("properties", {}).items():
        yield f"{where}.{field}", "required" if field in schema.get("required", ()) else "optional"
        yield from _fields(document, f"{where}.{field}", each, inside)
    for form in ("anyOf", "oneOf", "allOf"):
        for each in schema.get(form, ()):
            yield from _fields(document, where, each, inside)
    for inner in ("items", "additionalProperties"):
        if isinstance(schema.get(inner), dict):
            yield from _fields(document, f"{where}[]", schema[inner], inside)


def _resolved(document: Any, said: Any) -> Any:
    while isinstance(said, dict) and "$ref" in said:
        found = document
        for step in said["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        said = found
    return said


def differences(before: Any, after: Any) -> list[str]:
    """Every fact of one document that the other does not have, or has otherwise."""
    old, new = facts(before), facts(after)
    return [
        f"{where}: {old.get(where, 'not there')} -> {new.get(where, 'not there')}"
        for where in sorted({*old, *new})
        if old.get(where, "not there") != new.get(where, "not there")
    ]


if __name__ == "__main__":
    documents = [json.loads(Path(name).read_text()) for name in sys.argv[1:3]]
    found = differences(*documents)
    print("\n".join(found) or "no difference")
    sys.exit(bool(found))
