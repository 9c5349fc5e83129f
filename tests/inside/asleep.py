"""Says when the thread of a cell has begun to wait: imported inside the kernel under test.

An interrupt is a signal. Python notes it between two instructions, and a wait that has begun ends by it; what comes in
the microseconds between is noted only after the wait. A reader never hits them. A test that presses the button as soon
as the cell has printed something aims at them, and hits once in some ten thousand times.
"""

import sys
import threading
import time

from helpers.exercises.lines import wants_to_run

LOOKS = 10


def tell(words: str) -> None:
    """Print `words` once the calling thread waits: found at the same instruction, and not running, at all of ten looks."""
    threading.Thread(target=_watch, args=(threading.current_thread(), words)).start()


def _watch(thread: threading.Thread, words: str) -> None:
    place, looks = None, 0
    while looks < LOOKS:
        time.sleep(0.002)
        before, place = place, _place(thread)
        looks = looks + 1 if place == before and not wants_to_run(thread) else 0
    print(words, flush=True)


def _place(thread: threading.Thread) -> tuple[object, int]:
    frame = sys._current_frames()[thread.ident]
    return frame.f_code, frame.f_lasti
