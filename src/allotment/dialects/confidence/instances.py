"""Changes of instances: one experiment of one iteration each, listed by its flag.

Only differences become commands: a document that is sent as it is shown changes nothing, however
much of the experiment this API cannot say.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from allotment.change.commands import (
    Command,
    Create,
    DraftIteration,
    Rename,
    SetAudience,
    SetIntake,
    SetKeeping,
    SetUnit,
)
from allotment.dialects.confidence.dealing import VARIANT, dealt, shares_salt
from allotment.dialects.confidence.instance_views import (
    ConfidenceClone,
    ConfidenceInstanceCreate,
    ConfidenceInstanceEdit,
    show_audience,
)
from allotment.dialects.confidence.modules import (
    ConfidenceAbtest,
    ConfidenceFlagModule,
    ConfidenceInstanceFields,
    ConfidenceModule,
)
from allotment.dialects.confidence.names import (
    NOTES,
    SELECTOR,
    UNIT,
    Values,
    flag_name,
    instance_at,
    read_named,
    rule_name,
)
from allotment.dialects.confidence.transitions import shown_locks, shown_state
from allotment.dialects.confidence.treatments import (
    TREATMENTS,
    Arms,
    read_treatments,
    show_treatments,
    write_treatments,
)
from allotment.dialects.wire.listed import enlist, flag_of, flags_that_list, remove, unlist
from allotment.dialects.wire.operation import Call
from allotment.dialects.wire.source import alike
from allotment.dialects.wire.spelling import slug
from allotment.errors import InvalidChange, InvalidInput
from allotment.model.catalog import Catalog
from allotment.model.experiment import Experiment, Iteration, State
from allotment.model.flag import FlagState
from allotment.model.text import check_key


def create_instance(call: Call[ConfidenceInstanceCreate], catalog: Catalog) -> list[Command]:
    """Create a draft, and list it with its flag after those that are there."""
    body = call.body
    arms = read_treatments((body.abtest and body.abtest.treatments) or (), None, catalog)
    flag = _target(body, arms, None, catalog)
    said = read_audience(body.flags or ConfidenceFlagModule(), arms.iteration, catalog)
    key = slug(body.displayName, catalog.experiments.__contains__, "abtest")
    before, iteration = dealt(call, said.current, body.displayName, catalog)
    # Nothing is kept of an owner that is not given: the creator is shown in its place.
    notes = {**_rest(body, key, flag), "owner": body.owner or None, TREATMENTS: arms.notes}
    named = replace(said, key=key, name=body.displayName, kept=NOTES.on_new(notes))
    experiment = replace(named, iterations=(iteration,), shared_salt=shares_salt(iteration))
    return [*before, Create(experiment), *([enlist(key, flag, catalog)] if flag else [])]


def create_abtest(call: Call[ConfidenceInstanceCreate], catalog: Catalog) -> list[Command]:
    """Create a draft, at the other path that the vendor's pages name."""
    return create_instance(call, catalog)


def clone_instance(call: Call[ConfidenceClone], catalog: Catalog) -> list[Command]:
    """Create a draft like an instance, with a salt of its own.

    What it has from elsewhere it has still, but for a place in a layer: that is another's.
    """
    source = instance_at(catalog, call.ids["instance"])
    name = call.body.displayName or source.name or source.key
    key = slug(name, catalog.experiments.__contains__, "abtest")
    iteration = replace(
        source.current,
        number=1,
        state=State.DRAFT,
        allocations=tuple(replace(one, slots=()) for one in source.current.allocations),
        reshuffle=False,
        justification="",
        winner=None,
        winning_reason="",
        started_at=None,
        ended_at=None,
    )
    before, iteration = dealt(call, iteration, name, catalog)
    mine = tuple(note for note in source.kept if note[0].startswith(f"{NOTES.dialect}/"))
    clone = replace(
        source,
        key=key,
        name=name,
        iterations=(iteration,),
        layer=None,
        shared_salt=shares_salt(iteration),
        archived=False,
        kept=mine,
    )
    flags = flags_that_list(source.key, catalog)
    return [*before, Create(clone), *(enlist(key, flag, catalog) for flag in flags)]


def update_instance(call: Call[ConfidenceInstanceEdit], catalog: Catalog) -> list[Command]:
    """Change what a mask names of an instance, or else what the body gives."""
    return [*_edits(instance_at(catalog, call.ids["instance"]), call.body, catalog)]


def delete_instance(call: Call[None], catalog: Catalog) -> list[Command]:
    """Take an instance from its flag, and delete it."""
    return remove(instance_at(catalog, call.ids["instance"]).key, catalog)


def _edits(
    experiment: Experiment, body: ConfidenceInstanceEdit, catalog: Catalog
) -> Iterator[Command]:
    key, old = experiment.key, flag_of(experiment, catalog)
    if body.displayName is not None:
        yield Rename("experiment", key, body.displayName)
    shown = show_treatments(experiment, catalog)
    wanted = shown
    if "abtest" in body.model_fields_set:
        wanted = (body.abtest or ConfidenceAbtest()).treatments or []
    arms = read_treatments(wanted, experiment, catalog)
    flag = _target(body, arms, old, catalog)
    if wanted != shown:
        yield from write_treatments(arms, experiment)
    if flag != old and old is not None:
        yield unlist(key, old, catalog)
    if flag != old and flag is not None:
        yield enlist(key, flag, catalog)
    if "flags" in body.model_fields_set:
        yield from write_audience(experiment, body.flags or ConfidenceFlagModule(), catalog)
    yield from _edit_rest(experiment, _rest(body, key, old))


