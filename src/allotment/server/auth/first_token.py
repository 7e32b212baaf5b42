"""The first token of a store, which a server makes at its first start and says once."""

from __future__ import annotations

import logging
import os
import secrets
import sys
import time
from pathlib import Path
from typing import Final

from allotment import durable
from allotment.errors import StoreError
from allotment.server.auth.access import EVERYWHERE
from allotment.server.auth.new_token import minted
from allotment.store import Scope, Store, lastgood

log: Final = logging.getLogger("allotment.server")


def make_first_token(store: Store, file: Path, last_good: Path) -> None:
    """Make a token for everything if the store has never had one.

    Its text goes to the terminal; without a terminal into `file`, which only its owner may read.
    The store decides which of several servers makes it. Nothing is written to an empty store where
    `last_good` shows that the right one was not. A token that cannot be made keeps no server from
    starting: that is logged.
    """
    secret, now = secrets.token_urlsafe(32), round(time.time() * 1000)
    token, text = minted(
        Scope.ADMIN, EVERYWHERE, "first", secret=secret, now=now, who="the first start"
    )
    terminal = next((each for each in (sys.stderr, sys.stdout) if each.isatty()), None)
    written = file.with_name(f"{file.name}.{token.id}")
    try:
        if store.tokens() or _is_wrong(store, last_good):
            return
        if terminal is None:  # before the store has it: a token whose text is lost is useless
            _write(written, text)
        if not store.add_first_token(token):
            return
        if terminal is None:
            written.replace(file)
    except (OSError, StoreError) as error:
        fields = {"error": str(error)}
        event = "the first token cannot be made; `allotment token create` makes one"
        log.warning(event, extra={"fields": fields})
        return
    finally:
        written.unlink(missing_ok=True)
    shown = str(file) if terminal is None else "terminal"
    log.info("the first token is made", extra={"fields": {**token.about, "shown": shown}})
    if terminal is not None:
        print("The first token may do everything. It is shown this once:\n", file=terminal)
        print(f"    export ALLOTMENT_TOKEN={text}\n", file=terminal, flush=True)


def _is_wrong(store: Store, last_good: Path) -> bool:
    """Whether the store is empty and the last good file is not: a volume is not mounted, say."""
    if not durable.exists(last_good) or any(each.revision for each in store.pulse().heads.values()):
        return False
    return any(each.catalog.revision for each in lastgood.load(last_good).spaces.values())


def _write(file: Path, text: str) -> None:
    number = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(number, "w") as opened:
        opened.write(f"{text}\n")
