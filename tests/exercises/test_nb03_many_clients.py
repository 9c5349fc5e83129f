"""Notebook 03: the mistakes that people make with pick_up and serve_lines, and the hint that each one meets; its servers."""

import ast
import inspect

import pytest
from books import NOTEBOOKS, Book

from helpers import check, servers

NAMES = ("pick_up", "serve_lines")


@pytest.mark.parametrize("name", NAMES)
def test_the_stub_is_not_yet_an_answer(taken, name):
    assert check(taken("03", name).stub).status == "not yet"


@pytest.mark.parametrize("name", NAMES)
def test_the_folded_solution_passes(taken, name):
    verdict = check(taken("03", name).solution)
    assert verdict.passed, verdict


def refused(taken, name: str, body: str, *, case: str, hint: str) -> None:
    head = {"pick_up": "def pick_up(listener):\n", "serve_lines": "def serve_lines(listener, calls):\n"}[name]
    verdict = check(taken("03", name).write(head + "".join(f" {line}\n" for line in body.splitlines())))
    assert verdict.status == "failed", verdict
    assert f"“{case}”" in verdict.summary, verdict
    assert hint in verdict.hint, verdict


THREAD = "line, _ = listener.accept()\nclerk = threading.Thread({}, daemon=True)\n"


@pytest.mark.parametrize(
    ("body", "hint"),
    [
        pytest.param(THREAD.format("target=answer(line)") + "clerk.start()\nreturn clerk", "became the clerk itself", id="calls it"),
        pytest.param(THREAD.format("target=answer, args=(line,)") + "clerk.run()\nreturn clerk", "became the clerk itself", id="run"),
        pytest.param(THREAD.format("target=answer, args=(line,)") + "clerk.start()\nclerk.join()\nreturn clerk", "became the clerk itself", id="joins"),
        pytest.param(THREAD.format("target=answer, args=(line,)") + "return clerk", "lets it begin", id="no start"),
        pytest.param(THREAD.format("target=answer, args=(line,)") + "return clerk.start()", "Does `start()` return it", id="returns start()"),
        pytest.param(THREAD.format("target=answer, args=(line)") + "clerk.start()\nreturn clerk", "tuple of one", id="no comma"),
        pytest.param("line, _ = listener.accept()\nwith line:\n clerk = threading.Thread(target=answer, args=(line,))\n clerk.start()\nreturn clerk",
                     "whose is the line", id="closes the line"),
        pytest.param(THREAD.format("target=lambda: line.recv(9)") + "clerk.start()\nreturn clerk", "what should the thread run", id="only listens"),
        pytest.param("clerk = threading.Thread(target=answer, args=(listener,), daemon=True)\nclerk.start()\nreturn clerk", "Was the call picked up", id="no accept"),
        pytest.param("line, _ = listener.accept()\nclerk = threading.Thread(target=answer, args=(line,))\nclerk.start()\nreturn clerk",
                     "allows it to end", id="no daemon"),
        pytest.param("line, _ = listener.accept()\nclerk = threading.Thread(answer, (line,), daemon=True)\nclerk.start()\nreturn clerk",
                     "arguments by name", id="not by name"),
        pytest.param("while True:\n line, _ = listener.accept()\n clerk = threading.Thread(target=answer, args=(line,), daemon=True)\n clerk.start()\nreturn clerk",
                     "for one more call", id="goes on to the next call"),
        pytest.param(THREAD.format("target=lambda: line.sendall(line.recv(99)) or line.close()") + "clerk.start()\nreturn clerk",
                     "what should the thread run", id="one word"),
    ],
)
def test_pick_up_refuses(taken, body, hint):
    refused(taken, "pick_up", body, case="a silent customer, and then another", hint=hint)


def test_pick_up_waits_for_the_call_itself(taken):
    body = "clerk = threading.Thread(target=lambda: answer(listener.accept()[0]), daemon=True)\nclerk.start()\nreturn clerk"
    refused(taken, "pick_up", body, case="nobody calls yet", hint="Who should wait for the call")


SERVER = """
with selectors.DefaultSelector() as selector:
 selector.register(listener, selectors.EVENT_READ)
 while {until}:
  for key, _ in selector.select():
   line = key.fileobj
   if line is listener:
    line, _ = listener.accept()
    selector.register(line, selectors.EVENT_READ, {note})
    calls -= 1
    if calls == 0: {full}
   elif piece := line.recv(1024):
    {talk}
   else:
    {end}
"""
RIGHT = {
    "until": "selector.get_map()",
    "note": "bytearray()",
    "full": "selector.unregister(listener)",
    "talk": "key.data.extend(piece)\n    whole, cut, rest = bytes(key.data).rpartition(b'\\n')\n    line.sendall(whole + cut)\n    key.data[:] = rest",
    "end": "selector.unregister(line)\n    line.close()",
}
SHARED = "kept.extend(piece)\n    whole, cut, rest = bytes(kept).rpartition(b'\\n')\n    line.sendall(whole + cut)\n    kept[:] = rest"


def server(before: str = "", **changed: str) -> str:
    return before + SERVER.format(**(RIGHT | changed))


