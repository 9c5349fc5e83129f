"""The learner's copy of the notebooks: made with outputs cleared, never overwritten."""

import hashlib
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path

from .places import CourseError, notebooks_in, write_new, write_whole

ORIGINALS = ".originals.json"  # in the workbook: which text of the original each copy was made from


@dataclass(frozen=True)
class Prepared:
    """What `prepare` did: the names of the copies it made, and of the notebooks that are newer than their copies."""

    made: list[str]
    newer: list[str]


def prepare(notebooks: Path, workbook: Path) -> Prepared:
    """Make the learner's copy of every notebook that has none yet. What is there already is left as it is.

    CourseError when the workbook's folder can't be written.
    """
    open_folder(workbook)
    originals = _read_originals(workbook)
    made, newer = [], []
    for original in notebooks_in(notebooks):
        copy = cleared(original)
        mark = _mark(copy)
        if write_new(workbook / original.name, copy):
            made.append(original.stem)
            originals[original.name] = mark
        elif originals.setdefault(original.name, mark) != mark:
            newer.append(original.stem)
    _write_originals(workbook, originals)
    return Prepared(made, newer)


def reset(original: Path, workbook: Path) -> Path | None:
    """Put a fresh copy of one notebook into the workbook, and keep the old one beside it under a new name.

    Returns the kept file (05_event_loop.kept-1.ipynb, or the next free number), None when there was no old one.
    CourseError when the workbook's folder can't be written.
    """
    open_folder(workbook)
    copy = cleared(original)
    target = workbook / original.name
    kept = _keep(target) if target.exists() else None
    write_whole(target, copy)
    originals = _read_originals(workbook)
    originals[original.name] = _mark(copy)
    _write_originals(workbook, originals)
    return kept


def cleared(original: Path) -> bytes:
    """The notebook's file without outputs and execution counts. CourseError when it is no notebook."""
    try:
        notebook = json.loads(original.read_bytes())
        for cell in notebook["cells"]:
            if cell["cell_type"] == "code":
                cell["outputs"], cell["execution_count"] = [], None
    except (ValueError, KeyError, TypeError) as error:
        raise CourseError(f"{original} can't be read as a notebook ({error!r}). Get a fresh one: git restore it.") from None
    return (json.dumps(notebook, indent=1, ensure_ascii=False) + "\n").encode()


def open_folder(workbook: Path) -> None:
    """Make the folder if it is missing. CourseError when it can't be made, or when nothing can be written in it."""
    probe(workbook)
    workbook.mkdir(parents=True, exist_ok=True)


def probe(workbook: Path) -> None:
    """Try to write where the workbook is, or will be. CourseError, which says what to do, when that fails."""
    there = next(folder for folder in (workbook, *workbook.parents) if folder.exists())
    try:
        tempfile.TemporaryFile(dir=there).close()
    except OSError as error:
        raise CourseError(f"Your copy can't be written to {workbook} ({error.strerror}). Name a folder of yours: "
                          "`course --workbook FOLDER`, or set COURSE_WORKBOOK.") from None


def _keep(copy: Path) -> Path:
    number = 1
    while not write_new(kept := copy.with_name(f"{copy.stem}.kept-{number}.ipynb"), copy.read_bytes()):
        number += 1
    return kept


def _mark(copy: bytes) -> str:
    return hashlib.sha256(copy).hexdigest()


def _read_originals(workbook: Path) -> dict[str, str]:
    try:
        return dict(json.loads((workbook / ORIGINALS).read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return {}  # lost or spoilt: the copies count as made from today's notebooks


def _write_originals(workbook: Path, originals: dict[str, str]) -> None:
    write_whole(workbook / ORIGINALS, (json.dumps(originals, indent=1, sort_keys=True) + "\n").encode())
