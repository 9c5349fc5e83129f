"""`check` and its engine against answers that learners really give, and worse ones: always a verdict, never more."""

import asyncio
import contextlib
import dataclasses
import functools
import gc
import hashlib
import io
import os
import socket
import subprocess
import sys
import threading
import time
import warnings
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosedOK
from websockets.sync.client import connect as connect_sync
from written import function

from helpers import EchoServer, background, check
from helpers.exercises import engine, lines, sandbox
from helpers.exercises.engine import Seen, exercise, words

HANG = 10.0
"""Seconds after which a check that should have ended is hanging."""


# --- private exercises


@exercise(limit=1.0)
def double(answer, case):
    """double(n) returns 2 * n."""
    with case(
        "a number",
        sent=2,
        expected=4,
        hints=[
            (2, "That is what you were given."),
            (str, "Digits, but text."),
            (lambda got: got > 100, "That is far too much."),
            (ZeroDivisionError, "Nothing is divided here."),
        ],
        hint="How much is twice that?",
    ) as c:
        c.equal(answer(2))
    with case("nothing", sent=0, expected=0) as c:
        c.equal(answer(0))


@exercise(limit=1.0)
def read_five(answer, case):
    """read_five(sock) returns five bytes."""
    with case(
        "a message in two pieces",
        sent=[b"he", b"llo"],
        expected=b"hello",
        hints={b"he": "The first piece is right.", Seen.STUCK: "Who would send more?"},
    ) as c:
        near, far = c.socketpair(timeout=None)
        c.feed(far, b"he", b"llo", reader=near)
        c.equal(answer(near))
    with case("the next message follows", sent=b"hellowo", expected=b"hello") as c:
        near, far = c.socketpair()
        far.sendall(b"hellowo")
        c.equal(answer(near))
        c.equal(c.unread(near), b"wo", hint="The message is right, the next one is gone.")
    with case("a hang-up", sent=words("b'he', then a hang-up"), expected=EOFError, hints={Seen.STUCK: "What does b'' mean?"}) as c:
        near, far = c.socketpair()
        c.feed(far, b"he", close=True)
        with c.raises(EOFError, hint="Nobody says that the message is short."):
            answer(near)


READ_FIVE = """
def read_five(sock):
    data = b""
    while len(data) < 5:
        piece = sock.recv(5 - len(data))
        if not piece:
            raise EOFError
        data += piece
    return data
"""


@exercise(limit=3.0)
def shout(answer, case):
    """shout(address, text) returns the reply."""
    with case("a word", sent="hello", expected="HELLO", hints={Seen.SOCKET_LEFT: "I still hear your line."}) as c:

        def talk(sock):
            sock.sendall(sock.recv(1024).upper())
            c.hung_up(sock)

        c.equal(answer(c.listener(talk), "hello"))


@exercise(limit=1.0)
async def ask_all(answer, case):
    """ask_all(ask, questions) awaits ask(question) for all of them at once."""

    async def ask(question):
        nonlocal together
        together += 1
        while together < 3 and watched.count < 3:
            await asyncio.sleep(0)
        return question.upper()

    together = 0
    async with case("three questions", sent=["a", "b", "c"], expected=["A", "B", "C"], hints={Seen.STUCK: "Ask on before you wait."}) as c:
        watched = c.watch(ask)
        c.equal(await answer(watched, ["a", "b", "c"]))
        c.true(watched.most_at_once == 3, hint="One after the other.")


@exercise(limit=3.0)
async def greet(answer, case):
    """greet(ws) is a handler that sends a greeting and waits for the goodbye."""
    async with case(
        "a caller",
        expected="hello",
        hints={ConnectionClosedOK: "A handler that returns hangs up.", Seen.UNAWAITED: "The letter was not posted.", Seen.STUCK: "Silence."},
        limit=2.5,
    ) as c:
        server = await asyncio.to_thread(c.serve, answer)
        async with connect(server.uri, proxy=None) as ws:
            c.equal(await asyncio.wait_for(ws.recv(), 1.2))
            await ws.send("bye")
            c.equal(await ws.recv(), "bye")


@exercise(limit=1.0)
def terms(answer, case):
    """terms() returns a dictionary of meanings."""
    with case("the terms", hints={("b", 3): "That is the meaning of c."}) as c:
        c.match(answer(), {"a": 1, "b": 2, "c": 3})


def given(text, which=double, **names):
    """The verdict on an answer written like this."""
    began = time.monotonic()
    verdict = engine.judge(function(text, socket=socket, asyncio=asyncio, threading=threading, time=time, sys=sys, **names), which)
    assert time.monotonic() - began < HANG
    return verdict


def running() -> set[threading.Thread]:
    """The threads that run. An answer that is stopped while it starts one leaves a Thread that never does, and nothing else."""
    return {thread for thread in threading.enumerate() if thread.is_alive()}


@pytest.fixture(autouse=True)
def nothing_stays(capsys, quick_checks):
    """After every check: the streams are the notebook's own, nothing is printed into it (garbage may), no thread is left."""
    threads = running()
    yield
    deadline = time.monotonic() + HANG
    while (left := running() - threads) and time.monotonic() < deadline:
        time.sleep(0.002)
    assert not left
    sandbox.forget()
    with warnings.catch_warnings(record=True) as late:
        warnings.simplefilter("always")
        gc.collect()
    assert [str(warning.message) for warning in late if warning.category is not ResourceWarning] == []  # Python hides these
    assert sandbox._installed == [] and not isinstance(sys.stdout, sandbox._Stream)
    assert capsys.readouterr() == ("", "")


