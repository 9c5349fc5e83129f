"""Notebook 15: the mistakes that people make with build_frame, parse_frame and assemble, and the hint that each one meets."""

import pytest

from helpers import check

NAMES = ("build_frame", "parse_frame", "assemble")


@pytest.mark.parametrize("name", NAMES)
def test_the_stub_is_not_yet_an_answer(taken, name):
    assert check(taken("15", name).stub).status == "not yet"


@pytest.mark.parametrize("name", NAMES)
def test_the_folded_solution_passes(taken, name):
    verdict = check(taken("15", name).solution)
    assert verdict.passed, verdict


def changed(text: str, old: str, new: str) -> str:
    assert old in text, old
    return text.replace(old, new)


FIRST = "0b1000_0000 | opcode"
MASKED = "masked = bytes(byte ^ key[i % 4] for i, byte in enumerate(payload))"
TWO_BYTES = 'bytes([mask | 126]) + len(payload).to_bytes(2, "big")'
RETURN = "return fin, opcode, payload, start + length"
TEXT = "whole.decode() if kind == 1 else whole"
EVERY = "every beginning of a frame, one byte more each time"
WHOLE = 'int.from_bytes(data[2 : 2 + size], "big")'


@pytest.mark.parametrize(
    ("name", "old", "new", "case", "hint"),
    [
        ("build_frame", "0b1000_0000 | opcode", "opcode", "a short text from a server", "Which bit says that it is the last"),
        ("build_frame", "0b1000_0000 | opcode", "0b1000_0000", "a short text from a server", "what kind of message is it"),
        ("build_frame", "0b1000_0000 | opcode", "0b1000_0001", "a ping from a server", "Which bits of the first byte"),
        ("build_frame", FIRST, "0b1000_0000 & opcode", "a short text from a server", "which operator puts bits together"),
        ("build_frame", FIRST, "0b1000_0000 | opcode << 4", "a short text from a server", "too far to the left"),
        ("build_frame", FIRST, "bytes([0b1000_0000 | opcode])", "a short text from a server", "bytes stand there"),
        ("build_frame", FIRST, "str(0b1000_0000 | opcode)", "a short text from a server", "something else stands there"),
        ("build_frame", FIRST, "0b1000_0001 | opcode", "0 bytes without a key", "whatever the opcode"),
        ("build_frame", "    if key:\n        " + MASKED, "    masked = payload ^ key", "a short text from a server", "`^` works on two single numbers"),
        ("build_frame", "byte ^ key", "ord(byte) ^ key", "the same from a client", "What is `ord` for"),
        ("build_frame", MASKED, "masked = [byte ^ key[i % 4] for i, byte in enumerate(payload)]", "the same from a client", "All of them are to be `bytes`"),
        ("build_frame", "key[i % 4]", "key[(i + 2) % 4]", "the same from a client", "From where do you count"),
        ("build_frame", MASKED, MASKED.replace("bytes(", "key + bytes("), "the same from a client", "Which line adds it already"),
        ("build_frame", TWO_BYTES, "bytes([mask | 126, len(payload)])", "126 bytes without a key", "Two bytes of length follow here"),
        ("build_frame", "mask | len(payload)", "mask | min(len(payload), 124)", "125 bytes without a key", "Text and a ping are right"),
        ("build_frame", "    if key:\n        masked", "    if True:\n        masked", "a short text from a server", "without a key"),
        ("build_frame", "byte ^ key[i % 4]", "byte", "the same from a client", "What does the MASK bit promise"),
        ("build_frame", "key[i % 4]", "key[0]", "the same from a client", "Which byte of the key"),
        ("build_frame", "key[i % 4]", "key[i]", "the same from a client", "which one comes next"),
        ("build_frame", 'to_bytes(2, "big")', 'to_bytes(2, "little")', "126 bytes without a key", "which end of a number"),
        ("build_frame", "bytes([mask | 126])", "bytes([126])", "126 bytes with a key", "which bit says so"),
        ("build_frame", "bytes([mask | 126]) + len(payload)", "bytes([mask | 126]) + (len(payload) + 4)", "126 bytes without a key", "What else did you count"),
        ("build_frame", "len(payload) < 126", "len(payload) < 127", "126 bytes without a key", "bytes of length follow here"),
        ("build_frame", 'to_bytes(8, "big")', 'to_bytes(4, "big")', "65,536 bytes without a key", "Eight bytes of length"),
        ("parse_frame", "data[0] & 0b1111", "data[0]", "a text from a server", "more in it than the opcode"),
        ("parse_frame", "payload, start + length", "payload, length", "a text from a server", "What else is to be cut off"),
        ("parse_frame", "return fin, opcode, payload, start + length", "return fin, opcode, payload", "a text from a server", "Three of the four are there"),
        ("parse_frame", "payload = bytes(byte ^ key[i % 4] for i, byte in enumerate(payload))", "pass", "a text from a client", "still masked"),
        ("parse_frame", "data[1] & 0b111_1111", "data[1]", "a text from a client", ""),
        ("parse_frame", "bool(data[0] >> 7)", "True", "a fragment, and the beginning of the next frame", "What is FIN"),
        ("parse_frame", "len(data) < start + length", "len(data) != start + length", "a fragment, and the beginning of the next frame", "no byte too few"),
        ("parse_frame", "if length > 125", "if length > 127", "a payload of 126 bytes", "are signs here"),
        ("parse_frame", WHOLE, 'int.from_bytes(data[2 : 2 + size], "little")', "a payload of 126 bytes", "which end comes first"),
        ("parse_frame", "size = 2 if length == 126 else 8", "size = 2", "a payload of 65,536 bytes", ""),
        ("parse_frame", "    if len(data) < 2:\n        return None\n", "", "every beginning of a frame, one byte more each time", "in front of the byte"),
        ("parse_frame", "len(data) < start + length", "len(data) < 2", EVERY, ""),
        ("parse_frame", "data[start : start + 4]", "data[2:6]", "a payload of 126 bytes from a client", "Where does it begin"),
        ("parse_frame", "data[0] & 0b1111", "data[0] & 0b111_1111", "a frame in which RSV1 is set", "How many bits has the opcode"),
        ("parse_frame", "bool(data[0] >> 7)", "data[0] >> 4 == 8", "a frame in which RSV1 is set", ""),
        ("parse_frame", "data[0] & 0b1111", "data[0] >> 4 & 0b111", "a text from a server", "Which four bits of the first byte"),
        ("parse_frame", "len(data) < start + length", "len(data) <= start + length", "a text from a server", "Does it come from a comparison"),
        ("parse_frame", RETURN, "fin, opcode, payload, start + length", "a text from a server", "is there no `return` at the end"),
        ("parse_frame", "return None", "return False", EVERY, "what exactly is the caller to get"),
        ("parse_frame", "return None", "return ()", EVERY, "what exactly is the caller to get"),
        ("parse_frame", "return None", "return None, None, None, None", EVERY, "what exactly is the caller to get"),
        ("parse_frame", "return None", "raise ValueError", EVERY, "an exception comes out"),
        ("parse_frame", "if len(data) < start + length", "if False", EVERY, ""),
        ("parse_frame", RETURN, "del data[: start + length]\n    " + RETURN, "a text from a server", "`data` belongs to the caller"),
        ("parse_frame", "if len(data) < 2:", "if data: data.append(0)\n    if len(data) < 2:", "a text from a server", "`data` belongs to the caller"),
        ("parse_frame", RETURN, "return opcode, fin, payload, start + length", "a text from a server", "In which order"),
        ("parse_frame", RETURN, "return fin, opcode, payload, data[start + length :]", "a text from a server", "the last one is a number"),
        ("parse_frame", "payload = bytes(byte ^", "payload = list(byte ^", "a text from a client", "what makes bytes of numbers"),
        ("parse_frame", "key[i % 4]", "key[0]", "a text from a client", "Which byte of the key belongs to the second"),
        ("parse_frame", "key[i % 4]", "key[(i + start) % 4]", "a text from a client", "From where do you count"),
        ("assemble", "whole.decode() if kind == 1 else whole", "whole", "two whole messages", "Opcode 1 is text"),
        ("assemble", "whole.decode() if kind == 1 else whole", "whole.decode()", "two whole messages", "opcode 2 is binary"),
        ("assemble", "        if opcode != 0:\n            kind, pieces = opcode, []", "        kind, pieces = opcode or 1, []", "a message in three fragments", "What became of those before"),
        ("assemble", "        if fin:", "        if True:", "a message in three fragments", ""),
        ("assemble", "        if opcode >= 8:\n            continue\n", "", "a ping between two fragments", ""),
        ("assemble", "        if opcode >= 8:\n            continue\n", "        if opcode >= 8: opcode = 0\n", "a ping between two fragments", "Which frame does it end"),
        ("assemble", "            continue\n", "            pieces = []\n            continue\n", "a ping between two fragments", "made you forget"),
        ("assemble", "pieces.append(payload)", "pieces.append(payload.decode(errors='ignore').encode() if kind == 1 else payload)", "a cut inside a character", "not whole yet"),
        ("assemble", "pieces.append(payload)", "pieces.append(payload.decode() and payload if kind == 1 else payload)", "a cut inside a character", "When is there enough"),
        ("assemble", "opcode, []", "opcode, pieces if messages else []", "two whole messages", "the second one begins with the first"),
        ("assemble", TEXT, "str(whole) if kind == 1 else whole", "two whole messages", "how Python *shows* bytes"),
        ("assemble", "messages.append(" + TEXT + ")", "messages += " + TEXT, "two whole messages", "What adds the thing itself"),
        ("assemble", "messages.append(" + TEXT + ")", "yield " + TEXT, "two whole messages", "`yield` makes a generator"),
        ("assemble", "        pieces.append(payload)\n        if fin:", "        pieces = [payload]\n        if True:", "a message in three fragments", "How many messages are these"),
        ("assemble", "whole.decode()", "whole.decode('ascii')", "a cut inside a character", "no place for `é`"),
        ("assemble", "whole.decode()", "whole.decode('latin-1')", "a cut inside a character", "two characters"),
        ("assemble", "opcode >= 8", "opcode in (8, 9)", "binary in fragments, and a text after it", "opcode 10"),
        ("assemble", "        if fin:", "        if fin and payload:", "an empty message, and an empty last fragment", "An empty payload may come with FIN"),
        ("assemble", "    return messages", "    if not fin or opcode == 8: messages.append(b''.join(pieces))\n    return messages", "a message that isn't complete, and a goodbye", "never got its FIN"),
        ("assemble", "            messages.append", "            if whole: messages.append", "an empty message, and an empty last fragment", "is a message too"),
    ],
)
def test_a_wrong_answer_meets_its_hint(taken, name, old, new, case, hint):
    exercise = taken("15", name)
    verdict = check(exercise.write(changed(exercise.solution_text, old, new)))
    assert verdict.status == "failed", verdict
    assert f"“{case}”" in verdict.summary, verdict
    assert hint in verdict.hint, verdict


