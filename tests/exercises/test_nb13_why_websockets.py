"""The exercises of 13: their stubs, their solutions, and what learners write instead."""

import pytest

from helpers import check
from helpers.deliveries import Delivery
from helpers.exercises.nb13_why_websockets import REASONS, WANTED, WAYS
from helpers.recording import Event


def wrote(body: str) -> str:
    return f"def bytes_per_event(recording, events):\n    {body}"


RECEIVED = "for e in recording if e.kind == 'received'"
WRONG = [
    (wrote("return sum(len(e.data) for e in recording) / events"), "exactly twice"),
    (wrote("return sum(len(e.data) for e in recording)"), "each of them twice"),
    (wrote(f"return sum(len(e.data) {RECEIVED})"), "How many events do they share"),
    (wrote(f"return sum(len(e.data) {RECEIVED} and e.sender == 'server') / events"), "Who sends those"),
    (wrote(f"return sum(len(e.data) {RECEIVED} and e.sender == 'client') / events"), "what the server sent"),
    (wrote(f"return sum(len(e.data) {RECEIVED} and e.connection == 1) / events"), "cost nothing"),
    (wrote(f"return sum(1 {RECEIVED}) / events"), "You count entries"),
    (wrote("return len(recording) / events"), "You count entries"),
    (wrote(f"return sum(len(e.data) {RECEIVED}) // events"), "keeps it"),
    (wrote(f"return round(sum(len(e.data) {RECEIVED}) / events)"), "keeps it"),
    (wrote(f"return events / sum(len(e.data) {RECEIVED})"), "shared out"),
    (wrote(f"return sum(len(e.data) {RECEIVED}) / events"), "among nobody"),
    (wrote(f"if not events:\n        return 0\n    return sum(len(e.data) {RECEIVED}) / events"), "Is that cheap"),
    (wrote(f"if not events:\n        return 'inf'\n    return sum(len(e.data) {RECEIVED}) / events"), "a text"),
    (wrote(f"if events:\n        return sum(len(e.data) {RECEIVED}) / events"), "without any"),
    (wrote(f"return sum(e.data {RECEIVED}) / events"), "Which function"),
    (wrote(f"return sum(e.size {RECEIVED}) / events"), "no such part"),
    (wrote(f"return [len(e.data) / events {RECEIVED}]"), "one number"),
    (wrote(f"return sum(len(e.data) {RECEIVED} and b'HTTP' in e.data) / (events or 1e-300)"), "two frames"),
]
OTHERS = [
    wrote("total = 0\n    for e in recording:\n        if e.kind == 'passed':\n            total += len(e.data)\n    return total / events if events else float('inf')"),
    wrote(f"import math\n    return math.inf if events == 0 else len(b''.join(e.data {RECEIVED})) / events"),
]


@pytest.mark.parametrize("name", ["bytes_per_event", "choose"])
def test_stub_and_solution(taken, name):
    assert check(taken("13", name).stub).status == "not yet"
    verdict = check(taken("13", name).solution)
    assert verdict.passed, verdict


@pytest.mark.parametrize("text, hint", WRONG)
def test_wrong(taken, text, hint):
    verdict = check(taken("13", "bytes_per_event").write(text))
    assert verdict.status == "failed" and hint in verdict.hint, verdict


@pytest.mark.parametrize("text", OTHERS)
def test_another_way_that_is_right(taken, text):
    verdict = check(taken("13", "bytes_per_event").write(text))
    assert verdict.passed, verdict


def chosen(taken, changes, **names):
    choice = {**WANTED, **changes}
    return check(taken("13", "choose").write(f"def choose():\n    return {choice!r}", **names))


CHOICES = [
    ({"scores": ("WebSocket", "a point")}, "both came equally soon"),
    ({"scores": ("WebSocket", "late")}, "both came equally soon"),
    ({"scores": ("polling", "late")}, "leaning lines"),
    ({"scores": ("server-sent events", "late")}, "it was as soon"),
    ({"scores": ("server-sent events", "a point")}, "no reason against it"),
    ({"scores": ("server-sent events", "cache")}, "ties in your table"),
    ({"game": ("server-sent events", "late")}, "by POST"),
    ({"game": ("WebSocket", "late")}, "came as soon"),
    ({"weather": ("WebSocket", "late")}, "in the server's place"),
    ({"weather": ("server-sent events", "cache")}, "in the server's place"),
    ({"weather": ("polling", "late")}, "permits polling"),
    ({"siren": ("WebSocket", "late")}, "come to an end"),
    ({"siren": ("polling", "silence")}, "silent seconds"),
    ({"siren": ("long polling", "late")}, "without an alarm"),
    ({"ticket": ("WebSocket", "status")}, "begin with"),
    ({"ticket": ("one request", "cache")}, "same seat twice"),
    ({"scores": ("SSE", "a point")}, "'SSE' is on neither"),
    ({"scores": ("server-sent events", "latency")}, "'latency' is on neither"),
    ({"weather": ("one request", "cache")}, "the page stays open"),
    ({"scores": ("a point", "server-sent events")}, "comes first"),
    ({"scores": "server-sent events"}, "a pair"),
    ({"score": ("server-sent events", "a point")}, "Keys stay"),
]


@pytest.mark.parametrize("changes, hint", CHOICES)
def test_wrong_choices(taken, changes, hint):
    verdict = chosen(taken, changes)
    assert verdict.status == "failed" and hint in verdict.hint, verdict


def test_every_wrong_choice_gets_a_question(taken):
    for situation, (way, why) in WANTED.items():
        for other in WAYS:
            for reason in REASONS:
                if (other, reason) != (way, why):
                    hint = chosen(taken, {situation: (other, reason)}).hint
                    assert "?" in hint and "4 of 5 are right" in hint, (situation, other, reason, hint)


def test_the_numbers_are_those_of_the_learners_run(taken):
    def took(client, server):
        said = [Event(0, 1, "client", "received", b"c" * client), Event(0, 1, "server", "received", b"s" * server)]
        return Delivery([(0.0, 0.1)] * 10, said)

    run = {
        "deliveries": {way: took(100 * place, 1230) for place, way in enumerate(WAYS[:4])},
        "silent": {"polling": took(4000, 3777)},
        "talks": {"events and POST": took(9990, 1), "WebSocket": took(50, 1)},
    }
    assert "took 153 bytes" in chosen(taken, {"scores": ("WebSocket", "a point")}, **run).hint
    assert "7777 bytes" in chosen(taken, {"siren": ("polling", "silence")}, **run).hint
    assert "999 bytes by POST" in chosen(taken, {"game": ("server-sent events", "late")}, **run).hint
