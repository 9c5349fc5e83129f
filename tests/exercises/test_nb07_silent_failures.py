"""Notebook 07: the mistakes that people make with brunch, keep_going and banquet, and the hint that each one meets."""

import pytest

from helpers import check

NAMES = ("brunch", "keep_going", "banquet")


@pytest.mark.parametrize("name", NAMES)
def test_the_stub_is_not_yet_an_answer(taken, name):
    assert check(taken("07", name).stub).status == "not yet"


@pytest.mark.parametrize("name", NAMES)
def test_the_folded_solution_passes(taken, name):
    verdict = check(taken("07", name).solution)
    assert verdict.passed, verdict


def refused(taken, name: str, text: str, *, case: str, hint: str) -> None:
    verdict = check(taken("07", name).write(text))
    assert verdict.status == "failed", verdict
    assert f"“{case}”" in verdict.summary, verdict
    assert hint in verdict.hint, verdict


def indented(body: str, spaces: int = 4) -> str:
    return "\n".join(" " * spaces + line for line in body.splitlines())


DISHES, BURN = "eggs and toast, of which the toast is done first", "the eggs burn"
GATHER = 'dishes = await asyncio.gather(cook("eggs"), cook("toast"))\n'
RING = 'await ring("brunch")\nreturn dishes'


@pytest.mark.parametrize(
    ("body", "case", "hint"),
    [
        pytest.param('dishes = [await cook(dish) for dish in ("eggs", "toast")]\n' + RING, DISHES, "when is the toast put in", id="await after await"),
        pytest.param('dishes = [await asyncio.create_task(cook(dish)) for dish in ("eggs", "toast")]\n' + RING, DISHES, "when the second task is made",
                     id="tasks one by one"),
        pytest.param(GATHER + 'ring("brunch")\nreturn dishes', DISHES, "which word is missing", id="never awaited"),
        pytest.param(GATHER + "return dishes", DISHES, "where is the bell", id="no bell"),
        pytest.param(GATHER + 'asyncio.create_task(ring("brunch"))\nreturn dishes', DISHES, "gone before it is its turn", id="a task nobody waits for"),
        pytest.param('eggs, toast, _ = await asyncio.gather(cook("eggs"), cook("toast"), ring("brunch"))\nreturn [eggs, toast]', DISHES,
                     "something was still cooking", id="the bell in the gather"),
        pytest.param('return await asyncio.gather(cook("eggs"), cook("toast"), ring("brunch"))', DISHES, "the bell is no dish", id="the bell on the plate"),
        pytest.param('await ring("brunch")\n' + GATHER + "return dishes", DISHES, "something was still cooking", id="the bell first"),
        pytest.param('dishes = [cook("eggs"), cook("toast")]\n' + RING, DISHES, "Who cooks", id="returns coroutines"),
        pytest.param('dishes = [asyncio.create_task(cook("eggs")), asyncio.create_task(cook("toast"))]\n' + RING, DISHES, "hand out tasks", id="returns tasks"),
        pytest.param(GATHER.replace("await ", "") + RING, DISHES, "nobody waited for them", id="gather without await"),
        pytest.param('dishes = [await one for one in asyncio.as_completed([cook("eggs"), cook("toast")])]\n' + RING, DISHES, "eggs come first on the plate",
                     id="in the order of arrival"),
        pytest.param('dishes = await asyncio.gather(cook("eggs"), cook("toast"), return_exceptions=True)\n' + RING, BURN, "Where does the error get lost",
                     id="errors on the plate"),
        pytest.param("try:\n" + indented(GATHER) + "\nfinally:\n" + '    await ring("brunch")\nreturn dishes', BURN, "the bell rang all the same", id="finally"),
        pytest.param(GATHER + 'await ring("lunch")\nreturn dishes', DISHES, "For which meal", id="another meal"),
    ],
)
def test_brunch(taken, body, case, hint):
    refused(taken, "brunch", f"async def brunch(cook, ring):\n{indented(body)}\n", case=case, hint=hint)


@pytest.mark.parametrize(
    "body",
    [
        'eggs, toast = asyncio.create_task(cook("eggs")), asyncio.create_task(cook("toast"))\ndishes = [await eggs, await toast]\n' + RING,
        'async with asyncio.TaskGroup() as stove:\n    tasks = [stove.create_task(cook(dish)) for dish in ("eggs", "toast")]\n'
        'await ring("brunch")\nreturn [task.result() for task in tasks]',
        GATHER + 'bell = asyncio.create_task(ring("brunch"))\nawait bell\nreturn dishes',
    ],
    ids=["two tasks", "a task group", "a task that is waited for"],
)
def test_brunch_done_otherwise(taken, body):
    verdict = check(taken("07", "brunch").write(f"async def brunch(cook, ring):\n{indented(body)}\n"))
    assert verdict.passed, verdict


