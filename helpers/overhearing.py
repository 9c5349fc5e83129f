"""What Python says on the side, kept in a list: its warnings, and what asyncio writes into its log."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def overheard() -> Iterator[list[str]]:
    """Keep what would stand in red under a cell: warnings and asyncio's log, from every thread, while the block runs.

        with overheard() as said:
            asyncio.sleep(1)            # no await
        said                            # ["RuntimeWarning: coroutine 'sleep' was never awaited"]

    Gives a list with one entry for each, as it comes: a warning as ``"RuntimeWarning: ..."``, a line of the log as its
    first line, and behind it the exception that came with it, if there is one. Every warning counts, not only the first
    of its place. Afterwards warnings and log go where they went before.

    A block that awaits shares this with everything that runs meanwhile: it hears the others, too.
    """
    said: list[str] = []
    log, ear = logging.getLogger("asyncio"), _Ear(said)
    before = log.propagate
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.showwarning = lambda message, kind, *_, **__: said.append(f"{kind.__name__}: {message}")
        log.addHandler(ear)
        log.propagate = False
        try:
            yield said
        finally:
            log.removeHandler(ear)
            log.propagate = before


class _Ear(logging.Handler):
    """Appends each record to a list."""

    def __init__(self, said: list[str]) -> None:
        super().__init__()
        self._said = said

    def emit(self, record: logging.LogRecord) -> None:
        line = record.getMessage().partition("\n")[0]
        error: Any = record.exc_info[1] if record.exc_info else None
        self._said.append(f"{line}: {type(error).__name__}: {error}" if error is not None else line)
