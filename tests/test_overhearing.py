"""What is overheard, and that everything is as before afterwards."""

import asyncio
import logging
import warnings

import pytest

from helpers.overhearing import overheard


async def ring() -> None:
    """Nothing."""


async def burn() -> None:
    raise ValueError("burnt")


def test_a_coroutine_that_was_never_awaited_each_time() -> None:
    with overheard() as said:
        for _ in range(2):
            ring()
    assert said == ["RuntimeWarning: coroutine 'ring' was never awaited"] * 2


def test_an_exception_that_nobody_asked_for() -> None:
    async def main() -> list[str]:
        with overheard() as said:
            task = asyncio.create_task(burn())
            await asyncio.sleep(0)
            assert task.done() and said == []
            del task
        return said

    assert asyncio.run(main()) == ["Task exception was never retrieved: ValueError: burnt"]


def test_a_line_of_the_log_is_its_first_line() -> None:
    with overheard() as said:
        logging.getLogger("asyncio").warning("Executing %s took %.3f seconds\nand more", "<Task>", 0.2)
        logging.getLogger("another").debug("not asyncio's")
    assert said == ["Executing <Task> took 0.200 seconds"]


def test_everything_goes_where_it_went_before(caplog: pytest.LogCaptureFixture) -> None:
    log = logging.getLogger("asyncio")
    before = warnings.showwarning, list(warnings.filters), list(log.handlers), log.propagate
    with pytest.raises(ValueError, match="burnt"), overheard() as said:
        raise ValueError("burnt")
    assert (warnings.showwarning, list(warnings.filters), list(log.handlers), log.propagate) == before
    log.warning("after")
    with pytest.warns(UserWarning, match="after"):
        warnings.warn("after", stacklevel=1)
    assert said == []
    assert "after" in caplog.text


def test_nothing_is_written_meanwhile(capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> None:
    with overheard() as said:
        logging.getLogger("asyncio").error("a")
        warnings.warn("b", stacklevel=1)
    assert said == ["a", "UserWarning: b"]
    assert capfd.readouterr() == ("", "")
    assert caplog.text == ""
