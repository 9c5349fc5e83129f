"""Serves an echo until stopped, so that any conformance suite can be pointed at it.

    uv run python -m tests.conformance --port 9001                   # the server of notebook 18, lifted out of its cells
    uv run python -m tests.conformance --port 9001 --server echo     # helpers.EchoServer, which is `websockets`

Texts come back as texts and binary messages as such, without any prefix. It listens on this machine alone.
"""

from __future__ import annotations

import argparse
import os
import sys
import types
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if __package__ == "tests":  # started by `-m`: its neighbours are found as pytest finds them
    sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1])]

from books import NOTEBOOKS, Book
from lifted import lifted

if TYPE_CHECKING:
    from helpers import BackgroundServer

SERVERS = ("scratch", "echo")
SIZE, FRAGMENTS = 2**24, 65_537
"""What a suite may want to have echoed: messages of 16 MiB, and of 65,537 fragments."""


@cache
def scratch() -> Any:
    """The module that notebook 18 is, without what its cells do: `ScratchServer`, `echo`, and everything they use."""
    text = lifted(Book(NOTEBOOKS / "18_from_scratch.ipynb"), "ScratchServer", "echo")
    module = types.ModuleType("from_scratch")
    sys.modules[module.__name__] = module  # dataclasses look there
    exec(compile(text, "18_from_scratch.ipynb", "exec"), vars(module))
    return module


def server(kind: str, *, port: int = 0, size: int = SIZE, fragments: int = FRAGMENTS) -> BackgroundServer:
    """One of `SERVERS`, not started, that echoes messages of up to `size` octets; the scratch one in up to `fragments`.

    ValueError for another kind, and for a port that can't be one.
    """
    if kind == "scratch":
        course = scratch()
        return course.ScratchServer(course.echo, course.Limits(size=size, fragments=fragments), port=port, name="conformance")
    if kind == "echo":
        from helpers import EchoServer

        return EchoServer(prefix="", max_size=size, port=port, name="conformance")
    raise ValueError(f"a server is one of {', '.join(SERVERS)}, not {kind!r}")


def _above(least: int) -> Any:
    def number(text: str) -> int:
        if not text.isdecimal() or int(text) < least:
            raise argparse.ArgumentTypeError(f"a whole number of at least {least}, not {text!r}")
        return int(text)

    return number


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.conformance", description=__doc__.partition("\n")[0])
    parser.add_argument("--port", type=int, required=True, help="where to listen, on 127.0.0.1; 0 takes any free port")
    parser.add_argument("--server", choices=SERVERS, default="scratch", help="the notebook's own (default), or the helper's")
    parser.add_argument("--max-size", type=_above(125), default=SIZE, metavar="OCTETS", help=f"of a message, default {SIZE}")
    parser.add_argument("--max-fragments", type=_above(1), default=FRAGMENTS, metavar="N",
                        help=f"of a message, default {FRAGMENTS}")
    options = parser.parse_args()
    # `websockets` takes this limit from its environment, when it is imported
    os.environ["WEBSOCKETS_MAX_FRAGMENTS"] = str(options.max_fragments)
    try:
        running = server(options.server, port=options.port, size=options.max_size, fragments=options.max_fragments).start()
    except (OSError, ValueError) as error:
        print(error.strerror if isinstance(error, OSError) and error.strerror else error, file=sys.stderr)
        return 1
    print(f"{options.server} listens on ws://127.0.0.1:{running.port}; Ctrl-C stops it", flush=True)
    try:
        while running.running:
            running._thread.join(0.5)  # in short turns: Windows hears no Ctrl-C while it waits
    except KeyboardInterrupt:
        running.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
