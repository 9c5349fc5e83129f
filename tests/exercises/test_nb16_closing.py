"""Notebook 16: the mistakes that people make with close_frame, farewell and diagnose, and the hint that each one meets."""

import textwrap

import pytest

from helpers import check
from helpers.exercises.nb16_closing import CODES

NAMES = ("close_frame", "farewell", "diagnose")


@pytest.mark.parametrize("name", NAMES)
def test_the_stub_is_not_yet_an_answer(taken, name):
    assert check(taken("16", name).stub).status == "not yet"


@pytest.mark.parametrize("name", NAMES)
def test_the_folded_solution_passes(taken, name):
    verdict = check(taken("16", name).solution)
    assert verdict.passed, verdict


def refused(taken, name: str, text: str, *, case: str, hint: str) -> None:
    verdict = check(taken("16", name).write(text))
    assert verdict.status == "failed", verdict
    assert f"“{case}”" in verdict.summary, verdict
    assert hint in verdict.hint, verdict


FIRST = "code 1000, no reason"


@pytest.mark.parametrize(
    ("payload", "frame", "case", "hint"),
    [
        pytest.param("code.to_bytes(2, 'little') + reason.encode()", "0x88, len(payload)", FIRST, "big end", id="little end"),
        pytest.param("str(code).encode() + reason.encode()", "0x88, len(payload)", FIRST, "four digits", id="digits"),
        pytest.param("bytes([code]) + reason.encode()", "0x88, len(payload)", FIRST, "up to 255", id="one byte"),
        pytest.param("code.to_bytes(1, 'big') + reason.encode()", "0x88, len(payload)", FIRST, "up to 255", id="one byte by a method"),
        pytest.param("code.to_bytes(4, 'big') + reason.encode()", "0x88, len(payload)", FIRST, "How many bytes does the code take", id="four bytes"),
        pytest.param("code.to_bytes(2, 'big') + reason", "0x88, len(payload)", FIRST, "Both parts", id="reason as text"),
        pytest.param("code + reason", "0x88, len(payload)", FIRST, "does not fit", id="all as it came"),
        pytest.param("reason.encode() + code", "0x88, len(payload)", FIRST, "does not fit", id="code as a number"),
        pytest.param("code.to_bytes(2, 'big') + reason.encode()", "'88', len(payload)", FIRST, "does not fit", id="88 as text"),
        pytest.param("code.to_bytes(2, 'big') + reason.encode()", "88, len(payload)", FIRST, "was hexadecimal", id="88 in decimal"),
        pytest.param("code.to_bytes(2, 'big') + reason.encode()", "0x08, len(payload)", FIRST, "which bit says so", id="no FIN"),
        pytest.param("code.to_bytes(2, 'big') + reason.encode()", "0x81, len(payload)", FIRST, "when you read it above", id="opcode of text"),
        pytest.param("code.to_bytes(2, 'big') + reason.encode()", "0x88, 0x80 | len(payload)", FIRST, "Does a server mask", id="mask bit"),
        pytest.param("code.to_bytes(2, 'big') + reason.encode()", "0x88, len(reason)", FIRST, "how many bytes *follow*", id="length without the code"),
        pytest.param("code.to_bytes(2, 'big') + reason.encode()", "0x88, 2", "a code and a reason", "the next frame", id="length of the code"),
        pytest.param("code.to_bytes(2, 'big') + reason.encode()", "0x88, len(reason) or 2", "a code and a reason", "all of it", id="length of the reason"),
        pytest.param("(1000).to_bytes(2, 'big') + reason.encode()", "0x88, len(payload)", "a code and a reason", "Which code", id="always 1000"),
        pytest.param("code.to_bytes(2, 'big') + b''", "0x88, len(payload)", "a code and a reason", "Where is the reason", id="no reason"),
        pytest.param("reason.encode() + code.to_bytes(2, 'big')", "0x88, len(payload)", "a code and a reason", "comes first", id="reason first"),
        pytest.param("code.to_bytes(2, 'big') + reason.encode()", "0x88, 2 + len(reason)", "a reason with accents", "How many bytes are they", id="counts letters"),
        pytest.param("code.to_bytes(2, 'big') + reason.encode('latin-1')", "0x88, len(payload)", "a reason with accents", "UTF-8", id="another rule"),
        pytest.param("code.to_bytes(2, 'big') + reason.encode('ascii')", "0x88, len(payload)", "a reason with accents", "UTF-8", id="ascii"),
    ],
)
def test_close_frame_refuses(taken, payload, frame, case, hint):
    refused(taken, "close_frame", f"def close_frame(code, reason=''):\n    payload = {payload}\n    return bytes([{frame}]) + payload", case=case, hint=hint)


