"""Fields of flags, of their variations, and of patches of flags."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, Field, GetJsonSchemaHandler, TypeAdapter, WithJsonSchema
from pydantic_core import CoreSchema

from allotment.dialects.launchdarkly.codes import INVALID
from allotment.dialects.launchdarkly.schema.fields import (
    ITEMS_MAX,
    SOME,
    Description,
    Id,
    Key,
    LDBody,
    LDConstant,
    LDLink,
    LDPatch,
    LDUpdateDescription,
    LDUpdateName,
    LDWindow,
    LDWindowed,
    Links,
    LongText,
    Moment,
    Name,
    Text,
    Whole,
    Word,
    Words,
)
from allotment.dialects.wire.model import LEFT_OUT, Body, Model, refused
from allotment.model.text import check_name

_VARIATIONS_MAX: Final = 256
_FILTERS: Final = ("query", "state", "tags")
_STATES: Final = ("live", "archived")


def _lacked(_kind: str) -> str:
    raise refused(INVALID, "flags have no prerequisites, targets and rules here")


def _is_nothing(value: Any) -> Any:
    if value not in (None, [], {}):
        raise refused(INVALID, "flags have no prerequisites and no migrations here")
    return value


def _no_rollout(_value: Any) -> Any:
    raise refused(INVALID, "a rollout is an experiment here; serve one variation, by `variationId`")


Json = Annotated[Any, Field(description="Any JSON.")]
Entries = Field(max_length=ITEMS_MAX)
Tags = Annotated[Words, AfterValidator(lambda tags: list(dict.fromkeys(tags)))]
# A name that may be empty.
Label = Annotated[str, AfterValidator(lambda text: check_name(text, ""))]
Nothing = Annotated[
    Any, AfterValidator(_is_nothing), Field(description="Refused unless it is empty.")
]


class LDVariationInput(LDBody):
    """A variation of a new flag."""

    value: Json
    name: Label | None = LEFT_OUT
    description: Description | None = LEFT_OUT


class LDDefaults(LDBody):
    """Which variation, by its position, a flag serves while it is on, and while it is off.

    Of a flag that is there it steers nothing: a new environment of the vendor's would begin so.
    """

    onVariation: Whole
    offVariation: Whole


class LDFlagFields(LDBody):
    """What is stored with a flag and given back as it was sent."""

    temporary: bool | None = LEFT_OUT
    tags: Tags | None = LEFT_OUT
    maintainerId: Text | None = LEFT_OUT
    maintainerTeamKey: Text | None = LEFT_OUT
    purpose: Text | None = LEFT_OUT
    includeInSnippet: bool | None = LEFT_OUT
    clientSideAvailability: Annotated[dict[str, bool], Entries] | None = LEFT_OUT
    customProperties: Annotated[dict[str, Any], Entries] | None = LEFT_OUT
    defaults: LDDefaults | None = LEFT_OUT


class LDFlagPost(LDFlagFields):
    """The body that creates a flag."""

    key: Key
    name: Name
    description: Description | None = LEFT_OUT
    variations: (
        Annotated[list[LDVariationInput], Field(min_length=1, max_length=_VARIATIONS_MAX)] | None
    ) = LEFT_OUT
    isFlagOn: bool | None = LEFT_OUT
    initialPrerequisites: Nothing = LEFT_OUT
    migrationSettings: Nothing = LEFT_OUT


class LDVariation(Model):
    """A variation of a flag."""

    id: Id = Field(alias="_id")
    value: Json
    name: str | None = LEFT_OUT
    description: str | None = LEFT_OUT


class LDFallthrough(Model):
    """What is served where no experiment decides."""

    variation: int


class LDFlagConfig(LDConstant):
    """A flag in one environment."""

    on: bool
    archived: bool
    salt: str
    sel: str = ""
    lastModified: Moment
    version: int
    targets: tuple[Any, ...] = ()
    contextTargets: tuple[Any, ...] = ()
    rules: tuple[Any, ...] = ()
    prerequisites: tuple[Any, ...] = ()
    fallthrough: LDFallthrough
    offVariation: int
    trackEvents: bool = False
    trackEventsFallthrough: bool = False
    environmentName: str = Field(alias="_environmentName")
    site: LDLink = Field(alias="_site")


class LDFlagExperiments(LDConstant):
    """The experiments of a flag, which are not listed here, and the default as their baseline."""

    baselineIdx: int
    items: tuple[Any, ...] = ()


class LDFlag(LDFlagFields, Model):
    """A flag."""

    key: str
    name: str
    description: str
    kind: Literal["boolean", "multivariate"]
    version: int = Field(alias="_version")
    creationDate: Moment
    variations: list[LDVariation]
    temporary: bool
    tags: list[str]
    links: Links = Field(alias="_links")
    experiments: LDFlagExperiments
    customProperties: dict[str, Any]
    archived: bool
    defaults: LDDefaults
    environments: dict[str, LDFlagConfig]


class LDFlags(LDWindowed):
    """A window of the flags of a project."""

    items: list[LDFlag]


def _is_filter(text: str) -> str:
    for part in text.split(","):
        field, _, value = part.partition(":")
        if field not in _FILTERS:
            raise ValueError(f"one of {', '.join(_FILTERS)} belongs here")
        if field == "state" and value not in _STATES:
            raise ValueError(f"one of {', '.join(_STATES)} belongs here")
    return text


class LDEnvironmentsQuery(Body):
    """The environments that an answer shows, with commas between them; all by default."""

    env: Word | None = LEFT_OUT

    def shown(self, usual: Collection[str]) -> Collection[str]:
        """The environments that are asked for, or else the usual ones."""
        return usual if self.env is None else self.env.split(",")


class LDFlagPatchQuery(LDEnvironmentsQuery):
    """The query of a patch of a flag."""

    ignoreConflicts: Annotated[str | None, WithJsonSchema({"type": "boolean"})] = LEFT_OUT


class LDFlagsQuery(LDWindow, LDEnvironmentsQuery):
    """The query of the list of flags."""

    tag: Word | None = LEFT_OUT
    archived: Literal["true", "false"] | None = LEFT_OUT
    summary: str | None = LEFT_OUT
    filter: Annotated[
        Annotated[Word, AfterValidator(_is_filter)] | None,
        Field(description="`query:TEXT`, `tags:ONE+OTHER` or `state:live`, with commas between."),
    ] = LEFT_OUT


# Patches.


class LDMarkFlag(LDBody):
    """Turns the flag on or off in one environment, archives it, or says whether it is to go."""

    kind: Literal[
        "turnFlagOn",
        "turnFlagOff",
        "archiveFlag",
        "restoreFlag",
        "makeFlagTemporary",
        "makeFlagPermanent",
    ]


class LDTagFlag(LDBody):
    """Adds or removes tags."""

    kind: Literal["addTags", "removeTags"]
    values: Tags


class LDServe(LDBody):
    """Serves one variation in one environment, off as on."""

    kind: Literal["updateFallthroughVariationOrRollout", "updateOffVariation"]
    rolloutWeights: Annotated[Any, AfterValidator(_no_rollout), Field(description="Refused.")] = (
        LEFT_OUT
    )
    variationId: Word


class LDAddVariation(LDVariationInput):
    """Adds a variation."""

    kind: Literal["addVariation"]


class LDUpdateVariation(LDBody):
    """Changes what is given of a variation."""

    kind: Literal["updateVariation"]
    variationId: Word
    value: Json = LEFT_OUT
    name: Label | None = LEFT_OUT
    description: Description | None = LEFT_OUT


class LDRemoveVariation(LDBody):
    """Removes a variation."""

    kind: Literal["removeVariation"]
    variationId: Word


class LDLackedOfFlag(LDBody):
    """Refused: flags have no prerequisites, targets and rules here."""

    kind: Annotated[
        Literal[
            "addPrerequisite",
            "updatePrerequisite",
            "removePrerequisite",
            "addTargets",
            "addUserTargets",
            "removeTargets",
            "removeUserTargets",
            "addRule",
            "removeRule",
            "replaceRules",
            "addClauses",
            "updateRuleVariationOrRollout",
        ],
        AfterValidator(_lacked),
    ]


LDFlagStep = (
    LDMarkFlag
    | LDUpdateName
    | LDUpdateDescription
    | LDTagFlag
    | LDServe
    | LDAddVariation
    | LDUpdateVariation
    | LDRemoveVariation
    | LDLackedOfFlag
)


class LDFlagOperation(LDBody):
    """One operation of a JSON patch."""

    op: Literal["add", "replace"]
    path: Word
    value: Json


class LDFlagOperations(LDBody):
    """A JSON patch of a flag, beside a comment."""

    patch: Annotated[list[LDFlagOperation], SOME]
    comment: LongText | None = LEFT_OUT


class LDFlagPatch(LDPatch):
    """The instructions that change a flag."""

    environmentKey: Key | None = LEFT_OUT
    instructions: Annotated[list[Annotated[LDFlagStep, Field(discriminator="kind")]], SOME]

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """The document has the JSON patches too, which are read as instructions."""
        operations = handler(TypeAdapter(LDFlagOperations | list[LDFlagOperation]).core_schema)
        made = handler(schema)
        own = handler.resolve_ref_schema(made)
        instructions = {**own}
        own.clear()
        own["anyOf"] = [instructions, *operations["anyOf"]]
        return made
