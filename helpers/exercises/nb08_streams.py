"""The exercises of notebook 08: a handler of lines, and one of frames that a client can't harm."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import traceback
from collections.abc import AsyncIterator
from typing import Any

from ..relay import RESET_ON_CLOSE
from .engine import Answer, Case, Cases, Seen, exercise, words

HEARS = 1.0
"""Seconds that a client of the check listens for an answer, at most."""
LINGERS = 0.3
"""Seconds in which a handler could go on, after the line is full of answers that nobody reads."""
SMALL = 2**16
"""Bytes that the operating system keeps for each end, where a case wants the line to fill up soon."""
PILE = 2**20
"""So many bytes are in the handler's own memory only if it doesn't drain: one that does has the high-water mark and an answer there."""

STILL_OPEN = (
    "All that came back is right. But the handler has returned, and the line is still open: the client goes on waiting. For streams, returning is not "
    "hanging up. Who closes the writer, also when a line before fails?"
)
AWAITED_WRITE = "`write` takes the bytes and returns at once, and so does `close`: there is nothing to wait for. Which other method of the writer waits?"
IS_TEXT = "The words are there, but as text. A stream carries bytes, and bytes have most methods of texts. Where did you turn one into the other?"
CLOSED_EARLY = "The first answer was written. Then you wrote to a line that you had closed yourself. What stands inside of the loop, and what after it?"
NO_CLOSE = "A stream is a reader and a writer, and the reader has no `close`. Which of the two hangs up?"
NOT_DIGITS = "The header has come. But `int` reads a text of digits, and these four bytes are the number itself. Which method of `int` reads bytes (02)?"
NO_DRAIN = (
    "What comes is answered. But this client reads nothing, and you went on all the same: the answers pile up in your own memory. Which call waits while the "
    "other side can't keep up, and after which answer?"
)
GAVE_UP = "What comes is answered. But this client reads nothing yet, and the handler has ended all the same. How long is it to wait, and which call does that?"
NO_AWAIT = "`read`, `readline` and `readexactly` are coroutines: the call alone reads nothing. Which word is missing?"


class Visit:
    """A client of the check, on a line to one call of the answer. Both ends are streams on the check's loop."""

    def __init__(self, task: asyncio.Task[Any], handler: asyncio.StreamWriter, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.task = task
        self.handler = handler  # the writer that the answer got
        self.reader = reader
        self.writer = writer
        self.got = bytearray()

    async def say(self, *pieces: bytes, last: bool = False) -> None:
        """Send pieces, with a pause between two of them; `last`: nothing will follow."""
        for number, piece in enumerate(pieces):
            if number:
                await asyncio.sleep(0.02)
            self.writer.write(piece)
        if last:
            self.writer.write_eof()

    async def hear(self, size: int, patience: float = HEARS) -> bytes:
        """So many bytes, or what has come of them until the handler ends, hangs up, or is silent for too long."""
        reading = asyncio.create_task(self._heard(size))
        await asyncio.wait({reading, self.task}, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
        if not reading.done() and self.task.done():  # nothing more will be sent
            await asyncio.wait({reading}, timeout=0.1)
        reading.cancel()
        await asyncio.wait({reading})
        if self.task.done():
            await self.task  # raises what the answer raised
        return bytes(self.got)

    async def _heard(self, size: int) -> None:
        self.got = bytearray()
        with contextlib.suppress(OSError):
            while len(self.got) < size and (piece := await self.reader.read(size - len(self.got))):
                self.got += piece

    async def end(self) -> bytes:
        """What comes until the handler has ended. Raises what it raised, TimeoutError when it goes on."""
        async with asyncio.timeout(HEARS):
            rest = asyncio.create_task(self._rest())
            await asyncio.wait({self.task})
            if not self.handler.is_closing():
                rest.cancel()
            with contextlib.suppress(asyncio.CancelledError, OSError):
                await rest
            await self.task
        return bytes(self.got)

    async def _rest(self) -> None:
        self.got = bytearray()
        while piece := await self.reader.read(2**16):
            self.got += piece

    async def filled(self) -> int:
        """Read nothing until the line is full, and a while longer. Returns how many bytes wait in the handler's own memory then."""
        waited, until = 0.0, asyncio.get_running_loop().time() + HEARS
        while waited < LINGERS and not self.task.done() and self._kept() < PILE and asyncio.get_running_loop().time() < until:
            if self._kept():
                waited += 0.01
            await asyncio.sleep(0.01)
        return self._kept()

    def _kept(self) -> int:
        return self.handler.transport.get_write_buffer_size()

    def vanish(self) -> None:
        """Leave without a goodbye: the handler's side sees a reset."""
        line = self.writer.get_extra_info("socket")
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        self.writer.transport.abort()


@contextlib.asynccontextmanager
async def visit(answer: Answer, c: Case, *args: Any, small: bool = False) -> AsyncIterator[Visit]:
    """A line with the answer at its near end, which is called with a reader, a writer and `args`."""
    near, far = c.socketpair()
    if small:
        near.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SMALL)
        far.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL)
    reader, writer = await asyncio.open_connection(sock=near)
    its_reader, its_writer = await asyncio.open_connection(sock=far)
    task = asyncio.create_task(answer(reader, writer, *args))
    try:
        yield Visit(task, writer, its_reader, its_writer)
    finally:
        task.cancel()
        await asyncio.wait({task}, timeout=HEARS)
        for end in (writer, its_writer):
            with contextlib.suppress(AttributeError):  # a transport that was lost while it closed has forgotten its loop
                end.transport.abort()
        if task.done() and not task.cancelled():
            task.exception()  # looked at
        await asyncio.sleep(0)


