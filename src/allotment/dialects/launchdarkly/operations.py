"""The operations of LaunchDarkly's API, subject by subject."""

from __future__ import annotations

from typing import Final

from allotment.dialects.launchdarkly import environments as of
from allotment.dialects.launchdarkly import flags, flags_shown, holdouts, layers, settings, views
from allotment.dialects.launchdarkly import metrics_kept as metrics
from allotment.dialects.launchdarkly.experiments import create_experiment
from allotment.dialects.launchdarkly.ids import get_experiment, get_flag, get_layer
from allotment.dialects.launchdarkly.instructions import patch_experiment
from allotment.dialects.launchdarkly.iterations import create_iteration
from allotment.dialects.wire.operation import (
    Changing,
    Find,
    Getting,
    Ids,
    Listing,
    Noun,
    Operation,
    View,
    created,
)
from allotment.model.catalog import Catalog

PROJECT: Final = "/projects/{projectKey}"
ENVIRONMENT: Final = f"{PROJECT}/environments/{{environmentKey}}"


def _layer(ids: Ids, catalog: Catalog) -> Noun:
    return Noun("layer", get_layer(catalog, ids["layerKey"]).key)


def _flag(ids: Ids, catalog: Catalog) -> Noun:
    return Noun("flag", get_flag(catalog, ids["flagKey"]).key)


def _flag_anywhere(ids: Ids, _catalog: Catalog) -> Noun:
    """The flag of a path, which another environment of the project may have."""
    return Noun("flag", ids["flagKey"])


def _getting(path: str, view: View, find: Find | None = None) -> Getting:
    """A GET whose answer has no ETag."""
    return Getting("GET", path, view, find, tagged=False)


def _experiment(ids: Ids, catalog: Catalog) -> Noun:
    return Noun("experiment", get_experiment(catalog, ids["experimentKey"]).key)


_EXPERIMENTS: Final = f"{ENVIRONMENT}/experiments"
_EXPERIMENT: Final = f"{_EXPERIMENTS}/{{experimentKey}}"
_HOLDOUTS: Final = f"{ENVIRONMENT}/holdouts"
_HOLDOUT: Final = f"{_HOLDOUTS}/{{holdoutKey}}"
_SETTINGS: Final = f"{PROJECT}/experimentation-settings"
_LAYERS: Final = f"{PROJECT}/layers"
_STATUSES: Final = "/flag-statuses/{projectKey}/{environmentKey}"
_STATUS: Final = f"{_STATUSES}/{{flagKey}}"
_ACROSS: Final = "/flag-status/{projectKey}/{flagKey}"
_FLAGS: Final = "/flags/{projectKey}"
_FLAG: Final = f"{_FLAGS}/{{flagKey}}"
_METRICS: Final = "/metrics/{projectKey}"
_METRIC: Final = f"{_METRICS}/{{metricKey}}"
_GROUPS: Final = f"{PROJECT}/metric-groups"
_GROUP: Final = f"{_GROUPS}/{{metricGroupKey}}"

_show_settings: Final = settings.get_experimentation_settings
_holdout, _holdout_by_id = holdouts.find_by_key, holdouts.find_by_id
_show_group: Final = metrics.get_metric_group

SETTINGS: Final[tuple[Operation, ...]] = (
    _getting(_SETTINGS, _show_settings),
    Changing("PUT", _SETTINGS, settings.put_experimentation_settings, None, _show_settings),
)
LAYERS: Final[tuple[Operation, ...]] = (
    Changing("POST", _LAYERS, layers.create_layer, None, layers.show_layer, created),
    Listing("GET", _LAYERS, layers.get_layers),
    Changing("PATCH", f"{_LAYERS}/{{layerKey}}", layers.update_layer, _layer, layers.show_layer),
)
ENVIRONMENTS: Final[tuple[Operation, ...]] = (
    Listing("GET", f"{PROJECT}/environments", of.get_environments_by_project),
    _getting(ENVIRONMENT, of.get_environment),
    _getting(_STATUSES, of.get_feature_flag_statuses),
    _getting(_STATUS, of.get_feature_flag_status, _flag),
    _getting(_ACROSS, of.get_feature_flag_status_across_environments, _flag_anywhere),
    _getting("/caller-identity", of.get_caller_identity),
)
FLAGS: Final[tuple[Operation, ...]] = (
    Changing("POST", _FLAGS, flags.post_feature_flag, None, flags_shown.show_flag, created),
    Listing("GET", _FLAGS, flags_shown.get_feature_flags),
    Getting("GET", _FLAG, flags_shown.get_feature_flag, _flag),
    Changing("PATCH", _FLAG, flags.patch_feature_flag, _flag, flags_shown.show_patched),
    Changing("DELETE", _FLAG, flags.delete_feature_flag, _flag, None),
)
METRICS: Final[tuple[Operation, ...]] = (
    Changing("POST", _METRICS, metrics.post_metric, None, metrics.get_metric, metrics.kept_noun),
    Listing("GET", _METRICS, metrics.get_metrics),
    _getting(_METRIC, metrics.get_metric, metrics.find_metric),
    Changing("DELETE", _METRIC, metrics.delete_metric, None, None),
    Changing("POST", _GROUPS, metrics.create_metric_group, None, _show_group, metrics.kept_noun),
    Listing("GET", _GROUPS, metrics.get_metric_groups),
    _getting(_GROUP, _show_group, metrics.find_metric_group),
    Changing("DELETE", _GROUP, metrics.delete_metric_group, None, None),
)
HOLDOUTS: Final[tuple[Operation, ...]] = (
    Changing("POST", _HOLDOUTS, holdouts.post_holdout, None, holdouts.show_holdout, created),
    Listing("GET", _HOLDOUTS, holdouts.get_all_holdouts),
    Getting("GET", _HOLDOUT, holdouts.get_holdout, _holdout),
    Getting("GET", f"{_HOLDOUTS}/id/{{holdoutId}}", holdouts.get_holdout_by_id, _holdout_by_id),
    Changing("PATCH", _HOLDOUT, holdouts.patch_holdout, _holdout, holdouts.show_holdout),
)
EXPERIMENTS: Final[tuple[Operation, ...]] = (
    Changing("POST", _EXPERIMENTS, create_experiment, None, views.show_changed, created),
    Listing("GET", _EXPERIMENTS, views.get_experiments),
    Listing("GET", f"{PROJECT}/experiments", views.get_experiments_any_env),
    Getting("GET", _EXPERIMENT, views.get_experiment, _experiment),
    Changing("PATCH", _EXPERIMENT, patch_experiment, _experiment, views.show_changed),
    Changing("POST", f"{_EXPERIMENT}/iterations", create_iteration, _experiment, views.show_draft),
)

OPERATIONS: Final = (*SETTINGS, *LAYERS, *ENVIRONMENTS, *FLAGS, *METRICS, *HOLDOUTS, *EXPERIMENTS)
