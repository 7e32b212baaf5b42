"""flagd's flag definitions: targeting in JsonLogic, and variants dealt by `fractional`.

A targeting is a tree of `if`, whose leaves are variants and fractions. It becomes a list of rules,
each for whom the path to its leaf holds; all leaves below a branch come before the next branch, so
that no rule needs to say for whom those before it are.

flagd has hashed in three ways. A file does not say which; the version of what read it does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from allotment.errors import InvalidInput
from allotment.importers.flagd_fractional import fraction
from allotment.importers.flagd_logic import Logic, operation
from allotment.importers.payload import (
    PayloadPart,
    client_default,
    json_text,
    mapping,
    part,
    refuse,
    usable_key,
)
from allotment.importers.rules import Imported, Rule, whole
from allotment.model.flag import CLIENT_DEFAULT, Variation
from allotment.model.segment import AllOf, Condition

_VERSIONS: Final = {
    1: "flagd-1, of flagd and its SDKs until 2025",
    2: "flagd-2, which has no floats",
    3: "flagd-3, which hashes CBOR",
}
_BOOLEAN: Final = frozenset(("==", "===", "!=", "!==", "<", "<=", ">", ">=", "in", "!", "!!"))


class _Flag(PayloadPart, frozen=True):
    state: Literal["ENABLED", "DISABLED"]
    variants: dict[str, Any]
    default_variant: str | bool | None = None
    targeting: dict[str, Any] | None = None
    metadata: dict[str, Any] | None = None
    source: str | None = None
    selector: str | None = None


def read(payload: Any, version: int = 3) -> Imported:
    """What flag definitions become; `version`, 1 to 3, is of the hash that `fractional` had.

    Raises InvalidInput with the path of the first thing that is not as flagd reads it.
    """
    if version not in _VERSIONS:
        raise InvalidInput(f"flagd's hash has the versions 1 to 3, not {version!r}", "version")
    definitions = mapping(payload, "$")
    if "flags" not in definitions:
        raise InvalidInput("flag definitions of flagd have `flags`", "$")
    evaluators = mapping(definitions.get("$evaluators", {}), "$.$evaluators")
    imported = Imported()
    for key, value in mapping(definitions["flags"], "$.flags").items():
        path = f"$.flags.{key}"
        with imported.attempt(path, f"flag {key!r}"):
            flag = part(_Flag, value, path)
            _Reader(imported, usable_key(key, path), flag, evaluators, version).add(path)
    if any(one.current.profile.startswith("flagd-") for one in imported.experiments):
        imported.note("$", f"`fractional` is read as {_VERSIONS[version]}; another moves all units")
    return imported


class _Reader:
    """One flag as it is read."""

    def __init__(
        self,
        imported: Imported,
        key: str,
        flag: _Flag,
        evaluators: Mapping[str, Any],
        version: int,
    ) -> None:
        self.imported = imported
        self.key = key
        self.flag = flag
        self.version = version
        self.logic = Logic(key, evaluators)
        default = flag.default_variant
        self.default = _spelled(default) if default not in (None, "") else CLIENT_DEFAULT
        self.rules: list[Rule] = []

    def add(self, path: str) -> None:
        """Add the flag."""
        flag = self.flag
        if not flag.variants:
            raise InvalidInput("a flag has variants", f"{path}.variants")
        variations = [
            Variation(usable_key(name, f"{path}.variants.{name}"), json_text(value))
            for name, value in flag.variants.items()
        ]
        is_on = flag.state == "ENABLED"
        # What is disabled leaves the value to the client, whatever its default is.
        if self.default == CLIENT_DEFAULT or not is_on:
            variations.append(client_default(flag.variants, f"{path}.variants"))
        if self.default not in (*flag.variants, CLIENT_DEFAULT):
            refuse(f"{path}.defaultVariant", f"there is no variant {self.default!r}")
        if flag.targeting:
            self._read(flag.targeting, (), f"{path}.targeting")
        if not is_on:
            self._add_rule((), self.default)
        elif self.rules and self._is_default(self.rules[-1]):
            self.rules.pop()
        default = self.default if is_on else CLIENT_DEFAULT
        self.imported.segments.extend(self.logic.segments)
        self.imported.add_flag(self.key, variations, default, self.rules, on=is_on)
        self.imported.notes.extend(self.logic.notes)

    def _is_default(self, rule: Rule) -> bool:
        """Whether the rule says no more than the default of the flag does."""
        return rule.audience is None and {slot.owner for slot in rule.slots} == {self.default}

    def _read(self, tree: Any, guard: tuple[Condition, ...], path: str) -> None:
        """Add a rule for each leaf below; they take every unit for which all of `guard` hold."""
        if tree is None:
            self._add_rule(guard, self.default)
        elif isinstance(tree, str | bool):
            self._add_rule(guard, self._variant(tree, path))
        else:
            tree = self.logic.referred(tree, path)
            word, arguments = operation(tree, path)
            here = f"{path}.{word}"
            if word == "if":
                self._read_if(arguments, guard, here)
            elif word == "fractional":
                self._deal(arguments, guard, here)
            elif word in _BOOLEAN:
                condition = self.logic.condition(tree, path)
                self._add_rule((*guard, condition), self._variant(True, path))
                self._add_rule(guard, self._variant(False, path))
            else:
                refuse(here, f"{word!r} gives no variant that is known before a unit is")

    def _read_if(self, arguments: Sequence[Any], guard: tuple[Condition, ...], path: str) -> None:
        for index in range(0, len(arguments) - 1, 2):
            condition = self.logic.condition(arguments[index], f"{path}[{index}]")
            self._read(arguments[index + 1], (*guard, condition), f"{path}[{index + 1}]")
        last = len(arguments) - 1
        self._read(arguments[last] if last % 2 == 0 else None, guard, f"{path}[{last}]")

    def _deal(self, arguments: Sequence[Any], guard: tuple[Condition, ...], path: str) -> None:
        dealt = fraction(self.key, arguments, self.version, path)
        if dealt is None:
            self._add_rule(guard, self.default)
            return
        draw, buckets, owners = dealt
        slots = tuple(
            slot._replace(owner=self.default if name is None else self._variant(name, path))
            for slot, name in owners
        )
        self._append(Rule(self._name(), slots, draw, buckets, audience=_all(guard)))

    def _variant(self, name: str | bool, path: str) -> str:
        key = _spelled(name)
        if key not in self.flag.variants:
            refuse(path, f"there is no variant {key!r}, which flagd answers with an error")
        return key

    def _name(self) -> str:
        return f"{self.key}.{len(self.rules) + 1}"

    def _add_rule(self, guard: tuple[Condition, ...], variation: str) -> None:
        self._append(Rule(self._name(), whole(variation), audience=_all(guard)))

    def _append(self, rule: Rule) -> None:
        if not self.rules or self.rules[-1].audience is not None:
            self.rules.append(rule)


def _spelled(name: str | bool | None) -> str:
    return ("false", "true")[name] if isinstance(name, bool) else str(name)


def _all(guard: tuple[Condition, ...]) -> Condition | None:
    return AllOf(guard) if len(guard) > 1 else next(iter(guard), None)
