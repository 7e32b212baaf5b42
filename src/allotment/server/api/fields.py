"""Fields that several bodies of the native API have."""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field, WithJsonSchema

from allotment.dialects.wire.model import Model
from allotment.errors import InvalidInput
from allotment.model.limits import KEY_BYTES_MAX
from allotment.model.text import check_key
from allotment.server.api.operation import ref

PART: Final = f"[A-Za-z0-9][A-Za-z0-9._-]{{0,{KEY_BYTES_MAX - 1}}}"


def _space(name: str) -> str:
    project, slash, environment = name.partition("/")
    if not slash:
        raise InvalidInput("a space is written PROJECT/ENVIRONMENT", "")
    for part in (project, environment):
        check_key(part, "")
    return name


SpaceName = Annotated[
    str,
    AfterValidator(_space),
    Field(json_schema_extra={"pattern": f"^{PART}/{PART}$"}, description="PROJECT/ENVIRONMENT"),
]
LINEAGE: Final = "^([0-9a-f]{32})?$"
Moment = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
Revision = Annotated[int, Field(ge=0)]

# What has no model: commands and nouns are plain forms of the classes of `change` and `model`.
Command = Annotated[Any, WithJsonSchema(ref("Command"))]
Move = Annotated[Any, WithJsonSchema(ref("Move"))]


class CatalogHead(Model):
    """Which catalog an answer is of."""

    space: str
    revision: Revision
    lineage: Annotated[
        str,
        Field(
            pattern=LINEAGE,
            description="A hash over all changes up to the revision; empty at revision 0.",
        ),
    ]
    fingerprint: Annotated[
        str,
        Field(
            pattern="^[0-9a-f]{32}$",
            description="A hash over everything that decides assignments, and nothing else.",
        ),
    ]
