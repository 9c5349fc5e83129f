"""The exercises of notebook 18: the stubs, the folded solutions, and what learners really write."""

import pytest

from helpers import check


WRONG = [
    ("unmask_piece", "def unmask_piece(piece, key, offset):\n    return unmask(piece, key)", "does not begin there"),
    ("unmask_piece", "def unmask_piece(piece, key, offset):\n    return unmask(piece, key[offset:] + key[:offset])", "how often has the key come round"),
    ("unmask_piece", "def unmask_piece(piece, key, offset):\n    turn = offset % 4\n    return unmask(piece, key[-turn:] + key[:-turn])", "in which direction"),
    ("unmask_piece", "def unmask_piece(piece, key, offset):\n    return unmask(piece, key[offset % 4:])", "fewer than four"),
    ("unmask_piece", "def unmask_piece(piece, key, offset):\n    return unmask(piece, key[offset:])", "fewer than four"),
    (
        "sort_out",
        "def sort_out(frames):\n    found, data = [], bytearray()\n    for fin, opcode, payload in frames:\n        data += payload\n"
        "        if fin:\n            found.append(data.decode() if opcode == TEXT else bytes(data))\n            data = bytearray()\n    return found",
        "what do you keep of the first",
    ),
    (
        "sort_out",
        "def sort_out(frames):\n    found, kind, data = [], None, bytearray()\n    for fin, opcode, payload in frames:\n"
        "        kind = opcode or kind\n"
        "        if opcode == PING:\n            found.append(('pong', payload))\n"
        "        elif opcode != PONG:\n            data += payload\n"
        "            if fin:\n                found.append(data.decode() if kind == TEXT else bytes(data))\n                data = bytearray()\n    return found",
        "did the ping overwrite it",
    ),
    (
        "sort_out",
        "def sort_out(frames):\n    found, pongs, kind, data = [], [], None, bytearray()\n    for fin, opcode, payload in frames:\n"
        "        if opcode == PING:\n            pongs.append(('pong', payload))\n"
        "        elif opcode != PONG:\n            kind = opcode or kind\n            data += payload\n"
        "            if fin:\n                found.append(data.decode() if kind == TEXT else bytes(data))\n                data = bytearray()\n    return found + pongs",
        "when do you put the pong",
    ),
    (
        "sort_out",
        "def sort_out(frames):\n    found, kind, data = [], None, bytearray()\n    for fin, opcode, payload in frames:\n"
        "        if opcode == PING:\n            found.append(('pong', payload))\n            data = bytearray()\n"
        "        elif opcode != PONG:\n            kind = opcode or kind\n            data += payload\n"
        "            if fin:\n                found.append(data.decode() if kind == TEXT else bytes(data))\n                data = bytearray()\n    return found",
        "which of your names does a control frame touch",
    ),
    (
        "sort_out",
        "def sort_out(frames):\n    found, kind, data = [], None, ''\n    for fin, opcode, payload in frames:\n"
        "        if opcode == PING:\n            found.append(('pong', payload))\n"
        "        elif opcode != PONG:\n            if opcode:\n                kind, data = opcode, '' if opcode == TEXT else b''\n"
        "            data += payload.decode() if kind == TEXT else payload\n"
        "            if fin:\n                found.append(data)\n    return found",
        "a border between frames may fall into a character",
    ),
    (
        "sort_out",
        "def sort_out(frames):\n    found, kind, data = [], None, bytearray()\n    for fin, opcode, payload in frames:\n"
        "        if opcode == PING:\n            found.append(('pong', payload))\n"
        "        elif opcode != PONG:\n            kind = opcode or kind\n            data += payload\n"
        "            if fin:\n                found.append(data.decode() if kind == TEXT else bytes(data))\n    return found",
        "what has to become of the collected octets",
    ),
    (
        "sort_out",
        "def sort_out(frames):\n    found, kind, data = [], None, bytearray()\n    for fin, opcode, payload in frames:\n"
        "        if opcode in (PING, PONG):\n            found.append(('pong', payload))\n"
        "        else:\n            kind = opcode or kind\n            data += payload\n"
        "            if fin:\n                found.append(data.decode() if kind == TEXT else bytes(data))\n                data = bytearray()\n    return found",
        "a pong is an answer itself",
    ),
    ("reply_to_close", "def reply_to_close(payload):\n    code = int.from_bytes(payload)\n    if 1000 <= code < 5000:\n        return payload\n    return (1002).to_bytes(2)", "which octets are the number"),
    ("reply_to_close", "def reply_to_close(payload):\n    code = int.from_bytes(payload[:2])\n    if 1000 <= code < 5000:\n        return payload\n    return (1002).to_bytes(2)", "their reason is theirs"),
    ("reply_to_close", "def reply_to_close(payload):\n    code = int.from_bytes(payload[:2])\n    if 1000 <= code < 5000:\n        return payload[:2]\n    return (1002).to_bytes(2)", "what number do you make of nothing"),
    ("reply_to_close", "def reply_to_close(payload):\n    if not payload:\n        return b''\n    code = int.from_bytes(payload[:2])\n    if 1000 <= code < 5000:\n        return payload[:2]\n    return (1002).to_bytes(2)", "nobody may send 1004"),
    (
        "reply_to_close",
        "def reply_to_close(payload):\n    if not payload:\n        return b''\n    code = int.from_bytes(payload[:2])\n"
        "    if code in (1000, 1001, 1002, 1003) or 1007 <= code <= 1014 or 3000 <= code < 5000:\n        return payload[:2]\n    return (1002).to_bytes(2)",
        "did you look at it",
    ),
    (
        "reply_to_close",
        "def reply_to_close(payload):\n    if not payload:\n        return b''\n    code = int.from_bytes(payload[:2])\n    payload[2:].decode()\n"
        "    if code in (1000, 1001, 1002, 1003) or 1007 <= code <= 1014 or 3000 <= code < 5000:\n        return payload[:2]\n    return (1002).to_bytes(2)",
        "not your server an exception",
    ),
    ("reply_to_close", "def reply_to_close(payload):\n    if len(payload) < 2:\n        return b''\n    return payload[:2]", "one octet is not the same as none"),
    ("reply_to_close", "def reply_to_close(payload):\n    return int.from_bytes(payload[:2])", "two octets, the big end first"),
]


@pytest.mark.parametrize("name", ["unmask_piece", "sort_out", "reply_to_close"])
def test_stub_and_solution(taken, name):
    assert check(taken("18", name).stub).status == "not yet"
    verdict = check(taken("18", name).solution)
    assert verdict.passed, verdict


@pytest.mark.parametrize("name, text, hint", WRONG)
def test_wrong(taken, name, text, hint):
    verdict = check(taken("18", name).write(text))
    assert verdict.status == "failed" and hint in verdict.hint.lower() + verdict.hint, verdict


def test_a_list_of_fragments_is_good_enough(taken):
    text = (
        "def sort_out(frames):\n    found, parts = [], []\n    for fin, opcode, payload in frames:\n"
        "        if opcode == PING:\n            found.append(('pong', payload))\n            continue\n"
        "        if opcode == PONG:\n            continue\n"
        "        if opcode != MORE:\n            kind, parts = opcode, []\n"
        "        parts.append(payload)\n"
        "        if fin:\n            whole = b''.join(parts)\n            found.append(whole.decode() if kind == TEXT else whole)\n"
        "    return found"
    )
    assert check(taken("18", "sort_out").write(text)).passed
