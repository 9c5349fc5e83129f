"""The limit on open files, raised as far as it may be, and what fits into it."""

import socket
import subprocess
import sys

import pytest

from helpers import limits


def test_the_limit_is_raised_and_never_lowered() -> None:
    first = limits.raise_open_files()
    assert first >= 256
    assert limits.raise_open_files() == first


RAISED_IN_A_PROCESS = """
import resource
from helpers.limits import raise_open_files
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard} or hard))
print(raise_open_files(), resource.getrlimit(resource.RLIMIT_NOFILE)[0])
"""


def in_a_process(soft: int, hard: int | None = None) -> list[int]:
    code = RAISED_IN_A_PROCESS.format(soft=soft, hard=hard)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    return [int(word) for word in done.stdout.split()]


@pytest.mark.skipif(limits.resource is None, reason="Windows has no limit to raise")
class TestInAProcess:
    def test_a_low_limit_goes_up(self) -> None:
        said, real = in_a_process(soft=128)
        assert said == real > 128

    def test_no_further_than_the_hard_limit(self) -> None:
        assert in_a_process(soft=128, hard=300) == [300, 300]

    def test_what_is_above_the_cap_is_left_alone(self) -> None:
        _, hard = limits.resource.getrlimit(limits.resource.RLIMIT_NOFILE)
        high = limits._WANTED + 1_000
        if hard != limits.resource.RLIM_INFINITY and hard < high:
            high = hard
        assert in_a_process(soft=high) == [high, high]


def test_a_system_that_refuses_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    class Refuses:
        RLIMIT_NOFILE, RLIM_INFINITY = 7, -1

        def getrlimit(self, which: int) -> tuple[int, int]:
            return 256, -1

        def setrlimit(self, which: int, limits: tuple[int, int]) -> None:
            raise ValueError("current limit exceeds maximum limit")

    monkeypatch.setattr(limits, "resource", Refuses())
    assert limits.raise_open_files() == 256


def test_where_there_is_no_limit_the_number_is_big(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "resource", None)
    assert limits.raise_open_files() >= 100_000
    assert limits.connections_that_fit() >= 10_000


def test_a_connection_counts_twice_when_both_its_ends_are_here() -> None:
    both, one = limits.connections_that_fit(), limits.connections_that_fit(per_connection=1)
    assert both == one // 2


@pytest.mark.skipif(limits.resource is None, reason="Windows has no limit")
def test_what_is_open_already_does_not_fit_again() -> None:
    before = limits.connections_that_fit(per_connection=1)
    ends = [end for _ in range(5) for end in socket.socketpair()]
    try:
        assert limits.connections_that_fit(per_connection=1) == before - 10
    finally:
        for end in ends:
            end.close()
    assert limits.connections_that_fit(per_connection=1) == before


def test_it_is_never_less_than_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "raise_open_files", lambda: 10)
    assert limits.connections_that_fit() == 0


@pytest.mark.parametrize("wrong", [0, -1])
def test_a_connection_costs_something(wrong: int) -> None:
    with pytest.raises(ValueError, match="1 or more"):
        limits.connections_that_fit(per_connection=wrong)
