"""Notebook 01: the mistakes that people make with shout, recv_exactly and hear_all, and the hint that each one meets."""

import pytest

from helpers import check

NAMES = ("shout", "recv_exactly", "hear_all")


@pytest.mark.parametrize("name", NAMES)
def test_the_stub_is_not_yet_an_answer(taken, name):
    assert check(taken("01", name).stub).status == "not yet"


@pytest.mark.parametrize("name", NAMES)
def test_the_folded_solution_passes(taken, name):
    verdict = check(taken("01", name).solution)
    assert verdict.passed, verdict


def refused(taken, name: str, text: str, *, case: str, hint: str) -> None:
    verdict = check(taken("01", name).write(text))
    assert verdict.status == "failed", verdict
    assert f"“{case}”" in verdict.summary, verdict
    assert hint in verdict.hint, verdict


DIAL = "with socket.create_connection(address, timeout=2) as line:"


@pytest.mark.parametrize(
    ("body", "case", "hint"),
    [
        pytest.param(f"{DIAL}\n line.sendall(text)\n return line.recv(1024).decode()", "a plain word", "a wire carries bytes", id="sends text"),
        pytest.param(f"{DIAL}\n line.sendall(text.encode)\n return line.recv(1024).decode()", "a plain word", "do its brackets", id="sends a method"),
        pytest.param(f"{DIAL}\n line.sendall(bytes(text))\n return line.recv(1024).decode()", "a plain word", "Which method", id="bytes of text"),
        pytest.param(f"{DIAL}\n line.sendall(text.encode())\n return line.recv(1024)", "a plain word", "still as bytes", id="returns bytes"),
        pytest.param(f"{DIAL}\n line.sendall(text.encode())\n return str(line.recv(1024))", "a plain word", "*shows* bytes", id="str of bytes"),
        pytest.param(f"{DIAL}\n line.sendall(text.encode())\n return line.recv(1024).decode", "a plain word", "nobody has called", id="no brackets"),
        pytest.param(f"{DIAL}\n line.sendall(text.encode())\n print(line.recv(1024).decode())", "a plain word", "went to the screen", id="prints"),
        pytest.param(f"{DIAL}\n line.sendall(text.encode())\n line.recv(1024).decode()", "a plain word", "without a `return`", id="no return"),
        pytest.param(f"{DIAL}\n reply = line.recv(1024)\n line.sendall(text.encode())\n return reply.decode()", "a plain word",
                     "Do you speak before you listen", id="listens first"),
        pytest.param(f"{DIAL}\n line.sendall(text.encode())\n return line.makefile().read()", "a plain word", "times do you listen for one short", id="listens for ever"),
        pytest.param("line = socket.create_connection(address, timeout=2)\nline.sendall(text.encode())\nreturn line.recv(1024).decode()",
                     "a plain word", "left the line open", id="leaves the line open"),
        pytest.param("global line\nline = socket.create_connection(address, timeout=2)\nline.sendall(text.encode())\nreturn line.recv(1024).decode()",
                     "a plain word", "left the line open", id="leaves the line open, and keeps it"),
        pytest.param(f"{DIAL}\n return text", "a plain word", "hung up without a word", id="says nothing"),
        pytest.param("return text", "a plain word", "nobody has heard you", id="does not dial"),
        pytest.param(f"{DIAL}\n line.sendall(text.encode())\n return line.recv(len(text)).decode()", "a word with an accent",
                     "`recv` counts bytes", id="counts letters"),
        pytest.param(f"{DIAL}\n line.sendall(text.encode())\n return line.recv(len(text)).decode(errors='ignore')", "a word with an accent",
                     "how many did you ask for", id="counts letters, and hides it"),
        pytest.param(f"{DIAL}\n line.sendall(text.encode())\n return line.recv(1024).decode('latin-1')", "a word with an accent",
                     "another rule", id="decodes by another rule"),
        pytest.param(f"{DIAL}\n line.sendall(text.encode('latin-1'))\n return line.recv(1024).decode()", "a word with an accent",
                     "not the bytes of the text", id="encodes by another rule"),
        pytest.param(f"{DIAL}\n line.sendall(text.encode())\n line.recv(1024)\n return text", "somebody who answers with other words",
                     "the words that you said", id="returns its own words"),
        pytest.param(f"{DIAL}\n line.sendall(text.encode())\n return line.recv(len(text.encode())).decode()", "somebody who answers with other words",
                     "may be longer", id="expects as many bytes as it sent"),
    ],
)
def test_shout_refuses(taken, body, case, hint):
    text = "def shout(address, text):\n" + "".join(f" {line}\n" for line in body.splitlines())
    refused(taken, "shout", text, case=case, hint=hint)