# --- what is shown


def test_passes():
    verdict = given("def double(n): return n + n")
    assert verdict.passed and verdict.status == "passed" and verdict.hint == ""
    assert repr(verdict) == "✓ double: passed. All 2 cases hold."


def test_says_what_was_sent_expected_and_received():
    verdict = given("def double(n): return n + 1")
    assert not verdict.passed and verdict.status == "failed"
    assert verdict.hint == "How much is twice that?"
    assert repr(verdict) == (
        "✗ double: not quite, in the case “a number”.\n"
        "    sent      2\n"
        "    expected  4\n"
        "    received  3\n"
        "    hint      How much is twice that?"
    )


@pytest.mark.parametrize(
    "text, hint",
    [
        ("return n", "That is what you were given."),
        ("return str(n + n)", "Digits, but text."),
        ("return 1000", "That is far too much."),
        ("return [n]", "How much is twice that?"),
        ("return n / 0", "Nothing is divided here."),
    ],
)
def test_a_hint_is_keyed_to_the_mistake(text, hint):
    assert given(f"def double(n): {text}").hint == hint


def test_html_says_the_same_escaped():
    html = given("def double(n): return '<script>&'")._repr_html_()
    assert "✗" in html and "&lt;script&gt;&amp;" in html and "<script>" not in html
    assert "background" not in html and "; color" not in html


def test_html_shows_code_and_emphasis():
    @exercise
    def double(answer, case):
        with case("a number", hint="`2 *n*` is *twice* n, 2 * 3 <b>") as c:
            c.equal(answer(2), 4)

    html = given("def double(n): return n", double)._repr_html_()
    assert ">2 *n*</span> is <em>twice</em> n, 2 * 3 &lt;b&gt;<" in html


def test_what_differs_from_run_to_run_is_not_shown():
    class Thing:
        pass

    for text in ("return Thing()", "return [Thing(), lambda: 1]", "raise OSError(f'no way to 127.0.0.1:{id(n)} {Thing()}')"):
        shown = [repr(given(f"def double(n): {text}", Thing=Thing)) for _ in range(2)]
        assert shown[0] == shown[1] and "0x" not in shown[0]


def test_a_long_answer_is_shortened():
    shown = given("def double(n): return 'x' * 10_000_000").rows[-1][1]
    assert len(shown) < 400 and shown.startswith("'xxx") and shown.endswith("xxx'") and " … " in shown


def test_a_repr_that_raises_is_no_trouble():
    verdict = given("class double:\n    def __init__(self, n): pass\n    def __repr__(self): raise ValueError")
    assert verdict.rows[-1] == ("received", "a double whose repr raises ValueError")


# --- stubs


@pytest.mark.parametrize(
    "text",
    [
        "def double(n): ...",
        "def double(n):\n    ...  # your code",
        "def double(n):\n    'What it does.'",
        "def double(n):\n    'What it does.'\n    ...",
        "def double(n): pass",
        "async def double(n): ...",
        "async def double(n):\n    'What it does.'\n    ...  # your code",
        "async def double(n): pass",
    ],
)
def test_a_stub_is_not_yet_an_answer(text):
    verdict = given(text)
    assert verdict.status == "not yet" and not verdict.passed
    assert repr(verdict) == "○ double: not yet. It returned None; 4 was expected."


@pytest.mark.parametrize("what", ["NotImplementedError", "NotImplementedError()", "NotImplementedError('your code')"])
@pytest.mark.parametrize("kind", ["def", "async def"])
def test_a_stub_may_raise(kind, what):
    assert repr(given(f"{kind} double(n): raise {what}")) == "○ double: not yet. It raised NotImplementedError; 4 was expected."


@pytest.mark.parametrize(
    "text, did",
    [
        ("return ...", "It returned Ellipsis"),
        ("return n * ...", "It raised TypeError"),
        ("return {'a': [1, (2, ...)]}", "It returned {'a': [1, (2, Ellipsis)]}"),
        ("return (lambda: ...)()", "It returned Ellipsis"),
    ],
)
def test_a_gap_in_an_expression_is_not_yet_an_answer(text, did):
    assert repr(given(f"def double(n): {text}")) == f"○ double: not yet. {did}; 4 was expected."


def test_dots_above_real_code_are_no_gap():
    assert given("def double(n):\n    ...  # your code\n    return n").status == "failed"
    assert given("def double(n):\n    ...  # your code\n    return n + n").passed


def test_a_gap_that_does_no_harm_passes():
    assert given("def double(n):\n    unused = ...\n    return n + n").passed


def test_a_class_with_a_method_to_write_is_a_stub():
    head = "class double:\n    def __init__(self, n): pass\n    def __eq__(self, other): return False\n"
    assert given(head + "    def feed(self, data): ...").status == "not yet"
    assert given(head + "    def feed(self, data): return data").status == "failed"


def test_the_stub_of_a_handler():
    assert repr(given("async def greet(ws): ...", greet)) == "○ greet: not yet. It returned None; 'hello' was expected."


def test_the_stub_of_a_matching_exercise():
    assert repr(given("def terms(): ...", terms)) == "○ terms: not yet. It returned None; a dictionary with 3 keys was expected."
    gaps = "def terms(): return {'a': ..., 'b': ..., 'c': ...}"
    assert given(gaps, terms).status == "not yet"


# --- answers of all kinds