def closed(c: Case, one: Visit, hint: str = STILL_OPEN) -> None:
    c.true(one.handler.is_closing(), hint=hint, received=words("a line that is still open"))


# --- Exercise 1

TOLD_BY_TEXT = (
    (TypeError, "NoneType", AWAITED_WRITE),
    (TypeError, "coroutine", NO_AWAIT),
    (TypeError, "'str'", IS_TEXT),
    (AttributeError, "'StreamReader' object has no attribute 'close'", NO_CLOSE),
    (ValueError, "invalid literal for int", NOT_DIGITS),
)
"""Mistakes that an exception's text tells: its type, a part of the text, the hint."""


@contextlib.asynccontextmanager
async def explained(c: Case) -> AsyncIterator[None]:
    """Give the mistakes that an exception's text tells their own hints."""
    try:
        yield
    except (TypeError, AttributeError, ValueError) as error:
        hint = next((hint for kind, part, hint in TOLD_BY_TEXT if isinstance(error, kind) and part in str(error)), "")
        if not hint:
            raise
        c.fail(received=words(f"it raised {type(error).__name__}: {error}"), hints=[(words, hint)], hint=hint)


@exercise
async def loud_lines(answer: Answer, case: Cases) -> None:
    want = b"HELLO\nAGAIN\n"
    async with case(
        "two lines, and a hang-up",
        sent=words(r"b'hello\nagain\n', and nothing will follow"),
        expected=want,
        hints=[
            (b"hello\nagain\n", "Both lines come back. But as quietly as they came. Which method of bytes gives them in capital letters?"),
            (b"HELLO\n", "The first line is right. What keeps the handler going while lines come?"),
            (b"HELLO\n\nAGAIN\n\n", "The letters are right. But each line ends twice. What does `readline` do with the `\\n` at a line's end?"),
            (b"HELLOAGAIN", "The letters are right. But a line ends with `\\n`, and it belongs to what goes back."),
            (b"", "The lines were heard. But nothing came back: which method of the writer sends bytes?"),
            (ConnectionResetError, CLOSED_EARLY),
            (Seen.STUCK, "Nothing follows, and the handler goes on. What does `readline` return at the end of a stream, for ever?"),
        ],
    ) as c, explained(c), visit(answer, c) as one:
        await one.say(b"hello\nagain\n", last=True)
        got = await one.end()
        c.equal(got)
        closed(c, one)
    async with case(
        "a conversation",
        sent=words(r"b'hello\n', and then it waits for the answer"),
        expected=b"HELLO\n",
        hint="At the end of the stream all is answered. But this client waits for its answer before it says more. When does your handler answer?",
    ) as c, explained(c), visit(answer, c) as one:
        await one.say(b"hello\n")
        c.equal(await one.hear(6))
        await one.say(b"again\n")
        c.equal(await one.hear(6), b"AGAIN\n")
    async with case(
        "a line in two pieces",
        sent=words(r"b'hel', a pause, b'lo\n'"),
        expected=b"HELLO\n",
    ) as c, explained(c), visit(answer, c) as one:
        await one.say(b"hel")
        early = await _in_a_moment(one.reader)
        c.true(early == b"", received=early, hint="With whole lines it works. But here half a line was answered: a line may come in pieces. Which method of the reader waits for the `\\n`?")
        await one.say(b"lo\n")
        c.equal(await one.hear(6))
    async with case(
        "an empty line between two",
        sent=words(r"b'one\n\ntwo\n', and nothing will follow"),
        expected=b"ONE\n\nTWO\n",
        hints=[(b"ONE\n", "Lines with something in them are right. This one is empty, and you took it for the end. What does `readline` return for it, and what at the end?")],
    ) as c, explained(c), visit(answer, c) as one:
        await one.say(b"one\n\ntwo\n", last=True)
        c.equal(await one.end())
        closed(c, one)
    async with case(
        "a client that reads nothing",
        sent=words("200 lines of 10,000 bytes, and it reads none of the answers"),
        expected=words("a handler that waits until the client reads"),
    ) as c, visit(answer, c, small=True) as one:
        line = b"x" * 9_999 + b"\n"
        await one.say(line * 200, last=True)
        c.true(await one.filled() < PILE, hint=NO_DRAIN, received=words("a handler that took all of them"))
        c.true(not one.task.done(), hint=GAVE_UP, received=words("a handler that has ended"))
        got = await one.end()
        c.true(got == line.upper() * 200, received=words(f"{len(got):,} bytes in the end"), hint="It waits. But in the end not all of the answers are there.")


