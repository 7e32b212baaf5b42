"""The schemas of LaunchDarkly's paths in the OpenAPI document."""

from __future__ import annotations

from typing import Any, Final

Schema = dict[str, Any]

SCHEMAS: Final[dict[str, Schema]] = {}
