"""Fields of environments, of how flags are used in them, and of the caller."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from allotment.dialects.launchdarkly.schema.fields import (
    LDConstant,
    LDWindow,
    LDWindowed,
    Links,
    Word,
)
from allotment.dialects.wire.model import LEFT_OUT, Model


def _filter(text: str) -> str:
    if text.partition(":")[0] != "query":
        raise ValueError("one of query belongs here")
    return text


class LDEnvironment(LDConstant):
    """An environment. It has no keys for the vendor's evaluation SDKs, which call elsewhere."""

    id: str = Field(alias="_id")
    key: str
    name: str
    apiKey: str = ""
    mobileKey: str = ""
    color: str = "000000"
    defaultTtl: int = 0
    secureMode: bool = False
    defaultTrackEvents: bool = False
    requireComments: bool = False
    confirmChanges: bool = False
    critical: bool = False
    tags: tuple[str, ...] = ()
    links: Links = Field(alias="_links")


class LDEnvironments(LDWindowed):
    """A window of the environments of a project."""

    items: list[LDEnvironment]


class LDEnvironmentQuery(LDWindow):
    """The query of the list of environments."""

    filter: Annotated[
        Annotated[Word, AfterValidator(_filter)] | None, Field(description="`query:TEXT`")
    ] = LEFT_OUT


class LDUse(Model):
    """How a flag is used: active where it is on. Requests are not counted."""

    name: Literal["inactive", "active"]


class LDFlagStatus(LDUse):
    """How a flag is used in one environment."""

    links: Links = Field(alias="_links")


class LDFlagStatuses(Model):
    """How the flags of an environment are used."""

    items: list[LDFlagStatus]
    links: Links = Field(alias="_links")


class LDFlagStatusAcross(Model):
    """How a flag is used in each environment."""

    key: str
    environments: dict[str, LDUse]
    links: Links = Field(alias="_links")


class LDCaller(LDConstant):
    """The caller: a token, and the space that it means."""

    authKind: str = "token"
    tokenKind: str = "service"
    tokenId: str
    tokenName: str
    serviceToken: bool = True
    projectId: str
    projectName: str
    environmentId: str
    environmentName: str