def test_sync_and_async_alike():
    assert given("async def double(n):\n    await asyncio.sleep(0)\n    return n + n").passed
    assert given("def double(n):\n    async def inner(): return n + n\n    return asyncio.run(inner())").passed
    assert given("def ask_all(ask, questions):\n    return asyncio.gather(*map(ask, questions))", ask_all).passed
    assert given("async def ask_all(ask, questions):\n    return list(await asyncio.gather(*map(ask, questions)))", ask_all).passed


def test_over_read_bytes_are_seen():
    verdict = given("def read_five(sock):\n    data = b''\n    while len(data) < 5: data += sock.recv(100)\n    return data[:5]", read_five)
    assert verdict.hint == "The message is right, the next one is gone."
    assert verdict.rows == (("sent", "b'hellowo'"), ("expected", "b'wo'"), ("received", "b''"))


def test_an_exception_that_should_be_raised():
    assert given(READ_FIVE, read_five).passed
    verdict = given(READ_FIVE.replace("raise EOFError", "break"), read_five)
    assert verdict.hint == "Nobody says that the message is short."
    assert ("expected", "EOFError") in verdict.rows and ("received", "b'he'") in verdict.rows


def test_a_line_left_open_is_heard():
    good = "def shout(address, text):\n    with socket.create_connection(address) as s:\n        s.sendall(text.encode())\n        return s.recv(99).decode()"
    assert given(good, shout).passed
    kept = "def shout(address, text):\n    global s\n    s = socket.create_connection(address)\n    s.sendall(text.encode())\n    return s.recv(99).decode()"
    verdict = given(kept, shout)
    assert verdict.status == "failed" and verdict.hint == "I still hear your line."
    dropped = kept.replace("    global s\n", "")
    verdict = given(dropped, shout)
    assert verdict.status == "failed" and verdict.hint == "I still hear your line."


def test_a_matching_answer_is_never_shown():
    verdict = given("def terms(): return {'a': 1, 'b': 3, 'c': 3}", terms)
    assert verdict.hint == "2 of 3 are right. That is the meaning of c."
    assert verdict.rows == (("expected", "a dictionary with 3 keys"), ("received", "'b': 3"))
    assert "'c'" in repr(given("def terms(): return {'a': 1, 'b': 2}", terms))
    assert given("def terms(): return {'a': 1, 'b': 2, 'c': 3, 'd': 4}", terms).status == "failed"
    assert given("def terms(): return ['a']", terms).status == "failed"
    assert "'b': [2]" in repr(given("def terms(): return {'a': 1, 'b': [2], 'c': 3}", terms))
    assert given("def terms(): return {'a': 1, 'b': 2, 'c': 3}", terms).passed


def test_a_served_handler():
    good = "async def greet(ws):\n    await ws.send('hello')\n    async for message in ws:\n        await ws.send(message)"
    assert given(good, greet).passed
    verdict = given("async def greet(ws):\n    await ws.send('hello')", greet)
    assert verdict.hint == "A handler that returns hangs up."
    assert ("received", "a close with code 1000") in verdict.rows
    assert given("async def greet(ws):\n    ws.send('hello')\n    await ws.recv()", greet).hint == "The letter was not posted."
    assert given("async def greet(ws):\n    await ws.recv()", greet).hint == "Silence."
    verdict = given("async def greet(ws, path):\n    await ws.send('hello')", greet)
    assert "it raised TypeError: greet() missing 1 required positional argument: 'path'" in repr(verdict)
    assert given("async def greet(ws):\n    time.sleep(1.5)", greet).hint == "Silence."
    assert given("async def greet(ws):\n    while True: pass", greet).hint == "Silence."


def test_wrong_arguments_are_the_answers_own_or_those_of_a_call_in_it():
    assert "first line" in given("def double():\n    return 2").hint
    assert "A call in it" in given("def double(n):\n    def twice(n, m):\n        return 2 * n\n    return twice(n)").hint
    assert "A call in it" in given("def double(n):\n    return socket.create_connection(timout=n)").hint


# --- answers that hang

soon = functools.partial(dataclasses.replace, limit=0.6)
"""An exercise that gives up sooner: for answers that hang in its first case."""

HANGING = {
    "recv": "def read_five(sock):\n    while True: sock.recv(1)",
    "spin": "def read_five(sock):\n    while True: pass",
    "spin that catches all": "def read_five(sock):\n    for _ in range(2):\n        try:\n            while True: pass\n        except BaseException: pass",
    "sleep": "def read_five(sock):\n    time.sleep(2)",
    "lock": "def read_five(sock):\n    lock = threading.Lock()\n    lock.acquire()\n    lock.acquire(timeout=2)",
    "await": "async def read_five(sock):\n    await asyncio.Event().wait()",
    "await that will not be cancelled": (
        "async def read_five(sock):\n    while True:\n        try: await asyncio.sleep(1)\n        except asyncio.CancelledError: pass"
    ),
    "sleep in a coroutine": "async def read_five(sock):\n    time.sleep(2)",
    "await in a circle": "async def read_five(sock):\n    while True: await asyncio.sleep(0)",
    "a loop inside": "def read_five(sock):\n    async def inner(): await asyncio.Event().wait()\n    asyncio.run(inner())",
    "a thread": "def read_five(sock):\n    thread = threading.Thread(target=sock.recv, args=(99,))\n    thread.start()\n    while True: sock.recv(1)",
    "a selector of nothing": "def read_five(sock):\n    with __import__('selectors').DefaultSelector() as selector:\n        selector.select()",
    "a comparison": "class read_five:\n    def __init__(self, sock): self.sock = sock\n    def __eq__(self, other):\n        while True: pass",
    "a repr": "class read_five:\n    def __init__(self, sock): self.sock = sock\n    def __repr__(self):\n        while True: pass",
}


