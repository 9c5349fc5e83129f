"""`check` in a real kernel: whatever an answer does there, the next cell runs and prints as if nothing had been."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from kernels import Kernel

EXERCISE = """
from .engine import exercise

@exercise(limit=1.0)
def private(answer, case):
    with case("one", expected=1, hint="How much is one?") as c:
        c.equal(answer())
"""

BEGIN = """
import asyncio, sys, threading, time
import helpers.exercises
from helpers import EchoServer, check
from helpers.exercises import sandbox
from websockets.asyncio.client import connect
helpers.exercises.__path__.append({folder!r})
stdout = sys.stdout
"""


AFTER = """
for run in list(sandbox._runs):  # what could not be stopped ends by itself
    for thread in run.alive():
        thread.join(10)
sandbox.forget()
print(sys.stdout is stdout)
"""


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    folder = tmp_path_factory.mktemp("kernel")
    (folder / "nb99_private.py").write_text(EXERCISE)
    with Kernel(folder) as kernel:
        assert kernel.run(BEGIN.format(folder=str(folder))).status == "ok"
        yield kernel
    assert kernel.ended_by_itself
    assert kernel.noise == ""


def shown(kernel: Kernel, body: str, *, kind: str = "def") -> str:
    """The verdict that a notebook shows on an answer with this body; the cells around it are queued with it, as Run All does."""
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    replies = kernel.run_all([f"{kind} private():\n{lines}", "check(private)", "print('next')", "await asyncio.sleep(0)\n1", AFTER])
    assert [reply.status for reply in replies] == ["ok"] * 5
    assert replies[2].text() == "next\n"
    assert replies[4].text() == "True\n"
    assert [output.output_type for output in replies[1].outputs] == ["execute_result"], replies[1].outputs
    data = replies[1].outputs[0].data
    assert set(data) == {"text/html", "text/plain"}
    return data["text/plain"]


def test_a_stub(kernel: Kernel) -> None:
    assert shown(kernel, "...  # your code") == "○ private: not yet. It returned None; 1 was expected."


def test_a_right_answer_that_prints(kernel: Kernel) -> None:
    assert shown(kernel, "print('here')\nreturn 1") == "✓ private: passed. Its case holds.\n    printed   here"


@pytest.mark.parametrize(
    ("kind", "body", "text"),
    [
        ("def", "while True: pass", "it goes round and round"),
        ("def", "while True: print('again')", "it goes round and round"),
        ("def", "threading.Event().wait(3)", "it waits in `threading.Event().wait(3)`"),
        ("async def", "await asyncio.Event().wait()", "it waits in `await asyncio.Event().wait()`"),
        ("def", "exit()", "it asked Python to exit"),
        ("def", "quit()", "it asked Python to exit"),
        ("def", "sys.exit(3)", "it asked Python to exit"),
        ("def", "raise KeyboardInterrupt", "it asked Python to exit"),
        ("def", "return input('how much? ')", "it asked for input"),
        ("def", "breakpoint()", "it asked for input"),
        ("def", "raise ValueError('no')", "it raised ValueError: no, in `raise ValueError('no')`"),
        ("def", "import logging\nlogging.getLogger('mine').warning('hm')", "printed   hm"),
        ("def", "from IPython.display import display\ndisplay(40 + 2)", "printed   42"),
        ("def", "import warnings\nwarnings.warn('hm')", "without a `return`"),
        ("async def", "asyncio.sleep(0)\nreturn 1", "a coroutine that nobody awaited"),
        ("def", "EchoServer().start()\nreturn 1", "a server that still listens"),
        ("def", "threading.Thread(target=time.sleep, args=(1,)).start()\nreturn 1", "a thread that still runs"),
        ("def", "threading.Thread(target=lambda: 1 / 0).start()\nreturn 1", "passed"),
    ],
)
def test_whatever_it_does_the_notebook_goes_on(kernel: Kernel, kind: str, body: str, text: str) -> None:
    verdict = shown(kernel, body, kind=kind)
    assert text in verdict
    assert "Traceback" not in verdict


def test_a_connection_of_the_kernels_own_loop(kernel: Kernel) -> None:
    begin = kernel.run("server = EchoServer().start()\nws = await connect(server.uri, proxy=None)")
    assert begin.status == "ok"
    assert "`ws` belongs to your notebook's own event loop" in shown(kernel, "return await ws.recv()", kind="async def")
    end = kernel.run("await ws.send('still'); print(await ws.recv()); await ws.close(); server.stop()")
    assert end.text() == "Echo: still\n"


def test_an_abandoned_answer_prints_nothing_into_later_cells(kernel: Kernel) -> None:
    """It can't be stopped while it waits, and wakes up in a later cell."""
    replies = kernel.run_all(
        [
            "gate = threading.Event()\ndef private():\n    try: gate.wait()\n    finally: print('from the grave')",
            "check(private)",
            "print('next')",
            "gate.set()\n" + AFTER,
        ]
    )
    assert "could not be stopped" in replies[1].outputs[0].data["text/plain"]
    assert [reply.text() for reply in replies[2:]] == ["next\n", "True\n"]
    assert all(reply.text("stderr") == "" for reply in replies)


def test_a_waiting_check_can_be_interrupted(kernel: Kernel, eventually) -> None:
    began = kernel.folder / "began"
    kernel.run(f"def private():\n    open({str(began)!r}, 'w').close()\n    while True: pass")
    sent = kernel.send(
        "import dataclasses\nfrom helpers.exercises import engine, nb99_private\n"
        "engine.judge(private, dataclasses.replace(nb99_private.private, limit=60.0))"
    )
    eventually(Path(began).exists)
    kernel.interrupt()
    reply = kernel.collect({sent: ""})[0]
    assert reply.status == "error" and reply.error.startswith("KeyboardInterrupt")
    assert kernel.run("print('next')\n" + AFTER).text() == "next\nTrue\n"


def test_where_loops_were_made_to_nest(kernel: Kernel) -> None:
    """Last: what nest_asyncio2 patches stays patched."""
    assert kernel.run("import nest_asyncio2; nest_asyncio2.apply()").status == "ok"
    assert "passed" in shown(kernel, "await asyncio.sleep(0)\nreturn 1", kind="async def")
    assert "passed" in shown(kernel, "async def inner(): return 1\nreturn asyncio.run(inner())")
    assert "it waits in" in shown(kernel, "await asyncio.Event().wait()", kind="async def")
