"""The sockets a server listens on."""

from __future__ import annotations

import errno
import ipaddress
import os
import resource
import socket
from contextlib import suppress

from allotment.errors import InvalidInput
from allotment.server.settings import Settings


def listeners(settings: Settings) -> list[socket.socket]:
    """A bound socket for each address of the host; nothing is accepted on them yet.

    Raises InvalidInput for an address that is not this machine's, for a port that is taken, and
    under `insecure_local` for an address that others reach.
    """
    host, port = settings.host, settings.port
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise InvalidInput(f"{host} is no address to listen on: {error.strerror}") from None
    if settings.insecure_local:
        for *_, address in found:
            if not ipaddress.ip_address(str(address[0]).partition("%")[0]).is_loopback:
                raise InvalidInput(
                    f"with insecure_local a server listens on a loopback address only, and {host}"
                    " is none; leave one of the two out"
                )
    opened: list[socket.socket] = []
    for family, *_, address in dict.fromkeys(found):
        try:
            opened.append(_bound(family, (str(address[0]), port), settings.reuse_port))
        except OSError as error:
            for each in opened:
                each.close()
            raise InvalidInput(_why(error, host, port)) from None
        port = port or opened[0].getsockname()[1]  # one free port for all addresses
    return opened


def address_of(listener: socket.socket) -> str:
    """The address of a socket as clients write it: `http://127.0.0.1:8080`."""
    host, port, *_ = listener.getsockname()
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def allow_many_files() -> None:
    """Raise the limit of open files, each connection being one, as far as it may be."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(OSError, ValueError):  # some systems say "unlimited" and mean less
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _bound(family: int, address: tuple[str, int], reuse_port: bool) -> socket.socket:
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if reuse_port:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.bind(address)
    except OSError:
        made.close()
        raise
    return made


def _why(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} of {host} is in use; choose another with --port or ALLOTMENT_PORT"
    return f"port {port} of {host} cannot be listened on: {os.strerror(error.errno or 0)}"
