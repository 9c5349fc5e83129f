"""Notebook 04: the mistakes that people make with scale, drive and take_turns, and the hint that each one meets."""

import pytest

from helpers import check

NAMES = ("scale", "drive", "take_turns")


@pytest.mark.parametrize("name", NAMES)
def test_the_stub_is_not_yet_an_answer(taken, name):
    assert check(taken("04", name).stub).status == "not yet"


@pytest.mark.parametrize("name", NAMES)
def test_the_folded_solution_passes(taken, name):
    verdict = check(taken("04", name).solution)
    assert verdict.passed, verdict


def refused(taken, name: str, text: str, *, case: str, hint: str) -> None:
    verdict = check(taken("04", name).write(text))
    assert verdict.status == "failed", verdict
    assert f"“{case}”" in verdict.summary, verdict
    assert hint in verdict.hint, verdict


def indented(body: str, spaces: int) -> str:
    return "\n".join(" " * spaces + line for line in body.splitlines())


OFF, WEIGH, TWO = "switched on, nothing on it yet", "200 grams, then 50", "two scales side by side"


@pytest.mark.parametrize(
    ("body", "case", "hint"),
    [
        pytest.param("return total", OFF, "nothing in its body pauses", id="returns"),
        pytest.param("grams = total\ntotal += grams", OFF, "nothing in its body pauses", id="no pause, for ever"),
        pytest.param("print(total)\ngrams = yield\ntotal += grams", OFF, "it shows nothing", id="prints instead"),
        pytest.param("grams = yield\ntotal += grams", OFF, "to the right of `yield`", id="hands nothing out"),
        pytest.param("grams = yield grams\ntotal += grams", OFF, "before anything was put into it", id="hands out grams"),
        pytest.param("yield total\ntotal += grams", WEIGH, "throws away what is sent", id="keeps nothing"),
        pytest.param("yield total\ngrams = 0\ntotal += grams", WEIGH, "throws away what is sent", id="keeps a nought"),
        pytest.param("yield total\ngrams = yield\ntotal += grams", WEIGH, "Can one do both", id="two pauses"),
        pytest.param("grams = yield total\ntotal += grams\nyield", WEIGH, "pauses twice in each round", id="one pause more"),
        pytest.param("total = yield total", WEIGH, "forgotten", id="shows the last weight only"),
        pytest.param("grams = yield total\ntotal += grams\ntotal += grams", WEIGH, "added twice", id="adds twice"),
        pytest.param("grams = yield total\ntotal += grams\nbreak", WEIGH, "came to its end", id="ends after one"),
        pytest.param("total += yield str(total)", OFF, "as text", id="shows text"),
    ],
)
def test_scale(taken, body, case, hint):
    refused(taken, "scale", f"def scale():\n    total = 0\n    while True:\n{indented(body, 8)}\n", case=case, hint=hint)


@pytest.mark.parametrize(
    ("text", "case", "hint"),
    [
        pytest.param("async def scale():\n    total = 0\n    while True:\n        total += yield total", OFF, "a plain `def` will do", id="async def"),
        pytest.param("def scale():\n    global total\n    total = 0\n    while True:\n        grams = yield total\n        total += grams",
                     TWO, "share their total", id="a global total"),
    ],
)
def test_scale_made_otherwise(taken, text, case, hint):
    refused(taken, "scale", text, case=case, hint=hint)


TWO_REQUESTS, AT_ONCE, EMPTY = "two requests and a result", "a coroutine that never pauses", "requests that are empty"
ANSWERS, FAILS = "what it is answered", "a coroutine that fails"

LOOP = """requests = []
while True:
    try:
        requests.append(coro.send(None))
    except StopIteration as end:
        {}"""


