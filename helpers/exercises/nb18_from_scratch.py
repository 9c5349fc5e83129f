"""The exercises of notebook 18: a mask that goes on in the middle, fragments with a ping between them, and the answer to a Close."""

from __future__ import annotations

from typing import Any

from .engine import Answer, Case, Cases, exercise, words

MORE, TEXT, BINARY, PING, PONG = 0, 1, 2, 9, 10

# --- Exercise 1

KEY = b"abcd"
PLAIN = bytes(range(256)) * 4
MASKED = bytes(octet ^ KEY[place % 4] for place, octet in enumerate(PLAIN))

BEGINS_ANEW = (
    "A piece from the very beginning comes out right. This one does not begin there, and yet it is taken off with the first octet of the key "
    "in front. Which octet of the key meets the first octet of this piece?"
)
OTHER_WAY = "You turn the key, and that is right. But in which direction? With an offset of 1, `b'abcd'` has `b` in front."
TOO_FAR = "Small offsets are right. A slice that begins behind the end of the key is empty. How often has the key come round by then?"
CUT_SHORT = "It begins with the right octet. But the key that you pass has fewer than four. What comes after its last one?"


def _piece(c: Case, answer: Answer, offset: int, size: int) -> None:
    piece = MASKED[offset : offset + size]
    got = answer(piece, KEY, offset)
    want = PLAIN[offset : offset + size]

    def taken_off(key: bytes) -> bytes:
        return bytes(octet ^ key[place % len(key)] for place, octet in enumerate(piece)) if key else piece

    turn = offset % 4
    hints: list[tuple[Any, str]] = []
    if offset > 3:
        hints += [(taken_off(KEY[offset:] + KEY[:offset]), TOO_FAR)]
    if turn:
        hints += [
            (taken_off(KEY), BEGINS_ANEW),
            (taken_off(KEY[-turn:] + KEY[:-turn]), OTHER_WAY),
            (taken_off(KEY[turn:]), CUT_SHORT),
        ]
    c.equal(bytes(got) if isinstance(got, bytearray) else got, want, hints=hints)


@exercise(
    hints=[
        (IndexError, "One octet of the key is asked for that it has not. A key has four: what does `% 4` do for you?"),
        (ValueError, "It works for some. With this offset, what do you pass to `unmask` as the key, and how long is it?"),
        (OverflowError, "The two numbers are not of the same length. How long is the key that you pass to `unmask`, when it should be four?"),
    ],
    limit=3.0,
)
def unmask_piece(answer: Answer, case: Cases) -> None:
    for offset, size, what in (
        (0, 8, "the beginning of the payload"),
        (1, 9, "a piece behind one octet"),
        (3, 2, "two octets behind three"),
        (4, 8, "a piece behind four octets"),
        (5, 6, "a piece behind five octets"),
        (1000, 24, "the end of a longer payload"),
    ):
        with case(what, sent=words(f"{size} octets, key {KEY!r}, offset {offset}"), hint=BEGINS_ANEW) as c:
            _piece(c, answer, offset, size)
    with case("an empty piece", sent=words("no octet, offset 2"), expected=b"", hint="Nothing is in it, and nothing comes out.") as c:
        c.equal(answer(b"", KEY, 2))


# --- Exercise 2

MIXED = "Messages alone are right. A ping is no part of the message around it. What does yours do with its payload?"
RESETS = "The pong is right. But the ping made you forget the message under way. Which of your names does a control frame touch?"
LATE = "Everything is there. But the ping was to be answered at once, before the message around it was whole. When do you put the pong into the list?"
KIND = "The octets are right. But the first frame said what kind of message it is; the later ones say 0. What do you keep of the first?"


