"""The exercises of 10: their stubs, their solutions, and what learners write instead; and what its text says about proxies."""

import re

import pytest
from websockets.proxy import get_proxy
from websockets.uri import parse_uri

from helpers import check


def serving(body: str) -> str:
    return f"async def serve_echo(port, tell):\n    async with serve(echo, '127.0.0.1', port) as server:\n{body}"


PORT = "        port = server.sockets[0].getsockname()[1]\n"
TELL = "        tell(f'ws://127.0.0.1:{port}')\n"
STAY = "        await server.serve_forever()\n"


def asking(body: str, end: str = "") -> str:
    return f"async def ask_many(uri, words, limit):\n    async def ask(word):\n{body}\n{end}"


ASK = (
    "        async with connect(uri, proxy=None) as ws:\n"
    "            await ws.send(word)\n"
    "            try:\n"
    "                return await asyncio.wait_for(ws.recv(), limit)\n"
    "            except TimeoutError:\n"
    "                return None\n"
)
ASK_WITHOUT_LIMIT = "        async with connect(uri, proxy=None) as ws:\n            await ws.send(word)\n            return await ws.recv()\n"
GATHER = "    return dict(zip(words, await asyncio.gather(*map(ask, words))))"


def program(body: str, imports: str = "import asyncio\nimport sys\n") -> str:
    text = f"{imports}from websockets.asyncio.client import connect\n\n{body}"
    return f"def moved_out():\n    return {text!r}"


MAIN = "async def main(uri):\n    async with connect(uri, proxy=None) as ws:\n        await ws.send('ready?')\n        print(await ws.recv())\n\n"
RUN = "asyncio.run(main(sys.argv[1]))\n"

