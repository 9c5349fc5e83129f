"""The exercises of notebook 10: a server that stays, many clients with a limit each, and a cell that becomes a program."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from websockets.asyncio.client import connect
from websockets.exceptions import ConcurrencyError, ConnectionClosed, WebSocketException

from ..programs import Ended, Workshop
from .engine import Answer, Case, Cases, Seen, exercise, words

# --- Exercise 1

YEAR = 366 * 24 * 3600.0  # seconds

SILENT = "It runs. But `tell` was never called, so nobody knows where to call you. Does a line before it wait for ever?"
LEFT = (
    "The address is right, and the server was there. But then the block came to its end, and took the server along. Which call of the "
    "program above never returns?"
)
BRIEF = (
    "It was there a moment ago. Here a year has passed, by the loop's own clock, and it has gone. How long does your last line wait, and "
    "which call of the program above never returns?"
)
OUTSIDE = (
    "`serve_forever` is right, and comes too late: by then the block had come to its end, and had taken the server along. Where does the line "
    "have to stand?"
)
UNAWAITED = "The address is right. But a coroutine was made and not awaited: nobody stays for it. Which word is missing?"
CLOSED = "It serves. But when it is cancelled, its clients should hear 1001, as from `async with` on the way out. Does something prevent that?"


@asynccontextmanager
async def _serving(c: Case, answer: Answer) -> AsyncIterator[tuple[asyncio.Task[Any], str]]:
    """The answer as a task, once it has told its URI; ended at the end."""
    told: list[Any] = []
    telling = asyncio.Event()

    def tell(uri: Any) -> None:
        told.append(uri)
        telling.set()

    task = asyncio.create_task(answer(0, tell))
    waiting = asyncio.create_task(telling.wait())
    try:
        await asyncio.wait([task, waiting], timeout=1.5, return_when=asyncio.FIRST_COMPLETED)
        if not told:
            if task.done():
                await task
                c.fail("It came to its end, and `tell` was never called. What should it be called with?", received=words("no call of tell"))
            c.fail(SILENT, received=words("no call of tell"), hints=[(Seen.PRINTED, "It goes to the screen. This time, hand it to `tell`.")])
        await asyncio.wait([task], timeout=0.1)  # one that does not stay is gone then
        _judge_uri(c, told[0])
        yield task, told[0]
    finally:
        waiting.cancel()
        await _end(task)


async def _end(task: asyncio.Task[Any]) -> None:
    """Cancel the task; one that swallows its cancellation is closed by force, so that no server is left on a dead loop."""
    for patience in (0.3, 0.1, 0.1):
        task.cancel()
        await asyncio.wait([task], timeout=patience)
        if task.done():
            if not task.cancelled():
                task.exception()  # looked at, so that nobody complains that nobody did
            return
        with suppress(RuntimeError):  # the first time, when it awaits something on its way out
            task.get_coro().close()


def _judge_uri(c: Case, uri: Any) -> None:
    c.true(
        type(uri) is str,
        received=uri if isinstance(uri, tuple) else words(f"a value of type {type(uri).__name__}"),
        hint="`tell` was called. What would a client type to find you?",
    )
    host, _, port = uri.rpartition(":")
    if "(" in uri:
        c.fail(
            "You asked the right one: a socket's name is a pair of host and port. Which part of the pair do you need?",
            received=words("a URI with a pair in the place of the port"),
        )
    if port == "0":
        c.fail(
            "The URI has the right shape. But 0 only asked for a free port: which one did it become, and who knows?",
            received=words("the port 0"),
        )
    c.true(
        host == "ws://127.0.0.1" and port.isdecimal(),
        received=words("another text") if any(map(str.isdigit, port)) else uri,
        hint="`tell` was called. A client needs `ws://127.0.0.1:` and the port, and nothing else.",
    )


async def _echo(uri: str) -> Any:
    async with connect(uri, proxy=None, close_timeout=0.5) as ws, asyncio.timeout(1.5):
        await ws.send("hello")
        return await ws.recv()


def _judge_end(c: Case, task: asyncio.Task[Any]) -> None:
    """Nobody has stopped it, and it has ended."""
    error = None if task.cancelled() else task.exception()
    if error is None:
        c.fail(LEFT, received=words("nothing: it ended after it had told its address"))
    hint = LEFT
    if "NoneType can't be used in 'await'" in str(error):
        hint = "The address was told. But `tell` is a plain function, as `print` is, and its call is done when it returns. Which of your lines needs the `await`?"
    elif "in 'await' expression" in str(error):
        hint = "The name is the right one. But it is only a name. What makes a call of it?"
    elif "serve_forever" in (frame.name for frame in traceback.extract_tb(error.__traceback__)):
        hint = OUTSIDE
    c.fail(received=words(f"it raised {type(error).__name__}: {error}"), hints=[(Exception, hint)])


async def _let_a_year_pass(task: asyncio.Task[Any]) -> None:
    """Put the loop's clock forward, and back again: who sleeps for less wakes up. Only while nobody is connected, whose timers would end, too."""
    loop = asyncio.get_running_loop()
    now = loop.time
    loop.time = lambda: now() + YEAR  # type: ignore[method-assign]
    try:
        await asyncio.wait([task], timeout=0.1)
    finally:
        del loop.time