def _edit_rest(experiment: Experiment, rest: Values) -> Iterator[Command]:
    locks = shown_locks(experiment)
    for name, value in rest.items():
        if alike(value, NOTES.kept(experiment, name)):
            continue
        if name in locks:
            message = f"this module is locked while the instance is {shown_state(experiment)}"
            raise InvalidChange(message, f"$.{name}")
        yield NOTES.keep("experiment", experiment.key, name, value)


def _target(
    body: ConfidenceInstanceFields, arms: Arms, old: str | None, catalog: Catalog
) -> str | None:
    """The key of the flag that the document is about, where the `old` one is shown so far.

    It stands there twice and, in the names of variants, again: all that is new must agree.
    """
    was = None if old is None else flag_name(old)
    named: dict[str, str] = {}
    for name in ("abtest", "flags"):
        module = getattr(body, name)
        said = (module and module.flag) if name in body.model_fields_set else was
        if said:
            named[f"$.{name}.flag"] = said
    new = {
        read_named("flag", catalog.flags, name, path).key: path
        for path, name in named.items()
        if name != was
    }
    if arms.flag is not None:
        others = [path for key, path in new.items() if key != arms.flag.key]
        new = {arms.flag.key: "$.abtest.treatments"}
    else:
        others = [*new.values()][1:]
    if others:
        raise InvalidInput("this names another flag than the rest of the instance does", others[0])
    flag = next(iter(new), old if named else None)
    if flag is not None and flag != old and catalog.flags[flag].state is FlagState.ARCHIVED:
        raise InvalidChange("an archived flag takes no new instances", new[flag])
    return flag


def _rest(body: ConfidenceInstanceFields, key: str, flag: str | None) -> Values:
    """What is kept of the fields that are set, by name: all that does not steer."""
    said, rest = body.plain(), Values()
    for name in ConfidenceInstanceFields.model_fields:
        if name in body.model_fields_set:
            value = getattr(body, name)
            is_module = isinstance(value, ConfidenceModule)
            rest[name] = (value.rest or None) if is_module else said.get(name)
    module = rest.get("flags")
    # The name of the rule is shown anyway.
    if flag and isinstance(module, dict) and module.get("rule") == rule_name(flag, key):
        rest["flags"] = {n: value for n, value in module.items() if n != "rule"} or None
    return rest


_MODULE: Final = "$.flags"


def read_audience(
    module: ConfidenceFlagModule, iteration: Iteration, catalog: Catalog
) -> Experiment:
    """An experiment of the iteration, which is for whom the module says; it has no key yet.

    What is not set is as good as false or empty.
    """
    unit, audience = _unit(module.targetingKeySelector), None
    if module.segment:
        path = f"{_MODULE}.segment"
        audience = read_named("segment", catalog.segments, module.segment, path).key
    return Experiment(
        "",
        (replace(iteration, audience=audience),),
        unit=unit,
        keeps_assignments=module.stickyAssignments is True,
        ignore_targeting=module.ignoreTargetingForSticky is True,
        intake_open=module.intakePaused is not True,
    )


def write_audience(
    experiment: Experiment, module: ConfidenceFlagModule, catalog: Catalog
) -> Iterator[Command]:
    """The commands that make the audience of an experiment what the module says."""
    key, shown = experiment.key, ConfidenceFlagModule(**show_audience(experiment))
    old, new = (read_audience(each, experiment.current, catalog) for each in (shown, module))
    if new.unit != old.unit:
        yield SetUnit(key, new.unit)
    if new.current.audience != old.current.audience:
        yield from _set_segment(experiment, new.current.audience)
    keeping = new.keeps_assignments, new.ignore_targeting
    if keeping != (old.keeps_assignments, old.ignore_targeting):
        yield SetKeeping(key, *keeping)
    if new.intake_open != old.intake_open:
        yield SetIntake(key, new.intake_open)


def _set_segment(experiment: Experiment, segment: str | None) -> Iterator[Command]:
    """The commands that give it another segment, whose id it may draw by."""
    draft = experiment.draft
    if draft is None or draft.profile != VARIANT:
        yield SetAudience(experiment.key, segment)
        return
    if segment is None:
        message = "its variants are drawn by the id of a segment; name another one"
        raise InvalidInput(message, f"{_MODULE}.segment")
    bare = tuple(replace(one, slots=()) for one in draft.allocations)
    new = replace(draft, audience=segment, salt=segment, allocations=bare, reshuffle=True)
    yield DraftIteration(experiment.key, new)


def _unit(selector: str | None) -> str:
    """The kind of unit that an attribute names: itself, but for the usual one."""
    path = f"{_MODULE}.targetingKeySelector"
    if not selector or selector == SELECTOR:
        return UNIT
    if selector == UNIT:
        raise InvalidInput(f"a unit of the kind {UNIT} is named by {SELECTOR}", path)
    try:
        return check_key(selector, path)
    except InvalidInput:
        message = "the path of an attribute belongs here, such as visitor_id"
        raise InvalidInput(message, path) from None