@pytest.mark.parametrize(
    ("body", "case", "hint"),
    [
        pytest.param("return sock.recv(n)", "two pieces", "at most", id="one recv"),
        pytest.param("return sock.recv(n, socket.MSG_WAITALL)", "two pieces", "may return early", id="the flag"),
        pytest.param("data = b''\nwhile len(data) < n:\n data = sock.recv(n - len(data))\nreturn data", "two pieces", "What became of the first", id="forgets the first piece"),
        pytest.param("data = b''\nwhile len(data) < n:\n data += sock.recv(n)\nreturn data", "two pieces, and the next message follows",
                     "still missing after `he`", id="asks for the whole length each time"),
        pytest.param("data = b''\nwhile len(data) < n:\n data += sock.recv(1024)\nreturn data[:n]", "two pieces, and the next message follows",
                     "belong to the next one", id="takes too much and slices"),
        pytest.param("data = sock.recv(n)\nif len(data) < n:\n data += sock.recv(n - len(data))\nreturn data", "one byte at a time",
                     "Nobody promised that there would be two", id="two pieces at most"),
        pytest.param("data = sock.recv(1)\nwhile len(data) < n:\n data += sock.recv(n - len(data))\nreturn data", "no bytes at all",
                     "before the first `recv`", id="listens before it looks"),
        pytest.param("data = b''\nwhile len(data) < n:\n data += sock.recv(n - len(data))\nreturn data", "a hang-up in the middle",
                     "What does `b''` mean", id="spins on the hang-up"),
        pytest.param("data = b''\nwhile len(data) < n:\n piece = sock.recv(n - len(data))\n if not piece: break\n data += piece\nreturn data",
                     "a hang-up in the middle", "your caller asked for five", id="returns what it has"),
        pytest.param("data = b''\nwhile len(data) < n:\n piece = sock.recv(n - len(data))\n if not piece: return None\n data += piece\nreturn data",
                     "a hang-up in the middle", "looks like a result", id="returns None"),
        pytest.param("data = b''\nwhile len(data) < n:\n piece = sock.recv(n - len(data))\n if not piece: raise ConnectionError\n data += piece\nreturn data",
                     "a hang-up in the middle", "Which exception", id="raises something else"),
        pytest.param("data = b''\nwhile True:\n piece = sock.recv(n - len(data))\n if not piece: raise EOFError\n data += piece\n if len(data) > n: return data",
                     "all of it in one piece", "nobody has hung up", id="asks for nothing and takes it for a hang-up"),
        pytest.param("return b''.join(sock.recv(1) for _ in range(n))", "a hang-up in the middle", "your caller asked for five", id="counts the calls"),
        pytest.param("pieces = []\nwhile sum(map(len, pieces)) < n:\n pieces.append(sock.recv(n))\nreturn pieces", "all of it in one piece",
                     "what joins them", id="returns the pieces"),
        pytest.param("return sock.recv(n).decode()", "all of it in one piece", "A picture is bytes too", id="returns text"),
        pytest.param("with sock:\n data = b''\n while len(data) < n:\n  data += sock.recv(n - len(data))\n return data",
                     "two pieces, and the next message follows", "Whose is it?", id="closes what it was lent"),
    ],
)
def test_recv_exactly_refuses(taken, body, case, hint):
    text = "def recv_exactly(sock, n):\n" + "".join(f" {line}\n" for line in body.splitlines())
    refused(taken, "recv_exactly", text, case=case, hint=hint)


