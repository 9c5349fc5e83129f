"""The exercises of 22: their stubs, their solutions, and what learners write instead."""

import pytest

from helpers import check

LOADS = "    return [json.loads(text) for text in whole], rest"


def invoke(*, number="str(next(numbers))", send="await ws.send(call(number, target, *arguments))", wait="await asyncio.wait_for(box, timeout)",
           left="boxes.pop(number, None)", end='    if "error" in completion:\n        raise RuntimeError(completion["error"])\n    return completion["result"]') -> str:
    """The solution with one thing in it changed."""
    return (
        "import itertools\nnumbers = itertools.count()\n"
        "async def invoke(ws, boxes, target, *arguments, timeout=2):\n"
        f"    number = {number}\n"
        "    box = boxes[number] = asyncio.get_running_loop().create_future()\n"
        f"    try:\n        {send}\n        completion = {wait}\n    finally:\n        {left}\n{end}\n"
    )


WRONG = [
    # split_records
    ("split_records", f"def split_records(unread, piece):\n    *whole, rest = piece.split(END)\n{LOADS}", "first half is in `unread`"),
    ("split_records", "def split_records(unread, piece):\n    return [json.loads(t) for t in (unread + piece).split(END)], ''", "not one whole record"),
    ("split_records", "def split_records(unread, piece):\n    return [json.loads(t) for t in (unread + piece).split(END) if t], ''", "not one whole record"),
    ("split_records", f"def split_records(unread, piece):\n    *whole, rest = (unread + piece).split(END)\n    return [json.loads(text) for text in whole]", "two things back"),
    ("split_records", "def split_records(unread, piece):\n    *whole, rest = (unread + piece).split(END)\n    return [json.loads(text) for text in whole], ''", "where did the beginning"),
    ("split_records", f"def split_records(unread, piece):\n    *whole, rest = (unread + piece).split(END)\n    return whole, rest", "to be a dictionary"),
    ("split_records", f"def split_records(unread, piece):\n    *whole, rest = (unread + piece).split(END)\n    return rest, [json.loads(text) for text in whole]", "Which comes first"),
    ("split_records", f"def split_records(unread, piece):\n    *whole, rest = (unread + piece).split(END)\n    return [json.loads(text) for text in whole], rest.strip()", "All but a space"),
    ("split_records", "def split_records(unread, piece):\n    text, end, rest = (unread + piece).partition(END)\n    return ([json.loads(text)], rest) if end else ([], text)", "How many may a piece hold"),
    ("split_records", f"def split_records(unread, piece):\n    *whole, rest = (unread + piece).splitlines() + ['']\n{LOADS}", "not one whole record"),
    ("split_records", f"def split_records(unread, piece):\n    *whole, rest = unread + piece\n{LOADS}", "not one whole record"),
    ("split_records", "def split_records(unread, piece):\n    whole = (unread + piece).split(END)\n    return [json.loads(t) for t in whole[:-1]], whole[-1:]", "to be a text, as it came"),
    ("split_records", "kept = ''\ndef split_records(unread, piece):\n    global kept\n    *whole, kept = (kept + piece).split(END)\n    return [json.loads(t) for t in whole], kept", "Which text do you cut"),
    ("split_records", "def split_records(unread, piece):\n    parts = (unread + piece + '.').splitlines()\n    return [json.loads(t) for t in parts[:-1]], parts[-1][:-1]", "Which one character ends a record"),
    ("split_records", "def split_records(unread, piece):\n    text, records = unread + piece, []\n    while '}' in text:\n        one, text = text.split('}', 1)\n        records.append(json.loads(one + '}'))\n        text = text.removeprefix(END)\n    return records, text", "Which one character ends a record|1E came later|Does its 1E"),
    ("split_records", "def split_records(unread, piece):\n    *whole, rest = [t for t in (unread + piece).split(END) if t]\n    return [json.loads(t) for t in whole], rest", "did you keep that"),
    ("split_records", f"def split_records(unread, piece):\n    *whole, rest = (unread + piece).rstrip(END).split(END)\n{LOADS}", "did you keep that"),
    ("split_records", f"def split_records(unread, piece):\n    *whole, rest = (unread + piece).split('1E')\n{LOADS}", "At which character"),
    ("split_records", f"def split_records(unread, piece):\n    *whole, rest = (piece + unread).split(END)\n{LOADS}", "which half comes first"),
    # invoke
    ("invoke", invoke(send="await ws.send(json.dumps(dict(type=1, target=target, arguments=arguments, invocationId=number)))"), "What stands behind a record"),
    ("invoke", invoke(send="await ws.send(json.dumps(dict(type=1, target=target, arguments=arguments)) + END)"), "without an `invocationId`"),
    ("invoke", invoke(number="next(numbers)"), "of which type is an id"),
    ("invoke", invoke(send="await ws.send(call(number, target, arguments))"), "Is a star missing"),
    ("invoke", invoke(send="await ws.send(call(number, target, *arguments, kind=4))"), "Which `type` calls a method"),
    ("invoke", invoke(send="ws.send(call(number, target, *arguments))"), "must stand before `ws.send"),
    ("invoke", invoke(number='"1"'), "Whose ids are they"),
    ("invoke", invoke(number="str(len(boxes))"), "got the id of the long one"),
    ("invoke", invoke(wait="json.loads((await ws.recv()).rstrip(END))"), "Where does the listener put"),
    ("invoke", invoke(wait="await box"), "Who stops waiting"),
    ("invoke", invoke(left="pass"), "the box is still there"),
    ("invoke", invoke(left="del boxes[number]"), "what may not be there"),
    ("invoke", invoke().replace("    finally:\n", "    except TimeoutError:\n").replace("boxes.pop(number, None)", "boxes.pop(number)\n        raise"), "a task may also be cancelled"),
    ("invoke", invoke(end='    if "error" in completion:\n        raise RuntimeError(completion)\n    return completion["result"]'), "what the hub said"),
    ("invoke", invoke(end='    return completion["result"]'), "Which field does it have in its place"),
    ("invoke", invoke(end='    return completion.get("result")'), "takes it that all is well"),
    ("invoke", invoke(end='    return completion.get("error") or completion["result"]'), "takes it for a result"),
    ("invoke", invoke(end='    if "error" in completion:\n        raise ValueError(completion["error"])\n    return completion["result"]'), "Which exception was asked for"),
    ("invoke", invoke(end='    if "error" in completion:\n        raise RuntimeError("it failed")\n    return completion["result"]'), "what the hub said"),
    ("invoke", invoke(end='    if not completion["result"]:\n        raise RuntimeError(completion["error"])\n    return completion["result"]'), "How do you tell it from one"),
    ("invoke", invoke(end="    return completion"), "which of its fields"),
    ("invoke", invoke(wait="box"), "Which word waits until"),
    ("invoke", invoke(wait="box.result()"), "Which word waits"),
]


