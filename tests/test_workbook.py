"""The learner's copy: made once, added to, never overwritten, given afresh on request."""

import errno
import json
import os
from pathlib import Path

import pytest
from tiny_course import code, make_tiny_course, markdown, nobodys_workbook, read_cells, write_notebook  # noqa: F401

from helpers.course import main
from helpers.course.places import CourseError, find_notebooks, write_new
from helpers.course.workbook import ORIGINALS, prepare, reset


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make_tiny_course(tmp_path / "checkout")


@pytest.fixture
def notebooks(root: Path) -> Path:
    return root / "notebooks"


@pytest.fixture
def workbook(root: Path) -> Path:
    return root / "workbook"


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def edit(path: Path) -> bytes:
    """What a learner's work looks like to us: other bytes."""
    path.write_bytes(path.read_bytes().replace(b"print", b"# mine\\nprint").replace(b"1 + 1", b"2 + 2"))
    return path.read_bytes()


# --- making and keeping


def test_copies_are_made_without_outputs(notebooks: Path, workbook: Path) -> None:
    before = files(notebooks)
    assert prepare(notebooks, workbook).made == ["00_start_here", "05_event_loop"]
    assert sorted(files(workbook)) == [ORIGINALS, "00_start_here.ipynb", "05_event_loop.ipynb"]
    start, loop = read_cells(workbook / "00_start_here.ipynb"), read_cells(workbook / "05_event_loop.ipynb")
    assert (start[1]["outputs"], start[1]["execution_count"]) == ([], None)
    assert start[1]["source"] == "print('hello')"
    assert loop[0] == markdown("# Löop")
    assert files(notebooks) == before


def test_a_copy_is_never_overwritten(notebooks: Path, workbook: Path) -> None:
    prepare(notebooks, workbook)
    mine = edit(workbook / "05_event_loop.ipynb")
    before = files(workbook)
    again = prepare(notebooks, workbook)
    assert (again.made, again.newer) == ([], [])
    assert files(workbook) == before
    assert (workbook / "05_event_loop.ipynb").read_bytes() == mine


def test_a_new_notebook_is_added(notebooks: Path, workbook: Path) -> None:
    prepare(notebooks, workbook)
    mine = edit(workbook / "05_event_loop.ipynb")
    write_notebook(notebooks / "06_asyncio.ipynb", code("2"))
    assert prepare(notebooks, workbook).made == ["06_asyncio"]
    assert (workbook / "05_event_loop.ipynb").read_bytes() == mine


def test_a_file_that_the_learner_put_there_stays(notebooks: Path, workbook: Path) -> None:
    workbook.mkdir()
    (workbook / "05_event_loop.ipynb").write_text("my own")
    assert prepare(notebooks, workbook).made == ["00_start_here"]
    assert (workbook / "05_event_loop.ipynb").read_text() == "my own"


# --- newer than the copy


def test_a_notebook_with_another_text_is_newer_than_its_copy(notebooks: Path, workbook: Path) -> None:
    prepare(notebooks, workbook)
    write_notebook(notebooks / "05_event_loop.ipynb", markdown("# Löop"), code("1 + 1 # better"))
    assert prepare(notebooks, workbook).newer == ["05_event_loop"]
    assert prepare(notebooks, workbook).newer == ["05_event_loop"], "said once, and forgotten"
    reset(notebooks / "05_event_loop.ipynb", workbook)
    assert prepare(notebooks, workbook).newer == []


def test_other_outputs_or_another_date_are_not_newer(notebooks: Path, workbook: Path) -> None:
    prepare(notebooks, workbook)
    original = notebooks / "05_event_loop.ipynb"
    original.write_bytes(original.read_bytes().replace(b"stored before", b"stored later"))
    os.utime(original, (4e9, 4e9))
    os.utime(workbook / "00_start_here.ipynb", (1, 1))
    assert prepare(notebooks, workbook).newer == []


@pytest.mark.parametrize("spoilt", [None, "", "no JSON", "[1]", "7"])
def test_a_lost_memory_is_no_news(notebooks: Path, workbook: Path, spoilt: str | None) -> None:
    prepare(notebooks, workbook)
    if spoilt is None:
        (workbook / ORIGINALS).unlink()
    else:
        (workbook / ORIGINALS).write_text(spoilt)
    assert prepare(notebooks, workbook).newer == []
    write_notebook(notebooks / "05_event_loop.ipynb", code("1 + 1 # better"))
    assert prepare(notebooks, workbook).newer == ["05_event_loop"]


# --- reset


def test_reset_keeps_the_old_copy_beside_the_fresh_one(notebooks: Path, workbook: Path) -> None:
    prepare(notebooks, workbook)
    copy = workbook / "05_event_loop.ipynb"
    fresh, first = copy.read_bytes(), edit(copy)
    kept = reset(notebooks / "05_event_loop.ipynb", workbook)
    assert kept is not None and kept.name == "05_event_loop.kept-1.ipynb"
    assert (copy.read_bytes(), kept.read_bytes()) == (fresh, first)

    second = edit(copy)
    assert reset(notebooks / "05_event_loop.ipynb", workbook).name == "05_event_loop.kept-2.ipynb"  # type: ignore[union-attr]
    assert files(workbook)["05_event_loop.kept-1.ipynb"] == first
    assert files(workbook)["05_event_loop.kept-2.ipynb"] == second
    assert prepare(notebooks, workbook).made == [], "a kept copy is no notebook of the course"


