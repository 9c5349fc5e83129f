"""The exercises of notebook 11: who may come in by the Origin, and a page that comes back after a close it did not ask for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from websockets.datastructures import Headers

from .engine import Answer, Case, Cases, exercise, words

# --- Exercise 1

PROGRAM = "Pages are judged. But a program sends no Origin at all, and may come in. What does `headers.get` give for a header that isn't there?"
WHOLE = "Friends come in. But compare the whole of it: does this one *equal* a friend, or does it only contain, or begin like, one?"


SCHEME = "Names are compared. But http is not https: whoever sits on that line may have written the page. Is the scheme a part of the Origin?"
PORT = "Host and scheme are right. But another port is another server. Is the port a part of the Origin?"
NAME = "You and I know that it is the same machine. The list doesn't, and the browser takes it for another Origin. Which texts are equal?"
NULL = "Programs come in. But `null` is a text that a browser sends, for a file for example. Is it the same as no Origin?"
EMPTY = "Programs come in: they send no such header. This one was sent, and it is empty. How do you tell `\"\"` from `None`?"

STRANGERS = [  # who has to stay outside, the Origin, and the hint for those who let it in
    ("a stranger that begins like a friend", "https://tennis.example.evil.example", WHOLE),
    ("a stranger that ends like a friend", "https://nottennis.example", WHOLE),
    ("a stranger that holds a friend's name", "https://evil.example:8888", WHOLE),
    ("a stranger that is a part of a friend", "https://tennis.ex", WHOLE),
    ("a stranger that is a friend's neighbour", "https://squash.tennis.example", WHOLE),
    ("a stranger that differs by one letter", "https://tennisxexample", WHOLE),
    ("a friend's name over a line that anybody can rewrite", "http://tennis.example", SCHEME),
    ("another port of this machine", "http://127.0.0.1:9999", PORT),
    ("another port of a friend", "https://tennis.example:8443", PORT),
    ("the address of the server itself", "http://127.0.0.1:8765", PORT),
    ("another name for this machine", "http://localhost:8888", NAME),
    ("a page without a home", "null", NULL),
    ("an Origin with nothing in it", "", EMPTY),
]


def _headers(origin: str | None, name: str = "Origin") -> Headers:
    """The headers of a browser's handshake, or of a program's, which sends no Origin."""
    found = Headers({"Host": "127.0.0.1:8765", "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"})
    if origin is not None:
        found[name] = origin
    return found


def _door(c: Case, answer: Answer, headers: Headers, **given: Any) -> None:
    got = answer(headers)
    if type(got) is not bool and got is not None:
        c.fail(
            "It comes to a decision. But the caller wants `True` or `False`. Which comparison gives one?",
            received=got,
        )
    c.equal(got, **given)


@exercise(
    hints=[
        (KeyError, PROGRAM),
        (AttributeError, "The headers are a kind of dictionary, and one that isn't there is `None`. What can you do with `None`, and what not?"),
        (TypeError, "It reads the header. But with `None`, which stands for \"no Origin\", this can't be done. What comes first?"),
    ]
)
def allowed(answer: Answer, case: Cases) -> None:
    for friend in ("http://127.0.0.1:8888", "https://tennis.example"):
        with case(
            "a page of a friend",
            sent=words(f"Origin: {friend}"),
            expected=True,
            hint="This one is on the list, and may come in. Which header do you look at, and what do you ask about it: is it *in* the list?",
        ) as c:
            _door(c, answer, _headers(friend))
    with case("a page of a stranger", sent=words("Origin: https://evil.example"), expected=False, hint="Friends come in. So does everybody else. What has to be looked up, and where?") as c:
        _door(c, answer, _headers("https://evil.example"))
    with case("a program, without an Origin", sent=words("no Origin"), expected=True, hint=PROGRAM) as c:
        _door(c, answer, _headers(None))
    for what, origin, hint in STRANGERS:
        with case(what, sent=words(f"Origin: {origin or '(empty)'}"), expected=False, hint=hint) as c:
            _door(c, answer, _headers(origin))
    with case(
        "a name in small letters",
        sent=words("origin: https://evil.example"),
        expected=False,
        hint="`Origin` is found. But names of headers may be written in small letters, and `headers` knows that when you ask *it*. How did you look?",
    ) as c:
        _door(c, answer, _headers("https://evil.example", "origin"))


# --- Exercise 2

OPEN, BYE, TIMER = ("open",), ("bye",), ("timer",)
CUT, GONE, DONE = ("close", 1006, False), ("close", 1001, True), ("close", 1000, True)

AT_ONCE = "It comes back, and that is right. But at once: a server that is down would be called thousands of times a second. What comes between?"
CLEAN = (
    "After a line that was cut it comes back. This close was clean, and still nobody in the page had asked for it: "
    "a server that restarts says 1001. Who knows whether it was asked for: the code, or the page?"
)
LINEAR = "It waits, and longer each time. Is each wait *twice* the one before?"
AGAIN = "The first wait is right. The line could not be opened, so it closed again. How long does it wait now, and who remembers?"
RESET = "The waits grow. But in between the line was open: all is well. What happens to the wait then?"
MOST = "The waits double. But a page that waits for an hour is gone for good. What is the longest wait?"
ASKED = "After a cut it comes back. But here the visitor had pressed *Bye*. Who remembers that, and where?"
LONGER = "It waits for a number of seconds, and for too many. `wait` is 1 at the start. Do you use it before you double it, or after?"
KIND = "What should happen after a close that nobody asked for? If you have a branch for it, does it run? An event is a tuple: where is its kind?"
FOREVER = "It stays away at first. Then it comes back. How long does a *Bye* hold, and what made you forget it?"
LATE = "It stays away after *Bye* and a close. But here *Bye* came while it was waiting. What should the timer do then?"


def _play(c: Case, answer: Answer, story: Sequence[tuple[tuple[Any, ...], Any]], hints: dict[int, str] | None = None) -> None:
    """Send the events of a story, one by one, and compare what the page does; ``hints`` by the place in the story."""
    state = {"asked": False, "wait": 1}
    for place, (event, expected) in enumerate(story):
        got = answer(state, event)
        got = tuple(got) if isinstance(got, list) else got
        if expected is ...:  # the table says nothing about it
            continue
        said = (hints or {}).get(place, "")
        shown = " ".join(map(str, event))
        if isinstance(expected, tuple) and isinstance(got, (int, float)) and not isinstance(got, bool):
            said = 'The number is a wait. But what is to be done with it? The table wants `("timer", seconds)`.'
        elif expected == ("timer", 1) and got == ("timer", 2) and place == 1:
            said = LONGER
        elif isinstance(expected, tuple) and got == "connect":
            said = AT_ONCE
        elif got == "timer":
            said = 'A timer it is. For how many seconds? The table wants `("timer", seconds)`.'
        c.equal(got, expected, hints=[(lambda _: True, said)] if said else [], received=words(f"{got!r}, after the event `{shown}`"))


@exercise(
    hints=[
        (KeyError, 'Something is looked up that isn\'t there. `state` has the keys `"asked"` and `"wait"`. Which events carry a code?'),
        (IndexError, "The kind of an event stands at place 0. Only a close carries more. Where do you look for a second one?"),
        (ValueError, "The events are of different lengths: only a close carries a code. What stands in all of them?"),
    ]
)
def come_back(answer: Answer, case: Cases) -> None:
    with case("the line is cut", sent=[OPEN, CUT, TIMER], expected=words("None, then ('timer', 1), then 'connect'")) as c:
        _play(
            c,
            answer,
            [(OPEN, None), (CUT, ("timer", 1)), (TIMER, "connect")],
            {0: "An open line asks for nothing: `None`.", 1: KIND, 2: "The time is over. What had it been waiting for?"},
        )
    with case("the server restarts", sent=[OPEN, GONE, TIMER], expected=words("None, then ('timer', 1), then 'connect'")) as c:
        _play(c, answer, [(OPEN, None), (GONE, ("timer", 1)), (TIMER, "connect")], {1: CLEAN})
    with case("the server hangs up with 1000", sent=[OPEN, DONE], expected=words("None, then ('timer', 1)")) as c:
        _play(c, answer, [(OPEN, None), (DONE, ("timer", 1))], {1: CLEAN})
    with case("the visitor says bye", sent=[OPEN, BYE, DONE], expected=words("None, then 'close', then None")) as c:
        _play(c, answer, [(OPEN, None), (BYE, "close"), (DONE, None)], {1: "The visitor wants to go. What does the page do with its line?", 2: ASKED})
    with case("bye, and then the line is cut", sent=[OPEN, BYE, CUT], expected=words("None, then 'close', then None")) as c:
        _play(c, answer, [(OPEN, None), (BYE, "close"), (CUT, None)], {2: ASKED})
    with case("the server stays away", sent=words("seven closes in a row"), expected=words("waits of 1, 2, 4, 8, 16, 30 and 30 seconds")) as c:
        waits = (1, 2, 4, 8, 16, 30, 30)
        story = [step for seconds in waits for step in ((CUT, ("timer", seconds)), (TIMER, "connect"))]
        _play(c, answer, [(OPEN, None), *story], {3: AGAIN, 5: LINEAR, 7: LINEAR, 9: LINEAR, 11: MOST, 13: MOST})
    with case("it came back, and is cut once more", sent=[OPEN, CUT, TIMER, CUT, TIMER, OPEN, CUT], expected=words("a wait of 1 second at the end")) as c:
        _play(
            c,
            answer,
            [(OPEN, None), (CUT, ("timer", 1)), (TIMER, "connect"), (CUT, ("timer", 2)), (TIMER, "connect"), (OPEN, None), (CUT, ("timer", 1))],
            {6: RESET},
        )
    with case("bye while it waits", sent=[OPEN, CUT, BYE, TIMER], expected=words("None, ('timer', 1), 'close', None")) as c:
        _play(c, answer, [(OPEN, None), (CUT, ("timer", 1)), (BYE, "close"), (TIMER, None)], {3: LATE})
    with case("two pages", sent=words("a second page, with a state of its own"), expected=words("a wait of 1 second")) as c:
        _play(
            c,
            answer,
            [(CUT, ("timer", 1))],
            {0: "One page is served well. But this is another one, with a `state` of its own. Where do you keep what you remember?"},
        )
    with case("bye, a close, and an old timer", sent=[OPEN, BYE, DONE, TIMER], expected=words("None, 'close', None, None")) as c:
        _play(c, answer, [(OPEN, None), (BYE, "close"), (DONE, None), (TIMER, None)], {3: FOREVER})
    with case("bye while it connects", sent=[OPEN, CUT, TIMER, BYE, OPEN, DONE], expected=words("None, ('timer', 1), 'connect', 'close', None, None")) as c:
        _play(
            c,
            answer,
            [(OPEN, None), (CUT, ("timer", 1)), (TIMER, "connect"), (BYE, "close"), (OPEN, ...), (DONE, None)],
            {5: FOREVER},
        )
