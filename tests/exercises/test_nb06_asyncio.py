"""Notebook 06: the mistakes that people make with ask_all, patient and obedient, and the hint that each one meets."""

import asyncio

import pytest

from helpers import check

NAMES = ("ask_all", "patient", "obedient")


@pytest.mark.parametrize("name", NAMES)
def test_the_stub_is_not_yet_an_answer(taken, name):
    assert check(taken("06", name).stub).status == "not yet"


@pytest.mark.parametrize("name", NAMES)
def test_the_folded_solution_passes(taken, name):
    verdict = check(taken("06", name).solution)
    assert verdict.passed, verdict


def refused(taken, name: str, text: str, *, case: str, hint: str) -> None:
    verdict = check(taken("06", name).write(text))
    assert verdict.status == "failed", verdict
    assert f"“{case}”" in verdict.summary, verdict
    assert hint in verdict.hint, verdict


def indented(body: str, spaces: int = 4) -> str:
    return "\n".join(" " * spaces + line for line in body.splitlines())


THREE, TWICE = "three questions, the first answered last", "the same question twice"


@pytest.mark.parametrize(
    ("body", "case", "hint"),
    [
        pytest.param("return [await ask(q) for q in questions]", THREE, "when was the second question asked", id="await after await"),
        pytest.param("answers = []\nfor q in questions:\n    answers.append(await ask(q))\nreturn answers", THREE, "when was the second question asked",
                     id="await in a loop"),
        pytest.param("return [await asyncio.create_task(ask(q)) for q in questions]", THREE, "when the second task is made", id="tasks one by one"),
        pytest.param("answers = []\nfor q in questions:\n    task = asyncio.create_task(ask(q))\n    answers.append(await task)\nreturn answers", THREE,
                     "when the second task is made", id="tasks in a loop, one by one"),
        pytest.param("answers = []\nfor q in questions:\n    answers += await asyncio.gather(ask(q))\nreturn answers", THREE, "when the second task is made",
                     id="gather of one"),
        pytest.param("return [ask(q) for q in questions]", THREE, "recipes, not dishes", id="returns coroutines"),
        pytest.param("return [asyncio.create_task(ask(q)) for q in questions]", THREE, "hand out the tasks", id="returns tasks"),
        pytest.param("tasks = [asyncio.create_task(ask(q)) for q in questions]\nawait asyncio.wait(tasks)\nreturn tasks", THREE, "hand out the tasks",
                     id="waits, and returns tasks"),
        pytest.param("return asyncio.gather(*[ask(q) for q in questions])", THREE, "nobody waited for them", id="gather without await"),
        pytest.param("return [await a for a in asyncio.as_completed([ask(q) for q in questions])]", THREE, "in another order", id="as_completed"),
        pytest.param("answers = []\nasync def note(q):\n    answers.append(await ask(q))\nawait asyncio.gather(*[note(q) for q in questions])\nreturn answers",
                     THREE, "in another order", id="appends as they come"),
        pytest.param("return await asyncio.gather([ask(q) for q in questions])", THREE, "takes a list apart", id="gather without a star"),
        pytest.param("return await asyncio.gather(ask(q) for q in questions)", THREE, "takes a list apart", id="gather of a generator"),
        pytest.param("tasks = {asyncio.create_task(ask(q)) for q in questions}\ndone, _ = await asyncio.wait(tasks)\nreturn {t.result() for t in done}", THREE,
                     "a set has no order", id="a set"),
        pytest.param("tasks = {q: asyncio.create_task(ask(q)) for q in questions}\nreturn [await t for t in tasks.values()]", TWICE, "Where do two become one",
                     id="a dictionary by question"),
        pytest.param("tasks = {q: asyncio.create_task(ask(q)) for q in questions}\nreturn {q: await t for q, t in tasks.items()}", THREE,
                     "But a list was wanted", id="returns a dictionary"),
        pytest.param("await asyncio.gather(*[ask(q) for q in questions])", THREE, "without a `return`", id="returns nothing"),
        pytest.param("print(await asyncio.gather(*[ask(q) for q in questions]))", THREE, "went to the screen", id="prints"),
        pytest.param("tasks = [asyncio.create_task(ask(q)) for q in questions]\nreturn [t.result() for t in tasks]", THREE, "nobody had a turn yet",
                     id="result before the wait"),
        pytest.param("return asyncio.run(asyncio.gather(*[ask(q) for q in questions]))", THREE, "A loop runs here already", id="asyncio.run"),
        pytest.param("return await asyncio.gather(*questions)", THREE, "makes a coroutine of a question", id="gather of the questions"),
        pytest.param("tasks = [asyncio.create_task(ask(q)) for q in questions]\nreturn await tasks", THREE, "given a list of them", id="awaits a list"),
        pytest.param("return await ask(questions)", THREE, "it was the whole list", id="asks the list"),
        pytest.param("return [f'{q} Yes.' for q in questions]", THREE, "nobody was asked", id="makes up the answers"),
        pytest.param("tasks = [asyncio.create_task(ask(q)) for q in questions]\nawait asyncio.sleep(2 * NAP)\nreturn [t.result() for t in tasks]",
                     "an answer that takes its time", "however long that takes", id="waits for two naps"),
    ],
)
def test_ask_all(taken, body, case, hint):
    refused(taken, "ask_all", f"async def ask_all(questions):\n{indented(body)}\n", case=case, hint=hint)


