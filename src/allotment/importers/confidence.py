"""Confidence's resolver state: flags whose rules deal a segment's units by the segment's id.

A rule that gives a unit nothing leaves it to the next. A flag has no default of its own, so where
no rule gives a variant the client's own counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from allotment.errors import InvalidInput
from allotment.importers.confidence_payload import (
    CfAssignment,
    CfAssignmentSpec,
    CfClient,
    CfFlag,
    CfRule,
)
from allotment.importers.confidence_segments import USER, CfSegments, Places
from allotment.importers.payload import (
    array,
    client_default,
    json_text,
    mapping,
    part,
    refuse,
    usable_key,
)
from allotment.importers.rules import Imported, Rule
from allotment.model.flag import CLIENT_DEFAULT, Variation
from allotment.model.profile import Draw
from allotment.model.slots import Range, Ranges, Slot, join, subtract

PROFILE: Final = "confidence-variant-1"

_ACTIVE: Final = 1
_KNOWN: Final = {"flags", "segmentsNoBitsets", "bitsets", "clients"}
_TARGETING_KEY: Final = "targeting_key"


def read(payload: Any) -> Imported:
    """What a state becomes, as `confidence_state.decode` shows it.

    Raises InvalidInput with a path where it is none.
    """
    whole = mapping(payload, "$")
    account = whole.get("account")
    if not isinstance(account, str) or not account or "/" in account:
        raise InvalidInput(f"the state of a client has the id of an account, not {account!r}", "$")
    state = mapping(whole.get("state"), "$.state")
    for key in state:
        if key not in _KNOWN:
            raise InvalidInput(f"{key} of a state is not known, and may decide", f"$.state.{key}")
    imported = Imported()
    segments = _by("name", state, "segmentsNoBitsets")
    named = CfSegments(imported, account, segments, _by("segment", state, "bitsets"))
    clients = [part(CfClient, *place) for place in _places(state, "clients")]
    reader = _Reader(imported, named, segments, clients)
    for given, path in _places(state, "flags"):
        with imported.attempt(path, str(given.get("name", "a flag")).replace("flags/", "flag ")):
            reader.add(part(CfFlag, given, path), path)
    for message in sorted(named.targeting.notes):
        imported.note("$.state.segmentsNoBitsets", message)
    return imported


class _Reader:
    """Reads flags."""

    def __init__(
        self, imported: Imported, segments: CfSegments, known: Places, clients: list[CfClient]
    ) -> None:
        self._imported = imported
        self._segments = segments
        self._known = known
        self._clients = clients

    def add(self, flag: CfFlag, path: str) -> None:
        """Add a flag, with an experiment for each rule."""
        if flag.state != _ACTIVE:
            refuse(f"{path}.state", "it is archived")
        self._check_clients(flag, path)
        variations = {
            each.name: Variation(
                usable_key(each.name.split("/")[-1], f"{path}.variants[{index}].name"),
                json_text(_filled(each.value, flag.schema)),
            )
            for index, each in enumerate(flag.variants)
        }
        key = usable_key(flag.name.removeprefix("flags/"), f"{path}.name")
        by_key = {each.key: each for each in variations.values()}
        default = client_default(by_key, f"{path}.variants")
        owners = {name: each.key for name, each in variations.items()}
        rules = [
            made
            for index, rule in enumerate(flag.rules)
            for made in self._rule(rule, key, owners, f"{path}.rules[{index}]")
        ]
        self._imported.add_flag(key, [default, *variations.values()], CLIENT_DEFAULT, rules)

    def _check_clients(self, flag: CfFlag, path: str) -> None:
        missing = [each.name for each in self._clients if each.name not in flag.clients]
        if len(missing) == len(self._clients):
            refuse(f"{path}.clients", "no client of the file gets it")
        if missing:
            message = f"the clients {', '.join(missing)} do not get it there; here everyone does"
            self._imported.note(f"{path}.clients", message)
        if any(each.managed_context for each in self._clients):
            refuse("$.state.clients", "the service adds to what a client sends, and it may decide")

    def _rule(
        self, rule: CfRule, flag: str, owners: Mapping[str, str], path: str
    ) -> Iterator[Rule]:
        spec = rule.assignment_spec
        if not rule.enabled:
            self._imported.note(path, "it is not enabled, so nothing is made of it")
            return
        if rule.environments:
            refuse(f"{path}.environments", "it is for some environments only")
        if rule.materialization_spec is not None:
            message = "it keeps what units got, or asks for it, and that is not in the file"
            refuse(f"{path}.materializationSpec", message)
        if rule.segment not in self._known or spec is None:
            self._imported.note(
                path, "it has no segment or deals nothing, so nothing is made of it"
            )
            return
        name = f"{flag}.{rule.name.split('/')[-1]}"
        selector = rule.targeting_key_selector or _TARGETING_KEY
        unit = (
            USER
            if selector == _TARGETING_KEY
            else usable_key(selector, f"{path}.targetingKeySelector")
        )
        slots = tuple(self._slots(spec, owners, f"{path}.assignmentSpec"))
        if not slots:
            self._imported.note(path, "it takes no unit, so nothing is made of it")
            return
        yield Rule(
            usable_key(name, f"{path}.name"),
            slots,
            Draw(PROFILE, rule.segment.split("/")[-1]),
            spec.bucket_count,
            segment=self._segments.add(rule.segment, unit),
            unit=unit,
        )

    def _slots(self, spec: CfAssignmentSpec, owners: Mapping[str, str], path: str) -> list[Slot]:
        """Who owns which bucket: the first assignment that has it."""
        if spec.bucket_count <= 0:
            refuse(f"{path}.bucketCount", "the resolver fails without a bucket")
        free: Ranges = (Range(0, spec.bucket_count),)
        slots: list[Slot] = []
        for index, assignment in enumerate(spec.assignments):
            here = f"{path}.assignments[{index}]"
            left = subtract(free, [_ranges(assignment)])
            owner = self._owner(assignment, owners, here)
            if owner is not None:
                slots += [Slot(start, stop, owner) for start, stop in subtract(free, [left])]
            free = left
        return sorted(slots)

    def _owner(self, assignment: CfAssignment, owners: Mapping[str, str], path: str) -> str | None:
        """The variation of an assignment; None where the next rule is asked."""
        if assignment.variant is not None:
            if assignment.variant.variant not in owners:
                refuse(f"{path}.variant", f"there is no variant {assignment.variant.variant!r}")
            return owners[assignment.variant.variant]
        if assignment.client_default is not None:
            return CLIENT_DEFAULT
        if assignment.fallthrough is not None:
            message = "who falls through is recorded there; here they go on, and are not"
            self._imported.note(path, message)
        return None


def _ranges(assignment: CfAssignment) -> Ranges:
    found = [Range(max(each.lower, 0), each.upper) for each in assignment.bucket_ranges]
    return join(each for each in found if each.start < each.stop)


def _filled(value: Any, schema: Mapping[str, Any]) -> Any:
    """The value of a variant; fields of the schema that it lacks are null, whole numbers whole."""
    if isinstance(value, float):
        return int(value) if value.is_integer() else value
    if isinstance(value, list):
        return [_filled(each, {}) for each in value]
    if not isinstance(value, dict):
        return value
    fields = {each.get("key", ""): each.get("value", {}) for each in schema.get("schema", ())}
    below = {key: fields.get(key, {}).get("structSchema", {}) for key in value}
    filled = {key: _filled(each, below[key]) for key, each in value.items()}
    return dict(sorted({**dict.fromkeys(fields), **filled}.items()))


def _places(state: Mapping[str, Any], word: str) -> list[tuple[Mapping[str, Any], str]]:
    given = array(state.get(word, []), f"$.state.{word}")
    paths = [f"$.state.{word}[{index}]" for index in range(len(given))]
    return [(mapping(each, path), path) for each, path in zip(given, paths, strict=True)]


def _by(field: str, state: Mapping[str, Any], word: str) -> Places:
    """The objects of a list, by a field; of two the later counts."""
    return {str(each.get(field, "")): (each, path) for each, path in _places(state, word)}
