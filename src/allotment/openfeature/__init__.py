"""OpenFeature in process: a provider that asks an engine, without a network between."""

from allotment.errors import MissingExtra

try:
    import openfeature.provider  # noqa: F401
except ImportError as error:
    raise MissingExtra(
        "the OpenFeature provider needs the extra 'openfeature': "
        "pip install 'allotment[openfeature]'"
    ) from error

from allotment.openfeature.provider import AllotmentProvider

__all__ = ["AllotmentProvider"]
