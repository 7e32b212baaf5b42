"""Statsig's config specs, in the first form that server SDKs download: gates, configs, experiments.

The first rule whose conditions hold is final: where its share misses, the rest of its buckets has
the default. A condition on a bucket is a draw: who is in no such bucket goes on to the next rule.
So the groups of an experiment, which are rules that follow each other, become one experiment here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import msgspec

from allotment.errors import InvalidInput
from allotment.importers.payload import (
    PayloadPart,
    array,
    json_text,
    mapping,
    part,
    refuse,
    usable_key,
)
from allotment.importers.rules import Imported, Rule, whole
from allotment.importers.statsig_conditions import (
    BUCKETS,
    EVERYONE,
    NO_ONE,
    StatsigCondition,
    StatsigReader,
    buckets_of,
    unit_of,
)
from allotment.importers.values import variations_of
from allotment.model.flag import Variation
from allotment.model.profile import Draw
from allotment.model.segment import AllOf, AnyOf, Condition, Not
from allotment.model.slots import Range, Ranges, Slot, intersect, subtract

_SHARES: Final = 10_000
_LISTS: Final = ("feature_gates", "dynamic_configs", "layer_configs")
_GATES: Final = frozenset({"pass_gate", "fail_gate", "multi_pass_gate", "multi_fail_gate"})


class StatsigRule(PayloadPart, frozen=True):
    """A rule; the fields after `config_delegate` decide nothing."""

    conditions: list[StatsigCondition]
    pass_percentage: float
    return_value: Any = None
    id: str = ""
    salt: str | None = None
    id_type: str | None = None
    config_delegate: str | None = None
    name: str | None = None
    group_name: str | None = None
    is_device_based: bool | None = None
    is_experiment_group: bool | None = None
    is_control_group: bool | None = None
    sampling_rate: float | None = None


class StatsigSpec(PayloadPart, frozen=True):
    """A gate, a config or a layer; the fields after `rules` decide nothing."""

    name: str
    salt: str
    enabled: bool
    default_value: Any
    rules: list[StatsigRule]
    type: str | None = None
    entity: str | None = None
    id_type: str | None = None
    is_device_based: bool | None = None
    explicit_parameters: list[str] | None = None
    has_shared_params: bool | None = None
    is_active: bool | None = None
    target_app_ids: list[str] | None = msgspec.field(name="targetAppIDs", default=None)
    version: int | None = None
    forward_all_exposures: bool | None = None
    checksum: str | None = None


def read(payload: Any) -> Imported:
    """What config specs become. Raises InvalidInput with a path where they are none."""
    specs = mapping(payload, "$")
    if not {"feature_gates", "dynamic_configs"} <= specs.keys():
        raise InvalidInput("config specs have feature_gates and dynamic_configs", "$")
    imported = Imported()
    overridden = mapping(specs.get("overrides") or {}, "$.overrides")
    gates = {
        each["name"]: (each, f"$.feature_gates[{index}]")
        for index, each in enumerate(array(specs["feature_gates"], "$.feature_gates"))
        if isinstance(each, dict) and isinstance(each.get("name"), str)
    }
    reader = _Reader(gates)
    for word in _LISTS:
        for index, value in enumerate(array(specs.get(word) or [], f"$.{word}")):
            path = f"$.{word}[{index}]"
            name = value.get("name") if isinstance(value, dict) else None
            if isinstance(name, str) and name.startswith("segment:"):
                continue  # it is a condition of others
            with imported.attempt(path, f"{word.removesuffix('s').replace('_', ' ')} {name}"):
                spec = part(StatsigSpec, value, path)
                if spec.name in overridden:
                    refuse(path, "an override maps it to another one")
                _Spec(spec, path, reader, is_gate=word == "feature_gates").add(imported)
    if reader.fields.converted:
        message = (
            "values are compared as they are: send text where text is compared and numbers where "
            "numbers are; Statsig converts one into the other, and a list into text"
        )
        imported.note("$", message)
    return imported


class _Reader:
    """Reads conditions, of which some ask for gates."""

    def __init__(self, gates: Mapping[str, tuple[Any, str]]) -> None:
        self.gates = gates
        self.fields = StatsigReader()

    def read(self, condition: StatsigCondition, path: str, within: tuple[str, ...]) -> Condition:
        """A condition without a bucket; `within` are the gates that led to it."""
        if condition.kind not in _GATES:
            return self.fields.read(condition, path)
        target = condition.target_value
        named = [target] if condition.kind in {"pass_gate", "fail_gate"} else array(target, path)
        passed = [self._gate(name, path, within) for name in named]
        if "fail" in condition.kind:
            passed = [Not(each) for each in passed]
        return passed[0] if len(passed) == 1 else AnyOf(tuple(passed))

    def _gate(self, name: Any, path: str, within: tuple[str, ...]) -> Condition:
        """Who passes a gate, which deals no shares."""
        if not isinstance(name, str) or name not in self.gates:
            refuse(f"{path}.targetValue", f"there is no gate {name!r}")
        if name in within:
            refuse(f"{path}.targetValue", f"the gate {name!r} leads back to itself")
        value, place = self.gates[name]
        spec = part(StatsigSpec, value, place)
        passing: Condition = NO_ONE
        for index, rule in reversed([*enumerate(spec.rules)] if spec.enabled else []):
            here = f"{place}.rules[{index}]"
            if rule.pass_percentage not in {0, 100}:
                refuse(path, f"it asks for the gate {name!r}, which deals a share")
            holds = self.all_of(rule, here, (*within, name))
            if rule.pass_percentage:
                passing = AnyOf((holds, passing))
            else:
                passing = AllOf((Not(holds), passing))
        return passing

    def all_of(self, rule: StatsigRule, path: str, within: tuple[str, ...]) -> Condition:
        """The conditions of a rule that has none on a bucket."""
        parts = []
        for index, condition in enumerate(rule.conditions):
            here = f"{path}.conditions[{index}]"
            if condition.kind == "user_bucket":
                refuse(here, "a gate that others ask for deals no buckets here")
            parts.append(self.read(condition, here, within))
        return AllOf(tuple(each for each in parts if each != EVERYONE))


class _Spec:
    """One spec on its way to a flag."""

    def __init__(self, spec: StatsigSpec, path: str, reader: _Reader, *, is_gate: bool) -> None:
        self._spec = spec
        self._path = path
        self._reader = reader
        self._is_gate = is_gate
        values = [self._default, *(self._passed(rule) for rule in spec.rules)]
        distinct = {json_text(value): value for value in values}
        made = variations_of([*distinct.values()])
        self._variations: dict[str, Variation] = dict(zip(distinct, made, strict=True))

    @property
    def _default(self) -> Any:
        return False if self._is_gate else self._spec.default_value

    def _passed(self, rule: StatsigRule) -> Any:
        return True if self._is_gate else rule.return_value

    def _variation(self, value: Any) -> str:
        return self._variations[json_text(value)].key

    def add(self, imported: Imported) -> None:
        """Add the flag, with an experiment for each rule, or for several that share a draw."""
        spec = self._spec
        key = usable_key(spec.name, f"{self._path}.name")
        rules: list[Rule] = []
        for index, rule in enumerate(spec.rules):
            made = self._rule(rule, f"{self._path}.rules[{index}]", f"{key}.rule-{index}")
            joined = _joined(rules[-1], made) if rules else None
            rules[-1:] = [joined] if joined else [*rules[-1:], made]
        default = self._variation(self._default)
        dealing = [rule for rule in rules if rule.slots]
        imported.add_flag(key, [*self._variations.values()], default, dealing, on=spec.enabled)

    def _rule(self, rule: StatsigRule, path: str, key: str) -> Rule:
        if rule.config_delegate:
            refuse(f"{path}.configDelegate", "a layer that hands on to experiments is not imported")
        drawn: dict[tuple[str, str], Ranges] = {}
        parts: list[Condition] = []
        for index, condition in enumerate(rule.conditions):
            here = f"{path}.conditions[{index}]"
            if condition.kind == "user_bucket":
                salt, ranges = buckets_of(condition, here)
                before = drawn.get((salt, condition.unit), (Range(0, BUCKETS),))
                drawn[salt, condition.unit] = intersect(before, ranges)
            else:
                parts.append(self._reader.read(condition, here, (self._spec.name,)))
        parts = [each for each in parts if each != EVERYONE]
        audience = AllOf(tuple(parts)) if parts else None
        made = self._dealt(rule, path, key, drawn)
        return replace(made, audience=audience)

    def _dealt(
        self, rule: StatsigRule, path: str, key: str, drawn: Mapping[tuple[str, str], Ranges]
    ) -> Rule:
        passed, default = self._variation(self._passed(rule)), self._variation(self._default)
        share = rule.pass_percentage
        unit = unit_of(rule.id_type)
        if len(drawn) > 1 or (drawn and share not in {0, 100}):
            refuse(path, "it draws more than once, and an experiment draws once")
        for (salt, kind), ranges in drawn.items():
            owner = passed if share else default
            slots = tuple(Slot(start, stop, owner) for start, stop in ranges)
            return Rule(key, slots, Draw("statsig-layer-1", salt), BUCKETS, unit=kind)
        if share in {0, 100}:
            return Rule(key, whole(passed if share else default), unit=unit)
        stop = min(max(math.ceil(share * 100), 0), _SHARES)
        cuts = ((0, stop, passed), (stop, _SHARES, default))
        slots = tuple(Slot(*cut) for cut in cuts if cut[0] < cut[1])
        salt = f"{self._spec.salt}.{rule.id if rule.salt is None else rule.salt}"
        return Rule(key, slots, Draw("statsig-1", salt), _SHARES, unit=unit)


def _joined(before: Rule, after: Rule) -> Rule | None:
    """Two rules as one, where they draw alike for the same units: the first of them counts."""
    alike = (before.draw, before.audience, before.unit) == (after.draw, after.audience, after.unit)
    if not alike or before.draw.profile != "statsig-layer-1":
        return None
    taken = tuple(Range(slot.start, slot.stop) for slot in before.slots)
    own = [
        Slot(start, stop, slot.owner)
        for slot in after.slots
        for start, stop in subtract((Range(slot.start, slot.stop),), [taken])
    ]
    return replace(before, slots=tuple(sorted([*before.slots, *own])))
