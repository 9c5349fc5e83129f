"""The learner's function as a checker calls it, sync or async alike."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import inspect
from collections.abc import Iterator
from typing import Any

from .run import AnswerExited, Call, Run
from .sandbox import Abandoned

_inside: contextvars.ContextVar[bool] = contextvars.ContextVar("inside the answer", default=False)


class Answer:
    """The learner's function. Where an event loop runs, `await answer(...)`; elsewhere `answer(...)` is run to its end.

    Both work whether the learner wrote `def` or `async def`.
    """

    def __init__(self, run: Run) -> None:
        self.function = run.function
        self.__name__ = getattr(run.function, "__name__", "answer")
        self._run = run

    @property
    def calls(self) -> list[Call]:
        """What became of each call so far: `.ended`, `.value`, `.error`."""
        return self._run.calls

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return self._here(args, kwargs)
        return self._in_loop(args, kwargs)

    def _here(self, args: Any, kwargs: Any) -> Any:
        if inspect.iscoroutinefunction(self.function):
            with asyncio.Runner() as runner:
                tend(self._run, runner.get_loop())
                return runner.run(self._alone(args, kwargs))
        with self._noted() as call:
            call.value = self.function(*args, **kwargs)
        return call.value

    async def _alone(self, args: Any, kwargs: Any) -> Any:
        value = await self._in_loop(args, kwargs)
        await note_left_tasks(self._run)
        return value

    async def _in_loop(self, args: Any, kwargs: Any) -> Any:
        inside = _inside.set(True)
        try:
            with self._noted() as call:
                value = self.function(*args, **kwargs)
                if inspect.isawaitable(value):
                    call.coroutine = value
                    value = await value
                call.value = value
            return call.value
        finally:
            with contextlib.suppress(ValueError):  # a coroutine that was given up is closed by the garbage collector, elsewhere
                _inside.reset(inside)

    @contextlib.contextmanager
    def _noted(self) -> Iterator[Call]:
        call = Call()
        self._run.calls.append(call)
        try:
            yield call
        except Abandoned:
            raise
        except (SystemExit, KeyboardInterrupt) as error:
            self._run.exited = True
            call.error = AnswerExited(*error.args)
            raise call.error from None
        except BaseException as error:
            call.error = error
            raise
        finally:
            call.ended = True


def tend(run: Run, loop: asyncio.AbstractEventLoop) -> None:
    """Watch a loop of the check: which tasks the answer starts, and which exceptions nobody looks at."""

    def make(loop: asyncio.AbstractEventLoop, coroutine: Any, **options: Any) -> asyncio.Task[Any]:
        task = asyncio.Task(coroutine, loop=loop, **options)
        if _inside.get():
            run.tasks.add(task)
        return task

    loop.set_task_factory(make)
    def keep(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if isinstance(context.get("exception"), Exception):
            run.sandbox.lost.append(context["exception"])

    loop.set_exception_handler(keep)


async def note_left_tasks(run: Run) -> None:
    """Before a loop ends: which tasks of the answer still run?"""
    for _ in range(5):  # a task that was just cancelled needs a few rounds to end
        await asyncio.sleep(0)
    loop = asyncio.get_running_loop()
    run.left_tasks += [task for task in run.tasks if task.get_loop() is loop and not task.done()]