@pytest.mark.parametrize("name", ["split_records", "invoke"])
def test_stub_and_solution(taken, name):
    assert check(taken("22", name).stub).status == "not yet"
    verdict = check(taken("22", name).solution)
    assert verdict.passed, verdict


RIGHT = [
    ("split_records", "def split_records(unread, piece):\n    text, records = unread + piece, []\n    while END in text:\n        one, text = text.split(END, 1)\n        records.append(json.loads(one))\n    return records, text"),
    ("split_records", "def split_records(unread, piece):\n    parts = (unread + piece).split(END)\n    return list(map(json.loads, parts[:-1])), parts[-1]"),
    ("invoke", "import uuid\nasync def invoke(ws, boxes, target, *arguments, timeout=2):\n    number = str(uuid.uuid4())\n    boxes[number] = box = asyncio.Future()\n"
               "    await ws.send(call(number, target, *arguments))\n    try:\n        async with asyncio.timeout(timeout):\n            answer = await box\n"
               "    except BaseException:\n        boxes.pop(number, None)\n        raise\n    if answer.get('error') is not None:\n        raise RuntimeError(answer['error'])\n    return answer.get('result')"),
]


@pytest.mark.parametrize("name, text", RIGHT)
def test_other_right_answers(taken, name, text):
    verdict = check(taken("22", name).write(text))
    assert verdict.passed, verdict


@pytest.mark.parametrize("name, text, hint", WRONG)
def test_wrong(taken, name, text, hint):
    verdict = check(taken("22", name).write(text))
    assert verdict.status == "failed" and any(part in verdict.hint for part in hint.split("|")), verdict