@pytest.mark.parametrize(
    ("body", "case", "hint"),
    [
        pytest.param("return list(coro), None", TWO_REQUESTS, "not an iterator", id="list(coro)"),
        pytest.param("requests = []\nfor x in coro:\n    requests.append(x)\nreturn requests, None", TWO_REQUESTS, "not an iterator", id="for x in coro"),
        pytest.param(LOOP.replace("coro.send(None)", "next(coro)").format("return requests, end.value"), TWO_REQUESTS,
                     "Which method of it resumes it", id="next(coro)"),
        pytest.param(LOOP.replace("None", "'go'").format("return requests, end.value"), TWO_REQUESTS, "at the first press nothing", id="first send('go')"),
        pytest.param(LOOP.replace("None", "").format("return requests, end.value"), TWO_REQUESTS, "one value to bring along", id="send()"),
        pytest.param(LOOP.replace("coro.send(None)", "coro()").format("return requests, end.value"), TWO_REQUESTS, "already made", id="coro()"),
        pytest.param(LOOP.format("return requests, None"), TWO_REQUESTS, "the value that the coroutine returned is lost", id="result None"),
        pytest.param(LOOP.format("break\nreturn requests, None"), TWO_REQUESTS, "is lost", id="break, then None"),
        pytest.param(LOOP.format("return requests"), TWO_REQUESTS, "returns two things", id="requests alone"),
        pytest.param(LOOP.format("return end.value"), TWO_REQUESTS, "where are the requests", id="result alone"),
        pytest.param(LOOP.format("return requests, end"), TWO_REQUESTS, "What is in it", id="the exception as the result"),
        pytest.param(LOOP.format("return end.value, requests"), TWO_REQUESTS, "to come first", id="the wrong way round"),
        pytest.param(LOOP.format("requests.append(end.value)\n        return requests, end.value"), TWO_REQUESTS, "is no request", id="the result among the requests"),
        pytest.param(LOOP.format("requests.append(None)\n        return requests, end.value"), TWO_REQUESTS, "one too many", id="a request too many"),
        pytest.param(LOOP.format("return requests, requests[-1]"), TWO_REQUESTS, "the last request is not the result", id="the last request"),
        pytest.param(LOOP.format("print(requests, end.value)\n        break"), TWO_REQUESTS, "went to the screen", id="prints"),
        pytest.param("return coro.send(None)", TWO_REQUESTS, "one press of play", id="one press"),
        pytest.param("return [coro.send(None)], None", TWO_REQUESTS, "not over", id="one press, as a pair"),
        pytest.param("return [coro.send(None), coro.send(None)], coro.send(None)", TWO_REQUESTS, "the news that you wait for", id="nobody catches it"),
        pytest.param("requests = []\nwhile True:\n    requests.append(coro.send(None))", TWO_REQUESTS, "the news that you wait for", id="for ever"),
        pytest.param("coro.send(None)\n" + LOOP.format("return requests, end.value"), TWO_REQUESTS, "very first press", id="loses the first"),
        pytest.param("while True:\n    try:\n        coro.send(None)\n    except StopIteration as end:\n        return [], end.value", TWO_REQUESTS,
                     "nobody wrote it down", id="no requests"),
        pytest.param(LOOP.format("pass"), TWO_REQUESTS, "is over", id="plays on after the end"),
        pytest.param("import asyncio\nreturn [], asyncio.run(coro)", TWO_REQUESTS, "You looked for a driver", id="asyncio.run"),
        pytest.param("first = coro.send(None)\n" + LOOP.replace("[]", "[first]").format("return requests, end.value"), AT_ONCE, "very first press",
                     id="the first press is not guarded"),
        pytest.param("requests = []\ntry:\n    while request := coro.send(None):\n        requests.append(request)\n    return requests, None\n"
                     "except StopIteration as end:\n    return requests, end.value", EMPTY, "a request like any other", id="stops at an empty one"),
        pytest.param(LOOP.replace("requests.append(coro.send(None))", "request = coro.send(None)\n        if request is not None:\n            requests.append(request)")
                     .format("return requests, end.value"), EMPTY, "a request like any other", id="leaves None out"),
        pytest.param("requests, answer = [], None\nwhile True:\n    try:\n        answer = coro.send(answer)\n        requests.append(answer)\n"
                     "    except StopIteration as end:\n        return requests, end.value", ANSWERS, "every press is to bring `None`", id="answers with the request"),
        pytest.param(LOOP.replace("StopIteration as end", "Exception as end").format("return requests, getattr(end, 'value', None)"), FAILS, "you hid it",
                     id="except Exception"),
        pytest.param(LOOP.replace("StopIteration as end", "Exception as end").format("return requests, end.value"), FAILS, "you hid it",
                     id="except Exception, and its value"),
        pytest.param("requests, result = [], None\ntry:\n    while True:\n        requests.append(coro.send(None))\nexcept StopIteration as end:\n"
                     "    result = end.value\nfinally:\n    return requests, result", FAILS, "you hid it", id="return in finally"),
    ],
)
def test_drive(taken, body, case, hint):
    refused(taken, "drive", f"def drive(coro):\n{indented(body, 4)}\n", case=case, hint=hint)


