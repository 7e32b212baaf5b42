"""Bodies in either spelling of protocol buffers' JSON: `resolveToken` and `resolve_token`.

Which names a body's fields have is declared once, by its schema in the OpenAPI document. Keys that
a request chooses, of labels, of a context, of a value, are no fields and stay as they are.
"""

from __future__ import annotations

from allotment.dialects.wire.mask import camel
from allotment.dialects.wire.path import step
from allotment.dialects.wire.source import Tree
from allotment.errors import InvalidInput
from allotment.server.confidence.schemas import SCHEMAS, Schema

_REF = "#/components/schemas/"


def respelled(tree: Tree, schema: Schema, path: str = "$") -> Tree:
    """The tree with its fields in lowerCamelCase; raises InvalidInput for one given in both."""
    if "$ref" in schema:
        schema = SCHEMAS[schema["$ref"].removeprefix(_REF)]
    if isinstance(tree, list) and "items" in schema:
        items = enumerate(tree)
        return [respelled(item, schema["items"], f"{path}[{n}]") for n, item in items]
    fields, others = schema.get("properties", {}), schema.get("additionalProperties")
    if not isinstance(tree, dict) or not (fields or isinstance(others, dict)):
        return tree
    found: dict[str, Tree] = {}
    for name, value in tree.items():
        known = camel(name) if name not in fields and camel(name) in fields else name
        here = step(path, known)
        if known in found:
            raise InvalidInput("this field is given in two spellings; keep one", here)
        below = fields.get(known, others)
        found[known] = respelled(value, below, here) if isinstance(below, dict) else value
    return found
