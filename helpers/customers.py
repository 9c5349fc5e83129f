"""Many customers of an echo server at once: each dials, talks a little, and hangs up; and who was served when.

The customers live in a process of their own, which runs this file, so that they take no time from the server or the notebook.
"""

import asyncio
import json
import subprocess
import sys
from time import perf_counter
from typing import Literal, NamedTuple

_EXTRA = 10.0  # seconds beyond their patience that the customers' process has, to start and to end


class Visit(NamedTuple):
    """What became of one customer. Times are in seconds since the first customer dialled."""

    number: int
    """The place in the order of dialling, from 1."""
    called: float
    served: float | None
    """When the first word came back; None: never."""
    left: float
    heard: int
    """How many words came back."""
    end: Literal["goodbye", "gave up", "cut off"]
    """Had heard everything and hung up; waited too long; or the server's end of the line was gone."""


def visits(
    address: tuple[str, int], count: int = 50, *, words: int = 2, think: float = 0.02, patience: float = 4.0
) -> list[Visit]:
    """Send ``count`` customers to the echo server at ``address``, all at once, and say what became of each, in the order of dialling.

    A customer says a word, waits until it has come back, thinks for ``think`` seconds, says the next, up to ``words`` of them, and
    hangs up. Whoever is still there ``patience`` seconds after the first call gives up.

    Waits for them, at most ``patience`` and ten seconds: TimeoutError. ValueError for a count or a number of words below 1;
    subprocess.CalledProcessError when the process in which they live failed.
    """
    if count < 1 or words < 1:
        raise ValueError(f"at least one customer says at least one word, not {count!r} and {words!r}")
    wanted = json.dumps([*address[:2], count, words, think, patience])
    try:
        done = subprocess.run(
            [sys.executable, __file__, wanted],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True, timeout=patience + _EXTRA,
        )
    except subprocess.TimeoutExpired:
        raise TimeoutError(f"the customers have not come back within {patience + _EXTRA:g} s") from None
    return [Visit(*visit) for visit in json.loads(done.stdout)]


# In the customers' process


class _Customer:
    """One of them, and what it has noted so far."""

    def __init__(self, number: int, called: float, line: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None) -> None:
        self.number, self.called, self.line = number, called, line
        self.heard: list[float] = []  # when each word came back
        self.end = "cut off"

    async def talk(self, words: int, think: float, begin: float, deadline: float) -> "_Customer":
        """Say all words, and hang up. `begin` is on perf_counter's clock, `deadline` on that of the loop."""
        if self.line is not None:
            reader, writer = self.line
            try:
                async with asyncio.timeout_at(deadline):
                    for number in range(words):
                        if number:
                            await asyncio.sleep(think)
                        writer.write(b"hello")
                        await reader.readexactly(5)
                        self.heard.append(perf_counter() - begin)
                self.end = "goodbye"
            except TimeoutError:
                self.end = "gave up"
            except (OSError, asyncio.IncompleteReadError):
                pass
            writer.close()
        self.left = perf_counter() - begin
        return self

    def visit(self) -> Visit:
        served = self.heard[0] if self.heard else None
        return Visit(self.number, self.called, served, self.left, len(self.heard), self.end)  # type: ignore[arg-type]


async def _all(host: str, port: int, count: int, words: int, think: float, patience: float) -> list[Visit]:
    begin, deadline = perf_counter(), asyncio.get_running_loop().time() + patience
    talks = []
    for number in range(1, count + 1):  # one dials after the other: they queue in this order
        called = perf_counter() - begin
        try:
            async with asyncio.timeout_at(deadline):
                line = await asyncio.open_connection(host, port)
        except OSError:  # TimeoutError too
            line = None
        talks.append(asyncio.create_task(_Customer(number, called, line).talk(words, think, begin, deadline)))
    return [(await talk).visit() for talk in talks]


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_all(*json.loads(sys.argv[1])))))