@exercise(
    hints=[
        (UnicodeDecodeError, "Whole frames are decoded. But a border between frames may fall into a character. When is it safe to decode?"),
        (type(None), "The frames are read, perhaps, but nobody hears what came of them. What is to be returned?"),
        (
            lambda got: isinstance(got, list) and any(isinstance(thing, bytearray) for thing in got),
            "The right octets. But a `bytearray` goes on changing, and the caller wants `bytes` of its own. What makes them?",
        ),
    ]
)
def sort_out(answer: Answer, case: Cases) -> None:
    def tried(what: str, frames: list[tuple[bool, int, bytes]], expected: list[Any], **more: Any) -> None:
        with case(what, sent=words(_shown(frames)), expected=expected, **more) as c:
            c.equal(answer(list(frames)))

    tried("one text, in one frame", [(True, TEXT, b"hello")], ["hello"], hints=[([b"hello"], "The octets are right. But the frame said text. What turns bytes into `str`?")])
    tried("one binary message", [(True, BINARY, b"\xff\x00")], [b"\xff\x00"], hints=[((UnicodeDecodeError, str), "Texts are right. This one says binary: opcode 2. Is it to be decoded?")])
    tried(
        "a text in three fragments",
        [(False, TEXT, b"hel"), (False, MORE, b"l"), (True, MORE, b"o")],
        ["hello"],
        hints=[
            ([b"hello"], KIND),
            (["o"], "The last fragment is there. What became of those before it?"),
            (["hel", "l", "o"], "All is there, in three parts. Which frames end a message? The first item of the tuple says it."),
            ([], "Messages of one frame are right. Here the *last* frame has FIN, and its opcode is 0. Do you look at it?"),
        ],
    )
    tried("an empty text", [(True, TEXT, b"")], [""], hint="A message may be empty, and is a message all the same. What does your test make of it?")
    tried("a ping, a pong", [(True, PING, b"?"), (True, PONG, b"!")], [("pong", b"?")], hints=[
        (lambda got: len(got) == 2, "The ping is answered. But a pong is an answer itself. What comes back for it?"),
        ([("pong", "?")], "The ping is answered. Its payload comes back as it came: as bytes."),
        ([], "Messages are right. But nobody answers the ping."),
    ])
    tried(
        "a ping between two fragments",
        [(False, TEXT, b"hel"), (True, PING, b"?"), (True, MORE, b"lo")],
        [("pong", b"?"), "hello"],
        hints=[
            (["hello", ("pong", b"?")], LATE),
            (lambda got: got in ([("pong", b"?"), "lo"], [("pong", b"?"), b"lo"]), RESETS),
            (lambda got: "hel?lo" in got or b"hel?lo" in got or "hel?" in got or any("?lo" in str(thing) for thing in got), MIXED),
            (lambda got: b"hello" in got, "The pong is right, and so are the octets. But now the text is binary. Which frame says what kind it is, and did the ping overwrite it?"),
        ],
    )
    tried(
        "a binary message with a pong in it",
        [(False, BINARY, b"\x01"), (True, PONG, b"late"), (True, MORE, b"\x02")],
        [b"\x01\x02"],
        hints=[(lambda got: any(b"late" in bytes(thing) for thing in got if isinstance(thing, (bytes, bytearray))), MIXED), ([b"\x02"], RESETS)],
    )
    tried(
        "a character cut by a border",
        [(False, TEXT, b"caf\xc3"), (True, MORE, b"\xa9")],
        ["café"],
        hints=[(lambda got: "\ufffd" in got[0], "A border fell into a character, and you replaced both halves. When is it safe to decode?"),
               (lambda got: got == ["caf"], "A border fell into a character, and you left its halves out. When is it safe to decode?")],
    )
    tried(
        "two messages, one after the other",
        [(False, TEXT, b"o"), (True, MORE, b"ne"), (False, BINARY, b"t"), (True, MORE, b"wo")],
        ["one", b"two"],
        hints=[
            (lambda got: got[1:] in ([b"onetwo"], ["onetwo"]), "The first message is right. The second still has the first in front. What has to become of the collected octets when a message is whole?"),
            (["one", "two"], "The octets are right. But the second message says binary, in its first frame. When is the kind to be set anew?"),
        ],
    )


