"""The exercise of notebook 27: ten symptoms and their terms."""

from __future__ import annotations

from .engine import Answer, Cases, exercise, words

TERMS = {
    1: "stream",
    2: "hang-up",
    3: "refused",
    4: "coroutine",
    5: "pause",
    6: "task",
    7: "blocking",
    8: "return",
    9: "round trip",
    10: "id",
}

HINTS = [
    ((2, "refused"), "In symptom 2 the call went through once. Who ended it, and how does `recv` say so (01)?"),
    ((3, "hang-up"), "In symptom 3 nobody ever picked up. What does the system answer when no program listens (00, 01)?"),
    ((4, "task"), "A task would have run. What do you hold when you call an `async def` and do nothing else (04)?"),
    ((4, "pause"), "It could not even pause, for it never began. What does the call of an `async def` give you (04)?"),
    ((5, "blocking"), "In symptom 5 no call holds up the thread. What must an `await` really do, so that another one gets its turn (04)?"),
    ((5, "task"), "The tasks are there in symptom 5. What must the running one do, so that another gets its turn (04)?"),
    ((6, "pause"), "In symptom 6 both pause as they should. But the second has not been started while the first waits. What would start it (06)?"),
    ((6, "coroutine"), "Coroutines they are in symptom 6. What makes one run while you do something else (06)?"),
    ((7, "pause"), "`time.sleep` is no pause that the loop could use. What does it do to the thread instead (06)?"),
    ((8, "hang-up"), "A hang-up it was, in symptom 8. But who ordered it, with which word of the handler (09)?"),
    ((8, "refused"), "In symptom 8 the line was open before. What did the handler do after the first message (09)?"),
    ((9, "blocking"), "In symptom 9 nothing is held up; each question waits for its answer. What did you pay ten times (12)?"),
    ((9, "pause"), "In symptom 9 the time goes on the line. What did you pay ten times (12)?"),
    ((10, "stream"), "A stream keeps its order, symptom 10 does not. What tells which answer belongs to which question (12)?"),
    ((1, "round trip"), "In symptom 1 nothing came late. Which promise about borders does TCP not give (01)?"),
    (1, "Which promise about borders does TCP not give (01)?"),
    (2, "What does `b''` from `recv` mean (01)?"),
    (3, "What does the system answer when no program listens at an address (00, 01)?"),
    (4, "What do you hold after calling an `async def` (04)?"),
    (5, "What must an `await` really do, so that another coroutine gets its turn (04)?"),
    (6, "What runs beside you, without your waiting for it (06)?"),
    (7, "What kind of call waits and keeps its thread for itself (06)?"),
    (8, "Which word ends a handler, and with it the connection (09)?"),
    (9, "What do you pay once for each question when you wait for its answer (12)?"),
    (10, "What does an answer repeat, so that it finds its question (12)?"),
]


@exercise
def match_terms(answer: Answer, case: Cases) -> None:
    with case("ten symptoms, ten terms", expected=words("a term for each of the symptoms 1 to 10")) as c:
        got = answer()
        c.match(got, TERMS, hints=HINTS, hint="Take the terms from the list, each as a text.")
