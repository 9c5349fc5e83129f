"""The echo server in a terminal, for clients in other programs."""

import queue
from typing import Any

from ..echo import EchoServer
from .places import CourseError


class _TellingEcho(EchoServer):
    """An EchoServer that hands on what it notes. It still doesn't print: that is for the terminal's own thread."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.told: queue.SimpleQueue[object] = queue.SimpleQueue()

    def _note(self, entry: object) -> None:
        super()._note(entry)
        self.told.put(entry)


def serve_echo(port: int) -> None:
    """Serve echo on 127.0.0.1 at `port` until Ctrl-C, and print the URI and what happens.

    CourseError when the port is taken. Runs in the calling thread, with the server's own beside it.
    """
    server = _TellingEcho(port=port)
    try:
        with server:
            print(f"Listening on {server.uri}\nCtrl-C stops it.", flush=True)
            while True:
                try:
                    # the limit lets Ctrl-C through on Windows
                    print(server._as_text(server.told.get(timeout=0.2)), flush=True)
                except queue.Empty:
                    pass
    except KeyboardInterrupt:
        print("\nStopped.")
    except OSError as error:
        problem, _, _ = str(error.strerror).partition(":")
        raise CourseError(f"{problem}. Stop what has it, or take another one: `course echo --port NUMBER`.") from None
