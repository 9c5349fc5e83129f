"""The exercises of 23: their stubs, their solutions, and what learners write instead."""

import pytest

from helpers import check

LOOP = "async def connect_best(names, start, limit):\n    for name in names:\n        try:\n"
NEXT = "        except (aiohttp.ClientError, TimeoutError):\n            pass\n"
NONE = '    raise ConnectionError("no transport works")\n'
TIMED = "            async with asyncio.timeout(limit):\n                return await start(name)\n"

EVENTS = "def take_events(unread):\n    *events, rest = unread.split(b'\\r\\n\\r\\n')\n"
LINES = "    lines = [line for event in events for line in event.split(b'\\r\\n') if line.startswith(b'data: ')]\n"

WRONG = [
    ("take_events", EVENTS + "    return [event.removeprefix(b'data: ').decode() for event in events], rest", "Which lines count"),
    ("take_events", EVENTS + LINES + "    return [line.removeprefix(b'data: ') for line in lines], rest", "bytes still"),
    ("take_events", EVENTS + LINES + "    return [line.decode() for line in lines], rest", "a part of the text"),
    ("take_events", EVENTS + LINES + "    return [line.removeprefix(b'data: ').decode() for line in lines]", "who gets them"),
    ("take_events", EVENTS + LINES + "    return [line.removeprefix(b'data: ').decode() for line in lines], b''", "Where did it go"),
    ("take_events", EVENTS + LINES + "    return [line.removeprefix(b'data: ').decode() for line in lines], rest.decode()", "what is left"),
    ("take_events", EVENTS + LINES + "    return [line.lstrip(b'data: ').decode() for line in lines], rest", "one prefix"),
    ("take_events", EVENTS + LINES + "    return [line[6:].decode().strip('\\x1e') for line in lines], rest", "somebody else's matter"),
    ("take_events", EVENTS + LINES + "    return [line[6:-1].decode() for line in lines], rest", "somebody else's matter"),
    (
        "take_events",
        "def take_events(unread):\n    *events, rest = unread.decode().split('\\r\\n\\r\\n')\n"
        "    lines = [line for event in events for line in event.split('\\r\\n') if line.startswith('data: ')]\n"
        "    return [line[6:] for line in lines], rest.encode()",
        "When is it safe to decode",
    ),
    (
        "take_events",
        "def take_events(unread):\n    texts = [line[6:].decode() for line in unread.split(b'\\r\\n') if line.startswith(b'data: ')]\n    return texts, b''",
        "not over",
    ),
    (
        "take_events",
        "def take_events(unread):\n    *lines, rest = unread.split(b'\\r\\n')\n    return [line[6:].decode() for line in lines if line.startswith(b'data: ')], rest",
        "not over",
    ),
    (
        "take_events",
        "def take_events(unread):\n    *lines, rest = unread.split(b'\\n\\n')\n    return [line[6:].decode() for line in lines if line.startswith(b'data: ')], rest",
        "An event is over at its empty line",
    ),
    (
        "take_events",
        "def take_events(unread):\n    *lines, rest = unread.split(b'\\n')\n    return [line[6:].decode() for line in lines if line.startswith(b'data: ')], rest",
        "ends the line",
    ),
    ("take_events", EVENTS + "    return [event[6:].decode() for event in events if event.startswith(b'data: ')], rest", "threw away"),
    ("take_events", EVENTS + LINES + "    return [line[5:].decode() for line in lines], rest", "a blank before it"),
    ("take_events", EVENTS + LINES + "    return [str(line[6:]) for line in lines], rest", "the text that they hold"),
    ("take_events", EVENTS + LINES + "    import json\n    return [json.loads(line[6:-1]) for line in lines], rest", "too soon"),
    ("take_events", EVENTS + "    texts = [line[6:] for event in events for line in event.decode().splitlines() if line.startswith('data: ')]\n    return texts, rest", "`splitlines`"),
    ("take_events", EVENTS + "    return [event.split(b'data: ')[1].decode() for event in events], rest", "has the word"),
    (
        "take_events",
        "def take_events(unread):\n    event, border, rest = unread.partition(b'\\r\\n\\r\\n')\n    if not border:\n        return [], unread\n"
        "    return [line[6:].decode() for line in event.split(b'\\r\\n') if line.startswith(b'data: ')], rest",
        "may bring several",
    ),
    *(
        (
            "take_events",
            f"def take_events(unread):\n    *events, rest = unread.decode(errors='{how}').split('\\r\\n\\r\\n')\n"
            "    lines = [line for event in events for line in event.split('\\r\\n') if line.startswith('data: ')]\n"
            "    return [line[6:] for line in lines], rest.encode()",
            "When is it safe to decode",
        )
        for how in ("ignore", "replace")
    ),
    ("connect_best", LOOP + TIMED + NEXT + NONE.replace("raise", "return"), "Which word throws it"),
    ("connect_best", LOOP + "            async with await start(name) as line:\n                return line\n" + NEXT + NONE, "Who should end it"),
    ("connect_best", LOOP + "            return await start(name)\n" + NEXT + NONE, "Who looks at the clock"),
    ("connect_best", "async def connect_best(names, start, limit):\n    for name in names:\n        async with asyncio.timeout(limit):\n            return await start(name)", "no reason to give up"),
    ("connect_best", LOOP + "            return start(name)\n" + NEXT + NONE, "Which word is missing"),
    ("connect_best", LOOP + TIMED + NEXT, "`None` looks like an answer"),
    ("connect_best", LOOP + TIMED + "        except aiohttp.ClientError:\n            pass\n" + NONE, "one more reason"),
    ("connect_best", LOOP + TIMED + "        except Exception:\n            pass\n" + NONE, "nobody hears of it"),
    ("connect_best", LOOP + TIMED + "        except:\n            pass\n" + NONE, "nobody hears of it"),
    ("connect_best", LOOP + TIMED + "        except (aiohttp.ClientError, TimeoutError) as error:\n            last = error\n    raise last\n", "reached the caller"),
    ("connect_best", LOOP + TIMED + "        except (aiohttp.ClientError, TimeoutError) as error:\n            raise ConnectionError(name) from error\n", "no reason to give up"),
    (
        "connect_best",
        "async def connect_best(names, start, limit):\n    async with asyncio.timeout(limit):\n        for name in names:\n            try:\n"
        "                return await start(name)\n            except aiohttp.ClientError:\n                pass\n    raise ConnectionError('none')",
        "ended the whole search",
    ),
    (
        "connect_best",
        "async def connect_best(names, start, limit):\n    ends = asyncio.get_running_loop().time() + 1.5 * limit\n" + LOOP.split("\n", 1)[1]
        + "            async with asyncio.timeout_at(min(ends, asyncio.get_running_loop().time() + limit)):\n                return await start(name)\n" + NEXT + NONE,
        "For what is the limit meant",
    ),
    (
        "connect_best",
        "async def connect_best(names, start, limit):\n    tasks = [asyncio.create_task(start(name)) for name in names]\n"
        "    done, late = await asyncio.wait(tasks, timeout=limit, return_when=asyncio.FIRST_COMPLETED)\n    for task in late:\n        task.cancel()\n"
        "    await asyncio.wait(tasks)\n    return done.pop().result()",
        "several attempts ran at once",
    ),
    (
        "connect_best",
        "async def connect_best(names, start, limit):\n    got = await asyncio.gather(*map(start, names), return_exceptions=True)\n"
        "    return next(one for one in got if isinstance(one, str))",
        "several attempts ran at once",
    ),
    (
        "connect_best",
        LOOP + "            line = await asyncio.wait_for(start(name), limit)\n" + NEXT + "    return line\n",
        "All were tried",
    ),
    (
        "connect_best",
        "async def connect_best(names, start, limit):\n    for name in names:\n        task = asyncio.create_task(start(name))\n"
        "        done, _ = await asyncio.wait({task}, timeout=limit)\n        if done and not task.exception():\n            return task.result()\n    raise ConnectionError('none')",
        "still waits somewhere",
    ),
    ("connect_best", LOOP.replace("in names", "in names[1:]") + TIMED + NEXT + NONE, "Where do you begin"),
    ("connect_best", LOOP + TIMED.replace("return ", "line = ") + NEXT + "    return line\n", "All were tried"),
    ("connect_best", LOOP + TIMED.replace("return await start(name)", "return name, await start(name)") + NEXT + NONE, "The line itself"),
]


@pytest.mark.parametrize("name", ["take_events", "connect_best"])
def test_stub_and_solution(taken, name):
    assert check(taken("23", name).stub).status == "not yet"
    verdict = check(taken("23", name).solution)
    assert verdict.passed, verdict


@pytest.mark.parametrize("name, text, hint", WRONG)
def test_wrong(taken, name, text, hint):
    verdict = check(taken("23", name).write(text))
    assert verdict.status == "failed" and hint in verdict.hint, verdict
