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


WHOLE = 'int.from_bytes(data[2 : 2 + size], "big")'


@pytest.mark.parametrize(
    ("name", "old", "new", "case", "hint"),
    [
        ("build_frame", "0b1000_0000 | opcode", "opcode", "a short text from a server", "Which bit says that it is the last"),
        ("build_frame", "0b1000_0000 | opcode", "0b1000_0000", "a short text from a server", "what kind of message is it"),
        ("build_frame", "0b1000_0000 | opcode", "0b1000_0001", "a ping from a server", "Which bits of the first byte"),
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
        ("parse_frame", "len(key) < 4 * masked or len(data) < start + length", "len(data) < 2", "every beginning of a frame, one byte more each time", ""),
        ("assemble", "whole.decode() if kind == 1 else whole", "whole", "two whole messages", "Opcode 1 is text"),
        ("assemble", "whole.decode() if kind == 1 else whole", "whole.decode()", "two whole messages", "opcode 2 is binary"),
        ("assemble", "        if opcode != 0:\n            kind, pieces = opcode, []", "        kind, pieces = opcode or 1, []", "a message in three fragments", "What became of those before"),
        ("assemble", "        if fin:", "        if True:", "a message in three fragments", ""),
        ("assemble", "        if opcode >= 8:\n            continue\n", "", "a ping between two fragments", ""),
        ("assemble", "        if opcode >= 8:\n            continue\n", "        if opcode >= 8: opcode = 0\n", "a ping between two fragments", "Which frame does it end"),
        ("assemble", "            continue\n", "            pieces = []\n            continue\n", "a ping between two fragments", "made you forget"),
        ("assemble", "pieces.append(payload)", "pieces.append(payload.decode(errors='ignore').encode() if kind == 1 else payload)", "a cut inside a character", "not whole yet"),
        ("assemble", "pieces.append(payload)", "pieces.append(payload.decode() and payload if kind == 1 else payload)", "a cut inside a character", "When is there enough"),
        ("assemble", "            messages.append", "            if whole: messages.append", "an empty message, and an empty last fragment", "is a message too"),
    ],
)
def test_a_wrong_answer_meets_its_hint(taken, name, old, new, case, hint):
    exercise = taken("15", name)
    verdict = check(exercise.write(changed(exercise.solution_text, old, new)))
    assert verdict.status == "failed", verdict
    assert f"“{case}”" in verdict.summary, verdict
    assert hint in verdict.hint, verdict
