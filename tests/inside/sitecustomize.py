"""No route to anywhere but this machine.

Every Python under test starts with this file (its folder is on PYTHONPATH), so that a program which a notebook starts
is fenced in as well. A name that is not this machine's is not known, an address that is not is not reached: what a
laptop says whose cable was pulled.
"""

import sys


def _is_here(host: object) -> bool:
    if host in (None, "", b"", "localhost", b"localhost"):
        return True
    from ipaddress import ip_address

    try:
        address = ip_address(host.decode() if isinstance(host, bytes) else str(host).partition("%")[0])
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def _is_numeric(host: object) -> bool:
    from ipaddress import ip_address

    try:
        return bool(ip_address(host.decode() if isinstance(host, bytes) else str(host)))
    except ValueError:
        return False


def _fence(event: str, arguments: tuple) -> None:
    if event in ("socket.connect", "socket.sendto"):
        address = arguments[1]
        if isinstance(address, tuple) and not _is_here(address[0]):
            import errno

            raise OSError(errno.ENETUNREACH, "Network is unreachable")
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        if not _is_here(arguments[0]) and not _is_numeric(arguments[0]):
            import socket

            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


sys.addaudithook(_fence)