@exercise(
    limit=6.0,  # its four servers have more to wait for than a function has
    hints=[
        (Seen.UNAWAITED, UNAWAITED),
        (Seen.STUCK, "It starts. Then something holds up the whole loop, and nobody is served. Which wait lets others run?"),
        (TypeError, "The server starts. But something there is not what the next line takes it for. Is it a list, a pair, a number?"),
        (AttributeError, "The server starts. But something there has no attribute of that name. How did the program above ask for its port?"),
    ]
)
async def serve_echo(answer: Answer, case: Cases) -> None:
    async with case("it tells where it is", sent=words("port 0"), expected=words("a call of tell with its URI")) as c:
        async with _serving(c, answer):
            pass
    async with case(
        "a client calls there, a moment later",
        sent="hello",
        expected="Echo: hello",
        hints=[((ConnectionClosed, OSError, WebSocketException), LEFT)],
    ) as c:
        async with _serving(c, answer) as (task, uri):
            if task.done():
                _judge_end(c, task)
            c.equal(await _echo(uri))
    async with case(
        "it is cancelled, as by Ctrl-C, while a client listens",
        sent=words("a cancellation"),
        expected=words("a close with code 1001, and an end"),
    ) as c:
        async with _serving(c, answer) as (task, uri):
            async with connect(uri, proxy=None, close_timeout=0.2) as ws:
                task.cancel()
                closing = asyncio.create_task(ws.wait_closed())
                await asyncio.wait([closing], timeout=1.5)
                closing.cancel()
                code = ws.close_code
            c.true(code == 1001, received=words("a line that is still open" if code is None else f"a close with code {code}"), hint=CLOSED)
            await asyncio.wait([task], timeout=0.8)
            c.true(
                task.done(),
                received=words("a goodbye, and a function that goes on"),
                hint="Its clients hear 1001. But the function goes on: does something catch the cancellation?",
            )
    async with case(
        "a client calls there, a year later",
        sent="hello",
        expected="Echo: hello",
        hints=[((ConnectionClosed, OSError, WebSocketException), BRIEF)],
    ) as c:
        async with _serving(c, answer) as (task, uri):
            await _let_a_year_pass(task)
            if task.done():
                c.fail(BRIEF, received=words("nothing: it ended, and nobody had cancelled it"))
            c.equal(await _echo(uri))


# --- Exercise 2

LIMIT = 0.8  # seconds for an answer

PROGRAM = 8.0
"""Seconds for a program that starts, imports, asks and ends. It takes half of one; on a busy machine the imports alone take several."""


class Gate:
    """Answers nobody until as many messages have come as are expected; never answers `psst`."""

    def __init__(self, expected: int) -> None:
        self.expected = expected
        self.came = 0
        self.all_there = asyncio.Event()

    async def __call__(self, ws: Any) -> None:
        async for message in ws:
            self.came += 1
            if self.came >= self.expected:
                self.all_there.set()
            if message == "psst":
                await ws.wait_closed()
                return
            await self.all_there.wait()
            await asyncio.sleep(0.02 * (len(message) % 3))  # so that the order of the answers is another one
            await ws.send(f"Echo: {message}")


