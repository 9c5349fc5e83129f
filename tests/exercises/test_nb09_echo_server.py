"""The exercises of 09: their stubs, their solutions, and what learners write instead."""

import pytest

from helpers import check

WRONG = [
    ("louder", "async def louder(ws):\n    await ws.send((await ws.recv()).upper())", "what keeps it going"),
    ("louder", "async def louder(ws):\n    async for message in ws:\n        ws.send(message.upper())", "posted"),
    ("louder", "async def louder(ws):\n    async for message in ws:\n        return message.upper()", "what keeps it going"),
    ("louder", "async def louder(ws):\n    async for message in ws:\n        await ws.send(message)", "as quietly as it came"),
    ("louder", "async def louder(ws, path):\n    async for message in ws:\n        await ws.send(message.upper())", "1011"),
    ("louder", "async def louder(ws):\n    async for message in ws:\n        await ws.send(f'Echo: {message.upper()}')", "in front"),
    ("louder", "async def louder(ws):\n    async for message in ws.recv():\n        await ws.send(message.upper())", "loop over the connection itself"),
    ("louder", "async def louder(ws):\n    async for message in ws:\n        await ws.send(f'echo: {message}'.upper())", "in front"),
    (
        "route",
        "async def route(ws):\n    async for message in ws:\n        if ws.request.path == 'louder':\n            await ws.send(message.upper())",
        "what does it begin with",
    ),
    ("route", "async def route(ws):\n    async for message in ws:\n        await ws.send(message)", "behind this door"),
    ("route", "async def route(ws):\n    async for message in ws:\n        await ws.send(message.upper())", "this door answers as it was asked"),
    (
        "route",
        "async def route(ws):\n    async for message in ws:\n        await ws.send(message.upper() if ws.path == '/louder' else message)",
        "1011",
    ),
    (
        "route",
        "async def route(ws):\n    async for message in ws:\n"
        "        if ws.request.path == '/louder':\n            await ws.send(message.upper())\n"
        "        elif ws.request.path == '/echo':\n            await ws.send(message)\n        else:\n            return",
        "a client at an unknown door waits",
    ),
    (
        "route",
        "async def route(ws):\n    if ws.request.path not in ('/louder', '/echo'):\n        await ws.send('no such door')\n        return\n"
        "    async for message in ws:\n        await ws.send(message.upper() if ws.request.path == '/louder' else message)",
        "nothing but the goodbye",
    ),
    (
        "route",
        "async def route(ws):\n    if ws.request.path not in ('/louder', '/echo'):\n        raise ValueError\n"
        "    async for message in ws:\n        await ws.send(message.upper() if ws.request.path == '/louder' else message)",
        "1011",
    ),
    ("mended", "async def mended(ws):\n    async for message in ws:\n        return f'Echo: {message}'", "what keeps it going"),
    ("mended", "async def mended(ws):\n    async for message in ws:\n        ws.send(f'Echo: {message}')", "posted"),
    ("mended", "async def mended(ws):\n    async for message in ws:\n        await ws.send(f'Echo: {message}')", "different types"),
    ("mended", "async def mended(ws):\n    async for message in ws:\n        await ws.send('Echo: ' + message)", "Texts work"),
    ("mended", "async def mended(ws):\n    async for message in ws:\n        await ws.send(message)", "in front"),
    (
        "mended",
        "async def mended(ws):\n    async for message in ws:\n"
        "        if isinstance(message, bytes):\n            message = message.decode()\n        await ws.send(f'Echo: {message}')",
        "Texts work",
    ),
]


@pytest.mark.parametrize("name", ["louder", "route", "mended"])
def test_stub_and_solution(taken, name):
    assert check(taken("09", name).stub).status == "not yet"
    verdict = check(taken("09", name).solution)
    assert verdict.passed, verdict


@pytest.mark.parametrize("name, text, hint", WRONG)
def test_wrong(taken, name, text, hint):
    verdict = check(taken("09", name).write(text))
    assert verdict.status == "failed" and hint in verdict.hint.lower() + verdict.hint, verdict


def test_a_loop_that_never_ends_by_itself_is_good_enough(taken):
    text = "async def louder(ws):\n    while True:\n        await ws.send((await ws.recv()).upper())"
    assert check(taken("09", "louder").write(text)).passed