@pytest.mark.parametrize(
    "text",
    [
        "async def ask_all(questions):\n    tasks = [asyncio.create_task(ask(q)) for q in questions]\n    return [await task for task in tasks]",
        "async def ask_all(questions):\n    async with asyncio.TaskGroup() as group:\n        tasks = [group.create_task(ask(q)) for q in questions]\n"
        "    return [task.result() for task in tasks]",
        "def ask_all(questions):\n    return asyncio.gather(*map(ask, questions))",
    ],
    ids=["two lists", "a task group", "a def that returns what gather makes"],
)
def test_ask_all_done_otherwise(taken, text):
    verdict = check(taken("06", "ask_all").write(text))
    assert verdict.passed, verdict


READY, LATE, NOTHING = "a dish that is ready in time", "a dish that comes too late", "a result that is nothing"
BURNS, OUTSIDE = "a dish that burns", "cancelled from outside while it waits"

TIMEOUT = "try:\n    async with asyncio.timeout(limit):\n        return await coro\nexcept {}:\n    return default"
TASK = "task = asyncio.create_task(coro)\n"


@pytest.mark.parametrize(
    ("body", "case", "hint"),
    [
        pytest.param("return await coro", LATE, "looks at `limit`", id="no limit"),
        pytest.param("async with asyncio.timeout(limit):\n    return await coro", LATE, "comes out of the block", id="no except"),
        pytest.param(TIMEOUT.format("asyncio.CancelledError"), LATE, "comes out of the block", id="the wrong exception"),
        pytest.param("async with asyncio.timeout(limit):\n    try:\n        return await coro\n    except TimeoutError:\n        return default", LATE,
                     "comes out of the block", id="except inside of the block"),
        pytest.param("async with asyncio.timeout(limit):\n    try:\n        return await coro\n    except asyncio.CancelledError:\n        return default",
                     OUTSIDE, "Which exception did you catch", id="swallows CancelledError inside"),
        pytest.param(TIMEOUT.format("(TimeoutError, asyncio.CancelledError)"), OUTSIDE, "Which exception did you catch", id="swallows CancelledError"),
        pytest.param(TIMEOUT.format("Exception"), BURNS, "you hid it", id="except Exception"),
        pytest.param(TIMEOUT.format("BaseException"), BURNS, "you hid it", id="except BaseException"),
        pytest.param(TIMEOUT.replace("except {}", "except"), BURNS, "you hid it", id="a bare except"),
        pytest.param(TIMEOUT.format("TimeoutError").replace("return default", "pass"), LATE, "what is `default` for", id="returns nothing when late"),
        pytest.param(TIMEOUT.format("TimeoutError").replace("async with", "with"), READY, "How does such a `with` begin", id="with, not async with"),
        pytest.param(TASK + "done, _ = await asyncio.wait([task], timeout=limit)\nreturn task.result() if done else default", LATE, "still on the stove",
                     id="wait, and forgets to cancel"),
        pytest.param("try:\n    return await asyncio.wait_for(asyncio.shield(coro), limit)\nexcept TimeoutError:\n    return default", LATE,
                     "still on the stove", id="shield"),
        pytest.param("done, _ = await asyncio.wait([coro], timeout=limit)\nreturn default", READY, "But it wants tasks", id="wait for a coroutine"),
        pytest.param(TASK + "done, _ = await asyncio.wait([task], timeout=limit)\ntask.cancel()\nreturn task.result() if done else default", OUTSIDE,
                     "What would stop both", id="leaves it behind when cancelled"),
        pytest.param(TASK + "time.sleep(limit)\nif task.done():\n    return task.result()\ntask.cancel()\nreturn default", READY, "does anybody else have a turn",
                     id="time.sleep"),
        pytest.param(TASK + "end = time.monotonic() + limit\nwhile not task.done() and time.monotonic() < end:\n    time.sleep(0.01)\n"
                     "if task.done():\n    return task.result()\ntask.cancel()\nreturn default", READY, "does anybody else have a turn", id="polls with time.sleep"),
        pytest.param(TASK + "end = time.monotonic() + limit\nwhile not task.done() and time.monotonic() < end:\n    time.sleep(0.01)\n    await asyncio.sleep(0)\n"
                     "if task.done():\n    return task.result()\ntask.cancel()\nreturn default", READY, "a nap for the whole kitchen", id="polls, with turns"),
        pytest.param(TASK + "await asyncio.sleep(limit)\nif task.done():\n    return task.result()\ntask.cancel()\nreturn default", READY,
                     "you waited until the limit", id="sleeps until the limit"),
        pytest.param(TASK + "while not task.done():\n    time.sleep(0.01)\nreturn task.result()", READY, "Who lets it run", id="polls for ever"),
        pytest.param("result = None\ntry:\n    async with asyncio.timeout(limit):\n        result = await coro\nexcept TimeoutError:\n    pass\nreturn result or default",
                     NOTHING, "How do you tell that from being late", id="or default"),
        pytest.param("return asyncio.wait_for(coro, limit)", READY, "Who cooks", id="wait_for without await"),
        pytest.param("return asyncio.create_task(coro)", READY, "hand out the task", id="returns the task"),
        pytest.param("try:\n    await asyncio.wait_for(coro, limit)\nexcept TimeoutError:\n    return default", READY, "without a `return`", id="no result"),
        pytest.param("loop = asyncio.get_running_loop()\nbegan = loop.time()\nresult = await coro\nreturn result if loop.time() - began < limit else default",
                     LATE, "looked at the clock afterwards", id="looks at the clock afterwards"),
        pytest.param(TIMEOUT.format("TimeoutError").replace("(limit)", "(0.1)"), "a dish that takes a third of a second", "Which number does your limit have",
                     id="a limit of its own"),
        pytest.param("try:\n    return await asyncio.wait_for(coro, limit)\nfinally:\n    return default", READY, "has the last word", id="return in finally"),
        pytest.param("try:\n    async with asyncio.timeout(limit):\n        await asyncio.sleep(limit)\n        return await coro\nexcept TimeoutError:\n    return default",
                     READY, "the dish was never begun", id="sleeps inside the block"),
        pytest.param("async with asyncio.timeout(limit) as dish:\n    await coro\n    return dish", READY, "is the limit, not the dish", id="returns the limit"),
    ],
)
def test_patient(taken, body, case, hint):
    refused(taken, "patient", f"async def patient(coro, limit, default):\n{indented(body)}\n", case=case, hint=hint)


