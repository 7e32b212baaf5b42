"""Exposures: a record of each treatment that was handed out, in files. Off unless it is set."""

from allotment.server.exposures.exposures import Exposures

__all__ = ["Exposures"]