ONCE, TWICE, FIFTY = "an attempt that works at once", "two attempts that fail, and a third that works", "fifty failures in a row"
LIMIT = "a limit that strikes in the second attempt"
LOOP = "while True:\n    try:\n        return await worker()\n    except {}:\n        {}\n    {}"
PAUSE = "await asyncio.sleep(0)"


@pytest.mark.parametrize(
    ("body", "case", "hint"),
    [
        pytest.param("return await worker()", TWICE, "What should follow a failure", id="once"),
        pytest.param("try:\n    return await worker()\nexcept Exception as error:\n    report(error)", TWICE, "What should follow a failure", id="no loop"),
        pytest.param(LOOP.format("Exception", "pass", PAUSE), TWICE, "Who is to be told", id="lost"),
        pytest.param(LOOP.format("ValueError as error", "report(error)", PAUSE), TWICE, "Which type stands for all", id="one kind of error"),
        pytest.param(LOOP.format("Exception as error", "report(str(error))", PAUSE), TWICE, "a text has lost", id="reports a text"),
        pytest.param(LOOP.format("Exception as error", "report(type(error))", PAUSE), TWICE, "the kind alone", id="reports a type"),
        pytest.param(LOOP.format("Exception as error", "report(error); raise", PAUSE), TWICE, "What should follow a failure", id="raises on"),
        pytest.param(LOOP.format("Exception as error", "report(error)", ""), FIFTY, "asks for a pause", id="no pause"),
        pytest.param(LOOP.format("Exception as error", "report(error)", "import time; time.sleep(0)"), FIFTY, "asks for a pause", id="time.sleep"),
        pytest.param(LOOP.format("Exception as error", "report(error)", "await asyncio.sleep(0.1)"), FIFTY, "How long is the pause", id="too long a pause"),
        pytest.param(LOOP.format("BaseException as error", "report(error)", PAUSE), LIMIT, "Which exception asks you to stop", id="BaseException"),
        pytest.param(LOOP.format("(Exception, asyncio.CancelledError) as error", "report(error)", PAUSE), LIMIT, "Which exception asks you to stop", id="CancelledError"),
        pytest.param(LOOP.format("asyncio.CancelledError", "return", "").rstrip() + "\n    except Exception as error:\n        report(error)\n    " + PAUSE, LIMIT,
                     "as if all were well", id="returns when cancelled"),
        pytest.param(LOOP.format("asyncio.CancelledError", "break", "").rstrip() + "\n    except Exception as error:\n        report(error)\n    " + PAUSE, LIMIT,
                     "as if all were well", id="leaves the loop when cancelled"),
        pytest.param(LOOP.format("BaseException as error", "report(error)\n        if isinstance(error, asyncio.CancelledError): raise", PAUSE), LIMIT,
                     "a failure or a request", id="reports the stop"),
        pytest.param(LOOP.format("asyncio.CancelledError", "raise TimeoutError", "").rstrip() + "\n    except Exception as error:\n        report(error)\n    " + PAUSE,
                     LIMIT, "lets the same one go on", id="another exception"),
        pytest.param("while True:\n    try:\n        return worker()\n    except Exception as error:\n        report(error)\n    " + PAUSE, ONCE, "Who cooks", id="without await"),
        pytest.param("result = None\nfailed = True\nwhile failed:\n    try:\n        result = await worker()\n        failed = False\n    except Exception as error:\n"
                     "        report(error)\n    finally:\n        if failed: continue\n    " + PAUSE + "\nreturn result", FIFTY, "asks for a pause", id="continue in finally"),
    ],
)
def test_keep_going(taken, body, case, hint):
    refused(taken, "keep_going", f"async def keep_going(worker, report):\n{indented(body)}\n", case=case, hint=hint)


@pytest.mark.parametrize(
    "body",
    [
        LOOP.format("asyncio.CancelledError", "raise", "").rstrip() + "\n    except Exception as error:\n        report(error)\n        " + PAUSE,
        "while True:\n    task = asyncio.create_task(worker())\n    try:\n        return await task\n    except Exception as error:\n        report(error)",
    ],
    ids=["raises it again", "a task for each attempt, which is a pause, too"],
)
def test_keep_going_done_otherwise(taken, body):
    verdict = check(taken("07", "keep_going").write(f"async def keep_going(worker, report):\n{indented(body)}\n"))
    assert verdict.passed, verdict