@pytest.mark.parametrize(
    ("body", "case", "hint"),
    [
        pytest.param("for _ in range(calls):\n line, _ = listener.accept()\n with line:\n  for words in line.makefile('rb'): line.sendall(words)",
                     "three in turn, and a fourth who is silent", "Only `select` may wait", id="one at a time"),
        pytest.param("clerks = []\nfor _ in range(calls):\n clerks.append(threading.Thread(target=answer, args=(listener.accept()[0],)))\n clerks[-1].start()\n"
                     "for clerk in clerks: clerk.join()", "one customer, one line", "A thread for each works too", id="threads"),
        pytest.param(server(talk="line.sendall(piece)"), "a line in crumbs, and two lines at once", "was not whole yet", id="echoes crumbs"),
        pytest.param(server("kept = bytearray()", talk=SHARED), "three in turn, and a fourth who is silent", "for whom", id="one buffer for all"),
        pytest.param(server(talk="line.sendall(piece + line.makefile('rb').readline() if not piece.endswith(b'\\n') else piece)"),
                     "three in turn, and a fourth who is silent", "Only `select` may wait", id="waits for the rest of the line"),
        pytest.param(server(end="selector.unregister(line)"), "one customer, one line", "a socket is still open", id="does not close"),
        pytest.param(server(end="selector.unregister(line)\n    line.close()\n    return"), "one hangs up, the other goes on", "the other one is gone too", id="ends with the first"),
        pytest.param(server(full="pass"), "one customer, one line", "what ends the loop", id="never ends"),
        pytest.param(server(talk="key.data.extend(piece)\n    whole, cut, rest = bytes(key.data).rpartition(b'\\n')\n    line.sendall(whole)\n    key.data[:] = rest"),
                     "one customer, one line", "What became of the `\\n`", id="loses the line's end"),
        pytest.param(server(note="b''", talk="key.data = key.data + piece"), "one customer, one line", "gives a line on the list another note", id="sets the note of a key"),
        pytest.param(server(talk="key.data.extend(piece)\n    if b'\\n' in piece: line.sendall(key.data)"),
                     "a line in crumbs, and two lines at once", "where is what came", id="never empties the note"),
        pytest.param(server(talk="key.data.extend(piece)\n    if key.data.endswith(b'\\n'):\n     line.sendall(key.data)\n     key.data.clear()"),
                     "a line, and the beginning of the next", "the next line had begun", id="waits until a piece ends with a line"),
        pytest.param(server(note="['']", talk="key.data[0] += piece.decode()\n    whole, cut, key.data[0] = key.data[0].rpartition('\\n')\n    line.sendall((whole + cut).encode())"),
                     "a letter in two halves", "half a letter is no text", id="decodes each piece"),
        pytest.param(server(end="line.sendall(key.data)\n    selector.unregister(line)\n    line.close()"),
                     "a hang-up in the middle of a line", "or never will be. What do you do with a piece without `\\n`?", id="sends the rest"),
        pytest.param("lines = [listener.accept()[0] for _ in range(calls)]\n" + SERVER.format(**RIGHT | {"end": "selector.unregister(line)\n    line.close()"})
                     .replace("selector.register(listener, selectors.EVENT_READ)", "for line in lines: selector.register(line, selectors.EVENT_READ, bytearray())"),
                     "the first speaks before the second has called", "has not called yet", id="waits for all calls first"),
        pytest.param("open_now = calls\n" + server(until="open_now", full="pass", end="selector.unregister(line)\n    line.close()\n    open_now -= 1"),
                     "one call more than were asked for", "one call more than", id="picks up everybody"),
    ],
)
def test_serve_lines_refuses(taken, body, case, hint):
    verdict_hint = hint[0].upper() + hint[1:] if hint.startswith(("what comes", "where is")) else hint
    refused(taken, "serve_lines", body, case=case, hint=verdict_hint)


def test_an_answer_may_be_written_otherwise(taken):
    told_apart = server("kept = {}", note="None", talk="kept[line] = kept.get(line, b'') + piece\n"
                        "    *whole, kept[line] = kept[line].split(b'\\n')\n    line.sendall(b''.join(one + b'\\n' for one in whole))")
    closed_first = server(end="line.close()\n    selector.unregister(line)")
    for body in (told_apart, closed_first):
        text = "def serve_lines(listener, calls):\n" + "".join(f" {line}\n" for line in body.splitlines())
        verdict = check(taken("03", "serve_lines").write(text))
        assert verdict.passed, verdict


def plain(function: ast.FunctionDef) -> str:
    """A function without its annotations and its docstring."""
    for node in ast.walk(function):
        if isinstance(node, ast.arg):
            node.annotation = None
    function.returns = None
    if ast.get_docstring(function):
        del function.body[0]
    return ast.unparse(function)


@pytest.mark.parametrize("name", ["answer", "one_at_a_time", "thread_each", "step", "one_selector"])
def test_the_servers_that_others_measure_are_those_of_the_cells(name):
    book = Book(NOTEBOOKS / "03_many_clients.ipynb")
    [shown] = [node for cell in book.code for node in cell.tree.body if isinstance(node, ast.FunctionDef) and node.name == name]
    [measured] = ast.parse(inspect.getsource(getattr(servers, name))).body
    assert plain(shown) == plain(measured)
