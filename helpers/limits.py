"""How many connections this process can hold."""

import os

try:
    import resource
except ImportError:  # Windows, which has no such limit
    resource = None  # type: ignore[assignment]

_WANTED = 10_240  # what macOS allows at most; plenty for every experiment of the course
_NO_LIMIT = 1_000_000  # said where the system names no limit
_RESERVE = 64  # files that the kernel, the notebook and Python may still want to open


def raise_open_files() -> int:
    """Raise this process's limit on open files as far as it may without special rights, at most to 10,240.

    Every socket counts as an open file, and a connection whose two ends live in one process counts twice.
    Systems start low (256 on macOS, 1,024 on Linux). The limit is never lowered, and a system that
    refuses is left as it is.

    Returns: the number of files this process may have open now; 1,000,000 where there is no limit (Windows).

    Source: https://docs.python.org/3/library/resource.html#resource.RLIMIT_NOFILE
    """
    if resource is None:
        return _NO_LIMIT
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return _NO_LIMIT
    wanted = _WANTED if hard == resource.RLIM_INFINITY else min(hard, _WANTED)
    if soft < wanted:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        except (ValueError, OSError):  # macOS may allow less than it says
            return soft
        return wanted
    return soft


def connections_that_fit(per_connection: int = 2) -> int:
    """How many more connections this process can open, after raising its limit on open files.

    ``per_connection`` is how many files one connection costs here: 2 when client and server both live in this
    process (the default), 1 when only one of them does.

    Returns: a number of connections, 0 or more, with a reserve left for everything else.
    Raises: ValueError when ``per_connection`` is less than 1.
    """
    if per_connection < 1:
        raise ValueError(f"per_connection must be 1 or more, not {per_connection!r}")
    limit = raise_open_files()
    return max(0, (limit - _open_files() - _RESERVE) // per_connection)


def _open_files() -> int:
    try:
        return len(os.listdir("/dev/fd")) - 1  # the listing itself is one of them
    except OSError:  # Windows
        return 0
