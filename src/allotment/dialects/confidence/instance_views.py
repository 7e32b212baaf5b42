"""Instances as this API shows them, one or a list."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Any, ClassVar, Final

from pydantic import Field

from allotment.dialects.confidence.fields import (
    ConfidenceNothing,
    ConfidenceOrigin,
    ConfidencePage,
    Label,
    pattern,
)
from allotment.dialects.confidence.modules import (
    ConfidenceAbtest,
    ConfidenceFlagModule,
    ConfidenceInstanceFields,
)
from allotment.dialects.confidence.names import (
    NOTES,
    creator_of,
    flag_name,
    instance_name,
    rule_name,
    segment_name,
    selector_of,
    show_origin,
)
from allotment.dialects.confidence.protobuf import Edit, Message
from allotment.dialects.confidence.transitions import (
    ConfidenceCheck,
    ConfidenceEntry,
    InstanceState,
    show_checks,
    show_history,
    shown_locks,
    shown_state,
    shown_transitions,
)
from allotment.dialects.confidence.treatments import show_treatments
from allotment.dialects.wire.listed import flag_of
from allotment.dialects.wire.model import LEFT_OUT, Maybe, Model
from allotment.dialects.wire.operation import Noun, ReadState
from allotment.dialects.wire.source import Tree
from allotment.errors import InvalidInput
from allotment.model.experiment import Experiment

INSTANCES: Final = "workflows/abtest/instances"
ID: Final = "[0-9a-z]{20}"
_FILTER_MAX: Final = 4_096


class ConfidenceInstanceOutput(ConfidenceOrigin):
    """What is output only of an instance."""

    name: Annotated[str, pattern(f"^{INSTANCES}/{ID}$")]
    state: InstanceState
    checks: list[ConfidenceCheck]
    stateHistory: list[ConfidenceEntry]
    possibleTransitions: list[InstanceState]
    lockedDataKeys: list[str]
    transitionStatus: dict[str, Any]
    deleteTime: None


class ConfidenceInstance(ConfidenceInstanceFields, ConfidenceInstanceOutput):
    """An instance."""

    displayName: Label


_OUTPUT_ONLY: Final = (*ConfidenceInstanceOutput.model_fields, "pendingTransition")


class ConfidenceInstanceCreate(ConfidenceInstanceFields):
    """The body that creates an instance."""

    output_only: ClassVar = _OUTPUT_ONLY

    displayName: Label


class ConfidenceInstanceEdit(ConfidenceInstanceFields, Edit):
    """The body that changes an instance."""

    output_only: ClassVar = _OUTPUT_ONLY

    displayName: Maybe[Label] = LEFT_OUT


class ConfidenceClone(Message):
    """The body that makes a draft like an instance."""

    displayName: Maybe[Label] = LEFT_OUT
    parameters: Maybe[ConfidenceNothing] = LEFT_OUT


class ConfidenceInstances(Model):
    """A page of instances."""

    abtests: list[ConfidenceInstance]
    nextPageToken: str


class ConfidenceInstancePage(ConfidencePage):
    """The query of the list of instances."""

    filter: Annotated[
        Annotated[str, Field(max_length=_FILTER_MAX)] | None,
        Field(examples=['state:live AND owner:"users/ada"']),
    ] = LEFT_OUT


def show_audience(experiment: Experiment) -> dict[str, Any]:
    """The module's fields of an experiment."""
    segment = experiment.current.audience
    return {
        "segment": None if segment is None else segment_name(segment),
        "targetingKeySelector": selector_of(experiment.unit),
        "stickyAssignments": experiment.keeps_assignments,
        "ignoreTargetingForSticky": experiment.ignore_targeting,
        "intakePaused": not experiment.intake_open,
    }


# `field:value`; a value with a space or a colon in it stands in quotes.
_TERM: Final = re.compile(r'\s*([A-Za-z.]+):(?:"((?:[^"\\]|\\["\\])*)"|([^\s"():*?~]+))(?=\s|\Z)')
_AND: Final = re.compile(r"\s+AND(?=\s)")