def test_reset_makes_a_copy_where_there_is_none(notebooks: Path, workbook: Path) -> None:
    assert reset(notebooks / "05_event_loop.ipynb", workbook) is None
    assert sorted(files(workbook)) == [ORIGINALS, "05_event_loop.ipynb"]


def test_several_are_reset_at_once(root: Path, workbook: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["workbook"], root=root) == 0
    capsys.readouterr()
    assert main(["reset", "0", "05"], root=root) == 0
    assert capsys.readouterr().out == (
        "00_start_here is fresh; the old one is 00_start_here.kept-1.ipynb.\n"
        "05_event_loop is fresh; the old one is 05_event_loop.kept-1.ipynb.\n"
    )


@pytest.mark.parametrize("name", ["5", "05", "05_event_loop", "05_event_loop.ipynb", "workbook/05_event_loop.ipynb"])
def test_a_notebook_has_many_names(notebooks: Path, name: str) -> None:
    assert find_notebooks([name, name], notebooks) == [notebooks / "05_event_loop.ipynb"]


@pytest.mark.parametrize("name", ["7", "005x", "event_loop", "scratch", "²", ""])
def test_an_unknown_notebook_is_named_with_those_that_exist(
    root: Path, workbook: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    prepare(root / "notebooks", workbook)
    before = files(workbook)
    assert main(["reset", "00", name], root=root) == 2
    out, err = capsys.readouterr()
    assert (out, err) == ("", f"course: There is no notebook {name!r}. There are: 00_start_here, 05_event_loop.\n")
    assert files(workbook) == before, "nothing is reset when one of the names is wrong"


# --- a disk that doesn't do what one wants


def test_on_a_disk_without_links_too(notebooks: Path, workbook: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_links(*_: object) -> None:
        raise OSError(errno.EOPNOTSUPP, "Operation not supported")

    monkeypatch.setattr(os, "link", no_links)
    monkeypatch.setattr(os, "rename", no_links)
    assert prepare(notebooks, workbook).made == ["00_start_here", "05_event_loop"]
    mine = edit(workbook / "05_event_loop.ipynb")
    assert prepare(notebooks, workbook).made == []
    assert (workbook / "05_event_loop.ipynb").read_bytes() == mine


def test_a_full_disk_leaves_no_half_file(
    root: Path, workbook: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_bytes = Path.write_bytes

    def half(path: Path, data: bytes) -> int:
        write_bytes(path, data[: len(data) // 2])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", half)
    assert main(["workbook"], root=root) == 1
    assert capsys.readouterr().err == "course: [Errno 28] No space left on device\n"
    assert files(workbook) == {}


def test_who_comes_second_does_not_overwrite(tmp_path: Path) -> None:
    assert write_new(tmp_path / "copy", b"first")
    assert not write_new(tmp_path / "copy", b"second")
    assert files(tmp_path) == {"copy": b"first"}


def test_a_folder_that_is_a_file_is_refused_with_a_way_out(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / "workbook").write_text("a file")
    assert main(["workbook"], root=root) == 1
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1
    assert "can't be written" in err and "course --workbook FOLDER" in err and "COURSE_WORKBOOK" in err


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="Windows has no read-only folders")
def test_a_read_only_checkout_is_refused_with_a_way_out(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = tmp_path / "mine"
    mine.mkdir(mode=0o777)
    mine.chmod(0o777)
    for folder in [tmp_path, *tmp_path.parents[:-2]]:
        folder.chmod(folder.stat().st_mode | 0o055)
    root.chmod(0o555)
    as_root = os.geteuid() == 0
    if as_root:
        os.seteuid(65534)  # the system lets root write everywhere
    try:
        assert main(["workbook"], root=root) == 1
        err = capsys.readouterr().err
        assert err.count("\n") == 1 and "can't be written" in err and "course --workbook FOLDER" in err
        assert main(["workbook", "--workbook", str(mine / "deep" / "inside")], root=root) == 0
        monkeypatch.setenv("COURSE_WORKBOOK", str(mine / "named"))
        assert main(["workbook"], root=root) == 0
    finally:
        if as_root:
            os.seteuid(0)
        root.chmod(0o755)
    assert sorted(path.name for path in mine.iterdir()) == ["deep", "named"]
    assert (mine / "named" / "00_start_here.ipynb").exists()


@pytest.mark.parametrize("spoilt", [b"no JSON", b"\xff\xfe", b"[]", json.dumps({"cells": [{}]}).encode()])
def test_a_spoilt_original_is_named(notebooks: Path, workbook: Path, spoilt: bytes) -> None:
    (notebooks / "05_event_loop.ipynb").write_bytes(spoilt)
    with pytest.raises(CourseError, match=r"05_event_loop\.ipynb.* can't be read as a notebook"):
        prepare(notebooks, workbook)
