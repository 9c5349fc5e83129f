"""The kernel to throw away: the fate of each cell, and that nothing of it is left."""

from __future__ import annotations

import asyncio
import os
import tempfile
from pathlib import Path

import psutil
import pytest

from helpers.throwaway import Fate, run_all


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the kernels of a test have their folders. Not in pytest's own: a socket's path has a hundred characters at most."""
    with tempfile.TemporaryDirectory(prefix="t") as short:
        monkeypatch.setattr(tempfile, "tempdir", short)
        yield Path(short)


def test_cells_run_in_their_order_and_end_well_or_not(folders: Path, nothing_left: None) -> None:
    cells = ["import sys; here = 1", "print(here); print('noise', file=sys.stderr)", "1 / 0"]

    async def main() -> list[Fate]:
        return await run_all(cells)

    fates = asyncio.run(main())
    assert [fate.code for fate in fates] == cells
    assert [fate.status for fate in fates] == ["ran", "ran", "failed"]
    assert fates[1].printed == "1\n"
    assert fates[1].noise == "noise\n"
    assert list(folders.iterdir()) == []
    assert psutil.Process().children() == []


def test_cells_that_a_nested_loop_drops_are_lost_and_those_of_its_fork_are_not(folders: Path, nothing_left: None) -> None:
    def cells(package: str) -> list[str]:
        return [f"import asyncio, {package}; {package}.apply()"] + ["print(asyncio.run(asyncio.sleep(0.05, 'ran')))"] * 4

    async def main() -> list[list[Fate]]:
        return await asyncio.gather(*[run_all(cells(package)) for package in ("nest_asyncio", "nest_asyncio2")])

    old, new = asyncio.run(main())
    assert [fate.status for fate in old] == ["ran", "ran", "lost", "lost", "lost"]
    assert "cannot enter context" in old[1].noise
    assert all(fate.printed == "" for fate in old[2:])
    assert [fate.status for fate in new] == ["ran"] * 5
    assert not any(fate.noise for fate in new)


def test_a_cell_that_takes_longer_than_the_limit_is_lost_and_ends_with_its_kernel(folders: Path, nothing_left: None) -> None:
    async def main() -> list[Fate]:
        return await run_all(["print('a')", "print('b', flush=True); import time; time.sleep(60)"], limit=2.0)

    fates = asyncio.run(main())
    assert [fate.status for fate in fates] == ["ran", "lost"]
    assert [fate.printed for fate in fates] == ["a\n", "b\n"]
    assert psutil.Process().children() == []


def test_a_cell_that_never_stops_writing_does_not_keep_it_past_the_limit(folders: Path, nothing_left: None) -> None:
    async def main() -> list[Fate]:
        async with asyncio.timeout(20):
            return await run_all(["while True: print('again', flush=True)"], limit=2.0)

    [fate] = asyncio.run(main())
    assert fate.status == "lost"
    assert fate.printed.startswith("again\n")


def test_no_garbage_is_collected_meanwhile(folders: Path) -> None:
    """A dropped cell's task, collected by the thread that publishes, could hold up the cell that waits for this thread."""
    circles = "class Circle:\n    def __init__(self): self.itself = self\n    def __del__(self): print('collected', flush=True)\n"

    async def main() -> list[Fate]:
        return await run_all([circles + "for _ in range(2_000): Circle()", "print('end')"])

    assert [fate.printed for fate in asyncio.run(main())] == ["", "end\n"]


def test_cancelled_it_leaves_nothing(folders: Path, nothing_left: None) -> None:
    async def main() -> None:
        running = asyncio.create_task(run_all(["import time; time.sleep(60)"]))
        while not psutil.Process().children():
            await asyncio.sleep(0.01)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    asyncio.run(main())
    assert psutil.Process().children() == []
    assert list(folders.iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="Windows has no sockets in a folder")
def test_it_is_reached_without_ports_that_others_could_take(folders: Path) -> None:
    cell = "from ipykernel import get_connection_info; print(get_connection_info(unpack=True)['transport'])"

    async def main() -> list[Fate]:
        return await run_all([cell])

    assert asyncio.run(main())[0].printed == "ipc\n"
