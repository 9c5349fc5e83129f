"""The exercises of 05: their stubs, their solutions, and what learners write instead."""

import selectors
import socket
import textwrap

import pytest
from books import NOTEBOOKS, Book

from helpers import check


def loop(wait: str, put: str, while_: str = "ready or asleep", done: str = "results.append(end.value); continue", caught: str = "StopIteration as end") -> str:
    """A `sleepers` with parts to get wrong."""
    return textwrap.dedent("""
        def sleepers(coros):
            ready, asleep, results, numbers = deque(coros), [], [], itertools.count()
            while WHILE:
                WAIT
                if not ready: continue
                coro = ready.popleft()
                try: request = coro.send(None)
                except CAUGHT: DONE
                if request is None: ready.append(coro)
                else:
                    due = time.monotonic() + request[1]
                    PUT
            return results
        """).replace("WHILE", while_).replace("WAIT", wait).replace("CAUGHT", caught).replace("DONE", done).replace("PUT", put)


POP = "if not ready: due, _, coro = heapq.heappop(asleep); time.sleep(max(0, due - time.monotonic())); ready.append(coro)"
PUSH = "heapq.heappush(asleep, (due, next(numbers), coro))"

WRONG = [
    ("patience", "def patience(asleep, now):\n    return asleep[0][0] if asleep else None", "How long is it until then"),
    ("patience", "def patience(asleep, now):\n    return now - asleep[0][0] if asleep else None", "which of the two is later"),
    ("patience", "def patience(asleep, now):\n    return asleep[0][0] - now if asleep else None", "minus a second"),
    ("patience", "def patience(asleep, now):\n    return abs(asleep[0][0] - now) if asleep else None", "still sleep"),
    ("patience", "def patience(asleep, now):\n    return max(0, asleep[-1][0] - now) if asleep else None", "due first"),
    ("patience", "def patience(asleep, now):\n    return max(0, asleep[0] - now) if asleep else None", "Which place"),
    ("sleepers", loop("pass", "time.sleep(request[1]); ready.append(coro)"), "Who else could have slept"),
    ("sleepers", loop("pass", PUSH, while_="ready"), "still asleep"),
    ("sleepers", loop("pass", "time.monotonic(); asleep.append((due, 0, coro))") .replace("if not ready: continue", "ready.extend(c for d, n, c in asleep if d <= time.monotonic()); asleep[:] = [e for e in asleep if e[2] not in ready]\n        if not ready: continue"), "100 %"),
    ("sleepers", loop(POP.replace("due, _, coro", "due, coro"), "heapq.heappush(asleep, (due, coro))"), "compared"),
    ("sleepers", loop(POP, PUSH, done="results.append(None); continue"), "inside `StopIteration`"),
    ("sleepers", loop(POP, PUSH, caught="Exception as end", done="results.append(getattr(end, 'value', None)); continue"), "you hid it"),
    ("sleepers", loop(POP.replace("max(0, due - time.monotonic())", "due - time.monotonic()").replace("due - time", "-(time").replace("monotonic())", "monotonic() - due + 1))"), PUSH), "so long"),
    ("sleepers", loop(POP, PUSH).replace("request[1]", "request"), "Which part of it"),
]


@pytest.mark.parametrize("name", ["patience", "sleepers"])
def test_stub_and_solution(taken, name):
    assert check(taken("05", name).stub).status == "not yet"
    verdict = check(taken("05", name).solution)
    assert verdict.passed, verdict


@pytest.mark.parametrize("name, text, hint", WRONG)
def test_wrong(taken, name, text, hint):
    verdict = check(taken("05", name).write(text))
    assert verdict.status == "failed" and hint in verdict.hint, verdict


class WindowsSelector(selectors.DefaultSelector):
    """As on Windows, where `select` refuses to wait for no line at all."""

    def select(self, timeout=None):
        if not self.get_map():
            raise OSError(10022, "An invalid argument was supplied")
        return super().select(timeout)


def test_the_loop_runs_where_a_selector_wants_a_line():
    """It does so while everybody is ready, or asleep, and nobody listens."""
    cells = {cell.id: cell.source for cell in Book(NOTEBOOKS / "05_event_loop.ipynb").code}
    space = {"__name__": "__main__"}
    for name in ("setup", "first-trays", "play", "pause", "trays", "grant", "wait", "wake", "run"):
        exec(cells[name], space)
    space["listening"] = WindowsSelector()
    near, far = socket.socketpair()
    heard = []

    async def listen():
        await space["pause"](("read", near))
        heard.append(near.recv(9))

    async def say():
        await space["pause"](("sleep", 0.01))
        far.sendall(b"hello")

    async def nap():
        await space["pause"](("sleep", 0.05))
        heard.append("awake")

    with near, far, space["listening"]:
        space["run"](listen(), say(), nap())
    assert set(heard) == {b"hello", "awake"}
