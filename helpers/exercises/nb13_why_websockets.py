"""The exercises of notebook 13: what a delivered event costs in bytes, and five situations with what decides each."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from itertools import product
from typing import Any

from ..recording import Event
from .engine import Answer, Cases, exercise, words

# --- Exercise 1

PIECES = [  # two questions and their answers, the second on a new line, and what a wire notes besides
    ("open", 1, "client", b""),
    ("received", 1, "client", b"GET /scores?after=0 HTTP/1.1\r\nHost: h\r\n\r\n"),
    ("passed", 1, "client", b"GET /scores?after=0 HTTP/1.1\r\nHost: h\r\n\r\n"),
    ("received", 1, "server", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]"),
    ("passed", 1, "server", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]"),
    ("end", 1, "server", b""),
    ("open", 2, "client", b""),
    ("received", 2, "client", b"GET /scores?after=0 HTTP/1.1\r\nHost: h\r\n\r\n"),
    ("passed", 2, "client", b"GET /scores?after=0 HTTP/1.1\r\nHost: h\r\n\r\n"),
    ("received", 2, "server", b'HTTP/1.1 200 OK\r\nContent-Length: 34\r\n\r\n[{"n": 1}, {"n": 2}, {"n": 3}, ...'),
    ("passed", 2, "server", b'HTTP/1.1 200 OK\r\nContent-Length: 34\r\n\r\n[{"n": 1}, {"n": 2}, '),  # the wire was chopping
    ("passed", 2, "server", b'{"n": 3}, ...'),
]
RECORDING = [Event(place / 100, number, sender, kind, data) for place, (kind, number, sender, data) in enumerate(PIECES)]  # type: ignore[arg-type]
TALK = [
    Event(0.0, 1, "client", "received", b"\x81\x86\0\0\0\0bravo!"),
    Event(0.1, 1, "client", "passed", b"\x81\x86\0\0\0\0bravo!"),
    Event(0.2, 1, "server", "received", b'\x81\x08{"n": 1}'),
    Event(0.3, 1, "server", "passed", b'\x81\x08{"n": 1}'),
]


def _size(recording: list[Event], *senders: str) -> int:
    return sum(len(entry.data) for entry in recording if entry.kind == "received" and entry.sender in (senders or ("client", "server")))


def _near(want: float) -> Callable[[Any], bool]:
    return lambda got: isinstance(got, (int, float)) and abs(got - want) < 1e-6


@exercise(
    hints=[
        (
            AttributeError,
            "You walk through the recording, good. But an entry has no such part. Which three does the text above name?",
        ),
        (
            TypeError,
            "The parts are there. But bytes can't be added to a number. Which function says how many bytes there are in `.data`?",
        ),
    ]
)
def bytes_per_event(answer: Answer, case: Cases) -> None:
    total, count = _size(RECORDING), 4
    with case(
        "two questions, four events",
        sent=words("a recording of two lines, and 4"),
        expected=total / count,
        hints=[
            (_near(2 * total / count), "Both sides are in it. But it is exactly twice too much. How often does a wire note the same bytes?"),
            (_near(total), "These are all the bytes, and that is right. How many events do they share?"),
            (_near(2 * total), "All the bytes are in it, each of them twice. How often does a wire note them? And how many events do they share?"),
            (
                _near(_size(RECORDING, "server") / count),
                "The answers are counted right. But without the questions there would be none. Who sends those?",
            ),
            (
                _near(_size(RECORDING, "client") / count),
                "The questions are counted right. And what the server sent?",
            ),
            (
                _near(sum(len(e.data) for e in RECORDING if e.kind == "received" and e.connection == 1) / count),
                "The first line is counted right. A client that calls again has a second one. Does it cost nothing?",
            ),
            (
                lambda got: any(_near(n / count)(got) for n in (len(RECORDING), 4, 5)),
                "You count entries. An entry holds a piece, short or long. How many *bytes* are in it?",
            ),
            (lambda got: got in (total // count, round(total / count)), "Right up to the comma. A share may have a fraction: which of `/`, `//` and `round` keeps it?"),
            (_near(count / total), "The right two numbers. Which of them is shared out among the other?"),
            (
                _near(total / 4 / count),
                "You divide by the pieces as well. It is the events that share the bytes, and you were told how many there are.",
            ),
        ],
        hint="Which entries hold bytes, and how often is each byte noted? Both sides count.",
    ) as c:
        got = answer(RECORDING, count)
        c.kind(got, (int, float), hint="Something came back. The caller wants one number.")
        c.true(_near(total / count)(got), received=got, hints=[])
    with case(
        "a cheer and a point",
        sent=words("a recording of two frames, and 1"),
        expected=float(_size(TALK)),
        hint="Questions and answers in HTTP are right. These are two frames, and their bytes count as any others. What tells you which to take?",
    ) as c:
        got = answer(TALK, 1)
        c.true(_near(_size(TALK))(got), received=got)
    with case(
        "a line on which nothing was delivered",
        sent=words("the first recording, and 0"),
        expected=float("inf"),
        hints={
            ZeroDivisionError: "With events it is right. Here there were none, and nothing can be shared among nobody. What should it say then?",
            0: "With events it is right. But this line has cost something, and delivered nothing. Is that cheap?",
            "inf": 'Nearly: that is a text. Which type makes a number of it?',
            None: "With events it is right. And without any? The text above asks for a number.",
        },
    ) as c:
        c.equal(answer(RECORDING, 0))


# --- Exercise 2

WAYS = ("polling", "long polling", "server-sent events", "WebSocket", "one request")
REASONS = ("late", "a point", "silence", "a cheer", "status", "cache", "calls again")

WANTED = {
    "scores": ("server-sent events", "calls again"),
    "game": ("WebSocket", "a cheer"),
    "weather": ("polling", "cache"),
    "siren": ("long polling", "silence"),
    "ticket": ("one request", "status"),
}

TYPICAL = {  # of a run, for whoever checks before the races were run
    "point": {"polling": 264.0, "long polling": 600.0, "server-sent events": 71.0, "WebSocket": 57.0},
    "silence": 2260.0,
    "cheer": {"POST": 455.0, "WebSocket": 33.0},
}


def _numbers(function: Any) -> dict[str, Any]:
    """What the learner measured: the results of the three races, as they stand in the notebook; else TYPICAL."""
    space = getattr(inspect.unwrap(function), "__globals__", {})
    try:
        deliveries, silent, talks = space["deliveries"], space["silent"], space["talks"]
        return {
            "point": {way: deliveries[way].bytes_from() / len(deliveries[way].flights) for way in WAYS[:4]},
            "silence": float(silent["polling"].bytes_from()),
            "cheer": {
                name: talks[way].bytes_from("client") / len(talks[way].flights)
                for name, way in (("POST", "events and POST"), ("WebSocket", "WebSocket"))
            },
        }
    except (KeyError, AttributeError, TypeError, ZeroDivisionError):
        return TYPICAL


def _wrong_ways(n: dict[str, Any]) -> dict[tuple[str, str], str]:
    """What is said about a way that does not fit, whatever its reason."""
    point, cheer = n["point"], n["cheer"]
    lines = "It would be soon enough. But a hundred thousand readers would hold a hundred thousand lines, for one word an hour. Who could answer them in the server's place?"
    endless = "It would be soon, and silent. But its answer has no end, and the box lets pass only what has one. Which way is silent *and* comes to an end?"
    one = "One seat, one question: and you would open a line for it, and wait for news. What does every HTTP answer begin with?"
    return {
        ("scores", "WebSocket"): f"It works. In your run a point took {point['WebSocket']:.0f} bytes on it and {point['server-sent events']:.0f} with server-sent events, "
        "and both came equally soon. Nobody talks back here. What would you have to build, for the day when the line breaks?",
        ("scores", "polling"): "It is the oldest way, and it works. But look at the leaning lines of your first picture: do these readers want to wait for your next question?",
        ("scores", "long polling"): f"It is soon enough. In your run a point took {point['long polling']:.0f} bytes, and {point['server-sent events']:.0f} with server-sent events. What is in the rest?",
        ("scores", "one request"): "One answer has the points until now. And the next one?",
        ("game", "server-sent events"): f"The other one's racket comes soon, good. But yours has to go out twenty times a second. A word of yours took {cheer['POST']:.0f} bytes by POST, in your run. And on the line that is open?",
        ("game", "long polling"): f"It reaches everybody. But both sides talk here: a word of yours took {cheer['POST']:.0f} bytes by POST, in your run, and each point another question. Which way needs neither?",
        ("game", "polling"): "A racket that moves twenty times a second, and you ask every now and then. What would the other player see?",
        ("game", "one request"): "Twenty requests a second, from either side. Which of your pictures showed what that costs?",
        ("weather", "WebSocket"): lines,
        ("weather", "server-sent events"): lines,
        ("weather", "long polling"): lines,
        ("weather", "one request"): "One request brings the forecast of now. But the page stays open, and wants the next one, too. What is it called if you ask again?",
        ("siren", "polling"): f"It gets through the box, good. In your run polling took {n['silence']:.0f} bytes in a second without news. How many silent seconds has a year, and who pays for them?",
        ("siren", "server-sent events"): endless,
        ("siren", "WebSocket"): "It would be soon, and silent. But the box passes only answers that come to an end; a WebSocket has no answer at all behind its handshake. Which way gets through?",
        ("siren", "one request"): "It gets through the box. But when do you send it? The siren doesn't know the day.",
        ("ticket", "WebSocket"): one,
        ("ticket", "server-sent events"): one,
        ("ticket", "long polling"): one,
        ("ticket", "polling"): "You get to know it, some time. But the answer to your question is all you need. Must you ask twice?",
    }


def _wrong_reasons(n: dict[str, Any]) -> dict[tuple[str, str], str]:
    """What is said about a way that fits, for a reason that does not decide."""
    point, cheer = n["point"], n["cheer"]
    return {
        ("scores", "late"): "The way fits. By being late, polling loses. But the second best is a WebSocket, and in your run it was as soon. What did only one of the two do when the line broke?",
        ("scores", "a point"): f"The way fits, and long polling loses by it. But a WebSocket took {point['WebSocket']:.0f} bytes, and this one {point['server-sent events']:.0f}: no reason against it. What did only one of the two do when the line broke?",
        ("scores", "a cheer"): "The way fits. But who cheers here? These readers only read.",
        ("scores", "silence"): "The way fits. In silence polling loses, but a WebSocket was as silent in your run. What did only one of the two do when the line broke?",
        ("game", "late"): "The way fits. But server-sent events came as soon, in your run. What do players do that readers don't?",
        ("game", "a point"): f"The way fits. But with {point['WebSocket']:.0f} bytes against {point['server-sent events']:.0f} for a point, it hardly wins over server-sent events. What do players do that readers don't?",
        ("game", "silence"): f"The way fits. But when is this line ever silent? What took {cheer['POST']:.0f} bytes in your run one way, and {cheer['WebSocket']:.0f} the other?",
        ("weather", "late"): "The way fits, and it *may* be late: that permits polling. But what makes it good for a hundred thousand who all ask the same?",
        ("weather", "silence"): "The way fits. But in silence polling was the dearest of all. What keeps those questions away from the server?",
        ("weather", "a point"): "The way fits. But for each point, polling was no bargain in your run. What keeps the questions away from the server?",
        ("siren", "calls again"): "The way fits. But polling calls again as well; it does nothing else. What does that cost in a year without an alarm?",
        ("siren", "late"): "The way fits. But with a short pause polling would be soon, too. What would that cost in a year without an alarm?",
        ("siren", "a point"): f"The way fits. But one point a year may cost {point['long polling']:.0f} bytes. What happens in all the other seconds?",
        ("ticket", "cache"): "The way fits. But a remembered answer would sell the same seat twice. What do you want to know of the answer?",
    }


OTHERWISE = {
    "scores": "The way fits. The second best is a WebSocket, which ties in your table. What did only one of the two do when the line broke?",
    "game": "The way fits. But what do players do that readers don't, and in which column does it stand?",
    "weather": "The way fits. But all the readers ask the same. What can answer in the server's place?",
    "siren": "The way fits. But what does polling pay for that long polling doesn't, day and night?",
    "ticket": "The way fits. But how does the first line of an answer say *yes* or *no*?",
}


@exercise
def choose(answer: Answer, case: Cases) -> None:
    with case("five situations") as c:
        got = answer()
        c.kind(got, dict, hint="Something came back. The caller wants a dictionary with the five situations as keys.")
        pairs = {}
        for situation, chosen in got.items():
            if not isinstance(chosen, (tuple, list)) or len(chosen) != 2:
                c.fail(f"`{situation}` needs a pair: a way, and what decides. Which of the two is missing?", received=chosen)
            way, why = pairs[situation] = tuple(chosen)
            if way in REASONS and why in WAYS:
                c.fail(f"Both words of `{situation}` are known. Which of them is the way, and which comes first?", received=chosen)
            if way not in WAYS or why not in REASONS:
                strange = chosen[0] if way not in WAYS else chosen[1]
                c.fail(f"A pair it is. But {strange!r} is on neither of the two lists above. Copy the word as it stands there.", received=words(repr(tuple(chosen))))
        numbers = _numbers(answer.function)
        ways, reasons = _wrong_ways(numbers), _wrong_reasons(numbers)
        hints = {}
        for situation, way, why in product(WANTED, WAYS, REASONS):
            told = ways.get((situation, way)) if way != WANTED[situation][0] else reasons.get((situation, why), OTHERWISE[situation])
            hints[situation, (way, why)] = told or ""
        c.match(pairs, WANTED, hints=hints)