@pytest.mark.parametrize("text", HANGING.values(), ids=HANGING.keys())
def test_an_answer_that_hangs_gets_a_verdict(text, capsys):
    verdict = given(text, soon(read_five))
    assert verdict.status == "failed" and verdict.hint == "Who would send more?"
    assert "nothing within 0.6 seconds" in repr(verdict)
    print("the notebook prints")
    assert capsys.readouterr().out == "the notebook prints\n"
    assert given(READ_FIVE, read_five).passed


@pytest.mark.parametrize(
    "name, doing",
    [
        ("recv", "it waits in `while True: sock.recv(1)`"),
        ("spin", "it goes round and round"),
        ("sleep", "it waits in `time.sleep(2)`"),
        ("await", "it waits in `await asyncio.Event().wait()`"),
    ],
)
def test_says_where_it_waits(name, doing):
    assert doing in repr(given(HANGING[name], soon(read_five)))


def test_says_that_an_answer_goes_through_nothing_again_and_again():
    """Which looks like waiting: it is in `recv` whenever one looks."""

    @exercise(limit=0.6)
    def double(answer, case):
        with case("a hang-up") as c:
            near, far = c.socketpair()
            far.close()
            answer(near)

    assert "it goes round and round" in repr(given("def double(sock):\n    while True: sock.recv(1)", double))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says whether a thread wants to run")
def test_an_answer_that_a_busy_machine_does_not_let_run_is_not_waiting():
    """It stands still whenever one looks, and computes next to nothing, as one that waits."""
    processor, begun = min(os.sched_getaffinity(0)), threading.Event()

    def compute():
        os.sched_setaffinity(0, {processor})
        begun.set()
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
        hashlib.pbkdf2_hmac("sha256", b"", b"", 500_000)  # without the interpreter's lock

    busy = f"import os; os.sched_setaffinity(0, {{{processor}}}); print(flush=True)\nwhile True: pass"
    with subprocess.Popen([sys.executable, "-c", busy], stdout=subprocess.PIPE) as other:
        other.stdout.read(1)
        thread = threading.Thread(target=compute)
        thread.start()
        begun.wait()
        doing = lines.doing([thread], [], {__file__})
        other.kill()
    thread.join()
    assert doing == lines.SPINS


def test_an_answer_that_cannot_be_stopped_says_nothing_later(capsys):
    gate = threading.Event()
    verdict = given("def double(n):\n    print('before')\n    try: gate.wait()\n    finally: print('after')", soon(double), gate=gate)
    assert "could not be stopped" in repr(verdict) and verdict.printed == "before"
    print("the notebook prints")
    woken = [thread for run in sandbox._runs for thread in run.alive()]
    gate.set()
    for thread in woken:
        thread.join(HANG)
    assert woken and capsys.readouterr().out == "the notebook prints\n"


def test_a_thread_that_is_stopped_may_tidy_up():
    """Longer than a step of stopping it takes: a server that is cut short while it closes leaves sockets open."""
    spins, tidied = threading.Event(), []

    def spin():
        spins.set()
        while True:
            pass

    def serve():
        try:
            spin()
        finally:
            until = time.monotonic() + 2 * sandbox.PATIENCE
            while time.monotonic() < until:
                pass
            tidied.append(True)

    run = sandbox.Sandbox()
    thread = run.thread(serve, "server")
    thread.start()
    assert spins.wait(HANG)
    run.stop()
    thread.join(HANG)
    assert tidied == [True]


@pytest.mark.parametrize("runs", [False, True])
def test_a_thread_is_not_stopped_before_its_starter_knows_that_it_runs(monkeypatch, runs):
    told, begun = [], threading.Event()

    def tell(thread, error, real=sandbox._raise_in):
        told.append(starting)
        real(thread, error)

    class Slow(threading.Event):
        def set(self):
            nonlocal starting
            with self._cond:
                self._flag = runs
                begun.set()
                until = time.monotonic() + 4 * sandbox.PATIENCE
                while time.monotonic() < until:
                    pass
                starting, self._flag = False, True
                self._cond.notify_all()

    starting = True
    monkeypatch.setattr(sandbox, "_raise_in", tell)

    def linger():  # until it is told
        while True:
            time.sleep(0.002)

    run = sandbox.Sandbox()
    started = run.thread(linger, "started")
    started._started = Slow()
    starter = run.thread(lambda: started.start(), "starter")  # the start that is there then
    with run.routed():
        starter.start()
        assert begun.wait(HANG)
        run.stop()
        starter.join(HANG)
        started.join(HANG)
    assert not starter.is_alive() and not started.is_alive()
    assert told and not any(told), "the starter was told to end while it started a thread: in 3.11 that may end the other one"


def test_a_server_whose_loop_is_half_closed_is_let_go():
    """Its thread was ended while it closed the loop; closing it once more raises."""

    class HalfClosed(EchoServer):
        def _end(self, patience):
            super()._end(patience)
            if threading.current_thread() is threading.main_thread():  # where the check stops what the answer left
                background._running.add(self)
                raise ValueError("Invalid file descriptor: -1")
            return True

    verdict = given("def double(n):\n    HalfClosed().start()\n    return n + n", HalfClosed=HalfClosed)
    assert verdict.status == "failed" and "a server that still listens" in repr(verdict)
    assert not any(isinstance(server, HalfClosed) for server in background._running)