@pytest.mark.parametrize(
    "body",
    [
        "try:\n    return await asyncio.wait_for(coro, limit)\nexcept asyncio.TimeoutError:\n    return default",
        TASK + "try:\n    done, _ = await asyncio.wait([task], timeout=limit)\nfinally:\n    task.cancel()\nreturn task.result() if done else default",
    ],
    ids=["wait_for", "wait, and cancel"],
)
def test_patient_done_otherwise(taken, body):
    verdict = check(taken("06", "patient").write(f"async def patient(coro, limit, default):\n{indented(body)}\n"))
    assert verdict.passed, verdict


GOOD, BAD = "four good tastes", "two tastes that fail"
LIMIT, CANCELLED = "a limit that strikes in the second taste", "cancelled in the second taste"

LOOP = """for _ in range(4):
    try:
        notes.append(await taste())
    except {}
notes.append("washed up")"""
OUCH = '    notes.append("ouch")'
SOUND = LOOP.format("Exception:\n    " + OUCH)
AROUND = "try:\n" + indented(SOUND.rpartition("\n")[0]) + "\n"


@pytest.mark.parametrize(
    ("body", "case", "hint"),
    [
        pytest.param(LOOP.format("BaseException:\n    " + OUCH), LIMIT, "noted as one, too", id="as it was"),
        pytest.param(LOOP.format("BaseException:\n        pass"), BAD, "is to be noted", id="except BaseException: pass"),
        pytest.param(LOOP.format("(Exception, asyncio.CancelledError):\n    " + OUCH), LIMIT, "noted as one, too", id="both in one"),
        pytest.param(LOOP.format(":\n    " + OUCH).replace("except :", "except:"), LIMIT, "noted as one, too", id="a bare except"),
        pytest.param(LOOP.format("asyncio.CancelledError:\n        pass\n    except Exception:\n    " + OUCH), LIMIT, "then goes on tasting", id="catches, and goes on"),
        pytest.param(LOOP.format("asyncio.CancelledError:\n        break\n    except Exception:\n    " + OUCH), LIMIT, "where does it go from", id="break"),
        pytest.param(LOOP.format('asyncio.CancelledError:\n        notes.append("washed up")\n        return\n    except Exception:\n    ' + OUCH), LIMIT,
                     "where does it go from", id="cleans up, and returns"),
        pytest.param(AROUND + 'finally:\n    notes.append("washed up")\n    return', LIMIT, "takes the place of an", id="return in finally"),
        pytest.param(AROUND + 'finally:\n    notes.append("washed up")\n    return notes', LIMIT, "takes the place of an", id="return notes in finally"),
        pytest.param(SOUND, LIMIT, "nobody washed up", id="except Exception alone"),
        pytest.param("try:\n" + indented(LOOP.format("ValueError:\n    " + OUCH).rpartition("\n")[0]) + '\nfinally:\n    notes.append("washed up")', BAD,
                     "the next one was of another kind", id="one kind of mistake"),
        pytest.param("try:\n" + indented(LOOP.format("TimeoutError:\n        raise\n    except Exception:\n    " + OUCH).rpartition("\n")[0])
                     + '\nfinally:\n    notes.append("washed up")', BAD, "when *you* are asked to stop", id="takes a TimeoutError for the limit"),
        pytest.param(LOOP.format("asyncio.CancelledError:\n        raise\n    except Exception:\n    " + OUCH), LIMIT, "nobody washed up", id="raises, and leaves a mess"),
        pytest.param(LOOP.format("BaseException as error:\n    " + OUCH + "\n        if not isinstance(error, Exception):\n            raise"), LIMIT,
                     "noted as one, too", id="notes it, and raises"),
        pytest.param(LOOP.format('asyncio.CancelledError:\n        notes.append("washed up")\n        raise TimeoutError\n    except Exception:\n    ' + OUCH), CANCELLED,
                     "the same one go on", id="raises another one"),
        pytest.param("try:\n" + indented(LOOP.format('asyncio.CancelledError:\n        notes.append("washed up")\n        raise\n    except Exception:\n    ' + OUCH)
                     .rpartition("\n")[0]) + '\nfinally:\n    notes.append("washed up")', LIMIT, "does so twice", id="washes up twice"),
        pytest.param('try:\n    for _ in range(4):\n        notes.append(await taste())\nexcept Exception:\n    notes.append("ouch")\nfinally:\n    notes.append("washed up")',
                     BAD, "around one taste or around all", id="try around all"),
        pytest.param('try:\n    for _ in range(4):\n        notes.append(await taste())\nfinally:\n    notes.append("washed up")', BAD, "around one taste or around all",
                     id="no except"),
        pytest.param(AROUND.replace("await ", "") + 'finally:\n    notes.append("washed up")', GOOD, "which word is missing", id="forgets await"),
        pytest.param(SOUND.rpartition("\n")[0], GOOD, "left to do at the end", id="no washing up"),
        pytest.param("notes = []\n" + AROUND + 'finally:\n    notes.append("washed up")\nreturn notes', GOOD, "Whose list is `notes`", id="a list of its own"),
        pytest.param("await taste()\nnotes.append('washed up')", GOOD, "who notes it", id="tastes once"),
    ],
)
def test_obedient(taken, body, case, hint):
    refused(taken, "obedient", f"async def obedient(taste, notes):\n{indented(body)}\n", case=case, hint=hint)


@pytest.mark.parametrize(
    "body",
    [
        LOOP.format('asyncio.CancelledError:\n        notes.append("washed up")\n        raise\n    except Exception:\n    ' + OUCH),
        "try:\n" + indented(LOOP.format('BaseException as error:\n        if isinstance(error, asyncio.CancelledError):\n            raise\n    ' + OUCH).rpartition("\n")[0])
        + '\nfinally:\n    notes.append("washed up")',
    ],
    ids=["washes up in two places", "asks which exception it is"],
)
def test_obedient_done_otherwise(taken, body):
    verdict = check(taken("06", "obedient").write(f"async def obedient(taste, notes):\n{indented(body)}\n"))
    assert verdict.passed, verdict


def test_the_bug_is_there(taken):
    stubborn = taken("06", "obedient").write("async def obedient(taste, notes):\n    await stubborn(taste, notes)")

    async def taste() -> str:
        await asyncio.sleep(0.01)
        return "fine"

    async def dinner() -> list[str]:
        notes: list[str] = []
        async with asyncio.timeout(0):
            await stubborn(taste, notes)
        return notes

    assert asyncio.run(dinner()) == ["ouch", "fine", "fine", "fine", "washed up"]