LOOP = "while True:\n piece = sock.recv({size})\n if piece == b'': return {result}\n {step}"


@pytest.mark.parametrize(
    ("body", "case", "hint"),
    [
        pytest.param("text = ''\n" + LOOP.format(size=4, result="text", step="text += piece.decode()"),
                     "a cut in the middle of a letter", "the bug itself", id="as it was"),
        pytest.param("text = ''\n" + LOOP.format(size=1024, result="text", step="text += piece.decode()"),
                     "a cut in the middle of a letter", "the bug itself", id="larger pieces"),
        pytest.param("text = ''\n" + LOOP.format(size=4, result="text", step="text += piece.decode(errors='ignore')"),
                     "a cut in the middle of a letter", "was thrown away", id="ignores the halves"),
        pytest.param("text = ''\n" + LOOP.format(size=4, result="text", step="text += piece.decode(errors='replace')"),
                     "a cut in the middle of a letter", "was thrown away", id="replaces the halves"),
        pytest.param("text = ''\n" + LOOP.format(size=4, result="text", step="text += piece.decode('latin-1')"),
                     "a cut in the middle of a letter", "another rule", id="another rule"),
        pytest.param("data = b''\n" + LOOP.format(size=4, result="data", step="data += piece"), "plain letters", "still as bytes", id="returns bytes"),
        pytest.param("return sock.recv(1024).decode()", "a cut in the middle of a letter", "the bug itself", id="one recv"),
        pytest.param("data = b''\nwhile True:\n piece = sock.recv(4)\n data += piece\n if len(piece) < 4: return data.decode()",
                     "one byte at a time", "A short piece is no hang-up", id="stops at a short piece"),
        pytest.param("data = b''\nwhile True:\n data += sock.recv(4)", "plain letters", "nothing more will come", id="never stops"),
        pytest.param("data = b''\n" + LOOP.format(size=4, result="data.decode() or None", step="data += piece"),
                     "somebody who says nothing", "return", id="no text at all"),
        pytest.param("data = b''\nwhile sock.recv(4) != b'':\n data += sock.recv(4)\nreturn data.decode()", "plain letters", "how often do you keep",
                     id="listens twice, keeps once"),
        pytest.param("text = ''\nfor piece in iter(lambda: sock.recv(4), b''):\n try: text += piece.decode()\n except ValueError: pass\nreturn text",
                     "a cut in the middle of a letter", "was thrown away", id="swallows the error"),
    ],
)
def test_hear_all_refuses(taken, body, case, hint):
    text = "def hear_all(sock):\n" + "".join(f" {line}\n" for line in body.splitlines())
    refused(taken, "hear_all", text, case=case, hint=hint)


def test_an_answer_may_be_written_otherwise(taken):
    ways = {
        "shout": "def shout(address, text):\n line = socket.create_connection(address)\n try:\n  for byte in text.encode():\n"
        "   line.send(bytes([byte]))\n  return str(line.recv(4096), 'utf-8')\n finally:\n  line.close()",
        "recv_exactly": "def recv_exactly(sock, n):\n data = bytearray()\n while n > len(data):\n  piece = sock.recv(1)\n"
        "  if not piece: raise EOFError\n  data.extend(piece)\n return bytes(data)",
        "hear_all": "def hear_all(sock):\n return b''.join(iter(lambda: sock.recv(7), b'')).decode()",
    }
    for name, text in ways.items():
        verdict = check(taken("01", name).write(text))
        assert verdict.passed, verdict
