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
EGGS_FIRST = "eggs and toast, of which the eggs are done first"
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
        pytest.param('eggs, toast = [asyncio.create_task(cook(dish)) for dish in ("eggs", "toast")]\nawait eggs\nawait ring("brunch")\n'
                     "return [eggs.result(), await toast]", EGGS_FIRST, "something was still cooking", id="waits for the eggs only"),
        pytest.param('dishes = await asyncio.gather([cook("eggs"), cook("toast")])\n' + RING, DISHES, "Which sign in front of a list", id="gather of a list"),
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
LIMIT, NOTHING = "a limit that strikes in the second attempt", "an attempt that returns None"
LOOP = "while True:\n    try:\n        return await worker()\n    except {}:\n        {}\n    {}"
PAUSE = "await asyncio.sleep(0)"


@pytest.mark.parametrize(
    ("body", "case", "hint"),
    [
        pytest.param("return await worker()", TWICE, "What should follow a failure", id="once"),
        pytest.param("try:\n    return await worker()\nexcept Exception as error:\n    report(error)", TWICE, "What should follow a failure", id="no loop"),
        pytest.param(LOOP.format("Exception", "pass", PAUSE), TWICE, "Who is to be told", id="lost"),
        pytest.param(LOOP.format("ValueError as error", "report(error)", PAUSE), TWICE, "Which type stands for all", id="one kind of error"),
        pytest.param(LOOP.format("TimeoutError", "raise", "").rstrip() + "\n    except Exception as error:\n        report(error)\n    " + PAUSE, TWICE,
                     "which one is a stop's alone", id="takes a TimeoutError for a stop"),
        pytest.param("once = worker()\n" + LOOP.format("Exception as error", "report(error)", PAUSE).replace("worker()", "once"), TWICE,
                     "Where is `worker()` called", id="one coroutine for all attempts"),
        pytest.param(LOOP.format("Exception as error", "report(str(error))", PAUSE), TWICE, "a text has lost", id="reports a text"),
        pytest.param(LOOP.format("Exception as error", "report(type(error))", PAUSE), TWICE, "the kind alone", id="reports a type"),
        pytest.param(LOOP.format("Exception as error", "report(error); raise", PAUSE), TWICE, "What should follow a failure", id="raises on"),
        pytest.param(LOOP.format("Exception as error", "report(error)", ""), FIFTY, "asks for a pause", id="no pause"),
        pytest.param(LOOP.format("Exception as error", "report(error)", "import time; time.sleep(0)"), FIFTY, "asks for a pause", id="time.sleep"),
        pytest.param(LOOP.format("Exception as error", "report(error)", "await asyncio.sleep(0.1)"), FIFTY, "How long is the pause", id="too long a pause"),
        pytest.param(LOOP.format("Exception as error", "report(error)", PAUSE).replace("while True", "for _ in range(3)"), FIFTY, "Until when is it to try",
                     id="three attempts"),
        pytest.param(LOOP.format("Exception as error", PAUSE + "\n        report(error)", ""), FIFTY, "Which of the two comes first", id="pauses before it reports"),
        pytest.param("result = None\nwhile result is None:\n    try:\n        result = await worker()\n    except Exception as error:\n        report(error)\n    "
                     + PAUSE + "\nreturn result", NOTHING, "What tells a failure from a success", id="until the result is something"),
        pytest.param("result = None\nwhile not result:\n    try:\n        result = await worker()\n    except Exception as error:\n        report(error)\n    "
                     + PAUSE + "\nreturn result", NOTHING, "What tells a failure from a success", id="until the result is true"),
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
        LOOP.format("Exception as error", "report(error)", "await asyncio.sleep(0.001)"),
        "try:\n    return await worker()\nexcept Exception as error:\n    report(error)\n" + PAUSE + "\nreturn await keep_going(worker, report)",
    ],
    ids=["raises it again", "a task for each attempt, which is a pause, too", "a short pause", "calls itself"],
)
def test_keep_going_done_otherwise(taken, body):
    verdict = check(taken("07", "keep_going").write(f"async def keep_going(worker, report):\n{indented(body)}\n"))
    assert verdict.passed, verdict