ONE_LIMIT = (
    "Asking works. But one that got no answer ended it for all. For whom is the limit: for all clients together, or for each one that waits?"
)
NOT_TO_BE_AWAITED = (
    "Something that can be awaited was wanted there: by `gather` one by one, as separate arguments, or by `wait_for`. Was it given a list, or "
    "a result that had been awaited already?"
)


async def _ask(c: Case, answer: Answer, sent: list[str], *, at_once: int = 1) -> None:
    expected = {word: None if word == "psst" else f"Echo: {word}" for word in sent}
    server = c.serve(Gate(at_once))
    try:
        got = await answer(server.uri, list(sent), LIMIT)
    except (TypeError, RuntimeError) as error:  # Pythons differ in what they say of a list and of a generator
        if any(part in str(error) for part in ("unhashable", "an awaitable is required", "bad yield")):
            c.fail(NOT_TO_BE_AWAITED, received=words(f"it raised {type(error).__name__}: {error}"))
        raise
    c.equal(
        got,
        expected,
        hints=[
            (list, "The answers are there. A list does not say which word each belongs to. What goes with what?"),
            (
                lambda got: isinstance(got, dict) and sorted(got.values(), key=str) == sorted(expected.values(), key=str),
                "All the answers are there, but not each at its own word. Does their order say whose they are?",
            ),
            (
                lambda got: isinstance(got, dict) and at_once > 1 and None in got.values(),
                "Each word has its place. But here the server answers nobody until all have asked. Who waits for whom?",
            ),
            (
                lambda got: isinstance(got, dict) and expected.keys() - got.keys() == {"psst"},
                "Those who got an answer are there. What stands beside the word that got none?",
            ),
            (
                lambda got: isinstance(got, dict) and got and all(asyncio.iscoroutine(one) for one in got.values()),
                "Each word has its place. But beside it stands a recipe, not an answer. Who runs it?",
            ),
            (
                lambda got: isinstance(got, dict) and any(isinstance(one, asyncio.Task) for one in got.values()),
                "Each word has its place, and a task runs for it. What did the task return?",
            ),
            (
                lambda got: isinstance(got, dict) and any(isinstance(one, BaseException) for one in got.values()),
                "Each word has its place. But an exception is no answer. What should stand there for the one that got none?",
            ),
        ],
    )
    clients = sum("connected" in entry for entry in server.log)
    c.true(
        clients == len(sent),
        received=words(f"{clients} client{'' if clients == 1 else 's'} for {len(sent)} words"),
        hint="The answers are right. But each word should have a client of its own: one that stays silent must not stand in another's way.",
    )
    for _ in range(20):
        if not server.clients:
            break
        await asyncio.sleep(0.025)
    c.true(
        not server.clients,
        received=words("clients that are still connected"),
        hint="The answers are right. But the server still holds a line. Who hangs up, also for the client that got no answer?",
    )


@exercise(
    hints=[
        (Seen.STUCK, "It asks. But it waits longer than the limit: for whom, and could the others be asked meanwhile?"),
        (
            ConcurrencyError,
            "All at the same time, as it should be. But they listen on one line, and the next message there could be anybody's. How many clients are wanted?",
        ),
        (Seen.UNAWAITED, "The clients are written down. But a coroutine was made and nobody awaited it. Where is an `await` missing?"),
    ]
)
async def ask_many(answer: Answer, case: Cases) -> None:
    async with case("three words", sent=["love", "fifteen", "all"], expected={w: f"Echo: {w}" for w in ("love", "fifteen", "all")}) as c:
        await _ask(c, answer, ["love", "fifteen", "all"])
    async with case(
        "a server that answers nobody until three have asked",
        sent=["one", "two", "three"],
        expected={w: f"Echo: {w}" for w in ("one", "two", "three")},
        hints=[((Seen.STUCK, TimeoutError), "One after the other they get answers. Here the server answers nobody until all have asked. Who waits for whom?")],
    ) as c:
        await _ask(c, answer, ["one", "two", "three"], at_once=3)
    async with case(
        "one that is not answered",
        sent=["hello", "psst", "you"],
        expected={"hello": "Echo: hello", "psst": None, "you": "Echo: you"},
        hints=[
            (TimeoutError, ONE_LIMIT),
            (lambda got: isinstance(got, dict) and not any(got.values()), ONE_LIMIT),
            (type(None), ONE_LIMIT),
            (Seen.STUCK, "Two were answered. The third never will be. What ends its wait?"),
        ],
    ) as c:
        await _ask(c, answer, ["hello", "psst", "you"])


