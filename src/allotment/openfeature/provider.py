"""The provider: an engine's flags, as OpenFeature asks for them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

import msgspec
from openfeature.evaluation_context import EvaluationContext
from openfeature.exception import (
    FlagNotFoundError,
    InvalidContextError,
    ProviderNotReadyError,
    TargetingKeyMissingError,
    TypeMismatchError,
)
from openfeature.flag_evaluation import FlagResolutionDetails, FlagValueType
from openfeature.flag_evaluation import Reason as Word
from openfeature.provider import AbstractProvider, Metadata
from openfeature.track import TrackingEventDetails

from allotment.compile import Snapshot
from allotment.compile.experiment import Source
from allotment.engine import Engine
from allotment.engine.engine import Unit
from allotment.engine.evaluation import Still, evaluate, lacks_unit, reason_of, shape_of
from allotment.errors import InvalidInput, did_you_mean
from allotment.exposures import Exposures
from allotment.model.assignment import Assignment, Resolution
from allotment.model.flag import Flag
from allotment.model.limits import UNIT_KEY_BYTES_MAX
from allotment.openfeature.events import Events

_NAME: Final = "allotment"

# The member of a context that names units of several kinds, as OFREP has it here.
_KEYS: Final = "targetingKeys"

Track = Callable[[str, EvaluationContext | None, TrackingEventDetails | None], None]

_Object = Sequence[FlagValueType] | Mapping[str, FlagValueType]
_T = TypeVar("_T")

_decode: Final = msgspec.json.Decoder().decode
_keys: Final = dict[str, str | int]


class AllotmentProvider(AbstractProvider):
    """Answers OpenFeature from an engine, in process.

        api.set_provider(AllotmentProvider(allotment.load("catalog.yaml")))

    The context's targeting key is the unit, its other members are the attributes. An engine that
    follows a server tells of changes and of trouble, and the provider emits OpenFeature's events.
    It never waits, so its async calls are the same.
    """

    def __init__(
        self,
        engine: Engine,
        exposures: Exposures | None = None,
        *,
        on_track: Track | None = None,
    ) -> None:
        """`exposures` record each treatment that a value comes from.

        `on_track` is called with the name, the context and the details of what a client tracks.

        The engine stays the caller's: shutting the provider down does not close it.
        """
        super().__init__()
        self._still = Still(engine)
        self._exposures = exposures
        self._on_track = on_track
        self._events = Events(engine, self)
        # Shapes and metadata of the flags of one snapshot, as far as they were asked for.
        self._known: tuple[Snapshot, dict[str, _Known]] = (engine.snapshot, {})

    def get_metadata(self) -> Metadata:
        """The provider's name."""
        return Metadata(_NAME)

    def initialize(self, evaluation_context: EvaluationContext) -> None:  # noqa: ARG002
        """Begin to tell of changes; raises ProviderNotReadyError where no catalog is there yet."""
        trouble = self._events.begin()
        if trouble:
            raise ProviderNotReadyError(trouble)

    def shutdown(self) -> None:
        """Tell of nothing more."""
        self._events.end()

    def track(
        self,
        tracking_event_name: str,
        evaluation_context: EvaluationContext | None = None,
        tracking_event_details: TrackingEventDetails | None = None,
    ) -> None:
        """Hand what a client tracks to `on_track`."""
        if self._on_track is not None:
            self._on_track(tracking_event_name, evaluation_context, tracking_event_details)

    def resolve_boolean_details(
        self,
        flag_key: str,
        default_value: bool,
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[bool]:
        """The value of a flag whose values are true and false."""
        return self._details(flag_key, default_value, evaluation_context, (bool,))

    def resolve_string_details(
        self, flag_key: str, default_value: str, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[str]:
        """The value of a flag whose values are text."""
        return self._details(flag_key, default_value, evaluation_context, (str,))

    def resolve_integer_details(
        self, flag_key: str, default_value: int, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[int]:
        """The value of a flag whose values are whole numbers."""
        return self._details(flag_key, default_value, evaluation_context, (int,))

    def resolve_float_details(
        self,
        flag_key: str,
        default_value: float,
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[float]:
        """The value of a flag of which one value is written with a point or an exponent."""
        return self._details(flag_key, default_value, evaluation_context, (float,))

    def resolve_object_details(
        self,
        flag_key: str,
        default_value: _Object,
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[_Object]:
        """The value of a flag whose values are objects or lists."""
        return self._details(flag_key, default_value, evaluation_context, (dict, list))

    def _details(
        self,
        key: str,
        default: _T,
        context: EvaluationContext | None,
        types: tuple[type, ...],
    ) -> FlagResolutionDetails[_T]:
        """A flag's value of one of the types; raises what OpenFeature has for each fault."""
        if self._events.late is not None:
            self._events.tell()
        still = self._still.now()
        noun = still.catalog.flags.get(key)
        if noun is None:
            near = did_you_mean(key, still.catalog.flags)
            raise FlagNotFoundError(f"there is no flag {key!r} in the catalog{near}")
        unit, attributes = _asked(context)
        try:
            resolution, given = evaluate(still, key, unit, attributes)
        except InvalidInput as error:
            raise InvalidContextError(str(error)) from error
        known = self._known_of(still.snapshot, noun)
        if known.is_live and lacks_unit(resolution):
            experiments = ", ".join(repr(each.experiment) for each in noun.experiments[:3])
            raise TargetingKeyMissingError(
                f"the context names no unit of the kind that {experiments} randomises: "
                "give it a targeting key"
            )
        text = known.texts[resolution.variation or ""]
        value: Any = default if text is None else _decode(text)
        if text is not None and type(value) not in types:
            raise TypeMismatchError(
                f"the flag {key!r} is {_named(type(value))}, and {_named(types[0])} was asked for"
            )
        if given is not None and self._exposures is not None:
            self._exposures.record(still, given, unit, attributes)
        return FlagResolutionDetails(
            value=value,
            reason=Word(reason_of(noun, resolution)),
            variant=resolution.variation,
            flag_metadata=_metadata(resolution, given, known.revision),
        )

    def _known_of(self, snapshot: Snapshot, flag: Flag) -> _Known:
        of, known = self._known
        if of is not snapshot:
            known = {}
            self._known = (snapshot, known)
        found = known.get(flag.key)
        if found is None:
            found = known[flag.key] = _Known(snapshot, flag)
        return found


class _Known:
    """What is the same in all answers for a flag of one snapshot."""

    __slots__ = ("is_live", "revision", "texts")

    def __init__(self, snapshot: Snapshot, flag: Flag) -> None:
        plans = (snapshot.plans.get(each.experiment) for each in flag.experiments)
        sources = [each.source for each in plans if each is not None]
        found = [each for each in sources if isinstance(each, Source)]
        shape = shape_of(flag)
        self.texts = {each.key: shape(each) for each in flag.variations}
        self.is_live = any(each.live for each in found)
        self.revision = max((each.revision for each in found), default=snapshot.revision)


def _asked(context: EvaluationContext | None) -> tuple[Unit, dict[str, Any]]:
    """The unit and the attributes of a context; an empty unit is none."""
    if context is None:
        return {}, {}
    attributes = dict(context.attributes)
    key, keys = context.targeting_key, attributes.pop(_KEYS, None)
    if keys is not None:
        with contextlib.suppress(msgspec.ValidationError):
            return msgspec.convert(keys, _keys), attributes
        raise InvalidContextError(
            f"{_KEYS} are keys by the kind of unit, each text or a whole number"
        )
    if key is None or key == "":
        return {}, attributes
    if not isinstance(key, str):
        raise InvalidContextError(f"a targeting key is text, not {type(key).__name__}")
    if len(key.encode("utf-8", "surrogatepass")) > UNIT_KEY_BYTES_MAX:
        raise InvalidContextError(
            f"a targeting key has at most {UNIT_KEY_BYTES_MAX:,} bytes of UTF-8"
        )
    return key, attributes


def _metadata(
    resolution: Resolution, given: Assignment | None, revision: int
) -> dict[str, bool | int | float | str]:
    found: dict[str, bool | int | float | str] = {"revision": revision}
    if resolution.reason is not None:
        found["reason"] = str(resolution.reason)
    if given is not None and given.treatment is not None:
        found |= {
            "experiment": given.experiment,
            "treatment": given.treatment,
            "iteration": given.iteration,
            "revision": given.revision,
        }
    return found


def _named(kind: type) -> str:
    names = {bool: "a boolean", str: "a string", int: "an integer", float: "a float"}
    return names.get(kind, "an object")
