"""The exercises of 12: their stubs, their solutions, and what learners write instead."""

import pytest
from websockets.exceptions import ConnectionClosed

from helpers import check

PAIR = '''
async def pair(ws, number, n):
    await ws.send(json.dumps({"id": number, "n": n}))
    return json.loads(await ws.recv())["answer"]
'''
ASK_ALL = '''
    for number, n in enumerate(questions):
        await ws.send(json.dumps({"id": number, "n": n}))
'''
FETCH = '''
    got = {}
    for n in questions:
        m = json.loads(await ws.recv())
        got[m['id']] = m['answer']
    return [got[number] for number in range(len(questions))]
'''
VOLLEY = f"async def volley(ws, questions):{ASK_ALL}{FETCH}"

WRONG = [
    ("pipelined", "async def pipelined(ws, balls):\n    got = []\n    for ball in balls:\n        await ws.send(ball)\n        got.append(await ws.recv())\n    return got", "while the ball flies"),
    ("pipelined", "async def pipelined(ws, balls):\n    for ball in balls:\n        ws.send(ball)\n    return [await ws.recv() for ball in balls]", "posted"),
    ("pipelined", "async def pipelined(ws, balls):\n    for ball in balls:\n        await ws.send(ball)\n    return await asyncio.gather(*(ws.recv() for ball in balls))", "take in all the answers"),
    ("pipelined", "async def pipelined(ws, balls):\n    for ball in balls:\n        await ws.send(ball)\n    return [ws.recv() for ball in balls]", "promises"),
    ("pipelined", "async def pipelined(ws, balls):\n    for ball in balls:\n        await ws.send(ball)\n    return [await ws.recv()]", "How many more"),
    ("pipelined", "async def pipelined(ws, balls):\n    got = [await ws.recv() for ball in balls]\n    for ball in balls:\n        await ws.send(ball)\n    return got", "Which loop comes first"),
    ("pipelined", "async def pipelined(ws, balls):\n    for ball in balls:\n        await ws.send(ball)\n    for ball in balls:\n        await ws.recv()\n    return balls", "Where do its entries come from"),
    ("pipelined", "async def pipelined(ws, balls):\n    for ball in balls:\n        await ws.send(ball)\n    return [ball async for ball in ws]", "Then you waited for more"),
    ("pipelined", "async def pipelined(ws, balls):\n    for ball in balls:\n        await ws.send(ball)\n    return [await ws.recv() for number in range(10)]", "Then you waited for more"),
    ("pipelined", "async def pipelined(ws, balls):\n    for ball in balls:\n        await ws.send(ball)\n    return await ws.recv()", "a list of them all"),
    ("pipelined", "async def pipelined(ws, balls):\n    for ball in balls:\n        await ws.send(ball)\n    return sorted([await ws.recv() for ball in balls])", "as they came"),
    ("pipelined", "async def pipelined(ws, balls):\n    for ball in balls:\n        await ws.send(ball)\n    return tuple([await ws.recv() for ball in balls])", "in a tuple"),
    ("volley", PAIR + "async def volley(ws, questions):\n    return [await pair(ws, number, n) for number, n in enumerate(questions)]", "while the ball flies"),
    ("volley", PAIR + "async def volley(ws, questions):\n    return await asyncio.gather(*(pair(ws, number, n) for number, n in enumerate(questions)))", "take in all the answers"),
    ("volley", f"async def volley(ws, questions):{ASK_ALL}    return [json.loads(await ws.recv())['answer'] for n in questions]", "which question"),
    (
        "volley",
        f"async def volley(ws, questions):{ASK_ALL}    got = {{}}\n    for n in questions:\n        m = json.loads(await ws.recv())\n        got[m['id']] = m['answer']\n"
        "    return [got[str(number)] for number in range(len(questions))]",
        '`"1"` is not `1`',
    ),
    (
        "volley",
        f"async def volley(ws, questions):{ASK_ALL}    got = {{}}\n    async for m in ws:\n        m = json.loads(m)\n        got[m['id']] = m['answer']\n"
        "    return [got[number] for number in range(len(questions))]",
        "Then you waited for more",
    ),
    (
        "volley",
        "async def volley(ws, questions):\n    boxes = [asyncio.get_running_loop().create_future() for n in questions]\n"
        "    async def listen():\n        async for m in ws:\n            m = json.loads(m)\n            boxes[m['id']].set_result(m['answer'])\n"
        f"    listener = asyncio.create_task(listen()){ASK_ALL}"
        "    answers = await asyncio.gather(*boxes)\n    listener.cancel()\n    return answers",
        "Who tells those who wait",
    ),
    (
        "volley",
        "async def volley(ws, questions):\n    for n in questions:\n        await ws.send(json.dumps({'id': n, 'n': n}))\n    got = {}\n"
        "    for n in questions:\n        m = json.loads(await ws.recv())\n        got[m['id']] = m['answer']\n    return [got[n] for n in questions]",
        "of its own",
    ),
    ("volley", "async def volley(ws, questions):\n    for n in questions:\n        await ws.send(n)", "dictionary as text"),
    ("volley", f"async def volley(ws, questions):{ASK_ALL}    got = [json.loads(await ws.recv()) for n in questions]\n    return got", "answers in them"),
    ("volley", f"async def volley(ws, questions):{ASK_ALL}    return [(await ws.recv())['answer'] for n in questions]", "text still"),
    ("volley", VOLLEY.replace("for n in questions", "for n in range(3)"), "fetch all the answers"),
    ("volley", VOLLEY.replace("(questions):\n        await", "(questions[:-1]):\n        await").replace("for n in questions", "for n in range(3)"), "fetch all the answers"),
    ("volley", f"async def volley(ws, questions):\n    got = [await ws.recv() for n in questions]{ASK_ALL}    return got", "had heard nothing"),
    (
        "volley",
        "async def volley(ws, questions):\n    for n in set(questions):\n        await ws.send(json.dumps({'id': n, 'n': n}))\n    got = {}\n"
        "    for n in set(questions):\n        m = json.loads(await ws.recv())\n        got[m['id']] = m['answer']\n    return [got[n] for n in questions]",
        "asked twice",
    ),
    ("volley", "async def volley(ws, questions):\n    return [n**2 for n in questions]", "had not answered yet"),
]

