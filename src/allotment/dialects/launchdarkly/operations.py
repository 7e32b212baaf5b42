"""The operations of LaunchDarkly's API, subject by subject."""

from __future__ import annotations

from typing import Final

from allotment.dialects.launchdarkly import experiment_views as views
from allotment.dialects.launchdarkly import (
    flag_views,
    flags,
    holdout_views,
    holdouts,
    layers,
    metric_groups,
    metrics,
    projects,
)
from allotment.dialects.launchdarkly.experiments import create_experiment
from allotment.dialects.launchdarkly.flag_patch import patch_feature_flag
from allotment.dialects.launchdarkly.ids import by_key
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


def _flag_anywhere(ids: Ids, _catalog: Catalog) -> Noun:
    """The flag of a path, which another environment of the project may have."""
    return Noun("flag", ids["flagKey"])


def _getting(path: str, view: View, find: Find | None = None) -> Getting:
    """A GET whose answer has no ETag."""
    return Getting("GET", path, view, find, tagged=False)


_layer, _flag, _experiment, _holdout = map(by_key, ("layer", "flag", "experiment", "holdout"))

_EXPERIMENTS: Final = f"{ENVIRONMENT}/experiments"
_EXPERIMENT: Final = f"{_EXPERIMENTS}/{{experimentKey}}"
_HOLDOUTS: Final = f"{ENVIRONMENT}/holdouts"
_HOLDOUT: Final = f"{_HOLDOUTS}/{{holdoutKey}}"
_SETTINGS: Final = f"{PROJECT}/{projects.SETTINGS}"
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

_show_settings: Final = projects.get_experimentation_settings
_show_holdout: Final = holdout_views.show_holdout
_by_id: Final = holdout_views.get_holdout_by_id
_show_group: Final = metric_groups.get_metric_group

OPERATIONS: Final[tuple[Operation, ...]] = (
    # Projects.
    _getting(_SETTINGS, _show_settings),
    Changing("PUT", _SETTINGS, projects.put_experimentation_settings, None, _show_settings),
    Listing("GET", f"{PROJECT}/environments", projects.get_environments_by_project),
    _getting(ENVIRONMENT, projects.get_environment),
    _getting(_STATUSES, projects.get_feature_flag_statuses),
    _getting(_STATUS, projects.get_feature_flag_status, _flag),
    _getting(_ACROSS, projects.get_feature_flag_status_across_environments, _flag_anywhere),
    _getting("/caller-identity", projects.get_caller_identity),
    # Layers.
    Changing("POST", _LAYERS, layers.create_layer, None, layers.show_layer, created),
    Listing("GET", _LAYERS, layers.get_layers),
    Changing("PATCH", f"{_LAYERS}/{{layerKey}}", layers.update_layer, _layer, layers.show_layer),
    # Flags.
    Changing("POST", _FLAGS, flags.post_feature_flag, None, flag_views.show_flag, created),
    Listing("GET", _FLAGS, flag_views.get_feature_flags),
    Getting("GET", _FLAG, flag_views.get_feature_flag, _flag),
    Changing("PATCH", _FLAG, patch_feature_flag, _flag, flag_views.show_patched),
    Changing("DELETE", _FLAG, flags.delete_feature_flag, _flag, None),
    # Metrics.
    Changing("POST", _METRICS, metrics.post_metric, None, metrics.get_metric, metrics.kept_noun),
    Listing("GET", _METRICS, metrics.get_metrics),
    _getting(_METRIC, metrics.get_metric, metrics.METRICS.noun),
    Changing("DELETE", _METRIC, metrics.delete_metric, None, None),
    Changing(
        "POST", _GROUPS, metric_groups.create_metric_group, None, _show_group, metrics.kept_noun
    ),
    Listing("GET", _GROUPS, metric_groups.get_metric_groups),
    _getting(_GROUP, _show_group, metric_groups.GROUPS.noun),
    Changing("DELETE", _GROUP, metric_groups.delete_metric_group, None, None),
    # Holdouts.
    Changing("POST", _HOLDOUTS, holdouts.post_holdout, None, _show_holdout, created),
    Listing("GET", _HOLDOUTS, holdout_views.get_all_holdouts),
    Getting("GET", _HOLDOUT, holdout_views.get_holdout, _holdout),
    Getting("GET", f"{_HOLDOUTS}/id/{{holdoutId}}", _by_id, holdouts.find_by_id),
    Changing("PATCH", _HOLDOUT, holdouts.patch_holdout, _holdout, _show_holdout),
    # Experiments.
    Changing("POST", _EXPERIMENTS, create_experiment, None, views.show_changed, created),
    Listing("GET", _EXPERIMENTS, views.get_experiments),
    Listing("GET", f"{PROJECT}/experiments", views.get_experiments_any_env),
    Getting("GET", _EXPERIMENT, views.get_experiment, _experiment),
    Changing("PATCH", _EXPERIMENT, patch_experiment, _experiment, views.show_changed),
    Changing("POST", f"{_EXPERIMENT}/iterations", create_iteration, _experiment, views.show_draft),
)
