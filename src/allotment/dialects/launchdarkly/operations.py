"""The operations of LaunchDarkly's API, subject by subject."""

from __future__ import annotations

from typing import Final

from allotment.dialects.launchdarkly.ids import get_layer
from allotment.dialects.launchdarkly.layers import (
    create_layer,
    get_layers,
    show_layer,
    update_layer,
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

SETTINGS: Final[tuple[Operation, ...]] = (
    Getting("GET", _SETTINGS, get_experimentation_settings, None, tagged=False),
    Changing("PUT", _SETTINGS, put_experimentation_settings, None, get_experimentation_settings),
)
LAYERS: Final[tuple[Operation, ...]] = (
    Changing("POST", _LAYERS, create_layer, None, show_layer, created),
    Listing("GET", _LAYERS, get_layers),
    Changing("PATCH", f"{_LAYERS}/{{layerKey}}", update_layer, _layer, show_layer),
)

OPERATIONS: Final = (*SETTINGS, *LAYERS)