# --- Exercise 3

COMPLAINTS: tuple[tuple[str, str], ...] = (
    # (a part of the program's complaint, the hint)
    ("IndentationError", "The text is saved as it stands, so it may not be indented like your function. Where does its first line have to begin?"),
    ("outside", "The text is saved and read. But `await` and `async with` need an `async def` around them. And who runs that, in a program?"),
    ("name 'uri'", "The loop runs now: the first fault is gone. `uri` was made by another cell once. Where does a program find what stands behind its name?"),
    ("is not defined", "It runs. But a name is missing: a program starts with an empty memory. Which import did another cell do for it?"),
    ("ConnectionClosed", "It connects and sends. Then it listens on a line that is closed. What hangs up at the end of `async with`?"),
    ("'main' was never awaited", "It runs to its end, and nothing happened. A call of an `async def` makes a coroutine. What runs it, in a program?"),
    ("never awaited", "It runs. But a coroutine was made and nobody awaited it. Where is an `await` missing?"),
    ("'list' object", "It asks for its arguments. But `sys.argv` is the list of all of them, and the URI is one: at which place does it stand?"),
    ("IndexError", "It runs, and asks for its arguments. There is one behind the name: at which place does it stand, when the name has place 0?"),
    ("InvalidURI", "It takes an argument. But this is not a URI. What stands at the first place of `sys.argv`?"),
    ("EOFError", "It waits for somebody at the keyboard. But the URI was typed already: behind the program's name."),
    ("running event loop", "`asyncio.run` is right, once, at the bottom of the file. Inside a coroutine a loop runs already. What do you write there?"),
    ("coroutine was expected", "`asyncio.run` is right. But it wants a coroutine: what does a call of `main` give, and what is `main` alone?"),
    ("Refused", "It runs and calls. But nobody listens where it calls. Which address was it given?"),
    ("Proxy", "It runs and calls. But the call took a detour through a proxy. What kept it away from there in the cell?"),
    ("SyntaxError", "The text is saved. But Python can't read it: look at the line that it names, and at the one before."),
)


def _why(done: Ended, asked: bool) -> str:
    """The hint for a program that did not print what it should."""
    if done.errors:
        fitting = [hint for part, hint in COMPLAINTS if part in done.complaint]
        return (fitting or ["It starts. What does its complaint say, and about which line?"])[0]
    if not done.lines:
        if asked:
            return "It asks, and ends well. But it shows nothing. What does a cell show by itself, and a program does not?"
        return "It ends well, and has done nothing. Who calls what you wrote?"
    return "It runs and prints. Does it send exactly `ready?`, and print exactly what comes back?"


@exercise(limit=PROGRAM + 2)
def moved_out(answer: Answer, case: Cases) -> None:
    with case(
        "started with a URI",
        sent=words("python program.py URI"),
        expected=words("a program that prints the answer, here 'yes, ready!'"),
        hints={
            (Seen.STUCK, TimeoutError): "It starts. But it does not end. What does it wait for, after its answer?",
            (IndexError, RuntimeError, WebSocketException, ConnectionError): (
                "These lines ran at once, here, inside of `moved_out`. It should hand back their *text*, for a file. What stands between three quotes?"
            ),
            NameError: "That name is missing in `moved_out` itself. Are these lines to run here, or is their *text* to be handed back?",
            OSError: "The text could not be saved.",
        },
    ) as c:
        text = answer()
        c.kind(text, str, hint="The function should return the program as a text. What stands between three quotes?")
        asked: list[Any] = []

        async def slow(ws: Any) -> None:
            async for message in ws:
                asked.append(message)
                try:  # who hangs up without listening is gone now
                    async with asyncio.timeout(0.3):
                        await ws.wait_closed()
                except TimeoutError:
                    await ws.send("yes, ready!" if message == "ready?" else f"what is {message!r}?")

        with Workshop() as bench:
            bench.save("program.py", text)
            done = bench.run("program.py", c.serve(slow).uri, limit=PROGRAM)
        well = done.lines == ["yes, ready!"] and done.code == 0 and not done.errors
        shown = done.complaint if done.errors else ", ".join(done.lines) or "nothing printed"
        c.true(well, received=words(shown), hint=_why(done, bool(asked)))
