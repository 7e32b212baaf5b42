"""The catalog file: a whole catalog as one YAML 1.2 or JSON document, in git and by hand."""

from allotment.dialects.catalogfile.read import read, read_target, read_tree
from allotment.dialects.catalogfile.show import show
from allotment.dialects.catalogfile.source import parse

__all__ = ["parse", "read", "read_target", "read_tree", "show"]
