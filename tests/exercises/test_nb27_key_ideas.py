"""The exercise of 27: its stub, its solution, and terms that learners mix up."""

import pytest

from helpers import check
from helpers.exercises.nb27_key_ideas import TERMS

SWAPPED = [
    ({2: "refused", 3: "hang-up"}, "the call went through once"),
    ({4: "task", 6: "coroutine"}, "What do you hold"),
    ({5: "blocking", 7: "pause"}, "no call holds up the thread"),
    ({6: "pause", 5: "task"}, "The tasks are there"),
    ({8: "hang-up", 2: "return"}, "What does `b''`"),
    ({9: "blocking", 7: "round trip"}, "keeps its thread"),
    ({10: "stream", 1: "id"}, "about borders"),
    ({10: "ID"}, "What does an answer repeat"),
]


def test_stub(taken):
    assert check(taken("27", "match_terms").stub).status == "not yet"


def test_solution(taken):
    verdict = check(taken("27", "match_terms").solution)
    assert verdict.passed, verdict


@pytest.mark.parametrize("swapped, hint", SWAPPED)
def test_swapped(taken, swapped, hint):
    verdict = check(taken("27", "match_terms").write(f"def match_terms():\n    return {TERMS | swapped!r}"))
    assert verdict.status == "failed" and hint in verdict.hint, verdict


@pytest.mark.parametrize(
    "text, hint",
    [
        ("def match_terms():\n    return {}", "from the list"),
        ("def match_terms():\n    return ['stream']", ""),
        (f"def match_terms():\n    print({TERMS!r})", ""),
    ],
)
def test_shape(taken, text, hint):
    verdict = check(taken("27", "match_terms").write(text))
    assert verdict.status == "failed" and verdict.hint and hint in verdict.hint, verdict
