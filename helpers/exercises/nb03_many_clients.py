"""The exercises of notebook 03: a thread for the next call, and a server of lines with one thread and a selector."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Sequence

from .engine import Answer, Case, Cases, Seen, exercise, words
from .lines import wants_to_run
from .stub import codes

BECOMES_THE_CLERK = (
    "The call is picked up. But `pick_up` does not come back. Does it wait until this customer hangs up? Then it became the clerk itself: who calls "
    "`answer` in your line, and at which moment? `target` wants the function, `start` begins, and nobody should wait for the end. Or does it wait in "
    "`accept`, for one more call? It is for one."
)


CLOSED = (
    "A thread begins. But the words don't come back. Was the call picked up, and what should the thread run? And whose is the line, once the "
    "clerk has it: did somebody else close it?"
)


TOO_SOON = "A thread comes back. But nobody has called yet. Who should wait for the call: `pick_up`, or the thread? In a loop, threads without end would be made."


@exercise(
    limit=4.0,
    hints=[
        (Seen.STUCK, BECOMES_THE_CLERK),
        (
            TypeError,
            "The thread began. But its `args` is no tuple: `(line)` is `line` in brackets. What makes a tuple of one?",
        ),
        (AssertionError, "The right things, in the wrong places: `Thread` wants its arguments by name. What are the two names?"),
        (OSError, CLOSED),
    ],
)
def pick_up(answer: Answer, case: Cases) -> None:
    with case("a silent customer, and then another", sent=words("two calls; only the second one speaks"), expected=words("a thread for each"), limit=1.5) as c:
        listener = c.closing(socket.create_server(("127.0.0.1", 0)))
        silent, speaks = (c.closing(_dial(listener)) for _ in range(2))
        clerks = [answer(listener) for _ in range(2)]
        for clerk in clerks:
            c.kind(
                clerk,
                threading.Thread,
                hints={type(None): "The call is picked up. What is to be returned is the thread that answers it. (Does `start()` return it?)"},
                hint="The call is picked up. What is to be returned is the thread that answers it.",
            )
            c.true(
                clerk.ident is not None,
                received=words("a thread that has not begun"),
                hint="That is the right thread, with everything it needs. Which call lets it begin?",
            )
        for line in (speaks, silent):  # the second one first
            for word in (b"hello", b"again"):
                line.sendall(word)
                _hears(c, line, word, hint=CLOSED)
            line.shutdown(socket.SHUT_WR)
            c.hung_up(line, hint="The words came back. But the line was not closed at the end. Who but the clerk holds it?")
        for clerk in clerks:
            clerk.join(1)
        c.true(
            _says_daemon(answer),  # a thread inherits it from the thread that makes it, and this one is one
            received=words("a thread that is no daemon"),
            hint="It works. But a customer who stays silent would keep the whole program from ending. Which argument allows it to end?",
        )

    with case("nobody calls yet", sent=words("a call, a fifth of a second later"), expected=words("a thread, when the call is there"), limit=2.0) as c:
        listener = c.closing(socket.create_server(("127.0.0.1", 0)))
        called = threading.Event()

        def call() -> None:
            time.sleep(0.2)
            called.set()
            c.closing(_dial(listener))

        c.thread(call)
        answer(listener)
        c.true(called.is_set(), received=words("a thread, before anybody called"), hint=TOO_SOON)


SILENT = (
    "Somebody has sent a whole line, and no answer comes, while another customer is silent. In which call does your server "
    "wait, and for whom? Only `select` may wait."
)


BEGUN = (
    "Lines that end where a piece ends are right. Here the next line had begun in the same piece, and the first one was whole. How much of what you keep "
    "can go back?"
)


FIRST_ALL_CALLS = (
    "With everybody there from the start it is right. Here a customer speaks while another has not called yet, and nothing comes back. For what does your "
    "server wait? Only `select` may."
)


NOT_WHOLE = "The server hears and answers. But the line was not whole yet, or never will be. What do you do with a piece without `\\n`?"


EARLY = "Whole lines come back. But when one customer hangs up, the other one is gone too. How many are still on the list, and when may it end?"


@exercise(
    limit=5.0,
    hints=[
        (
            Seen.STUCK,
            "Everybody has hung up, and your server still waits or goes round. What is left on the selector's list, and what ends the loop?",
        ),
        (
            AttributeError,
            "A name was asked of something that hasn't it, or may not be set. If it is `key.data`: a key is not yours to change. "
            "Which call gives a line on the list another note?",
        ),
        (
            UnicodeDecodeError,
            "Lines of plain letters come back. But a piece may end in the middle of a letter of two bytes, and half a letter is no text. Does a server "
            "that says back what it hears have to read it?",
        ),
        (KeyError, "It begins well. But a line is taken off the list that isn't on it. How often is `unregister` called for it?"),
        (
            (ConnectionError, BrokenPipeError),
            "A line was closed from your side, and its customer had not hung up. When is it time to close?",
        ),
    ],
)
def serve_lines(answer: Answer, case: Cases) -> None:
    with case("one customer, one line", sent=[b"hello\n", words("a hang-up")], expected=words("an answer on its line"), limit=2.0) as c:
        _serve(answer, c, 1, [(0, b"hello\n", b"hello\n")])
        threads = any("Thread" in code.co_names for code in codes(answer.function))
        c.true(
            not threads,
            received=words("a thread"),
            hint="The lines come back. A thread for each works too; here one thread is to serve them all. What tells it who has spoken?",
        )

    with case(
        "a line in crumbs, and two lines at once",
        sent=[b"he", b"llo\n", b"one\ntwo\n"],
        expected=words("b'hello\\n', then b'one\\ntwo\\n'"),
        limit=2.0,
    ) as c:
        _serve(answer, c, 1, [(0, b"he", b""), (0, b"llo\n", b"hello\n"), (0, b"one\ntwo\n", b"one\ntwo\n")])

    with case(
        "one hangs up, the other goes on",
        sent=words("the first of two customers hangs up without a word; the second says b'hello\\n'"),
        expected=b"hello\n",
        limit=2.0,
        hints=[((Seen.SOCKET_LEFT, ConnectionError), EARLY), (b"", EARLY)],
    ) as c:
        _serve(answer, c, 2, [(0, b"", b""), (1, b"hello\n", b"hello\n")])

    with case(
        "three in turn, and a fourth who is silent",
        sent=words("'an', 'be' and 'cl' from three customers, then the rest of each; the first caller says nothing"),
        expected=words("each gets its own line"),
        limit=3.0,
    ) as c:
        script = [(1, b"an", b""), (2, b"be", b""), (3, b"cl", b""), (2, b"n\n", b"ben\n"), (1, b"na\n", b"anna\n"), (3, b"eo\n", b"cleo\n")]
        _serve(answer, c, 4, script)

    with case(
        "a line, and the beginning of the next",
        sent=[b"one\ntw", b"o\n"],
        expected=words("b'one\\n', then b'two\\n'"),
        limit=2.0,
        hint=BEGUN,
    ) as c:
        _serve(answer, c, 1, [(0, b"one\ntw", b"one\n"), (0, b"o\n", b"two\n")], silent=BEGUN)

    whole = "caf\u00e9\n".encode()
    with case("a letter in two halves", sent=[whole[:4], whole[4:]], expected=whole, limit=2.0) as c:
        _serve(answer, c, 1, [(0, whole[:4], b""), (0, whole[4:], whole)])

    with case("a hang-up in the middle of a line", sent=[b"hal", words("a hang-up")], expected=words("nothing"), limit=2.0) as c:
        _serve(answer, c, 1, [(0, b"hal", b""), (0, b"", b"")])

    with case(
        "the first speaks before the second has called",
        sent=words("b'hello\\n' from one customer; then a second calls and says b'again\\n'"),
        expected=words("each line back at once"),
        limit=2.5,
    ) as c:
        _serve(answer, c, 2, [(0, b"hello\n", b"hello\n"), (1, b"again\n", b"again\n")], silent=FIRST_ALL_CALLS, at_once=False)

    with case(
        "one call more than were asked for",
        sent=words("two customers call, calls=1, and each says b'hello\\n'"),
        expected=words("an answer for the first only"),
        limit=2.0,
    ) as c:
        listener = c.closing(socket.create_server(("127.0.0.1", 0)))
        first, second = (c.closing(_dial(listener)) for _ in range(2))
        second.sendall(b"hello\n")
        _serve(answer, c, 1, [(0, b"hello\n", b"hello\n")], listener=listener, lines=[first])
        _hears_nothing(
            c, second, hint="It serves the one who was counted. But it picked up one call more than `calls` says. When does the listener leave the list?"
        )


def _says_daemon(answer: Answer) -> bool:
    """Whether its code says anywhere that a thread is a daemon."""
    return any("daemon" in f"{code.co_names} {code.co_consts}" for code in codes(answer.function))


def _serve(
    answer: Answer,
    c: Case,
    calls: int,
    script: Sequence[tuple[int, bytes, bytes]],
    *,
    silent: str = "",
    at_once: bool = True,
    listener: socket.socket | None = None,
    lines: Sequence[socket.socket] = (),
) -> None:
    """Customers who speak as `script` says, in turn: who, what (b"" hangs up), and what comes back for it.

    `silent` is the hint for an answer that doesn't come. They all call at the beginning or, without `at_once`, when they first speak.
    """
    listener = listener or c.closing(socket.create_server(("127.0.0.1", 0)))
    silent = silent or (SILENT if calls > 1 else "A whole line came, and nothing went back. Where does it wait?")
    over, serving = threading.Event(), threading.current_thread()

    def customers() -> None:
        with contextlib.ExitStack() as closing:
            called = list(lines)
            if at_once:
                called += [closing.enter_context(_dial(listener)) for _ in range(calls - len(called))]
            for who, piece, wanted in script:
                if who == len(called):
                    called.append(closing.enter_context(_dial(listener)))
                line = called[who]
                if piece:
                    line.sendall(piece)
                else:
                    line.shutdown(socket.SHUT_WR)
                if wanted:
                    _hears(c, line, wanted, hint=silent)
                else:
                    _hears_nothing(c, line, serving, hint=NOT_WHOLE)
            for line in called:
                with contextlib.suppress(OSError):  # one has done so already
                    line.shutdown(socket.SHUT_WR)
                c.hung_up(line, hint="All lines came back. But a customer who has hung up still finds your end open. Which call closes it?")
            over.set()

    c.thread(customers)
    got = answer(listener, calls)
    c.true(
        over.wait(0.5),
        received=words("a return while somebody was still on the line"),
        hint=EARLY,
    )
    c.equal(got, None, hint="It serves. Nothing was to be returned.")
    c.true(
        listener.fileno() != -1,
        received=words("a listener that is closed"),
        hint="All are served. But the listener was lent to you, and it is closed. Who opened it?",
    )


def _dial(listener: socket.socket) -> socket.socket:
    line = socket.create_connection(listener.getsockname(), timeout=1.0)
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return line


def _hears(c: Case, line: socket.socket, wanted: bytes, *, hint: str) -> None:
    got = b""
    try:
        while len(got) < len(wanted) and (piece := line.recv(1024)):
            got += piece
    except TimeoutError:
        c.true(got, hint=hint, received=words("nothing, for a second"))
    c.equal(
        got,
        wanted,
        hints=[
            (
                lambda got: len(got) > len(wanted),
                "There is an answer. But bytes of somebody else are in it, or of an earlier line. Where is what came of a line kept, and for whom?",
            ),
            (lambda got: got + b"\n" == wanted, "The words are right. What became of the `\\n` that ends a line?"),
        ],
        hint=hint if not got else "There is an answer. But it is not the whole line that this customer said. Where is what came of a line kept, and for whom?",
    )


def _hears_nothing(c: Case, line: socket.socket, serving: threading.Thread | None = None, *, hint: str) -> None:
    """Nothing may come back, when the thread that serves has had its turn; None: nobody serves any more."""
    until = time.monotonic() + 1
    time.sleep(0.03)
    while wants_to_run(serving) and time.monotonic() < until:
        time.sleep(0.01)
    line.setblocking(False)
    try:
        got = line.recv(1024)
    except BlockingIOError:
        return
    finally:
        line.settimeout(1.0)
    if got:
        c.fail(hint, received=got)