async def _in_a_moment(reader: asyncio.StreamReader) -> bytes:
    """What comes although nothing should."""
    try:
        async with asyncio.timeout(0.15):
            return await reader.read(2**16)
    except TimeoutError:
        return b""


# --- Exercise 2

LIMIT = 1_000
BIG = 200_000

UNHEARD = "The frame was heard, and no echo came. Which end of the header comes first, and which method of the writer sends bytes?"
NOT_CAUGHT = (
    "Whole frames are answered. But here the stream ended inside of a frame, and the handler died of it. Which exception says that the rest will never "
    "come, and is it a failure of yours?"
)
NOT_CAUGHT_RESET = (
    "A client that hangs up is survived. But this one vanished, without a goodbye, and the handler died of it. Which exceptions can a line raise besides "
    "the one of `readexactly`?"
)
LATE_RESET = (
    "The reset is caught where you read and write. But the same line is asked once more after that: `wait_closed` raises what the line has died of. Hang up "
    "with `close` alone, or expect it there as well."
)
READS_FIRST = (
    "It waits for a message that is longer than it will ever take. The header alone has come, and says so already. What can be "
    "decided before the message is read?"
)
SKIPPED = "You notice, before the message has come. But then you wait for the next header, as if nothing were wrong. What should happen to such a client?"
SENT_EARLY = "Whole frames are right. But you sent this header back before its message was there, and it never came. When is a frame whole?"
ANOTHER_LIMIT = "Short frames are right. But here `limit` is 200,000, and you hung up on a frame of that length. Which number do you compare with, and where does it come from?"
DIED_IN_DRAIN = (
    "A client that vanishes while you read is survived. But this one vanished while you waited for it to take its answers, and the handler died of it. Which of "
    "your lines can raise, and which of them does the `try` hold?"
)
SWALLOWED = "It stops. But whoever asked it to stop is never told: you caught an exception that was not for you. Which one did you name?"


def frame(message: bytes) -> bytes:
    return len(message).to_bytes(4, "big") + message


async def _survives(c: Case, one: Visit, hint: str) -> None:
    """Fail unless the handler of a client that has vanished ends by itself, without an exception, and closes its end."""
    async with asyncio.timeout(HEARS):
        await asyncio.wait({one.task})
        try:
            await one.task
        except OSError as error:
            late = any(place.name == "wait_closed" for place in traceback.extract_tb(error.__traceback__))
            c.fail(LATE_RESET if late else hint, received=words(f"it raised {type(error).__name__}"))
    closed(c, one)