def test_a_pause_that_is_too_long_is_seen(taken):
    """It sleeps, and nothing of the check's own may look as if the answer went round."""
    body = LOOP.format("Exception as error", "report(error)", "await asyncio.sleep(0.1)")
    verdict = check(taken("07", "keep_going").write(f"async def keep_going(worker, report):\n{indented(body)}\n"))
    assert "it waits in `await asyncio.sleep(0.1)`" in str(verdict), verdict


BOTH, SOUP, KNIFE, GAS = "soup and salad, at the same time", "the soup burns", "the knife slips while the soup cooks", "there is no gas"
SALAD_FIRST, BOARD, OFF = "the salad is done first", "the board breaks while the soup cooks", "dinner is called off"
GROUP = (
    'meal = ["bread"]\ntry:\n    async with asyncio.TaskGroup() as stove:\n        soup = stove.create_task(cook("soup"))\n        salad = {}\n'
    "    meal = [soup.result(), salad]\n{}\n    pass\nreturn meal"
)
THREAD = "await asyncio.to_thread(chop)"
BARE = 'soup = asyncio.create_task(cook("soup"))\ntry:\n    salad = await asyncio.to_thread(chop)\n    return [await soup, salad]\n'


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
        pytest.param(GROUP.format(THREAD, "except* ValueError:").replace('soup = stove.create_task(cook("soup"))\n        salad = ' + THREAD,
                                                                        'salad = ' + THREAD + '\n        soup = stove.create_task(cook("soup"))'),
                     BOTH, "put on only when the salad was done", id="the salad, then the soup"),
        pytest.param('import threading\nsoup, salad = asyncio.create_task(cook("soup")), []\nawait asyncio.sleep(0)\n'
                     "chopping = threading.Thread(target=lambda: salad.append(chop()))\nchopping.start()\nchopping.join()\nreturn [await soup, salad[0]]",
                     BOTH, "the loop stood still until that thread was done", id="joins a thread"),
        pytest.param(GROUP.format(THREAD, "except* ValueError:").replace("    meal = [soup", "        meal = [soup"), SALAD_FIRST,
                     "Where does a task group wait", id="asks for the soup inside of the group"),
        pytest.param(GROUP.format(THREAD, "except* ValueError:").replace("    meal = [soup", "        return [soup"), SALAD_FIRST,
                     "Where does a task group wait", id="returns the soup inside of the group"),
        pytest.param(GROUP.format(THREAD, "except* (ValueError, asyncio.CancelledError):"), OFF, "Which exception was not for you", id="takes a stop for a failure"),
        pytest.param(BARE + 'except ValueError:\n    soup.cancel()\n    return ["bread"]', BOARD, "With a `ValueError` it is not", id="off the stove for a ValueError alone"),
        pytest.param(BARE + 'except ValueError:\n    soup.cancel()\n    return ["bread"]\nexcept Exception:\n    soup.cancel()\n    raise', OFF,
                     "Which lines are reached however it ends", id="off the stove for each error, and not for a stop"),
        pytest.param(GROUP.format(THREAD, "except* ValueError:").replace('["bread"]', '"bread"'), SOUP, "What stands around it", id="bread without a list"),
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
        BARE + 'except ValueError:\n    return ["bread"]\nfinally:\n    soup.cancel()',
        GROUP.format(THREAD, "except* ValueError:").replace("    meal = [soup.result()", "        meal = [await soup"),
    ],
    ids=["two tasks in the group", "a task, cancelled by hand", "waits for the soup inside of the group"],
)
def test_banquet_done_otherwise(taken, body):
    verdict = check(taken("07", "banquet").write(f"async def banquet(cook, chop):\n{indented(body)}\n"))
    assert verdict.passed, verdict
