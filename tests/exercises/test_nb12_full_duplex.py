"""The exercises of 12: their stubs, their solutions, and what learners write instead."""

import pytest

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

WRONG = [
    ("pipelined", "async def pipelined(ws, balls):\n    got = []\n    for ball in balls:\n        await ws.send(ball)\n        got.append(await ws.recv())\n    return got", "while the ball flies"),
    ("pipelined", "async def pipelined(ws, balls):\n    for ball in balls:\n        ws.send(ball)\n    return [await ws.recv() for ball in balls]", "posted"),
    ("pipelined", "async def pipelined(ws, balls):\n    for ball in balls:\n        await ws.send(ball)\n    return await asyncio.gather(*(ws.recv() for ball in balls))", "take in all the answers"),
    ("pipelined", "async def pipelined(ws, balls):\n    for ball in balls:\n        await ws.send(ball)\n    return [ws.recv() for ball in balls]", "promises"),
    ("pipelined", "async def pipelined(ws, balls):\n    for ball in balls:\n        await ws.send(ball)\n    return [await ws.recv()]", "How many more"),
    ("pipelined", "async def pipelined(ws, balls):\n    got = [await ws.recv() for ball in balls]\n    for ball in balls:\n        await ws.send(ball)\n    return got", "Which loop comes first"),
    ("pipelined", "async def pipelined(ws, balls):\n    for ball in balls:\n        await ws.send(ball)\n    for ball in balls:\n        await ws.recv()\n    return balls", "Where do its entries come from"),
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
        "How many answers does it need",
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
