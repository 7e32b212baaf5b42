"""Auth0's Experiment Center over HTTP, at the paths of the vendor."""

from __future__ import annotations

from typing import Final

from allotment.change.lifecycle import Policy
from allotment.dialects.auth0.fields import Auth0Error
from allotment.dialects.auth0.operations import OPERATIONS
from allotment.server.api.mount import Api, mount
from allotment.server.api.vendor_errors import JSON_UTF8

API: Final = Api("auth0", Policy.AUTH0, "/api/v2/experimentation", JSON_UTF8, Auth0Error)
router: Final = mount(API, OPERATIONS)