WRONG = [
    ("serve_echo", serving(TELL + STAY), "0 only asked"),
    ("serve_echo", serving(PORT + TELL), "came to its end"),
    ("serve_echo", serving(PORT + TELL + "        server.serve_forever()\n"), "not awaited"),
    ("serve_echo", serving(PORT + TELL + "        await server.serve_forever\n"), "What makes a call of it"),
    ("serve_echo", serving(PORT + STAY + TELL), "never called"),
    ("serve_echo", serving(PORT + "        print(f'ws://127.0.0.1:{port}')\n" + STAY), "goes to the screen"),
    ("serve_echo", serving("        port = server.sockets[0].getsockname()\n" + TELL + STAY), "pair"),
    ("serve_echo", serving("        port = server.port\n" + TELL + STAY), "no attribute"),
    ("serve_echo", serving("        port = server.sockets.getsockname()[1]\n" + TELL + STAY), "no attribute"),
    ("serve_echo", serving(PORT + "        tell(port)\n" + STAY), "What would a client type"),
    ("serve_echo", serving(PORT + "        tell(f'127.0.0.1:{port}')\n" + STAY), "nothing else"),
    ("serve_echo", serving(PORT + TELL) + "    await server.serve_forever()\n", "comes too late"),
    ("serve_echo", serving(PORT + "        await tell(f'ws://127.0.0.1:{port}')\n" + STAY), "a plain function"),
    ("serve_echo", serving(PORT + TELL + "        await asyncio.sleep(1)\n"), "a year has passed"),
    ("serve_echo", serving(PORT + TELL + "        await asyncio.sleep(3600)\n"), "a year has passed"),
    ("serve_echo", serving(PORT + TELL + "        import time\n        time.sleep(8)\n"), "holds up the whole loop"),
    (
        "serve_echo",
        "async def serve_echo(port, tell):\n    server = await serve(echo, '127.0.0.1', port)\n" + re.sub("(?m)^    ", "", PORT + TELL + STAY).replace("await server.serve_forever()", "await asyncio.sleep(3600)"),
        "1001",
    ),
    (
        "serve_echo",
        serving(PORT + TELL + "        while True:\n            try:\n                await asyncio.sleep(3600)\n            except asyncio.CancelledError:\n                pass\n"),
        "1001",
    ),
    ("ask_many", asking(ASK, "    return {word: await ask(word) for word in words}"), "Who waits for whom"),
    ("ask_many", asking(ASK, GATHER.replace("await ", "")), "You hold a future"),
    ("ask_many", asking(ASK, GATHER.replace("*map(ask, words)", "[ask(word) for word in words]")), "Was it given a list"),
    ("ask_many", asking(ASK_WITHOUT_LIMIT.replace("recv()", "recv(timeout=limit)"), GATHER), "a limit on an `await`"),
    ("ask_many", asking(ASK.replace("wait_for(ws", "wait_for(await ws"), GATHER), "already"),
    (
        "ask_many",
        "async def ask_many(uri, words, limit):\n    async with connect(uri, proxy=None) as ws:\n        async def ask(word):\n            await ws.send(word)\n"
        "            return await asyncio.wait_for(ws.recv(), limit)\n    " + GATHER,
        "could be anybody's",
    ),
    ("ask_many", asking(ASK, "    return await asyncio.gather(*map(ask, words))"), "which word each belongs to"),
    ("ask_many", asking(ASK, "    return {word: ask(word) for word in words}"), "recipe"),
    ("ask_many", asking(ASK, "    return {word: asyncio.create_task(ask(word)) for word in words}"), "What did the task return"),
    ("ask_many", asking(ASK_WITHOUT_LIMIT, "    async with asyncio.timeout(limit):\n    " + GATHER), "For whom is the limit"),
    (
        "ask_many",
        asking(
            ASK_WITHOUT_LIMIT,
            "    try:\n        answers = await asyncio.wait_for(asyncio.gather(*map(ask, words)), limit)\n"
            "    except TimeoutError:\n        answers = [None] * len(words)\n    return dict(zip(words, answers))",
        ),
        "For whom is the limit",
    ),
    ("ask_many", asking(ASK.split("            try:")[0] + "            return await asyncio.wait_for(ws.recv(), limit)\n", GATHER), "For whom is the limit"),
    (
        "ask_many",
        asking(
            ASK.split("            try:")[0] + "            return await asyncio.wait_for(ws.recv(), limit)\n",
            GATHER.replace("words)))", "words), return_exceptions=True))"),
        ),
        "an exception is no answer",
    ),
    ("ask_many", asking(ASK_WITHOUT_LIMIT, GATHER), "What ends its wait"),
    (
        "ask_many",
        asking(ASK, "    found = dict(zip(words, await asyncio.gather(*map(ask, words))))\n    return {w: a for w, a in found.items() if a}"),
        "beside the word that got none",
    ),
    (
        "ask_many",
        "async def ask_many(uri, words, limit):\n    answers = {}\n    async with connect(uri, proxy=None) as ws:\n"
        "        for word in words:\n            await ws.send(word)\n"
        "        for word in words:\n            answers[word] = await asyncio.wait_for(ws.recv(), limit)\n    return answers",
        "client of its own",
    ),
    (
        "ask_many",
        asking(
            "        ws = await connect(uri, proxy=None)\n        await ws.send(word)\n        try:\n"
            "            return await asyncio.wait_for(ws.recv(), limit)\n        except TimeoutError:\n            return None\n",
            GATHER,
        ),
        "Who hangs up",
    ),
    (
        "ask_many",
        asking(ASK, "    tasks = [asyncio.create_task(ask(word)) for word in words]\n    got = [await t for t in asyncio.as_completed(tasks)]\n    return dict(zip(words, got))"),
        "at its own word",
    ),
    ("moved_out", program(MAIN + "await main(sys.argv[1])\n"), "who runs that"),
    ("moved_out", "def moved_out():\n    return COPIED", "who runs that"),
    ("moved_out", program(MAIN + "asyncio.run(main(uri))\n"), "made by another cell"),
    ("moved_out", program(MAIN.replace("main(uri)", "main()") + "asyncio.run(main())\n"), "made by another cell"),
    ("moved_out", program(MAIN + RUN, imports="import sys\n"), "Which import"),
    ("moved_out", program(MAIN + RUN, imports="import asyncio\n"), "Which import"),
    ("moved_out", program(MAIN.replace("        print", "    print") + RUN), "hangs up"),
    ("moved_out", program(MAIN + "main(sys.argv[1])\n"), "makes a coroutine"),
    ("moved_out", program(MAIN), "Who calls"),
    ("moved_out", program(MAIN.replace("print(await ws.recv())", "await ws.recv()") + RUN), "shows nothing"),
    ("moved_out", program(MAIN.replace("print(await ws.recv())", "print(ws.recv())") + RUN), "nobody awaited"),
    ("moved_out", program(MAIN + RUN.replace("[1]", "[0]")), "not a URI"),
    ("moved_out", program(MAIN + RUN.replace("[1]", "[2]")), "at which place"),
    ("moved_out", program(MAIN + RUN.replace("[1]", "")), "the list of all of them"),
    ("moved_out", "def moved_out():\n    with connect(sys.argv[-1], proxy=None) as ws:\n        ws.send('ready?')", "their *text*"),
    ("moved_out", program(MAIN + "asyncio.run(main)\n"), "wants a coroutine"),
    ("moved_out", program(MAIN.replace("ready?", "hello") + RUN), "exactly"),
    ("moved_out", program(MAIN + "asyncio.run(main(input()))\n"), "keyboard"),
    ("moved_out", program(MAIN + RUN + "asyncio.run(asyncio.sleep(60))\n"), "does not end"),
    ("moved_out", "def moved_out():\n    return '''\n    import asyncio\n    import sys\n'''", "indented"),
    ("moved_out", "def moved_out():\n    return ['import asyncio']", "as a text"),
    ("moved_out", program(MAIN + RUN.replace("))", ")")), "can't read it"),
]