def test_a_check_that_has_to_hurry_ends_all_the_same(monkeypatch):
    """On a machine so busy that all steps of stopping an answer come at once."""
    monkeypatch.setattr(sandbox, "PATIENCE", 0.0)

    @exercise(limit=0.3)
    async def double(answer, case):
        await asyncio.to_thread(int)  # leaves a thread that waits for work, and never comes to the next one
        async with case("never"):
            await answer()

    assert given("async def double():\n    await asyncio.sleep(99)", double).status == "failed"


def test_one_that_takes_its_time_to_end_is_told_again(monkeypatch):
    """However fast the first rounds come."""
    monkeypatch.setattr(sandbox, "PATIENCE", 0.0)
    begun = threading.Event()

    def slow():
        until = time.monotonic() + 0.3
        while True:
            try:
                begun.set()
                while True:
                    time.sleep(0.001)
            except sandbox.Abandoned:
                if time.monotonic() > until:
                    raise

    run = sandbox.Sandbox()
    with run.routed():
        run.start(slow)
        assert begun.wait(HANG)
        assert run.stop()


def test_an_answer_that_could_be_stopped_is_not_complained_about():
    assert "stopped" not in repr(given(HANGING["spin that catches all"], soon(read_five)))


def test_an_async_answer_is_cancelled_and_may_tidy_up(monkeypatch):
    """Before the check hangs up on it."""
    monkeypatch.setattr(sandbox, "PATIENCE", 5.0)  # it ends before, on any machine
    tidied = []
    text = "async def read_five(sock):\n    try: await asyncio.sleep(99)\n    finally: tidied.append(sock.fileno() > 0)"
    given(text, soon(read_five), tidied=tidied)
    assert tidied == [True]


def test_the_notebooks_own_loop_is_never_cancelled():
    """Not even where the answer runs it, as it can where loops were made to nest."""
    text = "def double(n):\n    def run_until_complete(self):\n        while True: pass\n    run_until_complete(loop)"

    async def notebook():
        task = asyncio.create_task(asyncio.sleep(0.01, "untouched"))
        assert given(text, soon(double), loop=asyncio.get_running_loop()).status == "failed"
        return await task

    assert asyncio.run(notebook()) == "untouched"


def test_a_case_may_have_a_limit_of_its_own():
    @exercise
    def double(answer, case):
        with case("quickly", limit=0.3) as c:
            c.equal(answer(1), 2)

    assert "nothing within 0.3 seconds" in repr(given("def double(n):\n    while True: pass", double))


def test_a_checker_that_waits_in_vain_says_so():
    @exercise(limit=0.3)
    def double(answer, case):
        with case("a word to me", expected=b"hello", hint="I heard nothing.") as c:
            near, far = c.socketpair(timeout=None)
            answer(near)
            c.equal(far.recv(5))

    verdict = given("def double(sock): return 5", double)
    assert verdict.hint == "I heard nothing." and "nothing within 0.3 seconds" in repr(verdict)


def test_a_name_of_the_notebook_may_stand_for_something_else():
    @exercise(limit=0.3)
    def double(answer, case):
        with case("with two names lent") as c:
            c.stand_in(n=5, new=6)
            c.equal(answer(), 11)

    answer = function("def double(): return n + new", n=1)
    assert engine.judge(answer, double).passed
    assert answer.__globals__["n"] == 1 and "new" not in answer.__globals__


def test_a_name_of_the_notebook_comes_back_also_from_an_answer_that_cannot_be_stopped():
    @exercise(limit=0.3)
    def double(answer, case):
        with case("with a name lent") as c:
            c.stand_in(n=5)
            answer()

    gate = threading.Event()
    answer = function("def double(): gate.wait()", n=1, gate=gate)
    assert "could not be stopped" in repr(engine.judge(answer, double))
    assert answer.__globals__["n"] == 1
    answer.__globals__["n"] = 2  # a later cell
    woken = [thread for run in sandbox._runs for thread in run.alive()]
    gate.set()
    for thread in woken:
        thread.join(HANG)
    assert woken and answer.__globals__["n"] == 2


def test_the_checks_own_side_may_fail_the_answer():
    @exercise(limit=3.0)
    def double(answer, case):
        with case("a word to me", expected=b"hello") as c:
            near, far = c.socketpair(timeout=1.0)
            c.thread(lambda: c.equal(far.recv(9), hints={b"hi": "Shorter than that."}))
            answer(near)

    assert given("def double(sock): sock.sendall(b'hello')", double).passed
    assert given("def double(sock): sock.sendall(b'hi')", double).hint == "Shorter than that."
    verdict = given("def double(sock): sock", double)
    assert verdict.rows[-1] == ("received", "nothing: the check waited in vain")


def test_the_checks_own_side_that_does_not_end_fails_the_answer():
    @exercise(limit=5.0)
    def double(answer, case):
        with case("a word to me", hints={Seen.STUCK: "I heard nothing."}) as c:
            near, far = c.socketpair(timeout=None)
            c.thread(far.recv, 9)
            answer(near)

    assert given("def double(sock): return sock", double).hint == "I heard nothing."


def test_calls_are_counted():
    @exercise(limit=1.0)
    def double(answer, case):
        with case("a function of the check's") as c:
            watched = c.watch(lambda n: n)
            answer(watched)
            c.equal(watched.calls, [(1,), (2,)])
            c.true(watched.count == 2 and watched.most_at_once == 1)

    assert given("def double(f): f(1), f(2)", double).passed
    assert ("received", "[(2,)]") in given("def double(f): f(2)", double).rows


