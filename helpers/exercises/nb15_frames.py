"""The exercises of notebook 15: a frame built, a frame parsed, and messages put together from fragments."""

from __future__ import annotations

import inspect
import random
import re
import struct
from typing import Any

from websockets.frames import Frame, Opcode

from ..frames.frame import masked
from .engine import Answer, Case, Cases, Seen, exercise, words

KEY = b"\x37\xfa\x21\x3d"  # RFC 6455, section 5.7
HELLO = b"\x81\x05Hello"
MASKED = b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"
SIZES = (0, 1, 4, 125, 126, 127, 255, 256, 65_535, 65_536)


class Hex(bytes):
    """A frame that a verdict shows in hexadecimal; of a long one the header."""

    def __repr__(self) -> str:
        if len(self) <= 20:
            return self.hex(" ")
        header = 2 + {126: 2, 127: 8}.get(self[1] & 0x7F, 0) + 4 * (self[1] >> 7)
        return f"{self[:header].hex(' ')} …, {len(self):,} bytes in all"


class Many(bytes):
    """A payload of which a verdict shows the size and the beginning."""

    def __repr__(self) -> str:
        return f"{len(self):,} bytes {self[:4].hex(' ')} …"


def written(opcode: int, payload: bytes, key: bytes = b"", fin: bool = True) -> bytes:
    """The frame as the library writes it, with this key instead of a random one."""
    raw = Frame(Opcode(opcode), payload, fin=fin).serialize(mask=False)
    if not key:
        return raw
    head = len(raw) - len(payload)
    return raw[:1] + bytes([raw[1] | 0x80]) + raw[2:head] + key + masked(payload, key)


def _plain(got: Any) -> Any:
    return bytes(got) if isinstance(got, bytearray) else got


def _differs(got: bytes, want: bytes) -> str:
    """Where two frames part, in words: nobody compares 65,536 bytes by eye."""
    place = next((i for i, (a, b) in enumerate(zip(got, want, strict=False)) if a != b), min(len(got), len(want)))
    seen = f"{got[place]:02x}" if place < len(got) else "its end"
    wanted = f"{want[place]:02x}" if place < len(want) else "the end"
    return f"{len(got):,} bytes; the first that differs is byte {place}: {seen}, and {wanted} was wanted"


def _built(c: Case, answer: Answer, opcode: int, payload: bytes, key: bytes) -> Any:
    try:
        got = answer(opcode, payload, key)
    except TypeError as error:
        if hint := _no_number(str(error)):
            c.hints.insert(0, (TypeError, hint))
        raise
    return Hex(got) if isinstance(got, (bytes, bytearray)) else got


def _no_number(text: str) -> str:
    """The hint for a TypeError that says of something that it is no number, or ""."""
    if operator := re.search(r" for ([&|^]|<<|>>): ", text):
        return f"`{operator[1]}` works on two single numbers. Which of its sides is none?"
    if text.startswith("ord()"):
        return "A byte of `bytes` is a number already. What is `ord` for?"
    if "cannot be interpreted as an integer" in text:
        stands = "bytes stand" if text.startswith("'bytes'") else "something else stands"
        return f"A number was wanted in that line, and {stands} there. (`bytes([...])`, for one, makes bytes of numbers.) Which part of the line is it?"
    return ""


def _shifted(payload: bytes, shift: int) -> bytes:
    """Masked, but the first byte with another byte of the key than the first."""
    return bytes(byte ^ KEY[(place + shift) % 4] for place, byte in enumerate(payload))


