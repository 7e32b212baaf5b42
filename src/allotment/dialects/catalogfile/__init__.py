"""The catalog file: a whole catalog as one YAML 1.2 or JSON document, in git and by hand."""

from allotment.dialects.catalogfile.read import read, read_target
from allotment.dialects.catalogfile.show import show

__all__ = ["read", "read_target", "show"]
