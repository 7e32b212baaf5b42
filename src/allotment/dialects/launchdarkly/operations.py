"""The operations of LaunchDarkly's API, subject by subject."""

from __future__ import annotations

from typing import Final

from allotment.dialects.launchdarkly.environments_shown import (
    find_flag,
    find_flag_anywhere,
    get_caller_identity,
    get_environment,
    get_environments_by_project,
    get_feature_flag_status,
    get_feature_flag_status_across_environments,
    get_feature_flag_statuses,
)
from allotment.dialects.launchdarkly.flags import (
    delete_feature_flag,
    patch_feature_flag,
    post_feature_flag,
)
from allotment.dialects.launchdarkly.flags_shown import (
    get_feature_flag,
    get_feature_flags,
    show_flag,
    show_patched,
)
from allotment.dialects.launchdarkly.ids import get_layer
from allotment.dialects.launchdarkly.layers import (
    create_layer,
    get_layers,
    show_layer,
    update_layer,
)
from allotment.dialects.launchdarkly.metrics_kept import (
    create_metric_group,
    delete_metric,
    delete_metric_group,
    find_metric,
    find_metric_group,
    get_metric,
    get_metric_group,
    get_metric_groups,
    get_metrics,
    kept_noun,
    post_metric,
)
from allotment.dialects.launchdarkly.settings import (
    get_experimentation_settings,
    put_experimentation_settings,
)
from allotment.dialects.wire.operation import (
    Changing,
    Getting,
    Ids,
    Listing,
    Noun,
    Operation,
    created,
)
from allotment.model.catalog import Catalog

PROJECT: Final = "/projects/{projectKey}"
ENVIRONMENT: Final = f"{PROJECT}/environments/{{environmentKey}}"


def _layer(ids: Ids, catalog: Catalog) -> Noun:
    return Noun("layer", get_layer(catalog, ids["layerKey"]).key)


_SETTINGS: Final = f"{PROJECT}/experimentation-settings"
_LAYERS: Final = f"{PROJECT}/layers"
_STATUSES: Final = "/flag-statuses/{projectKey}/{environmentKey}"
_ACROSS: Final = "/flag-status/{projectKey}/{flagKey}"
_FLAGS: Final = "/flags/{projectKey}"
_FLAG: Final = f"{_FLAGS}/{{flagKey}}"
_METRICS: Final = "/metrics/{projectKey}"
_METRIC: Final = f"{_METRICS}/{{metricKey}}"
_GROUPS: Final = f"{PROJECT}/metric-groups"
_GROUP: Final = f"{_GROUPS}/{{metricGroupKey}}"

SETTINGS: Final[tuple[Operation, ...]] = (
    Getting("GET", _SETTINGS, get_experimentation_settings, None, tagged=False),
    Changing("PUT", _SETTINGS, put_experimentation_settings, None, get_experimentation_settings),
)
LAYERS: Final[tuple[Operation, ...]] = (
    Changing("POST", _LAYERS, create_layer, None, show_layer, created),
    Listing("GET", _LAYERS, get_layers),
    Changing("PATCH", f"{_LAYERS}/{{layerKey}}", update_layer, _layer, show_layer),
)
ENVIRONMENTS: Final[tuple[Operation, ...]] = (
    Listing("GET", f"{PROJECT}/environments", get_environments_by_project),
    Getting("GET", ENVIRONMENT, get_environment, None, tagged=False),
    Getting("GET", _STATUSES, get_feature_flag_statuses, None, tagged=False),
    Getting("GET", f"{_STATUSES}/{{flagKey}}", get_feature_flag_status, find_flag, tagged=False),
    Getting(
        *("GET", _ACROSS, get_feature_flag_status_across_environments, find_flag_anywhere),
        tagged=False,
    ),
    Getting("GET", "/caller-identity", get_caller_identity, None, tagged=False),
)
FLAGS: Final[tuple[Operation, ...]] = (
    Changing("POST", _FLAGS, post_feature_flag, None, show_flag, created),
    Listing("GET", _FLAGS, get_feature_flags),
    Getting("GET", _FLAG, get_feature_flag, find_flag),
    Changing("PATCH", _FLAG, patch_feature_flag, find_flag, show_patched),
    Changing("DELETE", _FLAG, delete_feature_flag, find_flag, None),
)
METRICS: Final[tuple[Operation, ...]] = (
    Changing("POST", _METRICS, post_metric, None, get_metric, kept_noun),
    Listing("GET", _METRICS, get_metrics),
    Getting("GET", _METRIC, get_metric, find_metric, tagged=False),
    Changing("DELETE", _METRIC, delete_metric, None, None),
    Changing("POST", _GROUPS, create_metric_group, None, get_metric_group, kept_noun),
    Listing("GET", _GROUPS, get_metric_groups),
    Getting("GET", _GROUP, get_metric_group, find_metric_group, tagged=False),
    Changing("DELETE", _GROUP, delete_metric_group, None, None),
)

OPERATIONS: Final = (*SETTINGS, *LAYERS, *METRICS, *ENVIRONMENTS, *FLAGS)