TRIED = """
def assemble(parts):
    done, pieces = [], []
    for fin, opcode, payload in parts:
        if opcode < 8:
            pieces.append(payload)
            if fin:
                whole, pieces = b"".join(pieces), []
                try:
                    done.append(whole.decode())
                except UnicodeDecodeError:
                    done.append(whole)
    return done
"""
BEGUN = """
def assemble(parts):
    done, kind, whole = [], 0, b""
    for fin, opcode, payload in parts:
        if opcode >= 8:
            continue
        if not whole:
            kind = opcode
        whole += payload
        if fin:
            done.append(whole.decode() if kind == 1 else whole)
            whole = b""
    return done
"""


@pytest.mark.parametrize(
    ("text", "case", "hint"),
    [
        pytest.param(TRIED, "bytes that could be read as text", "the bytes, or the opcode", id="decodes what can be decoded"),
        pytest.param(BEGUN, "an empty first fragment", "How does your code know", id="takes an empty beginning for none"),
    ],
)
def test_assemble_goes_by_the_opcode(taken, text, case, hint):
    verdict = check(taken("15", "assemble").write(text))
    assert verdict.status == "failed" and f"“{case}”" in verdict.summary and hint in verdict.hint, verdict


@pytest.mark.parametrize(
    ("old", "new", "expected", "received"),
    [
        ("key[i % 4]", "key[0]", "81 85 37 fa 21 3d 7f 9f 4d 51 58", "81 85 37 fa 21 3d 7f 52 5b 5b 58"),
        (TWO_BYTES, TWO_BYTES.replace("126", "127"), "82 7e 00 7e …, 130 bytes in all", "130 bytes; the first that differs is byte 1: 7f, and 7e was wanted"),
    ],
)
def test_frames_are_shown_in_hexadecimal(taken, old, new, expected, received):
    exercise = taken("15", "build_frame")
    verdict = check(exercise.write(changed(exercise.solution_text, old, new)))
    assert verdict.rows[1:] == (("expected", expected), ("received", received)), verdict