def test_waiting_can_be_interrupted(monkeypatch):
    """As ■ does it: KeyboardInterrupt in the thread that waits."""
    looks = 0
    wait = threading.Event.wait

    def interrupted(event, timeout=None):
        nonlocal looks
        if timeout == sandbox.SLICE:
            looks += 1
            if looks == 2:
                raise KeyboardInterrupt
        return wait(event, timeout)

    monkeypatch.setattr(threading.Event, "wait", interrupted)
    with pytest.raises(KeyboardInterrupt):
        given("def double(n):\n    while True: pass")
    assert given("def double(n): return n + n").passed


# --- answers that raise, leave, ask and print


@pytest.mark.parametrize(
    "text, received",
    [
        ("raise ValueError('no')", "it raised ValueError: no, in `raise ValueError('no')`"),
        ("raise BaseException('no')", "it raised BaseException: no, in `raise BaseException('no')`"),
        ("raise KeyboardInterrupt", "it asked Python to exit"),
        ("raise asyncio.CancelledError", "it raised CancelledError, in `raise asyncio.CancelledError`"),
        ("raise GeneratorExit", "it raised GeneratorExit, in `raise GeneratorExit`"),
        ("raise StopIteration(3)", "it raised StopIteration: 3, in `raise StopIteration(3)`"),
        ("sys.exit()", "it asked Python to exit"),
        ("sys.exit('bye')", "it asked Python to exit"),
        ("exit()", "it asked Python to exit"),
        ("quit(3)", "it asked Python to exit"),
        ("raise SystemExit", "it asked Python to exit"),
        ("input('> ')", "it asked for input"),
        ("breakpoint()", "it asked for input"),
        ("return double(n)", "it raised RecursionError: maximum recursion depth exceeded, in `return double(n)`"),
        ("return n[0]", "it raised TypeError: 'int' object is not subscriptable, in `return n[0]`"),
        ("raise ExceptionGroup('two', [ValueError('no'), TypeError()])", "it raised ValueError: no (in an ExceptionGroup), in `raise ExceptionGroup('two', [ValueError('no'), TypeError()])`"),
        ("class Odd(Exception):\n        def __str__(self): raise TypeError\n    raise Odd", "it raised Odd, in `raise Odd`"),
    ],
)
def test_whatever_an_answer_raises_is_a_verdict(text, received):
    for kind in ("def", "async def"):
        if kind == "async def" and ("double(n)" in text or "StopIteration" in text):
            continue
        verdict = given(f"{kind} double(n):\n    {text}")
        assert verdict.status == "failed"
        assert verdict.rows[-1] == ("received", received)
        assert "Traceback" not in repr(verdict)