@exercise(
    hints=[
        (struct.error, "`struct` is a fine tool for it. How many bytes has the format that you chose, and how many does this length take?"),
        (OverflowError, "The right idea. How many bytes does this form of the length take, and does the number fit?"),
        (TypeError, "The parts are there. All of them are to be `bytes`: which one is still something else, or a gap?"),
        (
            lambda got: isinstance(got, bytes) and got[:1] == b"\x01",
            "The opcode is right. But this first byte says that more frames follow. Which bit says that it is the last?",
        ),
    ]
)
def build_frame(answer: Answer, case: Cases) -> None:
    with case(
        "a short text from a server",
        sent=words("opcode 1, b'Hello', no key"),
        expected=Hex(HELLO),
        hints=[
            (lambda got: got[0] == 0, "The whole first byte came out as 0. FIN and the opcode stand in it side by side: which operator puts bits together?"),
            (lambda got: got[0] & 0x7F == 0x10, "The opcode is there, but too far to the left. Which four bits of the byte are its own?"),
            (Hex(b"\x80\x05Hello"), "FIN is set, as it should be. But what kind of message is it? The opcode has a place in the same byte."),
            (lambda got: got.endswith(bytes(4)), "Nothing is to be masked without a key. Is there a key of zeros in it?"),
            (ZeroDivisionError, "Your masking is asked to work without a key, too. What is the payload on the wire then?"),
            (IndexError, "Your masking is asked to work without a key, too. What is the payload on the wire then?"),
            (Hex(b"\x81\x05"), "The header is right. What is the payload on the wire when there is no key?"),
        ],
    ) as c:
        c.equal(_built(c, answer, 1, b"Hello", b""))

    with case(
        "the same from a client",
        sent=words("opcode 1, b'Hello', key 37 fa 21 3d"),
        expected=Hex(MASKED),
        hints=[
            (Hex(MASKED[:6] + b"Hello"), "Header and key are right. But the payload is as it was. What does the MASK bit promise?"),
            (Hex(MASKED[:6] + bytes(b ^ KEY[0] for b in b"Hello")), "The first byte is masked well. Which byte of the key belongs to the second?"),
            (Hex(MASKED[:10]), "The first four bytes are right. After the last byte of the key, which one comes next?"),
            (IndexError, "The first four bytes are right. After the last byte of the key, which one comes next?"),
            (
                lambda got: got[6:] in [_shifted(b"Hello", shift) for shift in (1, 2, 3)],
                "The key is the right one. But its first byte goes with the first of the payload. From where do you count?",
            ),
            (Hex(MASKED[:6] + KEY + MASKED[6:]), "The payload is masked well. But the key is there twice. Which line adds it already?"),
        ],
        hint="A server's frame is right. With a key, four bytes of key follow the length, and then the payload, byte for byte XORed.",
    ) as c:
        c.equal(_built(c, answer, 1, b"Hello", KEY))

    with case("a ping from a server", sent=words("opcode 9, b'', no key"), expected=Hex(b"\x89\x00"), hint="Text is right. Which bits of the first byte are the opcode's?") as c:
        c.equal(_built(c, answer, 9, b"", b""))

    for size in SIZES:
        for key in (b"", KEY):
            payload = (bytes(range(256)) * 257)[:size]
            want = Hex(written(2, payload, key))
            with case(
                f"{size:,} bytes {'with' if key else 'without'} a key",
                sent=words(f"opcode 2, {size:,} bytes, {'key 37 fa 21 3d' if key else 'no key'}"),
                expected=want,
                hint=_length_hint(size, bool(key)),
            ) as c:
                got = _built(c, answer, 2, payload, key)
                c.kind(got, bytes)
                shown = got if len(got) <= 20 else words(_differs(got, want))
                c.equal(got, received=shown, hints=[(lambda got: got[0] == 0x83, THREE), *_length_hints(want, payload, key)])


THREE = "The opcode is 2 here, and it came out as 3. Which bit is set in your first byte, whatever the opcode?"


def _length_hint(size: int, key: bool) -> str:
    if size < 126:
        return "Text and a ping are right. Here the message is binary, and it has another length. Which of the two does your frame get wrong?"
    if key:
        return "Without a key it is right. In the long forms, where has the MASK bit its place?"
    return f"Short frames are right. {'Two' if size < 65_536 else 'Eight'} bytes of length follow here. What announces them, and which end comes first?"


