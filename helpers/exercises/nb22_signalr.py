"""The exercises of notebook 22: records out of pieces, and calls that get their own answers."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable
from typing import Any

from websockets.asyncio.client import connect
from websockets.exceptions import ConcurrencyError, ConnectionClosed

from .engine import Answer, Case, Cases, Seen, exercise, words

END = "\x1e"
PING, NEWS = {"type": 6}, {"type": 1, "target": "ball", "arguments": ["15:0"]}

# --- split_records

REST_IS_READ = (
    "You read a text as JSON that is not one whole record: several of them, or nothing but a beginning, or one with its 1E. Look at what "
    "you hand to `json.loads`. Which of the parts are whole?"
)


def _text(*records: Any) -> str:
    return "".join(json.dumps(one, separators=(",", ":")) + END for one in records)


@exercise(
    hints=[
        (json.JSONDecodeError, REST_IS_READ),
        (
            lambda got: isinstance(got, list),
            "The records are there. But the caller gets two things back, and needs the second one for the next piece. Which is it?",
        ),
        (
            lambda got: isinstance(got, tuple) and len(got) == 2 and got[0] == [] and isinstance(got[1], str) and END in got[1],
            "Nothing is lost. But there is a 1E in what you call unread, so a record ended there. At which character do you cut?",
        ),
        (
            lambda got: isinstance(got, tuple) and len(got) == 2 and isinstance(got[0], str),
            "Both things are there. Which comes first: the records, or the rest?",
        ),
        (
            lambda got: isinstance(got, tuple) and len(got) == 2 and isinstance(got[0], list) and any(isinstance(one, str) for one in got[0]),
            "The cuts are right. But a record is to be a dictionary. What makes one of the text?",
        ),
        (
            lambda got: isinstance(got, tuple) and len(got) == 2 and isinstance(got[1], list),
            "The records are right. The rest is to be a text, as it came. What do you have in its place?",
        ),
        (TypeError, "`*whole, rest =` wants several things on its right. Which method of a text cuts it at a delimiter?"),
    ]
)
def split_records(answer: Answer, case: Cases) -> None:
    with case(
        "one record in one piece",
        sent=words("unread '', piece '{\"type\":6}\\x1e'"),
        expected=([PING], ""),
        hints=[
            (([PING], END), "The record is right. Does its 1E belong to the next one?"),
            (([], _text(PING)[:-1]), "This record has its 1E, so it is whole. What does `split` give behind the last 1E, and did you keep that?"),
        ],
    ) as c:
        c.equal(answer("", _text(PING)))

    with case(
        "three records in one piece",
        sent=words("two pings and an invocation, in one piece"),
        expected=([PING, NEWS, PING], ""),
        hints=[(lambda got: isinstance(got, tuple) and got[0] == [PING], "The first record is right. How many may a piece hold?")],
    ) as c:
        c.equal(answer("", _text(PING, NEWS, PING)))

    half = _text(PING)[:5]
    with case(
        "half a record",
        sent=words("unread '', piece '{\"typ'"),
        expected=([], half),
        hints=[(([], ""), "It is right that nothing is whole yet. But where did the beginning of the record go?")],
    ) as c:
        c.equal(answer("", half))

    with case(
        "the other half, and the beginning of the next",
        sent=words("unread '{\"typ', piece 'e\":6}\\x1e{\"ty'"),
        expected=([PING], '{"ty'),
        hints=[
            (lambda got: isinstance(got, tuple) and got[:1] == ([],), "The first half is in `unread`. Where does the second one go?"),
            (json.JSONDecodeError, "Whole records are right. Here the first half is in `unread`. Which text do you cut, and which half comes first in it?"),
        ],
    ) as c:
        c.equal(answer(half, 'e":6}' + END + '{"ty'))

    with case(
        "the 1E comes alone",
        sent=words("unread '{\"type\":6}', piece '\\x1e'"),
        expected=([PING], ""),
        hints=[(json.JSONDecodeError, "In one piece it is right. Here the 1E came later than its record. Which text do you cut?")],
        hint="In one piece it is right. Here the 1E came later than its record. Which text do you cut?",
    ) as c:
        c.equal(answer('{"type":6}', END))

    with case("an empty piece", sent=words("unread '{\"ty', piece ''"), expected=([], '{"ty')) as c:
        c.equal(answer('{"ty', ""))

    odd = {"type": 1, "target": "say", "arguments": ["two\nlines\u2028\x1e\x1d, and {braces}"]}
    escaped = '{"type":1,"target":"say","arguments":["two\\nlines\u2028\\u001e\\u001d, and {braces}"]}'
    with case(
        "other characters that may look like an end",
        sent=words("a record with a line separator, braces, and an escaped 1E in its text"),
        expected=([odd], ""),
        hints=[
            (
                (json.JSONDecodeError, tuple),
                "Plain texts are right. Here other characters are taken for an end. Which one character ends a record, and which method cuts there only?",
            )
        ],
    ) as c:
        c.equal(answer("", escaped + END))

    with case("spaces at a cut", sent=words("unread '{\"type\": ', piece '6}\\x1e'"), expected=([PING], "")) as c:
        records, unread = answer("", '{"type": ')
        c.equal((records, unread), ([], '{"type": '), hint="All but a space is kept. Who says that it is not in the middle of a text?")
        c.equal(answer(unread, "6}" + END))

    mixed = "One line alone is right. Two of them get into each other's records. Do you keep anything outside of `unread`?"
    with case("two lines in turn", sent=words("half a record from one, a whole one from the other"), hint=mixed, hints=[(Exception, mixed)]) as c:
        _, unread = answer("", half)
        c.equal(answer("", _text(NEWS)), ([NEWS], ""))
        c.equal(answer(unread, 'e":6}' + END), ([PING], ""))

    with case(
        "every cut, from one character on",
        sent=words("five records in pieces of 1 to 200 characters"),
        hint="Some cuts are right. With others, different records come out. What happens at a border that you have not tried?",
    ) as c:
        wanted = [PING, NEWS, odd, PING, {"type": 3, "invocationId": "a", "result": "ä☃"}]
        stream = _text(PING, NEWS) + escaped + END + _text(*wanted[3:])
        for size in range(1, len(stream) + 1):
            found, unread = [], ""
            for start in range(0, len(stream), size):
                records, unread = answer.function(unread, stream[start : start + size])
                found += records
            c.true(found == wanted and unread == "", received=words(f"{len(found)} records from 5, in pieces of {size}"))


# --- invoke

STUCK = "The call went out, and its answer came. Which future does the listener fill, and which one do you wait for?"
ALONE = (
    "The call is sent. But the listener waits at this connection already, and the library lets one in at a time. Where does the "
    "listener put what you wait for?"
)
OWN_ID = "One call alone is right. Of two that are open at the same time, one gets no answer, or the other's. Whose ids are they?"


class OtherHub:
    """Takes invocations in, judges their form, and answers those that the script has an answer for."""

    def __init__(self, reply: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]) -> None:
        self.reply = reply
        self.texts: list[str] = []
        self.calls: list[dict[str, Any]] = []
        self.came = asyncio.Event()

    async def __call__(self, ws: Any) -> None:
        unread = ""
        async for text in ws:
            self.texts.append(text if isinstance(text, str) else repr(text))
            *whole, unread = (unread + str(text)).split(END)
            for one in whole:
                with contextlib.suppress(ValueError):
                    self.calls.append(json.loads(one))
            for answer in self.reply(self.calls):
                await ws.send(json.dumps(answer) + END)


def _judge_form(c: Case, hub: OtherHub, target: str, arguments: list[Any]) -> None:
    """Fail for a first call that a hub could not take; what it says comes before what the answer made of the silence."""
    if not hub.texts:
        return
    sent = "".join(hub.texts)
    shown = words(repr(sent[:60]))
    _hold(c, END in sent, shown, "A call came, and it reads well. But for the hub it has not ended. What stands behind a record?")
    _hold(c, hub.calls, shown, "There is a 1E. But what stands before it is no JSON. Which function makes a record?")
    first = hub.calls[0]
    _hold(c, isinstance(first, dict) and first.get("type") == 1, first, "A record came. Which `type` calls a method?")
    number = first.get("invocationId")
    _hold(c, number is not None, first, "A call came, without an `invocationId`. Does a hub answer it then?")
    _hold(c, isinstance(number, str), first, "A call came, with an id. A hub hangs up on this one: of which type is an id, `7` or `\"7\"`?")
    _hold(
        c,
        first.get("target") == target and first.get("arguments") == arguments,
        first,
        "A call came, with an id. Compare its `target` and its `arguments` with what you were given. Is a star missing?",
    )


def _hold(c: Case, holds: object, received: Any, hint: str) -> None:
    """Fail with this hint, whatever the answer made of it."""
    c.true(holds, received=received, hints=[(lambda got: True, hint)])


async def _listen(ws: Any, boxes: dict[str, asyncio.Future[Any]]) -> None:
    """The listener of the notebook."""
    async for text in ws:
        for one in map(json.loads, text.split(END)[:-1]):
            if one.get("type") == 3 and one["invocationId"] in boxes:
                boxes.pop(one["invocationId"]).set_result(one)


@contextlib.asynccontextmanager
async def _talk(c: Case, hub: OtherHub) -> Any:
    async with connect(c.serve(hub).uri, proxy=None, close_timeout=0.5) as ws:
        boxes: dict[str, Any] = {}
        listening = asyncio.create_task(_listen(ws, boxes))
        await asyncio.sleep(0)  # it waits at the line before the answer could
        try:
            yield ws, boxes, listening
        finally:
            listening.cancel()
            await asyncio.wait([listening])


def _answer(call: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The completion of a call."""
    return {"type": 3, "invocationId": call.get("invocationId"), **more}