def test_exit_leaves_standard_input_open(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    for leave in "exit()", "quit()":
        assert given(f"def double(n): {leave}").status == "failed"
    assert not sys.stdin.closed


def test_exit_inside_a_task():
    verdict = given("async def double(n):\n    async def leave(): sys.exit()\n    await asyncio.create_task(leave())")
    assert verdict.status == "failed" and "exit" in repr(verdict)


def test_exit_that_is_caught_is_seen_all_the_same():
    verdict = given("def double(n):\n    try: input()\n    except Exception: return n + n")
    assert verdict.rows[-1] == ("received", "it asked for input")


def test_printing_is_shown_in_the_verdict_alone():
    verdict = given("def double(n):\n    print('n is', n)\n    print('oh', file=sys.stderr)\n    return n + n")
    assert verdict.passed and verdict.printed == "n is 2\noh\nn is 0\noh"
    assert "printed   n is 2\n              oh" in repr(verdict)


def test_printing_instead_of_returning():
    assert "screen" in given("def double(n): print(n + n)").hint


def test_printing_a_lot_is_cut():
    verdict = given("def double(n):\n    while True: print('again')", soon(double))
    assert len(verdict.printed) <= sandbox.MOST_PRINTED and len(repr(verdict).splitlines()) < 20


def test_printing_of_a_thread_and_a_task_of_the_answer():
    verdict = given(
        "async def double(n):\n    await asyncio.to_thread(print, 'thread')\n    async def say(): print('task')\n"
        "    await asyncio.create_task(say())\n    return n + n"
    )
    assert verdict.passed and set(verdict.printed.split()) == {"thread", "task"}


def test_what_is_said_at_the_very_end_is_not_printed_into_the_notebook():
    """When the check lets go of what it returned, in the thread that waits."""
    text = "def double(n):\n    def steps():\n        try: yield n\n        finally: print('bye')\n    s = steps()\n    next(s)\n    return s"
    assert given(text).status == "failed"
    text = "class double:\n    def __init__(self, n): self.me = self\n    def __del__(self): print(1 / 0)"
    assert given(text).status == "failed"


def test_the_notebooks_own_threads_print_as_ever(capsys):
    go, done = threading.Event(), threading.Event()

    def notebook():
        go.wait(HANG)
        print("from the notebook")
        done.set()

    threading.Thread(target=notebook).start()
    verdict = given("def double(n):\n    go.set()\n    done.wait(1)\n    return n + n", go=go, done=done)
    assert verdict.passed and verdict.printed == ""
    assert capsys.readouterr().out == "from the notebook\n"


def test_warnings_of_the_notebooks_own_threads_are_shown_as_ever():
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        go, done = threading.Event(), threading.Event()

        def notebook():
            go.wait(HANG)
            warnings.warn("mine", UserWarning, stacklevel=1)
            done.set()

        threading.Thread(target=notebook).start()
        given("def double(n):\n    go.set()\n    done.wait(1)\n    return n + n", go=go, done=done)
    assert [str(warning.message) for warning in seen] == ["mine"]


def test_sockets_that_the_notebook_drops_meanwhile_are_not_shown():
    """Python hides ResourceWarning; looking for the answer's own must not change that."""
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("ignore", ResourceWarning)
        go, done = threading.Event(), threading.Event()

        def notebook():
            go.wait(HANG)
            socket.socket()
            done.set()

        threading.Thread(target=notebook).start()
        assert given("def double(n):\n    go.set()\n    done.wait(1)\n    return n + n", go=go, done=done).passed
    assert seen == []


# --- answers that leave something behind


@pytest.mark.parametrize(
    "text, received",
    [
        ("def double(n):\n    socket.socket()\n    return n + n", "a socket left open"),
        ("def double(n):\n    s = [socket.socket()]\n    s.append(s)\n    return n + n", "a socket left open"),
        ("async def double(n):\n    asyncio.sleep(0)\n    return n + n", "a coroutine that nobody awaited"),
        ("async def double(n):\n    c = [asyncio.sleep(0)]\n    c.append(c)\n    return n + n", "a coroutine that nobody awaited"),
        ("async def double(n):\n    asyncio.create_task(asyncio.sleep(99))\n    return n + n", "a task that still runs"),
        ("def double(n):\n    threading.Thread(target=time.sleep, args=(2,)).start()\n    return n + n", "a thread that still runs"),
        ("def double(n):\n    EchoServer().start()\n    return n + n", "a server that still listens"),
        (
            "async def double(n):\n    ws = await connect(server.uri, proxy=None)\n    return n + n",
            "a socket left open",
        ),
        (
            "async def double(n):\n    r, w = await asyncio.open_connection(*server.address)\n    return n + n",
            "a socket left open",
        ),
        (
            "async def double(n):\n    global ws\n    ws = await connect(server.uri, proxy=None)\n    return n + n",
            "a socket left open",
        ),
    ],
)
def test_what_is_left_behind_is_seen(text, received):
    with EchoServer(name="of the notebook") as server:
        running = set(background._running)
        verdict = given(text, EchoServer=EchoServer, connect=connect, server=server)
        assert verdict.status == "failed"
        assert verdict.rows[-1] == ("received", received)
        assert background._running == running
        assert " right" in verdict.hint and verdict.hint.endswith("?")
        assert server.running


def test_what_is_closed_is_not_complained_about():
    with EchoServer() as server:
        for text in (
            "async def double(n):\n    async with connect(server.uri, proxy=None) as ws:\n        await ws.send('x')\n        await ws.recv()\n    return n + n",
            "async def double(n):\n    r, w = await asyncio.open_connection(*server.address)\n    w.close()\n    return n + n",
            "def double(n):\n    with connect_sync(server.uri, proxy=None) as ws:\n        ws.send('x')\n        ws.recv()\n    return n + n",
            "async def double(n):\n    task = asyncio.create_task(asyncio.sleep(99))\n    await asyncio.sleep(0)\n    task.cancel()\n    return n + n",
            "def double(n):\n    t = threading.Thread(target=print)\n    t.start()\n    return n + n",
            "def double(n):\n    with EchoServer() as court: pass\n    return n + n",
            "async def double(n):\n    return await asyncio.to_thread(lambda: n + n)",
        ):
            assert given(text, connect=connect, connect_sync=connect_sync, server=server, EchoServer=EchoServer).passed, text


def test_what_the_notebook_left_is_not_the_answers_fault():
    circle = [socket.socket()]
    circle.append(circle)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        del circle
        assert given("def double(n):\n    import gc\n    gc.collect()\n    return n + n").passed


def test_a_socket_left_open_on_the_way_out_is_seen():
    @exercise
    def double(answer, case):
        with case("an error", expected=EOFError) as c, c.raises(EOFError):
            answer(1)

    text = "def double(n):\n    line = socket.socket()\n    try: n / 0\n    except ZeroDivisionError: raise EOFError"
    assert given(text, double).rows[-1] == ("received", "a socket left open")
    assert given(text.replace("line = socket", "with socket").replace(".socket()", ".socket(): pass"), double).passed


def test_an_error_lost_in_a_thread_gives_the_hint():
    verdict = given("def double(n):\n    t = threading.Thread(target=lambda: n / 0)\n    t.start()\n    t.join()")
    assert verdict.status == "failed" and verdict.hint == "Nothing is divided here."
    assert verdict.printed == ""


def test_an_error_lost_in_a_task_gives_the_hint():
    body = "    async def lost(): n / 0\n    async def main():\n        task = asyncio.create_task(lost())\n        await asyncio.sleep(0)\n"
    verdict = given(f"def double(n):\n{body}    asyncio.run(main())")
    assert verdict.status == "failed" and verdict.hint == "Nothing is divided here."
    assert verdict.printed == ""
    verdict = given(f"async def double(n):\n{body}    await main()")
    assert verdict.status == "failed" and verdict.hint == "Nothing is divided here."


# --- loops


def test_asyncio_run_in_a_coroutine_has_a_hint():
    verdict = given("async def double(n):\n    asyncio.run(asyncio.sleep(0))\n    return n + n")
    assert "loop runs here already" in verdict.hint


def test_a_forgotten_await_has_a_hint():
    text = "def double(n):\n    async def inner(): return n + n\n    return inner()"
    assert "recipe" in given(text).hint
    assert "recipe" in given("async def ask_all(ask, questions): return [ask(q) for q in questions]", ask_all).hint


def test_a_connection_of_the_notebooks_own_loop_has_a_hint():
    async def notebook():
        with EchoServer() as server:
            async with connect(server.uri, proxy=None) as ws:
                for text in (
                    "async def double(n):\n    return await ws.recv()",
                    "async def double(n):\n    await queue.get()",
                    "async def double(n):\n    async def inner(): return await ws.recv()\n    return await inner()",
                ):
                    queue = asyncio.Queue()
                    getter = asyncio.create_task(queue.get())
                    await asyncio.sleep(0)
                    verdict = given(text, ws=ws, queue=queue)
                    assert verdict.status == "failed"
                    assert "belongs to your notebook's own event loop" in verdict.hint, verdict
                    shown = repr(verdict)
                    assert "0x" not in shown and ".py" not in shown
                    getter.cancel()

    asyncio.run(notebook())


def test_the_notebooks_own_server_is_of_no_other_loop():
    with EchoServer() as server:
        verdict = given("def double(n):\n    server.uri\n    while True: pass", soon(double), server=server)
    assert "own event loop" not in verdict.hint


# --- what check is given


def test_check_finds_the_exercise_by_name(private):
    assert check(function("def private(n): return n")).passed
    assert check(function("def private(n): ...")).status == "not yet"


@pytest.mark.parametrize(
    "argument, text",
    [
        ("private", "'private' is a text."),
        (None, "None is not a function. Was it called?"),
        (b"x", "b'x' is not a function. Was it called?"),
        (lambda n: n, "this function has no name."),
        (function("def other(n): ..."), "no exercise has this name."),
        (print, "no exercise has this name."),
    ],
)
def test_a_wrong_argument_gets_a_verdict(private, argument, text):
    verdict = check(argument)
    assert verdict.status == "failed" and text in repr(verdict) and verdict.hint


def test_a_coroutine_object_gets_a_verdict(private):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        verdict = check(function("async def private(n): ...")(1))
    assert verdict.status == "failed" and "brackets" in verdict.hint


def test_the_nearest_names_are_offered(private):
    assert "`private`" in check(function("def privat(n): ...")).hint


def test_a_broken_module_names_itself(private):
    (private / "nb98_broken.py").write_text("import no_such_thing")
    verdict = check(function("def privat(n): ..."))
    assert "helpers/exercises/nb98_broken.py: ModuleNotFoundError: No module named 'no_such_thing'" in repr(verdict)
    assert check(function("def private(n): return n")).passed


def test_a_name_that_two_modules_have_is_told(private):
    (private / "nb98_broken.py").write_text((private / "nb99_private.py").read_text())
    found, broken = engine.exercises()
    assert "private" in found and broken == ["helpers/exercises/nb99_private.py: another module has a private, too"]


def test_a_checker_with_a_bug_blames_the_course():
    @exercise
    def double(answer, case):
        with case("a number", expected=4) as c:
            got = answer(2)
            c.no_such_thing(got)

    verdict = given("def double(n): return n + n", double)
    assert verdict.status == "failed" and "the course is at fault" in repr(verdict)
    assert "AttributeError: 'Case' object has no attribute 'no_such_thing', in the case “a number”" in repr(verdict)


def test_a_checker_with_a_bug_blames_the_course_also_beside_the_answer():
    """Both in one file, as in a script."""

    @exercise
    def double(answer, case):
        with case("a number", expected=4):
            answer(2).no_such_thing()

    assert "the course is at fault" in repr(engine.judge(lambda n: n + n, double))


def test_a_checker_without_cases_blames_the_course():
    @exercise
    def double(answer, case):
        answer(2)

    assert "the course is at fault" in repr(given("def double(n): return n + n", double))


def test_a_checker_that_stumbles_over_a_wrong_kind_blames_the_answer():
    @exercise
    def double(answer, case):
        with case("a pair", expected=(4, 2)) as c:
            first, second = answer(2)
            c.equal((first, second))

    verdict = given("def double(n): n + n, n", double)
    assert verdict.rows[-1] == ("received", "None") and "return" in verdict.hint


def test_check_inside_an_answer(private):
    verdict = check(function("def private(n): return check(private)", check=check))
    assert verdict.status == "failed" and "called from inside an answer" in repr(verdict)


def test_check_from_two_threads_at_once():
    verdicts = []
    threads = [threading.Thread(target=lambda: verdicts.append(given("def double(n):\n    print(n)\n    return n + n"))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(HANG)
    assert [(v.passed, v.printed) for v in verdicts] == [(True, "2\n0")] * 4


def test_every_exercise_of_the_course_is_found_and_none_twice():
    found, broken = engine.exercises()
    assert broken == []
    modules = [path.stem for path in Path(engine.__file__).parent.glob("nb[0-9][0-9]_*.py")]
    assert bool(found) == bool(modules)


@pytest.fixture
def private(tmp_path, monkeypatch):
    """A module of exercises of the test's own, found as any other; the folder it is in."""
    import helpers.exercises

    (tmp_path / "nb99_private.py").write_text(
        "from .engine import exercise\n\n@exercise(limit=1.0)\ndef private(answer, case):\n"
        "    with case('one', expected=1) as c:\n        c.equal(answer(1))\n"
    )
    monkeypatch.setattr(helpers.exercises, "__path__", [*helpers.exercises.__path__, str(tmp_path)])
    yield tmp_path
    for name in ("nb98_broken", "nb99_private"):
        sys.modules.pop(f"helpers.exercises.{name}", None)
        with contextlib.suppress(AttributeError):
            delattr(helpers.exercises, name)
