"""What a table of servers is made of: lines of code, the longest wait, a silent caller; and cores kept busy."""

import asyncio
import time

import pytest

from helpers import servers
from helpers.costs import Cost
from helpers.cores import busy_cores
from helpers.tryout import TriedOut, code_lines, try_out


def wordy(listener):
    """A docstring
    of two lines."""
    # a comment

    text = """two
    lines"""
    return (
        listener,  # behind code
        text,
    )


def brief(listener): return listener  # noqa: E704


def test_lines_of_code_are_counted_without_words_for_readers() -> None:
    assert code_lines(brief) == 1
    assert code_lines(wordy) == 1 + 2 + 4
    assert code_lines(wordy, brief) == 8


def test_one_at_a_time_minds_a_silent_caller_and_threads_do_not() -> None:
    one, threads = try_out(servers.one_at_a_time, servers.answer), try_out(servers.thread_each)
    assert one.minds_silence and not threads.minds_silence
    assert one.worst_wait > threads.worst_wait
    assert one.code_lines == code_lines(servers.one_at_a_time) + code_lines(servers.answer)


def test_its_row() -> None:
    costs = [Cost(10, 2**20, 1e-5), Cost(1034, 2 * 2**20, 1e-5)]
    assert TriedOut(8, None, 0.6104, True).row() == {
        "lines of code": "8",
        "memory per caller": "one caller only",
        "worst wait": "610 ms",
        "a silent caller": "× others wait",
    }
    tried = try_out(servers.thread_each, costs=costs)
    assert tried.memory == pytest.approx(1024)
    assert tried.row()["memory per caller"] == "1.0 KiB" and tried.row()["a silent caller"] == "others go on"


def test_calculations_in_threads_share_one_core_and_waits_need_none() -> None:
    assert asyncio.run(busy_cores(lambda: sum(number * number for number in range(100_000)))) < 1.5
    assert asyncio.run(busy_cores(lambda: time.sleep(0.2))) < 0.5


def test_what_the_job_raises_comes_out() -> None:
    with pytest.raises(ZeroDivisionError):
        asyncio.run(busy_cores(lambda: 1 // 0))