def _shown(frames: list[tuple[bool, int, bytes]]) -> str:
    names = {MORE: "MORE", TEXT: "TEXT", BINARY: "BINARY", PING: "PING", PONG: "PONG"}
    return ", ".join(f"({fin}, {names[opcode]}, {payload!r})" for fin, opcode, payload in frames)


# --- Exercise 3


def _code(code: int) -> bytes:
    return code.to_bytes(2, "big")


NUMBER = (
    "You found a code. But what goes back is the payload of a frame: two octets, the big end first. Which method of a number makes them?"
)


@exercise(
    hints=[
        (int, NUMBER),
        (OverflowError, "A number does not fit into two octets. How many octets of the payload did you read for it?"),
        (UnicodeDecodeError, "You looked at the reason, and that is right. It is no UTF-8. The other side is to hear a code, and not your server an exception."),
        (type(None), "One path comes to its end without a `return`. What goes back for this payload?"),
    ]
)
def reply_to_close(answer: Answer, case: Cases) -> None:
    def tried(what: str, payload: bytes, expected: bytes, hints: Any = (), hint: str = "") -> None:
        with case(what, sent=payload, expected=expected, hints=hints, hint=hint) as c:
            got = answer(payload)
            c.equal(bytes(got) if isinstance(got, bytearray) else got)

    tried("1000, and nothing more", _code(1000), _code(1000), hint="This is the friendliest Close there is. What do you make of its two octets?")
    tried(
        "1000, and a reason",
        _code(1000) + b"bye",
        _code(1000),
        hints=[
            (_code(1002), "A code alone is right. With a reason behind it, which octets are the number?"),
            (_code(1000) + b"bye", "The code is right. But their reason is theirs: only the code goes back."),
        ],
    )
    tried(
        "no code at all",
        b"",
        b"",
        hints=[
            (_code(1002), "Codes are right. But a Close may have no payload, and that is no mistake. What number do you make of nothing?"),
            (_code(1000), "A friendly answer, but nobody said a code, so none goes back."),
            (_code(1005), "1005 means this, *no code was there*, and so it may never be sent. What has no code?"),
            (_code(0), "Nothing came, and two octets go back. Which length says nothing?"),
        ],
    )
    tried("half a code", b"\x03", _code(1002), hints=[(b"\x03", "Whole codes are right. This is one octet: half a number. Is it what the RFC allows?"), (b"", "It is right to have a case for what is too short. But one octet is not the same as none.")], hint="A code has two octets. What do you make of one?")
    for code, why in (
        (999, "below all that are given out"),
        (1004, "kept for later, and never given out"),
        (1005, "it means that there was *no* code"),
        (1006, "it means that no Close came"),
        (1015, "it means that TLS failed, before any Close could be sent"),
        (1016, "given out to nobody"),
        (2999, "kept for the protocol itself"),
        (5000, "above all that are given out"),
    ):
        tried(
            f"the code {code}",
            _code(code),
            _code(1002),
            hints=[(_code(code), f"Good codes go back as they are. But nobody may send {code}: {why}. Which ranges does your test let through?")],
            hint=f"{code} is a code that nobody may send. What says that the protocol was broken?",
        )
    for code in (1001, 1003, 1007, 1011, 1014, 3000, 4999):
        tried(
            f"the code {code}",
            _code(code),
            _code(code),
            hints=[(_code(1002), f"Bad codes are refused, and that is right. But {code} may be sent. Where do your ranges begin and end?")],
            hint=f"{code} is a good code. What goes back for one?",
        )
    tried(
        "a reason that is no UTF-8",
        _code(1000) + b"\xff",
        _code(1007),
        hints=[
            (_code(1000), "The code is right. But a reason is text, and this one is none. Did you look at it?"),
            (_code(1002), "You saw that the reason is no text. For that, there is a code of its own."),
        ],
    )
    tried("a bad code, and a reason in German", _code(1006) + "tschüß".encode(), _code(1002), hint="The code alone decides here.")
    tried("a reason in German", _code(4000) + "tschüß".encode(), _code(4000), hint="The reason is good UTF-8. Which part of the payload do you decode?")
