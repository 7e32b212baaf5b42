"""JSON patches of flags. The vendor's client for Python sends flags nothing else, so those of its
operations that have an instruction are taken for it."""

from __future__ import annotations

from typing import Final

from allotment.dialects.launchdarkly.codes import invalid
from allotment.dialects.wire.place import Place
from allotment.dialects.wire.source import Tree

_OPERATIONS_MAX: Final = 100
_POINTER_MAX: Final = 1024
_OPS: Final = ("add", "replace")

_VALUED: Final = {"/name": "updateName", "/description": "updateDescription"}
_SWITCHED: Final = {
    "/archived": ("archiveFlag", "restoreFlag"),
    "/temporary": ("makeFlagTemporary", "makeFlagPermanent"),
}
_ON: Final = ("turnFlagOn", "turnFlagOff")
_ENVIRONMENTS: Final = "environments"


def as_semantic(body: Tree) -> Tree:
    """The semantic patch that says what a JSON patch of a flag says.

    A body is the list of operations, or an object that has it as `patch` beside a comment. Raises
    Refusal for an operation that is none, or that no instruction says.
    """
    whole = Place(body)
    operations = whole if isinstance(body, list) else whole.at("patch")
    steps: list[Tree] = []
    environments: set[str] = set()
    for item in operations.items(1, _OPERATIONS_MAX):
        item.at("op").word(_OPS)
        pointer = item.at("path").text(1, _POINTER_MAX)
        match pointer.split("/"):
            case ["", where, environment, "on"] if where == _ENVIRONMENTS:
                environments.add(environment)
                steps.append(_switch(item, _ON))
            case _:
                steps.append(_step(pointer, item))
    if len(environments) > 1:
        raise invalid("a patch is about one environment at a time", operations.path)
    said: dict[str, Tree] = {"instructions": steps}
    if environments:
        said["environmentKey"] = environments.pop()
    if isinstance(body, dict) and "comment" in body:
        said["comment"] = body["comment"]
    return said


def _step(pointer: str, item: Place) -> Tree:
    if pointer in _VALUED:
        return {"kind": _VALUED[pointer], "value": item.at("value").tree()}
    if pointer in _SWITCHED:
        return _switch(item, _SWITCHED[pointer])
    known = ", ".join([*_VALUED, *_SWITCHED, f"/{_ENVIRONMENTS}/KEY/on"])
    raise invalid(f"of a flag, {known} can be patched so", item.at("path").path)


def _switch(item: Place, kinds: tuple[str, str]) -> Tree:
    return {"kind": kinds[0] if item.at("value").truth() else kinds[1]}