def _length_hints(want: bytes, payload: bytes, key: bytes) -> list[tuple[Any, str]]:
    size = {126: 2, 127: 8}.get(want[1] & 0x7F, 0)
    if not size:
        return []
    return [
        (
            lambda got: len(got) == len(want) and got[:2] == want[:2] and got[2 : 2 + size] == len(payload).to_bytes(size, "little") != want[2 : 2 + size],
            "The right form, and the right number of bytes. But which end of a number does the internet send first?",
        ),
        (
            lambda got: bool(key) and got[2 : 2 + size] == want[2 : 2 + size] and got[1] == want[1] & 0x7F,
            "The length is right. But a key follows: which bit says so, in every form of the length?",
        ),
        (
            lambda got: got[2 : 2 + size] == (len(payload) + 4).to_bytes(size, "big"),
            "The right form. But the length counts the payload alone. What else did you count?",
        ),
    ]


@exercise(
    hints=[
        (struct.error, "A cut may fall in the header, too. How many bytes are there when you ask `struct`?"),
        (Seen.STUCK, "It goes round and round. `parse_frame` doesn't wait for anything: what does it return while bytes are missing?"),
        (lambda got: isinstance(got, tuple) and len(got) == 3, "Three of the four are there. How does the caller know what to cut off?"),
        (lambda got: isinstance(got, tuple) and isinstance(got[2], list), "The payload is a list of numbers. It should be `bytes`: what makes bytes of numbers?"),
        (
            lambda got: isinstance(got, tuple) and not isinstance(got[3], int),
            "All four are there. But the last one is a number: how many bytes does the frame take, from its first to its last?",
        ),
    ]
)
def parse_frame(answer: Answer, case: Cases) -> None:
    with case(
        "a text from a server",
        sent=HELLO,
        expected=(True, 1, b"Hello", 7),
        hints=[
            ((True, 1, b"Hello", 5), "All is read well. But the frame takes more than its payload. What else is to be cut off?"),
            (lambda got: got[1] == 0x81, "The first byte has more in it than the opcode. Which bits do you have to leave out?"),
            (lambda got: got[0] == 0x80 or got[0] == 1 and got[0] is not True, "FIN is a bool: is the bit set or not?"),
            (lambda got: isinstance(got[2], str), "The right letters. But payload is bytes; whether it is text, only the whole message can say."),
            (lambda got: got[1] == 0, "The opcode came out as 0. Which four bits of the first byte are its own?"),
            (type(None), "This frame is whole, and `None` says that it isn't. Does it come from a comparison, or is there no `return` at the end?"),
            (IndexError, "This frame has no key. Which bit says so?"),
        ],
    ) as c:
        c.equal(_parsed(c, answer, HELLO))

    with case(
        "a text from a client",
        sent=words(MASKED.hex(" ")),
        expected=(True, 1, b"Hello", 11),
        hints=[
            (lambda got: got[2] == MASKED[6:], "The payload is in the right place. It is still masked: the four bytes before it are the key."),
            (lambda got: got[2] == MASKED[2:7], "A server's frame is right. Here the MASK bit is set: what stands before the payload?"),
            (lambda got: got[2] == b"Hello", "The payload is right. Count again what the frame takes: header, key and payload."),
            (lambda got: got[2] == bytes(b ^ KEY[0] for b in MASKED[6:]), "The first byte is right. Which byte of the key belongs to the second?"),
            (
                lambda got: got[2] in [_shifted(MASKED[6:], shift) for shift in (1, 2, 3)],
                "The key is the right one. But its first byte goes with the first of the payload. From where do you count?",
            ),
            (type(None), "This frame is whole. The second byte is 85: which of its bits belong to the length?"),
        ],
    ) as c:
        c.equal(_parsed(c, answer, MASKED))

    with case(
        "a fragment, and the beginning of the next frame",
        sent=b"\x01\x03Hel\x80",
        expected=(False, 1, b"Hel", 5),
        hints=[
            (lambda got: got[0] is True, "The payload is right. But the first bit is 0 here. What is FIN?"),
            (lambda got: got[2] == b"Hel\x80", "The frame is right up to its end. Where does it end?"),
            (type(None), "One byte too many is no byte too few. When is there enough?"),
            (lambda got: got[2] == b"Hel" and got[3] == 6, "The payload is right. Count again what *this* frame takes."),
        ],
    ) as c:
        c.equal(_parsed(c, answer, b"\x01\x03Hel\x80"))

    with case(
        "a frame in which RSV1 is set",
        sent=b"\xc1\x05Hello",
        expected=(True, 1, b"Hello", 7),
        hints=[(lambda got: got[1] != 1, "RSV1 is set here. How many bits has the opcode?")],
        hint="RSV1 is set here, and all else is as before. Which bits are FIN and opcode?",
    ) as c:
        c.equal(_parsed(c, answer, b"\xc1\x05Hello"))

    for size in (126, 65_535, 65_536):
        payload = Many((bytes(range(256)) * 257)[:size])
        raw = written(2, payload)
        with case(
            f"a payload of {size:,} bytes",
            sent=words(f"{raw[:10].hex(' ')} …"),
            expected=(True, 2, payload, len(raw)),
            hints=[
                (
                    lambda got, raw=raw: len(got[2]) in (126, 127),
                    "126 and 127 are signs here, and not lengths. What do they announce?",
                ),
                (type(None), "The whole frame is there. How many bytes of length follow 126, and how many 127? And which end comes first?"),
            ],
            hint="Short frames are right. Where is the length in the long forms, and where does the payload begin behind it?",
        ) as c:
            got = _parsed(c, answer, raw)
            c.equal(got, received=_told(got))

    payload = Many(range(126))
    raw = written(2, payload, KEY)
    with case(
        "a payload of 126 bytes from a client",
        sent=words(f"{raw[:10].hex(' ')} …"),
        expected=(True, 2, payload, len(raw)),
        hint="Long frames are right without a key, and short ones with it. Behind a long length the key stands further on. Where does it begin?",
    ) as c:
        got = _parsed(c, answer, raw)
        c.equal(got, received=_told(got))

    with case(
        "every beginning of a frame, one byte more each time",
        sent=words("a masked frame with 126 bytes of payload, cut off everywhere"),
        expected=None,
        hints=[
            (IndexError, "Whole frames are right. But a cut may fall in front of the byte that you look at. How many are there?"),
            ((ValueError, EOFError), "Whole frames are right. This one isn't whole yet, and an exception comes out. What is the caller to get instead?"),
            (lambda got: not got or set(got) == {None}, "Whole frames are right, and this one isn't whole, which you noticed. But what exactly is the caller to get then?"),
            (tuple, "Whole frames are right. This one isn't whole yet, and you hand it over. What is to be there: length, key, or payload?"),
        ],
        hint="Whole frames are right. What do you return while bytes are missing, wherever the cut falls?",
    ) as c:
        raw = written(1, b"x" * 126, KEY)
        for size in range(len(raw)):
            c.equal(_parsed(c, answer, raw[:size]))

    with case(
        "generated frames, in any cut",
        sent=words("two hundred frames that the library wrote, in pieces of any size"),
        hint="All frames above were right, one by one. Here others come, and in pieces. Was that one whole when you gave it back, and where did it end?",
        limit=2.5,
    ) as c:
        _in_any_cut(c, answer)


