"""Who tried what, and when: a notebook of the attempts that a client makes while it starts (notebook 23)."""

import asyncio
from collections.abc import Awaitable, Callable
from time import perf_counter
from typing import Any, NamedTuple

CONNECTED = "connected"
NO_ANSWER = "no answer"
"""How an attempt ended that somebody gave up."""


class Attempt(NamedTuple):
    """One attempt. Times are in seconds since the first one began."""

    name: str
    began: float
    ended: float
    end: str
    """``CONNECTED``, ``NO_ANSWER``, "refused: 503" with the status of the answer, or the name of an error."""


class Attempts:
    """Wraps a coroutine function that takes the name of a transport, and notes each call: ``made``, oldest first.

    tries = Attempts(start)
    line = await tries("WebSockets")
    pictures.attempts({"all is well": tries.made})

    What the function returns is returned, what it raises is raised.
    """

    def __init__(self, start: Callable[[str], Awaitable[Any]]) -> None:
        self.made: list[Attempt] = []
        self._start = start
        self._first: float | None = None

    async def __call__(self, name: str) -> Any:
        began = perf_counter()
        self._first = began if self._first is None else self._first
        end = CONNECTED
        try:
            return await self._start(name)
        except BaseException as error:
            end = _in_words(error)
            raise
        finally:
            self.made.append(Attempt(name, began - self._first, perf_counter() - self._first, end))


def _in_words(error: BaseException) -> str:
    if (status := getattr(error, "status", None)) is not None:  # an answer of HTTP, in aiohttp's errors
        return f"refused: {status}"
    return NO_ANSWER if isinstance(error, TimeoutError | asyncio.CancelledError) else type(error).__name__
