"""A server function, from a notebook or from a module, in a process of its own: what it costs is the server's alone."""

import ast
import inspect
import re
import textwrap
import types
from collections.abc import Callable
from typing import Any, Self

import psutil

from .programs import Program, Workshop

# What the program does once the functions are defined. It says its port when it listens.
_MAIN = """\
import socket as _socket

_listener = _socket.create_server(("127.0.0.1", 0), backlog=1024)
{limit}
print(_listener.getsockname()[1], flush=True)
{call}
"""

# The lowest free file number is where the next file goes.
_LIMIT = """\
try:
    import resource as _resource
except ImportError:  # Windows has no such limit: play it
    import errno as _errno
    import os as _os
    import weakref as _weakref

    class _Limited(_socket.socket):
        lines = _weakref.WeakSet()

        def accept(self):
            if sum(line.fileno() >= 0 for line in self.lines) >= {room}:
                raise OSError(_errno.EMFILE, _os.strerror(_errno.EMFILE))
            line, address = super().accept()
            self.lines.add(line)
            return line, address

    _listener = _Limited(fileno=_listener.detach())
else:
    with _socket.socket() as _probe:
        _first = _probe.fileno()
    _resource.setrlimit(_resource.RLIMIT_NOFILE, (_first + {room}, _resource.getrlimit(_resource.RLIMIT_NOFILE)[1]))
"""


class ServerProcess:
    """Runs ``serve(listener)`` in a Python process of its own, with a listening socket on a free port of this machine.

    serve: a ``def``, or an ``async def`` that ``asyncio.run`` gets there. Its text goes into a program, together with the functions
        beside it that it uses, their imports, and plain constants; nothing else of the notebook goes along.
    name: a running one of the same name is ended by ``start()``; the function's name, unless you give one.
    room: how many files the server may open, lines included; the next ``accept()`` raises OSError, "Too many open files".
        Windows has no such limit: there it is played, for lines alone. None: as many as this process may.

    Raises TypeError when ``serve`` isn't a function whose text can be found, ValueError for a room of less than 1.
    """

    def __init__(self, serve: Callable[[Any], Any], *, name: str | None = None, room: int | None = None) -> None:
        if room is not None and room < 1:
            raise ValueError(f"room is a number of files, 1 or more, not {room!r}")
        self.name = name or getattr(serve, "__name__", "serve")
        self._text = _program(serve, room)
        self._workshop: Workshop | None = None
        self._program: Program | None = None

    def start(self) -> Self:
        """Start the process, and return once it listens. One that runs stays as it is.

        Raises RuntimeError with the last line of its error output when it ended at once, TimeoutError after four seconds.
        """
        if self.running:
            return self
        self.stop()
        self._workshop = Workshop()
        file = f"{self.name.replace(' ', '_')}.py"
        self._workshop.save(file, self._text)
        try:
            self._program = self._workshop.start(file)
        except BaseException:
            self._workshop.close()
            raise
        return self

    def stop(self) -> None:
        """End the process in the middle of whatever it does; the lines to it break. Safe to repeat."""
        if self._program is not None:
            self._program.kill()
        if self._workshop is not None:
            self._workshop.close()

    @property
    def running(self) -> bool:
        """Whether the process lives."""
        return self._program is not None and self._program.running

    @property
    def address(self) -> tuple[str, int]:
        """The (host, port) that a client dials, kept after the end. RuntimeError before the first start."""
        return "127.0.0.1", int(self._started.lines[0])

    @property
    def memory(self) -> int:
        """Bytes of memory that the process has in use (RSS). RuntimeError when it doesn't run."""
        return self._process.memory_info().rss

    @property
    def cpu(self) -> float:
        """Seconds for which the process has kept a processor busy so far. RuntimeError when it doesn't run."""
        times = self._process.cpu_times()
        return times.user + times.system

    @property
    def errors(self) -> list[str]:
        """The lines of its error output: tracebacks. Kept after the end: a copy."""
        return self._started.errors

    @property
    def complaint(self) -> str:
        """How its last traceback ends, such as "OSError: [Errno 24] Too many open files"; "" when there is none."""
        ends = [line for line in self.errors if re.match(r"[\w.]*(Error|Exception|Interrupt)\b", line)]
        return ends[-1] if ends else ""

    def wait(self) -> None:
        """Wait until it has ended by itself, at most four seconds: TimeoutError."""
        self._started.wait()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *error: object) -> None:
        self.stop()

    def __repr__(self) -> str:
        state = "not started" if self._program is None else "running" if self.running else "ended"
        return f"<ServerProcess {self.name}, {state}>"

    @property
    def _started(self) -> Program:
        if self._program is None:
            raise RuntimeError("not started yet: call start()")
        return self._program

    @property
    def _process(self) -> psutil.Process:
        if not self.running:
            raise RuntimeError(f"{self!r} doesn't run: call start()")
        return psutil.Process(self._started.pid)


def _program(serve: Callable[..., Any], room: int | None) -> str:
    """The text of the program that serves."""
    if not isinstance(serve, types.FunctionType) or serve.__name__ == "<lambda>":
        raise TypeError(f"serve is a function that takes a listening socket, written with def; not {serve!r}")
    parts: dict[str, str] = {}
    _gather(serve, parts)
    call = f"{serve.__name__}(_listener)"
    if inspect.iscoroutinefunction(serve):
        call = f"import asyncio as _asyncio\n_asyncio.run({call})"
    limit = "" if room is None else _LIMIT.format(room=room)
    return "\n\n".join([*parts.values(), _MAIN.format(limit=limit, call=call)])


def _gather(function: types.FunctionType, parts: dict[str, str]) -> None:
    """Put the function's text into `parts`, by its name, behind the text of what it uses."""
    text = _source(function)
    parts[function.__name__] = ""  # it may use itself
    used = {node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)}
    for name in sorted(used & set(function.__globals__)):
        if name not in parts and (needed := _text_of(name, function.__globals__[name], function, parts)):
            parts[name] = needed
    del parts[function.__name__]
    parts[function.__name__] = text


def _source(function: types.FunctionType) -> str:
    """The text of a function, or TypeError."""
    try:
        text = textwrap.dedent(inspect.getsource(function))
        first = ast.parse(text).body[0]
    except (OSError, SyntaxError):
        first = None
    # Python 3.13 takes code that was executed from a string for that of `python -c`
    if getattr(first, "name", None) != function.__code__.co_name:
        raise TypeError(f"the text of {function.__name__} can't be found: define it in a cell or in a module")
    return text


def _text_of(name: str, value: object, user: types.FunctionType, parts: dict[str, str]) -> str:
    if isinstance(value, types.ModuleType):
        return f"import {value.__name__}" + (f" as {name}" if name != value.__name__ else "")
    if isinstance(value, types.FunctionType) and value.__globals__ is user.__globals__:
        _gather(value, parts)
        return ""
    if isinstance(value, bool | int | float | str | bytes | None):
        return f"{name} = {value!r}"
    module, own = getattr(value, "__module__", None), getattr(value, "__qualname__", None)
    return f"from {module} import {own} as {name}" if module and own and module != user.__module__ else ""