def _parsed(c: Case, answer: Answer, data: bytes) -> Any:
    given = bytearray(data)
    got = answer(given)
    c.true(
        given == data,
        received=words(f"a `data` that was changed: {len(given):,} bytes, and before the call {len(data):,}"),
        hints=[(words, "`data` belongs to the caller, who cuts off what `used` says. What does your function do to it?")],
    )
    if got is None:
        return None
    if isinstance(got, list):
        got = tuple(got)
    c.kind(got, tuple, hint="Four values belong together: `return fin, opcode, payload, used`. What came instead?")
    c.true(len(got) == 4, received=got, hint="It should be four values: FIN, opcode, payload, and how many bytes the frame takes.")
    got = tuple(_plain(part) for part in got)
    c.true(
        not isinstance(got[1], bool),
        received=got,
        hints=[(tuple, "All four are there. But the second one, the opcode, came out as a bool. In which order are they wanted?")],
    )
    return got


def _told(got: Any) -> Any:
    if isinstance(got, tuple) and isinstance(got[2], bytes):
        return (*got[:2], Many(got[2]), got[3])
    return got


def _in_any_cut(c: Case, answer: Answer) -> None:
    dice = random.Random(15)
    frames = []
    for _ in range(200):
        opcode = dice.choice((0, 1, 2, 8, 9, 10))
        fin = opcode > 7 or dice.random() < 0.7
        size = dice.choice((0, 1, 2, 3, 5, 125) if opcode > 7 else (0, 1, 3, 125, 126, 127, 300))
        payload, key = dice.randbytes(size), dice.choice((b"", dice.randbytes(4)))
        frames.append(((fin, opcode, payload), written(opcode, payload, key, fin)))
    for most in (1, 7, 900):
        data, found = bytearray(), []
        stream = b"".join(raw for _, raw in frames)
        at = 0
        while at < len(stream):
            step = dice.randint(1, most)
            data += stream[at : at + step]
            at += step
            if most == 1 and at < len(stream) - 1 and len(stream) > 4000 and at > 4000:
                data += stream[at:]  # the rest at once: byte by byte costs time
                at = len(stream)
            while (got := _parsed(c, answer, bytes(data))) is not None:
                c.true(isinstance(got[3], int) and got[3] >= 2, received=got, hint="A frame takes two bytes at least. What did you count?")
                found.append(got[:3])
                place = len(found) - 1
                c.true(
                    place < len(frames) and found[-1] == frames[place][0],
                    received=words(f"frame {place} came out as {got[:3]!r:.70}"),
                )
                del data[: got[3]]
        c.true(len(found) == len(frames), received=words(f"{len(found)} of {len(frames)} frames"))