BOTH, SOUP, KNIFE, GAS = "soup and salad, at the same time", "the soup burns", "the knife slips while the soup cooks", "there is no gas"
GROUP = (
    'meal = ["bread"]\ntry:\n    async with asyncio.TaskGroup() as stove:\n        soup = stove.create_task(cook("soup"))\n        salad = {}\n'
    "    meal = [soup.result(), salad]\n{}\n    pass\nreturn meal"
)
THREAD = "await asyncio.to_thread(chop)"


@pytest.mark.parametrize(
    ("body", "case", "hint"),
    [
        pytest.param(GROUP.format("chop()", "except* ValueError:"), BOTH, "it keeps the turn", id="blocks"),
        pytest.param(GROUP.format("chop()", "except* ValueError:").replace("salad =", "await asyncio.sleep(0)\n        salad ="), BOTH, "it keeps the turn",
                     id="the soup has a first turn only"),
        pytest.param('soup, salad = await asyncio.gather(cook("soup"), asyncio.to_thread(chop))\nreturn [soup, salad]', SOUP, "From which line", id="no except"),
        pytest.param('async def chopping():\n    return chop()\nsoup, salad = await asyncio.gather(cook("soup"), chopping())\nreturn [soup, salad]', BOTH,
                     "it keeps the turn", id="begun, and then an async def that blocks"),
        pytest.param('async def chopping():\n    return chop()\nsalad, soup = await asyncio.gather(chopping(), cook("soup"))\nreturn [soup, salad]', BOTH,
                     "it keeps the turn", id="an async def that blocks"),
        pytest.param('return [await cook("soup"), await asyncio.to_thread(chop)]', BOTH, "nobody chopped before the soup was done", id="await after await"),
        pytest.param(GROUP.format(THREAD, "except ValueError:"), SOUP, "doesn't look inside", id="except without a star"),
        pytest.param(GROUP.format("stove.create_task(chop())", "except* ValueError:"), BOTH, "`chop()` is no coroutine", id="a task of a plain value"),
        pytest.param(GROUP.format("await asyncio.to_thread(chop())", "except* ValueError:"), BOTH, "you called `chop` yourself", id="to_thread of the salad"),
        pytest.param(GROUP.format("asyncio.to_thread(chop)", "except* ValueError:"), BOTH, "Who cooks", id="to_thread without await"),
        pytest.param(GROUP.format(THREAD, "except* ValueError:").replace("soup.result()", "soup"), BOTH, "hand out a task", id="hands out the task"),
        pytest.param(GROUP.format(THREAD, "except* Exception:"), GAS, "you hid it", id="hides every error"),
        pytest.param(GROUP.format(THREAD, "except ExceptionGroup:"), GAS, "you hid it", id="hides every group"),
        pytest.param(GROUP.format(THREAD, "except:"), GAS, "you hid it", id="a bare except"),
        pytest.param('try:\n    soup, salad = await asyncio.gather(cook("soup"), asyncio.to_thread(chop))\n    return [soup, salad]\nexcept ValueError:\n    return ["bread"]',
                     KNIFE, "still on the stove", id="gather"),
        pytest.param(GROUP.format(THREAD, "except* ValueError:").replace("return meal", "return meal if len(meal) == 2 else None"), SOUP, "get to eat", id="no bread"),
        pytest.param('soup, salad = await asyncio.gather(cook("soup"), asyncio.to_thread(chop), return_exceptions=True)\nreturn [soup, salad]', SOUP,
                     "an error is on the plate", id="errors on the plate"),
        pytest.param(GROUP.format(THREAD, "except* ValueError:").replace("[soup.result(), salad]", "[salad, soup.result()]"), BOTH, "first comes the soup",
                     id="in another order"),
    ],
)
def test_banquet(taken, body, case, hint):
    refused(taken, "banquet", f"async def banquet(cook, chop):\n{indented(body)}\n", case=case, hint=hint)


@pytest.mark.parametrize(
    "body",
    [
        GROUP.format("stove.create_task(asyncio.to_thread(chop))", "except* ValueError:").replace("(), salad]", "(), salad.result()]"),
        'soup = asyncio.create_task(cook("soup"))\ntry:\n    salad = await asyncio.to_thread(chop)\n    return [await soup, salad]\n'
        'except ValueError:\n    soup.cancel()\n    return ["bread"]',
    ],
    ids=["two tasks in the group", "a task, cancelled by hand"],
)
def test_banquet_done_otherwise(taken, body):
    verdict = check(taken("07", "banquet").write(f"async def banquet(cook, chop):\n{indented(body)}\n"))
    assert verdict.passed, verdict
