"""What can be set, and where each value came from: a flag, the environment, a file, the default.

A flag wins over the environment, the environment over the file, the file over the default. A name
that is no setting is refused wherever it stands, with the nearest that is one: a misspelt limit
that silently stays at its default is found on the worst day.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import Field, PrivateAttr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from allotment.errors import InvalidInput
from allotment.server.auth.openid_groups import read_groups
from allotment.server.http.cors import read_origins
from allotment.server.masked import SecretText, SecretUrl
from allotment.server.settingsfile import settings_file
from allotment.server.vendors import read_vendors

PREFIX: Final = "ALLOTMENT_"

# Names of the same prefix that other parts of the house read: the command line and the build.
OF_OTHERS: Final = frozenset({"CONFIG", "SANITIZE", "SERVER", "SPACE", "STORE", "TOKEN"})


@dataclass(frozen=True, slots=True)
class SettingSource:
    """One setting as it stands: its value, with secrets masked, and where the value came from."""

    name: str
    value: str | int | float | bool | None
    origin: str
    meaning: str


class Settings(BaseSettings):
    """The settings of a server. Arguments are flags; one that is None was not given.

    Raises InvalidInput for an unknown name and for a value out of range, naming both the setting
    and where the value came from.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, extra="forbid", frozen=True
    )

    host: str = Field("127.0.0.1", min_length=1, description="The address to listen on.")
    port: int = Field(
        8080, ge=0, le=65535, description="The port to listen on; 0 takes a free one."
    )
    reuse_port: bool = Field(
        False,
        description="Share the port with a server that runs already, so that one can take over"
        " from the other without a gap.",
    )
    insecure_local: bool = Field(
        False,
        description="Let any caller that reaches the port do everything without a token; only for"
        " loopback addresses, and never behind a proxy.",
    )
    database_url: SecretUrl = Field(
        SecretUrl("allotment.db"),
        description="The store: the path of a SQLite file, or postgresql+psycopg://user@host/name.",
    )
    workers: int = Field(1, ge=1, le=64, description="Processes that share the port.")
    last_good: Path | None = Field(
        None,
        description="Where the last good catalogs are kept for a start while the store is away;"
        " by default beside the SQLite file, or allotment.lastgood in the working directory.",
    )
    poll_ms: int = Field(
        50, ge=5, le=60_000, description="How often the store is asked for news, in milliseconds."
    )
    drain_seconds: float = Field(
        3,
        ge=0,
        le=600,
        description="How long a server that stops still takes requests, while /readyz"
        " says 503 and every answer closes its connection.",
    )
    stop_seconds: float = Field(
        30,
        ge=0,
        le=3600,
        description="How long, after that, requests under way may take to finish.",
    )
    header_seconds: float = Field(
        10, ge=1, le=600, description="How long a client may take to send the head of a request."
    )
    body_seconds: float = Field(
        10, ge=1, le=600, description="How long a client may be silent within a request's body."
    )
    keep_alive_seconds: float = Field(
        75,
        ge=1,
        le=3600,
        description="How long an idle connection stays open: longer than the 60 seconds that most"
        " load balancers keep theirs.",
    )
    concurrency: int = Field(
        1024,
        ge=1,
        le=100_000,
        description="Requests under way in one process beyond which more are answered 503.",
    )
    lag_ms: int = Field(
        20,
        ge=1,
        le=10_000,
        description="How late the event loop may run, in milliseconds, before fewer requests than"
        " that are let in.",
    )
    exposures: Literal["off", "ndjson", "parquet", "webhook"] = Field(
        "off",
        description="Whether assignments are logged, as what kind of file, or to a webhook.",
    )
    exposures_dir: Path = Field(Path("exposures"), description="Where those files are written.")
    exposures_url: SecretUrl | None = Field(
        None, validate_default=True, description="The webhook that they are sent to."
    )
    exposures_secret: SecretText | None = Field(
        None, description="The secret that what is sent to the webhook is signed with."
    )
    exposures_queue: int = Field(
        100_000, ge=1, description="Exposures that may wait to be written; more are dropped."
    )
    exposures_rotate_mb: int = Field(
        64, ge=1, description="A new file is begun after this many megabytes,"
    )
    exposures_rotate_seconds: int = Field(3600, ge=1, description="or after this many seconds.")
    launchdarkly_lenient: bool = Field(
        False,
        description="Whether LaunchDarkly's PATCH calls may leave out the parameter"
        " `domain-model=launchdarkly.semanticpatch` of their content type.",
    )
    vendor_profiles: str = Field(
        "",
        description="APIs whose new experiments deal units as their vendor does, so that its SDKs"
        " and this server agree: launchdarkly, confidence:ACCOUNT, with commas between them.",
    )
    fast_path: bool = Field(
        True,
        description="Whether assignments that wait for nothing are answered by the connection"
        " itself; without it every request goes through a task, and answers are the same.",
    )
    cors_origins: str = Field(
        "",
        description="Origins whose pages may call the assignment paths and OFREP from a browser,"
        " such as https://shop.example, with commas between them.",
    )
    docs: bool = Field(
        True, description="Whether /docs and /openapi.json describe the API to anyone who asks."
    )
    console: bool = Field(True, description="Whether there is a console: pages for people.")
    console_path: str = Field(
        "/console",
        pattern=r"^(/[a-z0-9][a-z0-9-]*)+$",
        description="The path under which the console is.",
    )
    openid_issuer: str = Field(
        "",
        pattern=r"^$|^https://.|^http://(localhost|127\.0\.0\.1|\[::1\])[:/]",
        description="The OpenID Connect provider that people sign in to the console with, such as"
        " https://login.example; empty for none.",
    )
    openid_client: str = Field(
        "", validate_default=True, description="The id that the provider knows the console by."
    )
    openid_secret: SecretText | None = Field(None, description="The secret that goes with it.")
    openid_groups: str = Field(
        "",
        validate_default=True,
        description="What the provider's groups may do, as GROUP=SCOPE or GROUP=SCOPE:SPACES with"
        " commas between them; the first that fits counts, and * is everyone.",
    )
    openid_claim: str = Field("groups", description="The claim that lists someone's groups.")
    openid_hours: float = Field(
        12, gt=0, le=720, description="After how many hours people sign in again."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="The least important lines that are logged."
    )
    log_format: Literal["auto", "text", "json"] = Field(
        "auto", description="How log lines look; auto is text on a terminal and JSON elsewhere."
    )
    access_log: bool = Field(False, description="Log a line for every request.")

    @field_validator("cors_origins")
    @classmethod
    def _check_origins(cls, text: str) -> str:
        read_origins(text)
        return text

    @field_validator("openid_client", "openid_groups")
    @classmethod
    def _check_openid(cls, text: str, info: ValidationInfo) -> str:
        if info.field_name == "openid_groups":
            read_groups(text)
        if not text and info.data.get("openid_issuer"):
            raise ValueError("is empty: openid_issuer needs it")
        return text

    @field_validator("vendor_profiles")
    @classmethod
    def _check_vendors(cls, text: str) -> str:
        read_vendors(text)
        return text

    @field_validator("exposures_url")
    @classmethod
    def _check_webhook(cls, url: SecretUrl | None, info: ValidationInfo) -> SecretUrl | None:
        if url is not None and not url.startswith(("http://", "https://")):
            raise ValueError("should begin with https:// or http://")
        if url is None and info.data.get("exposures") == "webhook":
            raise ValueError("is the webhook's address: exposures = webhook needs it")
        return url

    _origins: dict[str, str] = PrivateAttr(default_factory=dict)

    def __init__(self, **flags: Any) -> None:
        given = {name: value for name, value in flags.items() if value is not None}
        origins = _origins(given)
        _refuse_unknown(origins)
        try:
            super().__init__(**given)
        except ValidationError as error:
            raise _refusal(error, origins) from None
        self._origins = origins

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003  # there is no such file here
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Flags before the environment before the file."""
        file = InitSettingsSource(settings_cls, dict(settings_file(os.environ).values))
        return init_settings, env_settings, file

    def reread(self) -> Settings:
        """The settings as the file has them now; flags and the environment stay as they were."""
        flags = {n: getattr(self, n) for n, origin in self._origins.items() if origin[:2] == "--"}
        return Settings(**flags)

    def handed_on(self) -> dict[str, Any]:
        """What another process needs to have the same settings, as plain data."""
        return {"values": self.model_dump(mode="json"), "origins": self._origins}

    @classmethod
    def taken(cls, handed: Mapping[str, Any]) -> Settings:
        """The settings that another process has handed on."""
        settings = cls(**handed["values"])
        settings._origins = dict(handed["origins"])
        return settings

    def sources(self) -> tuple[SettingSource, ...]:
        """Every setting in the order they are declared."""
        return tuple(
            SettingSource(
                name,
                _plain(getattr(self, name)),
                self._origins.get(name, "default"),
                field.description or "",
            )
            for name, field in type(self).model_fields.items()
        )


def _plain(value: Any) -> str | int | float | bool | None:
    if isinstance(value, SecretUrl | SecretText):
        return value.masked
    return value if isinstance(value, str | int | float | None) else str(value)


def _origins(given: Mapping[str, Any]) -> dict[str, str]:
    """Every name that is set, the names that are no settings too, and by what."""
    file = settings_file(os.environ)
    origins = {name: file.place(name) for name in file.values}
    for variable, value in os.environ.items():
        name = variable.upper().removeprefix(PREFIX)
        if name != variable.upper() and name not in OF_OTHERS and value:
            origins[name.lower()] = variable
    origins |= {name: f"--{name.replace('_', '-')}" for name in given}
    return origins


def _refuse_unknown(origins: Mapping[str, str]) -> None:
    known = Settings.model_fields
    for name, origin in origins.items():
        if name in known:
            continue
        near = difflib.get_close_matches(name, known, 1, 0.5)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
        raise InvalidInput(f"{name} ({origin}) is no setting: {hint}")


def _refusal(error: ValidationError, origins: Mapping[str, str]) -> InvalidInput:
    """The first fault in a sentence, without the value, which may be a secret."""
    fault = error.errors(include_url=False, include_input=False)[0]
    name = str(fault["loc"][0])
    what = fault["msg"].removeprefix("Input ")
    return InvalidInput(f"{name} ({origins.get(name, 'default')}) {what}")