def test_a_payload_that_was_unmasked_with_a_wrong_key_looks_wrong(taken):
    exercise = taken("15", "parse_frame")
    verdict = check(exercise.write(changed(exercise.solution_text, "data[start : start + 4]", "data[2:6]")))
    assert verdict.rows[1][1] != verdict.rows[2][1], verdict


PARSED_BY_TRIAL = """
def parse_frame(data):
    try:
        size, at = data[1] & 127, 2
        if size > 125:
            at += 2 if size == 126 else 8
            size = int.from_bytes(data[2:at], "big")
        key = bytes(4)
        if data[1] > 127:
            key, at = data[at : at + 4], at + 4
        if len(data) < at + size:
            return None
        return data[0] >= 128, data[0] & 15, bytes(b ^ key[i & 3] for i, b in enumerate(data[at : at + size])), at + size
    except IndexError:
        return None
"""
UNPACKED = """
import struct

def parse_frame(data):
    data = bytes(data)
    try:
        first, second = struct.unpack_from("!BB", data)
        size, at = second & 0x7F, 2
        if size == 126:
            (size,), at = struct.unpack_from("!H", data, 2), 4
        elif size == 127:
            (size,), at = struct.unpack_from("!Q", data, 2), 10
    except struct.error:
        return None
    key = data[at : at + 4] if second & 0x80 else bytes(4)
    at += 4 * (second >> 7)
    if len(data) < at + size:
        return None
    return [first >> 7, first & 0x0F, bytearray(b ^ key[i % 4] for i, b in enumerate(data[at : at + size])), at + size]
"""
GENERATED = """
def assemble(parts):
    def messages():
        whole, kind = bytearray(), 0
        for fin, opcode, payload in parts:
            if opcode & 8:
                continue
            whole += payload
            kind = opcode or kind
            if fin:
                yield str(whole, "utf-8") if kind == 1 else bytes(whole)
                whole.clear()
    return list(messages())
"""


@pytest.mark.parametrize(("name", "text"), [("parse_frame", PARSED_BY_TRIAL), ("parse_frame", UNPACKED), ("assemble", GENERATED)])
def test_an_answer_may_be_written_otherwise(taken, name, text):
    verdict = check(taken("15", name).write(text))
    assert verdict.passed, verdict


@pytest.mark.parametrize(("old", "new"), [(FIRST, "1 << 7 | opcode"), (TWO_BYTES, "bytes([mask | 126, *divmod(len(payload), 256)])"), ("return bytes([first])", "return bytearray([first])")])
def test_a_frame_may_be_built_otherwise(taken, old, new):
    exercise = taken("15", "build_frame")
    verdict = check(exercise.write(changed(exercise.solution_text, old, new)))
    assert verdict.passed, verdict
