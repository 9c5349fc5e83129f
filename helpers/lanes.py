"""Who ran, who waited and who was kept out: measured on the coroutines of a loop while they run.

    lanes = Lanes(nap=0.1)

    @lanes.watch                                # a lane for each call, named by its first argument
    async def cook(dish):
        await asyncio.sleep(0.1)

    with lanes.panel("two tasks"):
        await asyncio.gather(cook("rice"), cook("soup"))

    pictures.timeline(lanes.panels)

Nothing is computed from what the code means to do. A watched coroutine is stepped by the loop as always; each of its
steps is timed. Between two steps it waits, and from the moment at which what it waits for is due, it is ready.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, Literal, NamedTuple
from weakref import WeakKeyDictionary

Kind = Literal["runs", "waits", "ready"]


class Span(NamedTuple):
    """A stretch of one lane. `start` and `end` are in naps since the panel began; "ready" is ready, but not let in."""

    kind: Kind
    start: float
    end: float


class Lanes:
    """Records watched coroutines, panel by panel. `nap` is the unit of its times, in seconds, above 0 (ValueError).

    Everything runs in the thread of the loop. Outside a panel, watched coroutines run as if nobody watched.
    """

    def __init__(self, nap: float) -> None:
        if not nap > 0:
            raise ValueError(f"a nap is a number of seconds above 0, such as 0.1, not {nap!r}")
        self.nap = nap
        self._panels: dict[str, _Panel] = {}
        self._open: _Panel | None = None

    @property
    def panels(self) -> dict[str, dict[str, list[Span]]]:
        """What was recorded: for each panel its lanes, in the order in which they began, each with its spans."""
        return {title: panel.in_naps(self.nap) for title, panel in self._panels.items()}

    @contextmanager
    def panel(self, title: str) -> Iterator[None]:
        """Record what is watched inside the `with`; a second panel of the same title replaces the first.

        RuntimeError where no loop runs (in a script: use it inside `main()`), and inside another panel.
        """
        if self._open is not None:
            raise RuntimeError(f"the panel {title!r} is inside another panel: end that one first")
        self._open = panel = _Panel(asyncio.get_running_loop())
        try:
            with panel.listening():
                yield
        finally:
            self._open = None
            self._panels[title] = panel

    def lane(self, name: str, coroutine: Coroutine[Any, Any, Any]) -> Coroutine[Any, Any, Any]:
        """The same coroutine, watched: await it or make it a task instead of the one that was passed.

        TypeError when it isn't a coroutine.
        """
        if not asyncio.iscoroutine(coroutine):
            raise TypeError(f"a lane needs a coroutine, such as nap(), not {type(coroutine).__name__}")
        return _Watched(str(name), coroutine, self._open) if self._open is not None else coroutine

    def watch(self, function: Callable[..., Coroutine[Any, Any, Any]]) -> Callable[..., Coroutine[Any, Any, Any]]:
        """Decorator of an `async def`: each call is a lane, named by its first argument, or by the function's name."""

        @wraps(function)
        def call(*args: Any, **kwargs: Any) -> Coroutine[Any, Any, Any]:
            name = next(iter([*args, *kwargs.values()]), function.__name__)
            return self.lane(str(name), function(*args, **kwargs))

        return call


class _Panel:
    """The lanes of one recording, in seconds of its loop's clock."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.began = loop.time()
        self.lanes: dict[str, list[Span]] = {}
        self.due: WeakKeyDictionary[asyncio.Future[Any], float] = WeakKeyDictionary()

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Hear of every timer and every task of the loop.

        A blocked loop can't say when a nap was over: its timers wait with everything else. But each was told when it
        is due.
        """
        loop, call_at, factory = self.loop, self.loop.call_at, self.loop.get_task_factory()

        def heard_call_at(when: float, callback: Callable[..., Any], *args: Any, **kwargs: Any) -> asyncio.TimerHandle:
            for argument in args:
                if asyncio.isfuture(argument):
                    self.due[argument] = when
            return call_at(when, callback, *args, **kwargs)

        def heard_task(loop: asyncio.AbstractEventLoop, coroutine: Any, **kwargs: Any) -> asyncio.Future[Any]:
            if isinstance(coroutine, _Watched):
                coroutine.ready = coroutine.paused = loop.time()  # a task wants to run from the moment it is made
            return factory(loop, coroutine, **kwargs) if factory else asyncio.Task(coroutine, loop=loop, **kwargs)

        loop.call_at = heard_call_at  # type: ignore[method-assign]
        loop.set_task_factory(heard_task)
        try:
            yield
        finally:
            del loop.call_at
            loop.set_task_factory(factory)

    def in_naps(self, nap: float) -> dict[str, list[Span]]:
        return {
            name: [Span(kind, (start - self.began) / nap, (end - self.began) / nap) for kind, start, end in spans]
            for name, spans in self.lanes.items()
        }


class _Watched(Coroutine[Any, Any, Any]):
    """A coroutine that times its own steps and is otherwise the one inside."""

    def __init__(self, name: str, coroutine: Coroutine[Any, Any, Any], panel: _Panel) -> None:
        self.__name__ = getattr(coroutine, "__name__", name)
        self.__qualname__ = getattr(coroutine, "__qualname__", name)
        self._inner = coroutine
        self._panel = panel
        self._spans = panel.lanes.setdefault(name, [])
        self.paused: float | None = None  # when the last step ended
        self.ready: float | None = None  # when it could have gone on

    def send(self, value: Any) -> Any:
        return self._step(self._inner.send, value)

    def throw(self, *error: Any) -> Any:
        return self._step(self._inner.throw, *error)

    def close(self) -> None:
        self._inner.close()

    def __await__(self) -> Iterator[Any]:
        return self  # type: ignore[return-value]

    def __iter__(self) -> Iterator[Any]:
        return self  # type: ignore[return-value]

    def __next__(self) -> Any:
        return self.send(None)

    def _step(self, resume: Callable[..., Any], *args: Any) -> Any:
        clock = self._panel.loop.time
        start = clock()
        if self.paused is not None:
            ready = start if self.ready is None else min(max(self.ready, self.paused), start)
            self._add("waits", self.paused, ready)
            self._add("ready", ready, start)
        try:
            request = resume(*args)
        finally:
            self.paused = clock()
            self._add("runs", start, self.paused)
        self.ready = self.paused  # asked for nothing: it can go on at once
        if asyncio.isfuture(request):
            self.ready = self._panel.due.get(request)
            if self.ready is None:
                request.add_done_callback(self._is_done)
        return request

    def _is_done(self, _: asyncio.Future[Any]) -> None:
        self.ready = self._panel.loop.time()

    def _add(self, kind: Kind, start: float, end: float) -> None:
        if end > start or kind == "runs":
            self._spans.append(Span(kind, start, end))