@exercise(
    hints=[
        (asyncio.IncompleteReadError, NOT_CAUGHT),
        (OverflowError, "How many bytes has a header, and which end comes first?"),
    ]
)
async def frame_echo(answer: Answer, case: Cases) -> None:
    hello = frame(b"hello")
    async with case(
        "one frame, and its echo",
        sent=hello,
        expected=hello,
        hints=[
            (b"hello", "The message comes back, bare. The client expects a frame: what stands in front of the message?"),
        ],
    ) as c, explained(c), visit(answer, c, LIMIT) as one:
        await one.say(hello)
        c.equal(await one.hear(len(hello)), hints={b"": UNHEARD})
        again = frame(b"again")
        await one.say(again)
        c.equal(await one.hear(len(again)), again, hint="The first frame is right. Then a second one came. What keeps the handler going?")
    async with case(
        "an empty frame",
        sent=frame(b""),
        expected=frame(b""),
        hint="Frames with something in them are right. This one is empty, and you took it for the end. What does a length of 0 say?",
    ) as c, explained(c), visit(answer, c, LIMIT) as one:
        await one.say(frame(b""))
        c.equal(await one.hear(4))
    async with case(
        "a frame that is as long as the limit",
        sent=words(f"a frame of {LIMIT} bytes, limit={LIMIT}"),
        expected=words("the same frame"),
    ) as c, explained(c), visit(answer, c, LIMIT) as one:
        longest = frame(b"x" * LIMIT)
        await one.say(longest)
        got = await one.hear(len(longest))
        c.true(
            got == longest,
            received=words(f"{len(got)} of {len(longest)} bytes"),
            hint="Short frames are right. Is a frame that is exactly as long as the limit above it? And do you take all of it?",
        )
    async with case(
        "a frame in pieces",
        sent=words("half a header, the rest and half a message, the rest"),
        expected=hello,
        hint="A frame that comes whole is right. But `read(n)` returns what is there, at most `n` bytes. Which method waits for all of them?",
    ) as c, explained(c), visit(answer, c, LIMIT) as one:
        await one.say(hello[:2], hello[2:7], hello[7:])
        c.equal(await one.hear(len(hello)))
    async with case(
        "a header that announces too much",
        sent=words(f"a header that says {LIMIT + 1}, limit={LIMIT}"),
        expected=words("nothing, and a hang-up"),
    ) as c, explained(c), visit(answer, c, LIMIT) as one:
        await one.say((LIMIT + 1).to_bytes(4, "big"))
        await asyncio.wait({one.task}, timeout=HEARS)
        if not one.task.done():
            await one.say(hello)
            c.fail(SKIPPED if await one.hear(len(hello), patience=0.5) == hello else READS_FIRST, received=words("a handler that goes on"))
        try:
            got = await one.end()
        except ValueError as error:
            c.fail(
                "It notices, before the message has come. But the mistake is the client's, and your handler dies of it. How does a handler end quietly?",
                received=words(f"it raised {type(error).__name__}"),
            )
        c.equal(got, b"", hint="It notices. But what should it say to such a client?")
        closed(c, one, "It notices, and returns. But the client still has the line. For streams, returning is not hanging up: who closes the writer?")
    async with case(
        "a hang-up in the middle of a frame",
        sent=words("a header that says 5, b'he', and nothing will follow"),
        expected=words("nothing, and a hang-up"),
        hints=[(Seen.STUCK, "The stream has ended, and the handler goes on. What does it wait for?")],
    ) as c, visit(answer, c, LIMIT) as one:
        await one.say(hello[:6], last=True)
        got = await one.end()
        c.equal(got, b"", hints={hello[:4]: SENT_EARLY}, hint="Whole frames are right. But this one was never whole. Which method of the reader notices?")
        closed(c, one)
    async with case(
        "a client that hangs up between two frames",
        sent=words("one frame, and nothing will follow"),
        expected=hello,
    ) as c, visit(answer, c, LIMIT) as one:
        await one.say(hello, last=True)
        c.equal(await one.end())
        closed(c, one)
    async with case(
        "a client that vanishes",
        sent=words("a frame, and after its echo a reset of the line"),
        expected=words("a handler that ends, and no exception"),
        hints=[(Seen.STUCK, "The client is gone, and the handler goes on. What does it wait for?")],
    ) as c, visit(answer, c, LIMIT) as one:
        await one.say(hello)
        await one.hear(len(hello))
        one.vanish()
        await _survives(c, one, NOT_CAUGHT_RESET)
    big = frame(bytes(BIG))
    async with case(
        "a client that reads nothing",
        sent=words("20 frames of 200,000 bytes, limit=200,000, and it reads none of the answers"),
        expected=words("a handler that waits until the client reads"),
    ) as c, visit(answer, c, BIG, small=True) as one:
        await one.say(big * 20, last=True)
        kept = await one.filled()
        c.true(kept < PILE, hint=NO_DRAIN, received=words("a handler that took all of them"))
        c.true(not one.task.done(), hint=GAVE_UP if kept else ANOTHER_LIMIT, received=words("a handler that has ended"))
        got = await one.end()
        c.true(got == big * 20, received=words(f"{len(got):,} bytes in the end"), hint="It waits. But in the end not all of the answers are there.")
    async with case(
        "a client that reads nothing, and then vanishes",
        sent=words("5 frames of 200,000 bytes, limit=200,000, and a reset of the line"),
        expected=words("a handler that ends, and no exception"),
        hints=[(Seen.STUCK, "The client is gone, and the handler goes on. What does it wait for?")],
    ) as c, visit(answer, c, BIG, small=True) as one:
        await one.say(big * 5)
        await one.filled()
        one.vanish()
        await _survives(c, one, DIED_IN_DRAIN)
    async with case(
        "a handler that is stopped",
        sent=words("nothing, and the server cancels the handler"),
        expected=asyncio.CancelledError,
        hint=SWALLOWED,
    ) as c, visit(answer, c, LIMIT) as one:
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        one.task.cancel()
        with c.raises(asyncio.CancelledError):
            async with asyncio.timeout(HEARS):
                await one.task
        closed(c, one, "It stops, and says so. But the line stays open. What is reached in every case, also when you are asked to stop?")
