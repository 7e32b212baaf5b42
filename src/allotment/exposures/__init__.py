"""Exposures: a record of each treatment that was given, on its way to where it is analysed."""

from allotment.exposures.exposure import COLUMNS, Exposure
from allotment.exposures.exposures import ExposureCounts, Exposures
from allotment.exposures.file_sink import FileSink
from allotment.exposures.sink import CallableSink, Refused, Sink
from allotment.exposures.webhook import WebhookSink, signature

__all__ = [
    "COLUMNS",
    "CallableSink",
    "Exposure",
    "ExposureCounts",
    "Exposures",
    "FileSink",
    "Refused",
    "Sink",
    "WebhookSink",
    "signature",
]