@exercise(
    limit=4.5,
    hints=[
        (ConcurrencyError, ALONE),
        (
            lambda got: isinstance(got, dict) and got.get("type") == 3,
            "The right completion. The caller wants what is in it: which of its fields?",
        ),
        (asyncio.Future, "You return the box. Which word waits until something is in it?"),
        (Seen.UNAWAITED, "The call is written. But it must be posted, too: which word must stand before `ws.send(...)`?"),
        (ConnectionClosed, "Something came that a hub can't use. Is it a text, and does it end as a record ends?"),
        (asyncio.InvalidStateError, "You looked into the box before anything was in it. Which word waits?"),
        ((Seen.STUCK, TimeoutError), STUCK),
    ],
)
async def invoke(answer: Answer, case: Cases) -> None:
    async with case(
        "one call",
        sent=words("Add(2, 3), which the hub answers with 5"),
        expected=5,
        hints=[(ConcurrencyError, ALONE), (KeyError, "The answer came. Then you take the box away, and it is gone: the listener took it when it filled it. How do you remove what may not be there?"), (RuntimeError, "The call is sent. Then you look at the box, and not at what is in it. Which word waits until something is?")],
        limit=2.5,
    ) as c:
        hub = OtherHub(lambda calls: [_answer(calls[-1], result=5)] if calls else [])
        async with _talk(c, hub) as (ws, boxes, _):
            try:
                got = await asyncio.wait_for(answer(ws, boxes, "Add", 2, 3, timeout=0.6), 1.2)
            except Exception:
                _judge_form(c, hub, "Add", [2, 3])
                raise
            _judge_form(c, hub, "Add", [2, 3])
            c.equal(got)

    async with case(
        "two calls at once, answered backwards",
        sent=words("Add(1, 1) and Add(2, 2); the hub answers the second one first"),
        expected=[2, 4],
        hints=[
            ([4, 2], "Both answers came. But each call got the other's. What ties an answer to its call?"),
            ((TimeoutError, Seen.STUCK, KeyError), OWN_ID),
        ],
        hint=OWN_ID,
        limit=2.5,
    ) as c:
        hub = OtherHub(lambda calls: [_answer(one, result=sum(one["arguments"])) for one in calls[::-1]] if len(calls) == 2 else [])
        async with _talk(c, hub) as (ws, boxes, _):
            c.equal(await asyncio.gather(answer(ws, boxes, "Add", 1, 1, timeout=0.6), answer(ws, boxes, "Add", 2, 2, timeout=0.6)))

    again = "Calls that end together are right. Here a short one ended, and the next got the id of the long one, which was still open. When may an id be used again?"
    async with case(
        "a long call, and two short ones meanwhile",
        sent=words("Short() and Long() at once, and when the short one has ended, Short() again"),
        expected=["short", "short", "long"],
        hint=again,
        hints=[((TimeoutError, Seen.STUCK), again)],
        limit=2.5,
    ) as c:
        def reply(calls: list[dict[str, Any]]) -> list[dict[str, Any]]:
            if len(calls) == 2:
                return [_answer(calls[0], result="short")]
            return [_answer(calls[2], result="short"), _answer(calls[1], result="long")] if len(calls) == 3 else []

        async with _talk(c, OtherHub(reply)) as (ws, boxes, _):
            short = asyncio.ensure_future(answer(ws, boxes, "Short", timeout=0.6))
            await asyncio.sleep(0)
            long = asyncio.ensure_future(answer(ws, boxes, "Long", timeout=0.6))
            c.equal([await short, *await asyncio.gather(answer(ws, boxes, "Short", timeout=0.6), long)])

    async with case(
        "a method that returns nothing",
        sent=words("Serve('15:0'), which the hub answers with null"),
        expected=None,
        hints=[
            ((Seen.STUCK, TimeoutError), "Other results are right. This one is `None`, and it is a result. What do you test for?"),
            ((KeyError, TypeError, RuntimeError), "Other results are right. This one is `None`, and no error. How do you tell it from one?"),
        ],
        limit=2.0,
    ) as c:
        async with _talk(c, OtherHub(lambda calls: [_answer(calls[-1], result=None)])) as (ws, boxes, _):
            c.equal(await answer(ws, boxes, "Serve", "15:0", timeout=0.6))

    text = "Failed to invoke 'Nope' due to an error on the server."
    async with case(
        "a method that is not there",
        sent=words("Nope(), which the hub answers with an error"),
        expected=RuntimeError,
        hints=[
            (KeyError, "Results are right. This completion has none. Which field does it have in its place?"),
            (text, "You found the error, and you return it. A caller who doesn't look takes it for a result. How does an error make itself heard?"),
            ((dict, type(None)), "Results are right. This completion has an `error` in its place, and your caller takes it that all is well. What should happen?"),
            (Exception, "You noticed it, and you raise. Which exception was asked for?"),
        ],
        limit=2.0,
    ) as c:
        async with _talk(c, OtherHub(lambda calls: [_answer(calls[-1], error=text)])) as (ws, boxes, _):
            try:
                got = await answer(ws, boxes, "Nope", timeout=0.6)
            except RuntimeError as error:
                raised = words(f"RuntimeError({str(error)!r})")
                _hold(c, str(error) == text, raised, "`RuntimeError` is right. But your caller would like to know what the hub said, that and nothing else. Where does it stand?")
            else:
                with c.raises(RuntimeError):
                    c.equal(got, RuntimeError)

    async with case(
        "an answer that does not come",
        sent=words("Sleep(), which the hub leaves without an answer; timeout 0.2"),
        expected=TimeoutError,
        hints=[
            (Seen.STUCK, "Answers are right. Here none comes. Who stops waiting after `timeout` seconds?"),
            (asyncio.CancelledError, "You stop waiting, and that is right. Which exception was asked for?"),
            (type(None), "You stop waiting, and that is right. But `None` looks like an answer. What should the caller see?"),
        ],
        limit=1.5,
    ) as c:
        async with _talk(c, OtherHub(lambda calls: [])) as (ws, boxes, _):
            with c.raises(TimeoutError):
                await answer(ws, boxes, "Sleep", timeout=0.2)
            left = words(f"{len(boxes)} box left in `boxes`")
            _hold(c, not boxes, left, "`TimeoutError` is right. But the box is still there, and nobody waits at it. Who takes it away, on every way out?")

    async with case(
        "an answer that comes too late",
        sent=words("Sleep(), given up; then Add(2, 3), and the hub answers both"),
        expected=5,
        hint="The late answer was for nobody. What did the listener do with it?",
        limit=2.0,
    ) as c:
        hub = OtherHub(lambda calls: [_answer(calls[0], result="late"), _answer(calls[1], result=5)] if len(calls) == 2 else [])
        async with _talk(c, hub) as (ws, boxes, listening):
            with c.raises(TimeoutError):
                await answer(ws, boxes, "Sleep", timeout=0.1)
            c.equal(await answer(ws, boxes, "Add", 2, 3, timeout=0.6))
            _hold(c, not listening.done(), words("a listener that has fallen"), "The late answer was for nobody. What did the listener do with it?")

    async with case(
        "a caller who is called off",
        sent=words("Sleep(), whose task is cancelled while it waits"),
        expected=words("no box left in `boxes`"),
        hints=[(Seen.STUCK, "Somebody cancels your task, and it goes on. What keeps it from ending?")],
        limit=2.0,
    ) as c:
        hub = OtherHub(lambda calls: [])
        async with _talk(c, hub) as (ws, boxes, _):
            call = asyncio.ensure_future(answer(ws, boxes, "Sleep", timeout=1.5))
            while not hub.calls:
                await asyncio.sleep(0.005)
            call.cancel()
            await asyncio.wait([call])
            left = words(f"{len(boxes)} box left in `boxes`")
            _hold(c, not boxes, left, "When time is up, the box goes. But a task may also be cancelled while it waits. Which word runs on every way out?")
