"""Settings that hold secrets: what may be shown of them is `masked`."""

from __future__ import annotations

import re
from typing import Final

from pydantic_core import CoreSchema
from pydantic_core.core_schema import no_info_after_validator_function, str_schema

_PASSWORD: Final = re.compile(r"(://[^:@/]*):.*@")
_SECRET: Final = re.compile(r"([?&][^=&]*(?:passw|secret|token)[^=&]*=)[^&]*", re.IGNORECASE)


class SecretUrl(str):
    """An address that may hold a password; `masked` is what may be shown of it."""

    __slots__ = ()

    @property
    def masked(self) -> str:
        """The address with `***` for the password."""
        return _SECRET.sub(r"\1***", _PASSWORD.sub(r"\1:***@", self))

    def __repr__(self) -> str:
        return repr(self.masked)

    @classmethod
    def __get_pydantic_core_schema__(cls, *_: object) -> CoreSchema:
        return no_info_after_validator_function(cls, str_schema(min_length=1))


class SecretText(str):
    """A secret, of which nothing is shown."""

    __slots__ = ()

    masked = "***"

    def __repr__(self) -> str:
        return repr(self.masked)

    @classmethod
    def __get_pydantic_core_schema__(cls, *_: object) -> CoreSchema:
        return no_info_after_validator_function(cls, str_schema(min_length=1))