@pytest.mark.parametrize(
    ("text", "case", "hint"),
    [
        pytest.param("async def drive(coro):\n    return [], await coro", TWO_REQUESTS, "you are to be the driver", id="async def"),
        pytest.param(f"def drive(coro, requests=[]):\n{indented(LOOP.format('return requests, end.value').partition(chr(10))[2], 4)}", AT_ONCE,
                     "still in the list", id="one list for all"),
    ],
)
def test_drive_made_otherwise(taken, text, case, hint):
    refused(taken, "drive", text, case=case, hint=hint)


def test_drive_takes_a_tuple_of_requests_too(taken):
    verdict = check(taken("04", "drive").write(f"def drive(coro):\n{indented(LOOP.format('return tuple(requests), end.value'), 4)}"))
    assert verdict.passed, verdict


PLAIN, MIDDLE, OWN, NONE = "three dishes that pause once each", "one in the middle that is done early", "the list belongs to the caller", "nothing to do"

UNFAIR = """ready, results = list(coros), []
while ready:
    for coro in ready:
        try:
            coro.send(None)
        except StopIteration as end:
            results.append(end.value)
            ready.remove(coro)
return results"""
FAIR = UNFAIR.replace("in ready:", "in list(ready):")
QUEUE = """ready, results = deque(coros), []
while ready:
    coro = ready.popleft()
    try:
        coro.send(None)
        ready.append(coro)
    except StopIteration as end:
        results.append(end.value)
return results"""


@pytest.mark.parametrize(
    ("body", "case", "hint"),
    [
        pytest.param(UNFAIR, PLAIN, "`for` counts places", id="as it was"),
        pytest.param(UNFAIR.replace("ready.remove(coro)", "ready.remove(coro)\n            break"), MIDDLE, "the round begins anew", id="break"),
        pytest.param(UNFAIR.replace("in ready:", "in reversed(ready):"), PLAIN, "begin with the last one", id="reversed"),
        pytest.param(UNFAIR.replace("ready.remove(coro)", "pass"), PLAIN, "What tells you that it has ended", id="removes nobody"),
        pytest.param(UNFAIR.replace("ready.remove(coro)", "return results"), PLAIN, "the others were left standing", id="ends with the first"),
        pytest.param(FAIR.replace("while ready:", "if ready:"), PLAIN, "Until when does a cook go round", id="one round"),
        pytest.param(UNFAIR.replace("            coro.send(None)", "            while True:\n                coro.send(None)").replace("in ready:", "in list(ready):"),
                     PLAIN, "the kitchen to itself", id="no turns at all"),
        pytest.param(QUEUE.replace("popleft", "pop"), PLAIN, "From which end", id="from the wrong end"),
        pytest.param(QUEUE.replace("ready.append(coro)", "ready.appendleft(coro)"), PLAIN, "the kitchen to itself", id="back to the front"),
        pytest.param(QUEUE.replace("results.append(end.value)", "results.append(end)"), PLAIN, "these are the envelopes", id="exceptions as results"),
        pytest.param(QUEUE.replace("return results", "return sorted(results, reverse=True)"), PLAIN, "The first that is *done*", id="another order"),
        pytest.param(QUEUE.replace("return results", "print(results)"), PLAIN, "What does the caller get", id="prints"),
        pytest.param(FAIR.replace("ready, results = list(coros), []", "ready, results = coros, []"), OWN, "Whose list", id="empties the caller's list"),
        pytest.param("while True:\n    pass", PLAIN, "who leaves `ready`", id="spins"),
        pytest.param("return [coro for coro in coros]", PLAIN, "Nobody got a turn", id="plays nobody"),
        pytest.param(FAIR.replace("return results", "return results or None"), NONE, "An empty kitchen", id="None for nothing"),
    ],
)
def test_take_turns(taken, body, case, hint):
    refused(taken, "take_turns", f"def take_turns(coros):\n{indented(body, 4)}\n", case=case, hint=hint)


@pytest.mark.parametrize("body", [QUEUE, QUEUE.replace("popleft()", "pop(0)").replace("deque", "list")], ids=["a deque", "a list as a queue"])
def test_take_turns_with_a_queue(taken, body):
    verdict = check(taken("04", "take_turns").write(f"def take_turns(coros):\n{indented(body, 4)}\n"))
    assert verdict.passed, verdict


def test_the_bug_is_there(taken):
    text = taken("04", "take_turns").stub_text
    assert "def unfair(coros)" in text
    verdict = check(taken("04", "take_turns").write(text.partition("def take_turns")[0].replace("def unfair", "def take_turns")))
    assert verdict.status == "failed" and "a b c a c b" in repr(verdict), verdict
