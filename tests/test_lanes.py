"""The lanes: what is measured of a loop, and that measuring changes nothing. Times are compared with each other only."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from helpers.lanes import Lanes, Span

NAP = 0.06


def kinds(spans: list[Span]) -> list[str]:
    """The order of runs and waits; being ready for a moment is part of every wait."""
    return [span.kind for span in spans if span.kind != "ready"]


def run(main: Callable[[Lanes], Coroutine[Any, Any, None]]) -> dict[str, dict[str, list[Span]]]:
    lanes = Lanes(NAP)
    asyncio.run(main(lanes))
    return lanes.panels


async def naps(name: str, count: int = 1) -> str:
    for _ in range(count):
        await asyncio.sleep(NAP)
    return name


def test_one_after_the_other() -> None:
    async def main(lanes: Lanes) -> None:
        nap = lanes.watch(naps)
        with lanes.panel("in turn"):
            assert await nap("A", count=2) == "A"
            assert await nap("B") == "B"

    panel = run(main)["in turn"]
    assert list(panel) == ["A", "B"]
    assert kinds(panel["A"]) == ["runs", "waits", "runs", "waits", "runs"]
    assert kinds(panel["B"]) == ["runs", "waits", "runs"]
    assert panel["A"][-1].end <= panel["B"][0].start


def test_two_tasks_wait_at_the_same_time() -> None:
    async def main(lanes: Lanes) -> None:
        nap = lanes.watch(naps)
        with lanes.panel("together"):
            assert await asyncio.gather(nap("A"), nap("B")) == ["A", "B"]

    panel = run(main)["together"]
    waits = {name: next(span for span in spans if span.kind == "waits") for name, spans in panel.items()}
    assert waits["A"].start < waits["B"].end and waits["B"].start < waits["A"].end


def test_who_is_kept_out_was_ready_while_the_other_ran() -> None:
    async def block(name: str) -> None:
        time.sleep(3 * NAP)

    async def main(lanes: Lanes) -> None:
        with lanes.panel("blocked"):
            async with asyncio.TaskGroup() as group:
                group.create_task(lanes.lane("polite", naps("polite")))
                group.create_task(lanes.lane("rude", block("rude")))

    panel = run(main)["blocked"]
    blocking = next(span for span in panel["rude"] if span.kind == "runs")
    kept_out = max((span for span in panel["polite"] if span.kind == "ready"), key=lambda span: span.end - span.start)
    assert blocking.start < kept_out.start < blocking.end <= kept_out.end
    assert kept_out.end - kept_out.start > 1  # of three blocked naps, one was slept, two were not


def test_a_task_that_has_not_begun_is_ready_from_the_start() -> None:
    async def block(name: str) -> None:
        time.sleep(2 * NAP)

    async def main(lanes: Lanes) -> None:
        watched = lanes.watch(block)
        with lanes.panel("queue"):
            await asyncio.gather(watched("first"), watched("second"))

    panel = run(main)["queue"]
    first_runs = next(span for span in panel["first"] if span.kind == "runs")
    assert panel["second"][0].kind == "ready"
    assert panel["second"][0].start <= first_runs.start < first_runs.end <= panel["second"][0].end


def test_waiting_for_something_else_than_a_timer() -> None:
    async def wait_for(event: asyncio.Event) -> None:
        await event.wait()

    async def main(lanes: Lanes) -> None:
        event = asyncio.Event()
        with lanes.panel("event"):
            async with asyncio.TaskGroup() as group:
                group.create_task(lanes.lane("listener", wait_for(event)))
                await asyncio.sleep(NAP)
                event.set()

    assert kinds(run(main)["event"]["listener"]) == ["runs", "waits", "runs"]


def test_a_coroutine_that_never_pauses_and_one_that_asks_for_nothing() -> None:
    async def spin(name: str, pauses: int) -> None:
        for _ in range(pauses):
            await asyncio.sleep(0)

    async def main(lanes: Lanes) -> None:
        watched = lanes.watch(spin)
        with lanes.panel("spin"):
            await asyncio.gather(watched("never", 0), watched("thrice", 3))

    panel = run(main)["spin"]
    assert kinds(panel["never"]) == ["runs"]
    assert kinds(panel["thrice"]) == ["runs"] * 4


def test_errors_and_cancellation_pass_through_and_are_measured() -> None:
    async def fail(name: str) -> None:
        await asyncio.sleep(NAP)
        raise LookupError(name)

    async def main(lanes: Lanes) -> None:
        with lanes.panel("trouble"):
            with pytest.raises(LookupError, match="A"):
                await lanes.lane("A", fail("A"))
            task = asyncio.create_task(lanes.lane("B", naps("B", 1000)))
            await asyncio.sleep(NAP)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(NAP):
                    await lanes.lane("C", naps("C", 1000))

    panel = run(main)["trouble"]
    assert all(panel[name][-1].kind == "runs" for name in "ABC")


def test_the_loop_is_as_before() -> None:
    async def main(lanes: Lanes) -> None:
        loop = asyncio.get_running_loop()
        made: list[str] = []

        def factory(loop: asyncio.AbstractEventLoop, coroutine: Any, **kwargs: Any) -> asyncio.Task[Any]:
            made.append("task")
            return asyncio.Task(coroutine, loop=loop, **kwargs)

        loop.set_task_factory(factory)
        with pytest.raises(KeyError), lanes.panel("fails"):
            await asyncio.create_task(lanes.lane("A", naps("A")))
            raise KeyError
        assert made == ["task"]  # the factory that was there still makes them
        assert loop.get_task_factory() is factory
        assert "call_at" not in vars(loop)

    assert list(run(main)["fails"]) == ["A"]


def test_outside_a_panel_nothing_is_watched() -> None:
    async def main(lanes: Lanes) -> None:
        coroutine = naps("A")
        assert lanes.lane("A", coroutine) is coroutine
        assert await lanes.watch(naps)("B") == "B"
        assert await coroutine == "A"

    assert run(main) == {}


def test_a_panel_of_the_same_title_replaces_the_first() -> None:
    async def main(lanes: Lanes) -> None:
        for name in ("A", "B"):
            with lanes.panel("again"):
                await lanes.lane(name, naps(name))

    assert list(run(main)["again"]) == ["B"]


def test_misuse_says_what_to_do() -> None:
    with pytest.raises(ValueError, match="above 0"):
        Lanes(0)
    lanes = Lanes(NAP)
    with pytest.raises(TypeError, match="coroutine"):
        lanes.lane("A", naps)  # type: ignore[arg-type]
    with pytest.raises(RuntimeError), lanes.panel("no loop"):
        pass
    assert lanes.panels == {}

    async def nested() -> None:
        with lanes.panel("outer"):
            with pytest.raises(RuntimeError, match="inside another"), lanes.panel("inner"):
                pass

    asyncio.run(nested())
    assert list(lanes.panels) == ["outer"]