def _as_bytes(messages: list[Any]) -> list[bytes]:
    return [one.encode() if isinstance(one, str) else one for one in messages]


@exercise(
    hints=[
        (
            lambda got: isinstance(got, (str, bytes)),
            "One message, perhaps the right one. But there may be any number of them. What holds those?",
        ),
        (inspect.isgenerator, "`yield` makes a generator, which gives the messages one by one to whoever asks. But a list of them is wanted. What collects them?"),
        (UnboundLocalError, "It begins well. Here the first frame is none that begins a message. What do you do with it?"),
    ]
)
def assemble(answer: Answer, case: Cases) -> None:
    def tried(title: str, parts: list[tuple[bool, int, bytes]], expected: list[Any], *, encoding: str = "", **more: Any) -> None:
        """`encoding`: the hint for text that is decoded as something else than UTF-8."""
        with case(title, sent=words(f"{parts}"), expected=expected, **more) as c:
            try:
                got = answer(list(parts))
            except UnicodeDecodeError as error:
                if encoding and error.encoding != "utf-8":
                    c.hints.insert(0, (UnicodeDecodeError, encoding))
                raise
            c.equal(got)

    tried(
        "two whole messages",
        [(True, 1, b"15"), (True, 2, b"\x00\xff")],
        ["15", b"\x00\xff"],
        hints=[
            ([b"15", b"\x00\xff"], "Both are there. Opcode 1 is text, and text is `str`. Which method turns bytes into it?"),
            (UnicodeDecodeError, "Text has to be decoded. But opcode 2 is binary: those are bytes and stay bytes."),
            (["15"], "The text is right. What became of the binary message?"),
            (lambda got: got[1] == b"15\x00\xff", "Both are there. But the second one begins with the first. What is to be forgotten when a message is whole?"),
            (lambda got: got[0] == "b'15'", "Both are there. But this is how Python *shows* bytes. What is the way back from `encode`?"),
            (["1", "5", 0, 255], "All of it is there, in crumbs: `+=` on a list adds what is *in* the other thing. What adds the thing itself?"),
        ],
    )
    tried(
        "bytes that could be read as text",
        [(True, 2, b"15")],
        [b"15"],
        hint="These bytes could be read as text, and they are none. What says so: the bytes, or the opcode?",
    )
    tried(
        "a message in three fragments",
        [(False, 1, b"15"), (False, 0, b"-"), (True, 0, b"love")],
        ["15-love"],
        hints=[
            (lambda got: _as_bytes(got) == [b"15", b"-", b"love"], "The pieces are right, and in order. But FIN says where a message ends. How many messages are these?"),
            (lambda got: _as_bytes(got) == [b"love"], "The last fragment is there. What became of those before it?"),
            ([b"15-love"], "All of it, in order. It began as text: where do you keep the opcode until the end?"),
            (["15"], "The first fragment is right. Its continuations have opcode 0: what do you do with those?"),
            ([], "Nothing came out. FIN is set in the last fragment, whose opcode is 0. Is it passed over?"),
        ],
    )
    tried(
        "a ping between two fragments",
        [(False, 1, b"15"), (True, 9, b"there?"), (True, 0, b"-love")],
        ["15-love"],
        hints=[
            (["15there?-love"], "Everything is there, and more. Whose payload is `there?`"),
            (
                lambda got: got[:1] in (["15"], ["15there?"]),
                "Fragments alone are right. Here the ping has FIN 1. Which frame does it end: the ping, or the message around it?",
            ),
            (["-love"], "Fragments alone are right. The ping made you forget what had come. Which opcodes begin a message?"),
            (lambda got: "there?" in got or b"there?" in got, "The message is right. But a ping is no message: its opcode is 8 or more."),
            (UnboundLocalError, "Fragments alone are right. What does a ping do to the variables of the message around it?"),
        ],
        hint="Fragments alone are right. What does your loop do with opcode 9?",
    )
    tried(
        "a cut inside a character",
        [(False, 1, b"caf\xc3"), (True, 0, b"\xa9")],
        ["café"],
        encoding="ASCII is right. But this encoding has no place for `é`. In which one does text cross a WebSocket?",
        hints=[
            (["caf\xc3\xa9"], "ASCII is right. But the two bytes of `é` came out as two characters. In which encoding does text cross a WebSocket?"),
            (UnicodeDecodeError, "ASCII is right. `é` is two bytes, and the cut falls between them. When is there enough to decode?"),
            (lambda got: got and "\ufffd" in got[0], "ASCII is right. `errors=` hides what is wrong: is the character broken, or not whole yet?"),
            (["caf"], "ASCII is right. `errors=` hides what is wrong: is the character broken, or not whole yet?"),
        ],
    )
    tried(
        "binary in fragments, and a text after it",
        [(False, 2, b"\x00"), (True, 10, b""), (True, 0, b"\xff"), (True, 1, b"ok")],
        [b"\x00\xff", "ok"],
        hints=[(lambda got: b"" in got or "" in got, "A ping is left out, as it should be. Here a pong comes between the fragments, opcode 10. Which opcodes are no messages?")],
        hint="Text is right. What does your code remember of the message before, and until when?",
    )
    tried(
        "an empty message, and an empty last fragment",
        [(True, 1, b""), (False, 1, b"a"), (True, 0, b"")],
        ["", "a"],
        hints=[
            (["a"], "`a` is right. An empty message is a message too. What does your test make of it?"),
            ([""], "The empty message is right. A last fragment may be empty; its FIN counts all the same."),
            ([], "An empty payload may come with FIN, and FIN counts all the same. What does your test make of it?"),
        ],
    )
    tried(
        "an empty first fragment",
        [(False, 1, b""), (True, 0, b"a")],
        ["a"],
        hint="A message may begin with an empty fragment, and its opcode counts. How does your code know that a message has begun?",
    )
    tried(
        "a message that isn't complete, and a goodbye",
        [(True, 1, b"one"), (False, 1, b"tw"), (True, 8, b"\x03\xe8")],
        ["one"],
        hints=[
            (lambda got: "tw" in got or b"tw" in got, "Complete messages are right. But `tw` never got its FIN. What should become of it?"),
            (lambda got: len(got) == 2, "Complete messages are right. What does the close frame add to them?"),
        ],
    )