@pytest.mark.parametrize("name", ["serve_echo", "ask_many", "moved_out"])
def test_stub_and_solution(taken, name):
    assert check(taken("10", name).stub).status == "not yet"
    verdict = check(taken("10", name).solution)
    assert verdict.passed, verdict


def test_one_that_stays_and_has_a_gap_is_still_running(taken):
    verdict = check(taken("10", "serve_echo").write(serving("        port = ...\n" + TELL + STAY)))
    assert verdict.status == "not yet" and "It was still running" in verdict.summary, verdict


@pytest.mark.parametrize("name, text, hint", WRONG)
def test_wrong(taken, name, text, hint):
    verdict = check(taken("10", name).write(text))
    assert verdict.status == "failed" and hint.lower() in verdict.hint.lower(), verdict


GOOD = [
    ("serve_echo", serving(PORT + TELL + "        await asyncio.get_running_loop().create_future()\n")),
    ("serve_echo", serving(PORT + TELL + "        await asyncio.Event().wait()\n")),
    ("serve_echo", serving(PORT + TELL + "        await server.wait_closed()\n")),
    ("serve_echo", serving(PORT + TELL + "        while True:\n            await asyncio.sleep(1)\n")),
    (
        "ask_many",
        asking(ASK, "    async with asyncio.TaskGroup() as all:\n        tasks = {word: all.create_task(ask(word)) for word in words}\n"
                    "    return {word: task.result() for word, task in tasks.items()}"),
    ),
    (
        "ask_many",
        asking(ASK_WITHOUT_LIMIT.replace("            return", "            async with asyncio.timeout(limit):\n                return"),
               "    got = await asyncio.gather(*map(ask, words), return_exceptions=True)\n"
               "    return {w: None if isinstance(a, TimeoutError) else a for w, a in zip(words, got)}"),
    ),
    ("moved_out", program("uri = sys.argv[1]\n\n" + MAIN.replace("main(uri)", "main()") + "if __name__ == '__main__':\n    asyncio.run(main())\n")),
    (
        "moved_out",
        "def moved_out():\n    return '''import sys\nfrom websockets.sync.client import connect\nwith connect(sys.argv[1], proxy=None) as ws:\n"
        '    ws.send("ready?")\n    print(ws.recv())\n\'\'\'',
    ),
]


@pytest.mark.parametrize("name, text", GOOD)
def test_another_way_is_good_too(taken, name, text):
    verdict = check(taken("10", name).write(text))
    assert verdict.passed, verdict


@pytest.fixture
def no_proxies(monkeypatch):
    import os

    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    return monkeypatch


ORDER = ["ws_proxy", "socks_proxy", "https_proxy", "http_proxy"]


@pytest.mark.parametrize("set_to", [ORDER[place:] for place in range(4)])
def test_the_order_of_proxy_variables_is_as_the_text_says(no_proxies, set_to):
    for name in set_to:
        no_proxies.setenv(name.upper(), f"socks5h://{name}:1")
    assert get_proxy(parse_uri("ws://127.0.0.1:8765")) == f"socks5h://{set_to[0]}:1"
    no_proxies.setenv("no_proxy", "localhost,example.org")
    assert get_proxy(parse_uri("ws://127.0.0.1:8765")) is not None
    no_proxies.setenv("no_proxy", "localhost, 127.0.0.1")
    assert get_proxy(parse_uri("ws://127.0.0.1:8765")) is None


@pytest.mark.parametrize("name", ["all_proxy", "wss_proxy"])
def test_these_proxy_variables_do_not_count(no_proxies, name):
    no_proxies.setenv(name, "http://127.0.0.1:9")
    assert get_proxy(parse_uri("ws://127.0.0.1:8765")) is None
