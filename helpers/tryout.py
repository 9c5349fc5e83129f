"""How an echo server treats its callers, and how long its text is: what a table of servers is made of (notebook 08)."""

import inspect
import io
import socket
import tokenize
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from .costs import Cost, per_connection
from .customers import visits
from .server_process import ServerProcess

_CROWD, _LATER = 30, 3  # customers: to see the longest wait, and to see whether anybody is served beside a silent caller
_PATIENCE = 1.5  # seconds that these have
_WORDLESS = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENCODING, tokenize.ENDMARKER}


class TriedOut(NamedTuple):
    """What was seen of one server."""

    code_lines: int
    memory: float | None
    """Bytes for each further connection; None for a server that holds one at a time."""
    worst_wait: float
    """Seconds from a customer's call to its first answer, or until it gave up: the longest."""
    minds_silence: bool
    """Whether a caller who says nothing keeps others from being served."""

    def row(self) -> dict[str, str]:
        """The same in words, for `pictures.table`."""
        return {
            "lines of code": str(self.code_lines),
            "memory per caller": "one caller only" if self.memory is None else f"{self.memory / 1024:.1f} KiB",
            "worst wait": f"{self.worst_wait * 1000:.0f} ms",
            "a silent caller": "× others wait" if self.minds_silence else "others go on",
        }


def try_out(serve: Callable[[Any], Any], *parts: Callable[..., Any], costs: Sequence[Cost] | None = None) -> TriedOut:
    """Run the echo server ``serve(listener)`` in a process of its own, send customers, then a silent caller, then more customers.

    ``parts`` are the functions that ``serve`` uses, whose lines count too; ``costs`` what ``measure()`` has found for it.

    Blocks for a second or two, and for about ten when the server keeps callers waiting. Raises what ``ServerProcess.start()`` and
    ``visits()`` raise.
    """
    with ServerProcess(serve, name=f"{serve.__name__} tried out") as server:
        crowd = visits(server.address, _CROWD)
        with socket.create_connection(server.address, timeout=_PATIENCE):
            later = visits(server.address, _LATER, patience=_PATIENCE)
    return TriedOut(
        code_lines=code_lines(serve, *parts),
        memory=None if costs is None else per_connection(costs),
        worst_wait=max((visit.left if visit.served is None else visit.served) - visit.called for visit in crowd),
        minds_silence=any(visit.served is None for visit in later),
    )


def code_lines(*functions: Callable[..., Any]) -> int:
    """How many lines of code the functions have, their first lines included: without docstrings, comments and empty lines.

    Raises OSError for a function whose text can't be found.
    """
    return sum(len(_code_lines(inspect.getsource(function))) for function in functions)


def _code_lines(text: str) -> set[int]:
    """The numbers of the lines of `text` on which there is code."""
    lines: set[int] = set()
    begins = True  # whether the next word begins a statement
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type in _WORDLESS:
            begins = begins or token.type == tokenize.NEWLINE
            continue
        if not (begins and token.type == tokenize.STRING):  # a statement that begins with a text is a docstring
            lines.update(range(token.start[0], token.end[0] + 1))
        begins = False
    return lines
