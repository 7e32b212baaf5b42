"""Lists of nouns: filters that match exactly, and pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from allotment.dialects.auth0.lifecycle import shown_flag_status, shown_status
from allotment.dialects.auth0.schema.experiments import Auth0ExperimentQuery, Auth0Experiments
from allotment.dialects.auth0.schema.fields import Auth0Query
from allotment.dialects.auth0.schema.flags import Auth0FlagQuery, Auth0Flags
from allotment.dialects.auth0.schema.segments import Auth0SegmentQuery, Auth0Segments
from allotment.dialects.auth0.views import (
    flag_id_of,
    get_experiment,
    get_flag,
    get_segment,
    shown_flow,
)
from allotment.dialects.wire.operation import Noun, ReadState
from allotment.dialects.wire.page import page
from allotment.model.experiment import Experiment
from allotment.model.flag import Flag
from allotment.model.keyed import Keyed
from allotment.model.segment import Segment

N = TypeVar("N", Experiment, Flag, Segment)


def list_experiments(query: Auth0ExperimentQuery, state: ReadState) -> Auth0Experiments:
    """A page of experiments; those that are archived only where they are asked for."""

    def is_wanted(experiment: Experiment) -> bool:
        here = shown_status(experiment)
        flow, flag = query.authentication_flow, query.feature_flag_id
        return (
            (here == query.status if query.status else here != "archived")
            and (flow is None or shown_flow(experiment) == flow)
            and (flag is None or flag_id_of(experiment, state.catalog) == flag)
        )

    keys, following = _page("experiments", state.catalog.experiments, is_wanted, query)
    shown = [get_experiment(state, Noun("experiment", key)) for key in keys]
    return Auth0Experiments(experiments=shown, next=following)


def list_flags(query: Auth0FlagQuery, state: ReadState) -> Auth0Flags:
    """A page of feature flags."""

    def is_wanted(flag: Flag) -> bool:
        return query.type != "auth0" and query.status in (None, shown_flag_status(flag))

    keys, following = _page("feature_flags", state.catalog.flags, is_wanted, query)
    shown = [get_flag(state, Noun("flag", key)) for key in keys]
    return Auth0Flags(feature_flags=shown, next=following)


def list_segments(query: Auth0SegmentQuery, state: ReadState) -> Auth0Segments:
    """A page of segments, archived ones among them: there is no other way to find them."""
    is_wanted = query.type != "auth0"
    keys, following = _page("segments", state.catalog.segments, lambda _one: is_wanted, query)
    shown = [get_segment(state, Noun("segment", key)) for key in keys]
    return Auth0Segments(segments=shown, next=following)


def _page(
    name: str, nouns: Keyed[N], is_wanted: Callable[[N], bool], query: Auth0Query
) -> tuple[list[str], str | None]:
    """The keys of a page of nouns, and where there are more, the token of the next page."""
    found = page(name, nouns, is_wanted, query.take, query.after, path="query.from")
    return [one.key for one in found.items], found.token
