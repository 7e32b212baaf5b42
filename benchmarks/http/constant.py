"""The answer of the servers that decide nothing: as long as one that was decided."""

from typing import Final

ANSWER: Final = (
    b'{"revision":2,"assignments":{"exp_0":{"treatment":"control","reason":"ALLOCATED",'
    b'"variations":{},"is_control":true,"iteration":1,"revision":2,"to_keep":false}}}'
)
