"""What the exercise of 00 is checked with."""

from __future__ import annotations

from typing import Self

from ..echo import EchoServer
from .engine import Answer, Case, Cases, Seen, exercise, words

BOTH_WAIT = "You reached the server. Then both sides waited for the other to speak. Whose turn is it first?"


@exercise
def two_matches(answer: Answer, case: Cases) -> None:
    with case(
        "two matches, each on a server of its own",
        sent=words("'fifteen' to the first, 'love' to the second"),
        expected=["Echo: fifteen", "Echo: love"],
        hints={
            ConnectionRefusedError: "You stopped the first server, well done, so nobody is left at its address. "
            "Which line asks the second one for its own?",
            RuntimeError: "You made a server. But nobody has started it yet. Which two ways to start one have you seen?",
            TimeoutError: BOTH_WAIT,
            Seen.STUCK: BOTH_WAIT,
            Seen.PRINTED: "The answers came: they are on the screen. But whoever called your function got `None`. "
            "How does a value leave a function?",
        },
    ) as c:
        courts = _courts(c)
        c.equal(
            answer(),
            hints=[
                (["fifteen", "love"], "The right words in the right order. But these you sent. Which line gives you what came back?"),
                (
                    lambda got: any(callable(one) for one in got),
                    "The list holds a method, and nobody has called it. What makes Python call it?",
                ),
                (tuple, "A tuple came back. The exercise asks for a list."),
                (lambda got: len(got) == 1, "The first match is right. What must happen once more?"),
                (lambda got: sorted(got) == ["Echo: fifteen", "Echo: love"], "Both answers are there. Which match came first?"),
            ],
        )
        c.true(
            not any(court.running for court in courts),
            received=words("a server that still listens"),
            hint="Both answers are right. But a server still listens. Who stops it, also if you fail halfway?",
        )
        matches = sum(court.matches for court in courts)
        c.true(
            matches > 0,
            received=words("no server was started"),
            hint="The right words. But no server of yours has said them. Where do they come from?",
        )
        c.true(
            matches == 2,
            received=words(f"servers started: {matches}"),
            hint="Both answers are right. But each match wants a server started for it, and stopped after it. Which one did you call?",
        )


def _courts(c: Case) -> list[EchoServer]:
    """Stand in for the learner's `EchoServer`, and remember each one that is started."""
    courts: list[EchoServer] = []

    class Court(EchoServer):
        matches = 0

        def start(self) -> Self:
            self.matches += not self.running
            if self not in courts:
                courts.append(c.closing(self))
            return super().start()

        def close(self) -> None:
            self.stop()

    c.stand_in(EchoServer=Court)
    return courts
