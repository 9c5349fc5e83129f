"""The echo server of notebook 03 in three ways: who waits for whom?

Each takes a listening socket and serves for ever: one caller after the other, each caller in a thread of its own, or all
of them in one thread that asks a selector who has spoken. Notebook 03 shows this very code in its cells.
"""

import selectors
import socket
import threading


def answer(line: socket.socket) -> None:
    """Say back what the other end says, until it hangs up. Waits, in the thread that calls, whenever the other end does."""
    with line:
        while words := line.recv(1024):
            line.sendall(words)


def one_at_a_time(listener: socket.socket) -> None:
    """Answer a call to its end before picking up the next."""
    while True:
        line, _ = listener.accept()
        answer(line)


def thread_each(listener: socket.socket) -> None:
    """Pick up each call at once, and leave it to a thread."""
    while True:
        line, _ = listener.accept()
        threading.Thread(target=answer, args=(line,), daemon=True).start()


def one_selector(listener: socket.socket) -> None:
    """Ask the operating system which of all lines can be served without waiting, and take one step on each of those."""
    with selectors.DefaultSelector() as selector:
        selector.register(listener, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fileobj is listener:
                    line, _ = listener.accept()
                    line.setblocking(False)
                    selector.register(line, selectors.EVENT_READ, b"")
                else:
                    step(selector, key.fileobj, key.data)


def step(selector: selectors.BaseSelector, line: socket.socket, unsent: bytes) -> None:
    """One step on a line that is ready: send what is unsent, as much as there is room for, or read when nothing is."""
    if unsent:
        unsent = unsent[line.send(unsent) :]
    else:
        unsent = line.recv(1024)
        if not unsent:
            selector.unregister(line)
            return line.close()
    wanted = selectors.EVENT_WRITE if unsent else selectors.EVENT_READ
    selector.modify(line, wanted, unsent)
