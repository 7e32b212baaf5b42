"""flagd's `sem_ver`: it is false for what is no version, also where it asks for another one."""

from __future__ import annotations

from typing import Any, Final

from allotment.importers.payload import refuse
from allotment.matching.semver import precedence
from allotment.model.segment import AllOf, Clause, Condition, Not, Operator

_OPERATORS: Final = {
    "=": Operator.SEMVER_EQUALS,
    "<": Operator.SEMVER_LESS,
    "<=": Operator.SEMVER_AT_MOST,
    ">": Operator.SEMVER_GREATER,
    ">=": Operator.SEMVER_AT_LEAST,
}
_LEAST: Final = "0.0.0-0"


def compared_versions(attribute: tuple[str, ...], word: Any, version: Any, path: str) -> Condition:
    """When the attribute is a version that compares so with `version`."""
    text = _whole(version) if isinstance(version, str) else ""
    if precedence(text) is None:
        refuse(f"{path}[2]", f"{version!r} is no semantic version")
    if word in _OPERATORS:
        return Clause(attribute, _OPERATORS[word], (text,))
    major, minor = map(int, text.split("-")[0].split("+")[0].split(".")[:2])
    match word:
        case "!=":
            other = Not(Clause(attribute, Operator.SEMVER_EQUALS, (text,)))
            return AllOf((Clause(attribute, Operator.SEMVER_AT_LEAST, (_LEAST,)), other))
        case "^":
            return _between(attribute, f"{major}.0.0-0", f"{major + 1}.0.0-0")
        case "~":
            return _between(attribute, f"{major}.{minor}.0-0", f"{major}.{minor + 1}.0-0")
        case _:
            return refuse(f"{path}[1]", f"{word!r} compares no versions")


def _between(attribute: tuple[str, ...], least: str, end: str) -> Condition:
    """From a version on, to before another, with what is before their releases."""
    return AllOf(
        (
            Clause(attribute, Operator.SEMVER_AT_LEAST, (least,)),
            Clause(attribute, Operator.SEMVER_LESS, (end,)),
        )
    )


def _whole(version: str) -> str:
    """The version with three numbers and without a `v` before them."""
    text = version.removeprefix("v") if version.startswith("v") else version.removeprefix("V")
    core = text.split("-")[0].split("+")[0]
    return core + ".0" * (2 - core.count(".")) + text[len(core) :]