def test_close_frame_refuses_a_text(taken):
    text = "def close_frame(code, reason=''):\n    payload = code.to_bytes(2, 'big') + reason.encode()\n    return (bytes([0x88, len(payload)]) + payload).hex(' ')"
    refused(taken, "close_frame", text, case=FIRST, hint="That is a text")


def test_close_frame_wants_its_arguments(taken):
    text = "def close_frame(code, reason):\n    payload = code.to_bytes(2, 'big') + reason.encode()\n    return bytes([0x88, len(payload)]) + payload"
    refused(taken, "close_frame", text, case=FIRST, hint="Compare the arguments")


RIGHT = """\
def farewell(sock, side, code=None):
    theirs = 1006
    with sock:
        try:
            if code is not None:
                sock.sendall(frame(side, 8, code.to_bytes(2, "big")))
            opcode = None
            while opcode != 8:
                opcode, payload = read_frame(sock)
            theirs = int.from_bytes(payload[:2], "big") if payload else 1005
            if code is None:
                sock.sendall(frame(side, 8, payload))
            if side == "client":
                sock.recv(1)
        except (EOFError, OSError):
            pass
    return theirs
"""


@pytest.mark.parametrize(
    ("old", "new", "case", "hint"),
    [
        pytest.param('                sock.sendall(frame(side, 8, code.to_bytes(2, "big")))', "                pass", "you begin, as the client", "you are the one who begins", id="never begins"),
        pytest.param("frame(side, 8, code", 'frame("server", 8, code', "you begin, as the client", "who masks", id="forgets the mask"),
        pytest.param("frame(side, 8, code", 'frame("client", 8, code', "you begin, as the server", "who masks", id="masks as a server"),
        pytest.param('code.to_bytes(2, "big")', 'code.to_bytes(2, "little")', "you begin, as the client", "big end", id="little end"),
        pytest.param("frame(side, 8, code", "frame(side, 1, code", "you begin, as the client", "Which opcode", id="says it in a text"),
        pytest.param("if code is None:", "if True:", "you begin, as the client", "second close frame", id="answers the answer"),
        pytest.param("                sock.recv(1)", "                pass", "you begin, as the client", "Who goes first", id="hangs up first as a client"),
        pytest.param('if side == "client":', "if True:", "you begin, as the server", "Who hangs up first", id="waits as a server"),
        pytest.param("int.from_bytes(payload[:2], \"big\") if payload else 1005", "payload[:2]", "you begin, as the client", "a number", id="returns bytes"),
        pytest.param("    with sock:", "    if True:", "you begin, as the client", "still open", id="leaves it open"),
        pytest.param("                sock.sendall(frame(side, 8, payload))", "                pass", "they begin, and you are the client", "nobody has answered", id="never answers"),
        pytest.param("frame(side, 8, payload)", 'frame(side, 8, b"")', "they begin, and you are the client", "repeats what it heard", id="answers with an empty close"),
        pytest.param("frame(side, 8, payload)", 'frame(side, 8, b"\\x03\\xe8")', "they begin, and you are the client", "repeats what it heard", id="answers with 1000"),
        pytest.param("if code is not None:", "if True:", "they begin, and you are the client", "who speaks first", id="begins without a code"),
        pytest.param("            while opcode != 8:", "            while opcode is None:", "they begin, and you are the client", "Which opcode is a close", id="takes a message for a close"),
        pytest.param("while opcode != 8:", "while opcode is None or code is None and opcode != 8:", "messages come before their answer", "What is the opcode", id="takes a message for the answer"),
        pytest.param("int.from_bytes(payload[:2], \"big\") if payload else 1005", "code or int.from_bytes(payload[:2], 'big') if payload else 1005", "both begin at the same time", "the code of *theirs*", id="returns its own code"),
        pytest.param(" if payload else 1005", "", "their close is empty", "a number of its own", id="empty is 0"),
        pytest.param("else 1005", "else 1006", "their close is empty", "Which of the two numbers", id="empty is 1006"),
        pytest.param("int.from_bytes(payload[:2], \"big\") if payload else 1005", "payload[0] * 256 + payload[1]", "their close is empty", "no payload", id="index of an empty one"),
        pytest.param("except (EOFError, OSError):", "except OSError:", "they hang up without a word", "in place of the error", id="lets the end through"),
        pytest.param("except (EOFError, OSError):", "except (EOFError, ConnectionError):", "they fall silent", "says nothing more", id="lets the silence through"),
        pytest.param("except (EOFError, OSError):", "except (EOFError, TimeoutError):", "they tear the line", "This line was torn", id="lets the reset through"),
        pytest.param("payload[:2], \"big\")", "payload, \"big\")", "they begin, and you are the client", "first two bytes", id="makes a number of it all"),
        pytest.param("    return theirs", "    return code", "they begin, and you are the client", "Whose code", id="returns the code it was given"),
        pytest.param(
            "            opcode = None", "            sock.shutdown(1)\n            opcode = None", "you begin, as the client", "before you had read mine", id="half-closes at once"
        ),
        pytest.param("            pass", "            return 1006", "they say goodbye and never hang up", "their close did come", id="forgets what they said"),
    ],
)
def test_farewell_refuses(taken, old, new, case, hint):
    assert RIGHT.count(old) == 1, old
    refused(taken, "farewell", RIGHT.replace(old, new), case=case, hint=hint)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        pytest.param("return code", "", id="nothing but the code"),
        pytest.param("sock.close()\nreturn 1000", "you are the one who begins", id="hangs up alone"),
        pytest.param("sock.sendall(frame(side, 8, code.to_bytes(2, 'big')))\nsock.close()\nreturn code", "before you had read mine", id="hangs up at once"),
        pytest.param("sock.sendall(frame(side, 8, code.to_bytes(2, 'big')))\nimport time\ntime.sleep(0.05)\nsock.close()\nreturn code",
                     "before you had read mine", id="hangs up on the answer"),
    ],
)
def test_farewell_refuses_the_short_way(taken, text, hint):
    body = textwrap.indent(text, "    ")
    refused(taken, "farewell", f"def farewell(sock, side, code=None):\n{body}", case="you begin, as the client", hint=hint)