def get_instance(state: ReadState, noun: Noun) -> ConfidenceInstance:
    """An instance: what a request may set of it, and what is output only."""
    experiment, version = state.catalog.experiments[noun.key], state.versions[noun.name]
    key, flag = experiment.key, flag_of(experiment, state.catalog)
    named = None if flag is None else flag_name(flag)
    kept = NOTES.read_fields(experiment, ConfidenceInstanceFields)
    treatments = show_treatments(experiment, state.catalog) or None
    abtest = (kept.abtest or ConfidenceAbtest()).model_copy(
        update={"flag": named, "treatments": treatments}
    )
    flags = kept.flags or ConfidenceFlagModule()
    rule = rule_name(flag, key) if flags.rule is None and flag is not None else flags.rule
    flags = flags.model_copy(update={"flag": named, "rule": rule, **show_audience(experiment)})
    shown = {
        **dict(kept),
        "owner": creator_of(version) if kept.owner is None else kept.owner,
        "abtest": abtest if any(value is not None for _, value in abtest) else None,
        "flags": flags,
    }
    return ConfidenceInstance.model_construct(
        name=instance_name(key),
        state=shown_state(experiment),
        checks=show_checks(experiment, state.catalog),
        stateHistory=show_history(experiment, version.created_at),
        possibleTransitions=shown_transitions(experiment),
        lockedDataKeys=[*shown_locks(experiment)],
        # A transition is made at once, and what is deleted is shown nowhere.
        transitionStatus={},
        deleteTime=None,
        displayName=experiment.name or key,
        **show_origin(version),
        **shown,
    )


def list_instances(query: ConfidenceInstancePage, state: ReadState) -> ConfidenceInstances:
    """A page of instances, of those that a filter of terms finds."""
    terms = read_filter(query.filter or "")

    def is_wanted(one: Experiment) -> bool:
        return all(FILTERED[field](one, state) == value for field, value in terms)

    found = query.page("abtests", state.catalog.experiments, is_wanted)
    instances = [get_instance(state, Noun("experiment", one.key)) for one in found.items]
    return ConfidenceInstances.model_construct(abtests=instances, nextPageToken=found.token or "")


def _flag_name(experiment: Experiment, state: ReadState) -> str:
    flag = flag_of(experiment, state.catalog)
    return "" if flag is None else flag_name(flag)


def _segment_name(experiment: Experiment, _state: ReadState) -> str:
    segment = experiment.current.audience
    return "" if segment is None else segment_name(segment)


def _owner(experiment: Experiment, state: ReadState) -> Tree:
    version = state.versions[f"experiment:{experiment.key}"]
    return NOTES.kept(experiment, "owner") or creator_of(version)


# What a filter may ask about, and how that is shown.
FILTERED: Final[dict[str, Callable[[Experiment, ReadState], Tree]]] = {
    "state": lambda one, _state: shown_state(one),
    "name": lambda one, _state: instance_name(one.key),
    "displayName": lambda one, _state: one.name or one.key,
    "owner": _owner,
    "abtest.flag": _flag_name,
    "flags.flag": _flag_name,
    "flags.segment": _segment_name,
}


def read_filter(text: str) -> list[tuple[str, str]]:
    """The terms of a filter, all of which must hold: `field:value AND field:"some value"`."""
    terms: list[tuple[str, str]] = []
    at = 0
    while text.strip():
        term = _TERM.match(text, at)
        if term is None or term[1] not in FILTERED:
            known = ", ".join(FILTERED)
            message = f"terms like state:live belong here, with AND between them; of {known}"
            raise InvalidInput(message, "query.filter")
        quoted = term[2]
        terms.append((term[1], re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else term[3]))
        more = _AND.match(text, term.end())
        if more is None and not text[term.end() :].strip():
            break
        if more is None:
            raise InvalidInput("AND belongs between two terms", "query.filter")
        at = more.end()
    return terms
