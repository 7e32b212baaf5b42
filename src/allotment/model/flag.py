"""A flag: variations, a default, and the experiments that may choose among them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

# The variation, with the value {}, that stands for the default in a client's own code.
CLIENT_DEFAULT: Final = "client-default"


class FlagState(StrEnum):
    """Whether the experiments behind a flag may assign. Archived is final."""

    OFF = "off"
    ON = "on"
    ARCHIVED = "archived"


class Miss(StrEnum):
    """What resolving does when an experiment gives no treatment: go on, or end with the default."""

    NEXT = "next"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class Variation:
    """One value a flag can take. `value` is JSON text (RFC 8259), so that the noun stays frozen."""

    key: str
    value: str
    name: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class FlagExperiment:
    """One place in a flag's ordered list of experiments.

    `otherwise` is the variation that resolving ends with where the experiment gives no treatment,
    beside a miss that stops; an experiment that is not live is passed over then.
    """

    experiment: str
    miss: Miss = Miss.NEXT
    otherwise: str | None = None


@dataclass(frozen=True, slots=True)
class Flag:
    """A flag; `default` names the variation served when no experiment gives a treatment.

    `kept` is what a vendor's API sends and the model has no place for, as (path, JSON text), sorted
    by path; a path begins with the dialect: "auth0/authentication_flow". It decides nothing.
    """

    key: str
    variations: tuple[Variation, ...]
    default: str
    name: str = ""
    description: str = ""
    state: FlagState = FlagState.ON
    experiments: tuple[FlagExperiment, ...] = ()
    kept: tuple[tuple[str, str], ...] = ()
