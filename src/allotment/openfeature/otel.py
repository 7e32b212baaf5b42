"""A hook that tells OpenTelemetry of evaluations, by its semantic conventions."""

from __future__ import annotations

from typing import Final

from openfeature.exception import ErrorCode
from openfeature.flag_evaluation import FlagEvaluationDetails, FlagValueType, Reason
from openfeature.hook import Hook, HookContext, HookHints

from allotment.errors import MissingExtra

try:
    from opentelemetry import trace
except ImportError as error:
    raise MissingExtra(
        "telling OpenTelemetry of evaluations needs the extra 'otel': pip install 'allotment[otel]'"
    ) from error

# The name of the event, and of what it has, as the conventions have them since version 1.37.
EVENT: Final = "feature_flag.evaluation"
_KEY: Final = "feature_flag.key"
_PROVIDER: Final = "feature_flag.provider.name"
_CONTEXT: Final = "feature_flag.context.id"
_VARIANT: Final = "feature_flag.result.variant"
_REASON: Final = "feature_flag.result.reason"
_VERSION: Final = "feature_flag.version"
_ERROR: Final = "error.type"
_MESSAGE: Final = "feature_flag.error.message"


class EvaluationHook(Hook):
    """Adds an event `feature_flag.evaluation` to the current span for each evaluation.

        api.add_hooks([EvaluationHook()])

    A span that is not recorded costs nothing. The value is left out, as it may be large or private;
    the variant says it.
    """

    def finally_after(
        self,
        hook_context: HookContext,
        details: FlagEvaluationDetails[FlagValueType],
        hints: HookHints,  # noqa: ARG002
    ) -> None:
        """Add the event, for an evaluation that failed, too."""
        span = trace.get_current_span()
        if not span.is_recording():
            return
        said: dict[str, str | None] = {
            _KEY: details.flag_key,
            _REASON: str(details.reason or Reason.UNKNOWN).lower(),
            _VARIANT: details.variant,
            _CONTEXT: hook_context.evaluation_context.targeting_key,
        }
        if hook_context.provider_metadata is not None:
            said[_PROVIDER] = hook_context.provider_metadata.name
        if (revision := details.flag_metadata.get("revision")) is not None:
            said[_VERSION] = str(revision)
        if details.reason == Reason.ERROR:
            said[_ERROR] = str(details.error_code or ErrorCode.GENERAL).lower()
            said[_MESSAGE] = details.error_message
        span.add_event(EVENT, {name: text for name, text in said.items() if text})