NO_ORDER, ENDS = "an oracle that adds a thousand, and answers in no order at all", "the line ends after two answers"

WRONG_LATER = [
    (f"async def volley(ws, questions):{ASK_ALL}    return [json.loads(await ws.recv())['answer'] for n in questions][::-1]", NO_ORDER, "which question"),
    (
        f"async def volley(ws, questions):{ASK_ALL}    got = []\n    for n in questions:\n        got.insert(0, json.loads(await ws.recv())['answer'])\n    return got",
        NO_ORDER,
        "which question",
    ),
    (f"async def volley(ws, questions):{ASK_ALL}    for n in questions:\n        await ws.recv()\n    return [n**2 for n in questions]", NO_ORDER, "come from"),
    (
        f"async def volley(ws, questions):{ASK_ALL}    got = {{}}\n    if not questions:\n        return []\n    async for m in ws:\n        m = json.loads(m)\n        got[m['id']] = m['answer']\n"
        "        if len(got) == len(questions):\n            break\n    return [got[number] for number in range(len(questions))]",
        ENDS,
        "ends in silence",
    ),
    (
        f"async def volley(ws, questions):\n    try:\n        return await fetch(ws, questions)\n    except ConnectionClosed:\n        raise ValueError('too early')\n"
        f"async def fetch(ws, questions):{ASK_ALL}{FETCH}",
        ENDS,
        "listens for `ConnectionClosed`",
    ),
]

RIGHT = [
    VOLLEY.replace(": number", ": str(number)").replace("got[number]", "got[str(number)]"),
    VOLLEY.replace(": number", ": [number, n]").replace("got[m['id']]", "got[tuple(m['id'])]").replace("got[number]", "got[number, questions[number]]"),
    # as `play` in the notebook: what the task that listens raises, leaves in a group
    "async def volley(ws, questions):\n    got = {}\n"
    "    async def serve():\n        for number, n in enumerate(questions):\n            await ws.send(json.dumps({'id': number, 'n': n}))\n"
    "    async def listen():\n        for n in questions:\n            m = json.loads(await ws.recv())\n            got[m['id']] = m['answer']\n"
    "    async with asyncio.TaskGroup() as group:\n        group.create_task(serve())\n        group.create_task(listen())\n"
    "    return [got[number] for number in range(len(questions))]",
]


@pytest.mark.parametrize("name", ["pipelined", "volley"])
def test_stub_and_solution(taken, name):
    assert check(taken("12", name).stub).status == "not yet"
    verdict = check(taken("12", name).solution)
    assert verdict.passed, verdict


@pytest.mark.parametrize("name, text, hint", WRONG)
def test_wrong(taken, name, text, hint):
    verdict = check(taken("12", name).write(text))
    assert verdict.status == "failed" and hint in verdict.hint, verdict


@pytest.mark.parametrize("text, case, hint", WRONG_LATER, ids=["backwards", "put in front", "computes", "async for", "an error of its own"])
def test_wrong_in_a_later_case(taken, text, case, hint):
    verdict = check(taken("12", "volley").write(text, ConnectionClosed=ConnectionClosed))
    assert verdict.status == "failed" and f"“{case}”" in verdict.summary and hint in verdict.hint, verdict


@pytest.mark.parametrize("text", RIGHT, ids=["ids of text", "ids of pairs", "a task group"])
def test_right_in_another_way(taken, text):
    verdict = check(taken("12", "volley").write(text))
    assert verdict.passed, verdict