def test_farewell_may_be_written_in_two_branches(taken):
    text = '''
    def farewell(sock, side, code=None):
        theirs = 1006
        try:
            if code:
                sock.sendall(frame(side, 8, code.to_bytes(2, "big")))
            while True:
                opcode, payload = read_frame(sock)
                if opcode == 8:
                    break
            theirs = int.from_bytes(payload[:2], "big") or 1005
            if not code:
                sock.sendall(frame(side, 8, payload))
            while side == "client" and sock.recv(1024):
                pass
        except (EOFError, OSError):
            pass
        finally:
            sock.close()
        return theirs
    '''
    verdict = check(taken("16", "farewell").write(text))
    assert verdict.passed, verdict


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        ({1: 1000}, "goes away, and comes back"),
        ({1: 1006}, "*says* goodbye"),
        ({1: 1012}, "by itself"),
        ({2: 1008}, "this one rule"),
        ({3: 1011}, "Did it arrive"),
        ({3: 1001}, "in a tunnel"),
        ({4: 1011}, "Whose mistake"),
        ({4: 1003}, "*first frame*"),
        ({5: 1007}, "fine UTF-8"),
        ({5: 1000}, "when a handler has raised"),
    ],
)
def test_diagnose_refuses(taken, wrong, hint):
    verdict = check(taken("16", "diagnose").write(f"def diagnose():\n    return {CODES | wrong!r}"))
    assert verdict.status == "failed" and hint in verdict.hint, verdict


@pytest.mark.parametrize(
    ("codes", "hint"),
    [
        pytest.param({number: str(code) for number, code in CODES.items()}, "One of these is a text", id="texts"),
        pytest.param(list(CODES.values()), "1 to 5, are the keys", id="a list"),
        pytest.param({number: CODES[number] for number in (1, 2, 3, 4)}, "1 to 5, are the keys", id="one missing"),
    ],
)
def test_diagnose_wants_numbers_under_the_keys_of_the_stub(taken, codes, hint):
    verdict = check(taken("16", "diagnose").write(f"def diagnose():\n    return {codes!r}"))
    assert verdict.status == "failed" and hint in verdict.hint, verdict


def test_the_stub_of_diagnose_says_what_is_wanted(taken):
    assert "a number for each of the reports 1 to 5 was expected" in check(taken("16", "diagnose").stub).summary
