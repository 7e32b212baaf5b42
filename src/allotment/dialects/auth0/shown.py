"""An experiment as this API spells it."""

from __future__ import annotations

from typing import Final

from allotment.dialects.auth0.ids import id_of, id_of_nothing
from allotment.dialects.auth0.items import show_items, shown_strategy
from allotment.dialects.auth0.kept import kept
from allotment.dialects.auth0.labels import show_description, shown_name
from allotment.dialects.auth0.ramp import current_level, shown_levels
from allotment.dialects.auth0.transitions import shown_editable_fields, shown_status
from allotment.dialects.auth0.validation import found
from allotment.dialects.wire.source import Tree
from allotment.dialects.wire.version import Version, show_times
from allotment.model.catalog import Catalog
from allotment.model.experiment import Experiment
from allotment.model.instant import show_instant

FLOW: Final = "authentication_flow"

# What an experiment that was made elsewhere shows: it is in every flow.
_EVERY_FLOW: Final = "all"


def show_experiment(experiment: Experiment, catalog: Catalog, version: Version) -> dict[str, Tree]:
    """The experiment with what any generation of this API shows; what is unset is left out."""
    current = experiment.current
    shown: dict[str, Tree] = {
        "id": id_of("experiment", experiment.key),
        "name": shown_name(experiment),
        **show_description(experiment),
        **_show_flag(experiment, catalog),
        "authentication_flow": shown_flow(experiment),
        "allocation_strategy": shown_strategy(experiment),
        "assignment_config": {"subject": experiment.unit},
        "status": shown_status(experiment),
        "is_valid": not found(experiment, catalog),
        "allocations": show_items(experiment, catalog),
        "editable_fields": [*shown_editable_fields(experiment)],
        "feature_flag_snapshot": None,
        "current_level": current_level(experiment),
        **show_times(version),
    }
    levels = shown_levels(experiment)
    if levels:
        shown["levels"] = [*levels]
    moments = (("started_at", current.started_at), ("ended_at", current.ended_at))
    for name, moment in moments:
        if moment is not None:
            shown[name] = show_instant(moment)
    return shown


def shown_flow(experiment: Experiment) -> str:
    """The authentication flow: a word that nothing here acts on."""
    flow = kept(experiment, FLOW)
    return flow if isinstance(flow, str) else _EVERY_FLOW


def flag_of(experiment: Experiment, catalog: Catalog) -> str | None:
    """The key of the flag whose variations the experiment allocates.

    It is what the treatments set; a draft without any is listed by its flag.
    """
    for treatment in experiment.current.treatments:
        for flag, _ in treatment.sets:
            return flag
    return min(catalog.users.get(f"experiment:{experiment.key}", frozenset()), default=None)


def flag_id_of(experiment: Experiment, catalog: Catalog) -> str:
    """The id of that flag, or of nothing."""
    key = flag_of(experiment, catalog)
    return id_of_nothing("flag") if key is None else id_of("flag", key)


def _show_flag(experiment: Experiment, catalog: Catalog) -> dict[str, Tree]:
    flag = catalog.flags.get(flag_of(experiment, catalog) or "")
    named: dict[str, Tree] = {"feature_flag_name": shown_name(flag)} if flag else {}
    return {"feature_flag_id": flag_id_of(experiment, catalog), **named}
