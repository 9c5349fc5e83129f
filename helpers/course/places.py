"""Where the course lies, what its notebooks are called, and how a file is written in one piece."""

import os
import secrets
from collections.abc import Iterable
from pathlib import Path


class CourseError(Exception):
    """Something a person can put right; its text is one line that says what and how.

    `status` is the exit code: 2 when the command was asked for something that doesn't exist, 1 otherwise.
    """

    def __init__(self, text: str, status: int = 1) -> None:
        super().__init__(text)
        self.status = status


def course_root() -> Path:
    """The folder of the checkout, found from where this package lies, so that `course` works from any folder.

    CourseError when there are no notebooks beside the package: then it was installed without them.
    """
    root = Path(__file__).resolve().parents[2]
    if not (root / "notebooks").is_dir():
        raise CourseError(f"There is no folder of notebooks in {root}. Install the course from its checkout: "
                          "`uv sync` or `pip install -e .` there.")
    return root


def workbook_of(root: Path) -> Path:
    """The learner's folder: what COURSE_WORKBOOK names, else workbook/ in the checkout."""
    named = os.environ.get("COURSE_WORKBOOK")
    return Path(named).expanduser().resolve() if named else root / "workbook"


def notebooks_in(folder: Path) -> list[Path]:
    """The numbered notebooks of a folder, NN_topic.ipynb, in reading order; kept copies and others are left out."""
    return sorted(folder.glob("[0-9][0-9]_*.ipynb"))


def find_notebooks(names: Iterable[str], folder: Path) -> list[Path]:
    """The notebooks of `folder` that are meant by numbers (5, 05), names (05_event_loop) or files (05_event_loop.ipynb).

    CourseError with status 2 for a name that fits none; its text says which there are.
    """
    notebooks = notebooks_in(folder)
    found = []
    for name in names:
        stem = Path(name).name.removesuffix(".ipynb")
        wanted = [path for path in notebooks
                  if path.stem == stem or (stem.isdecimal() and path.name.startswith(f"{int(stem):02}_"))]
        if not wanted:
            there = ", ".join(path.stem for path in notebooks) or "none"
            raise CourseError(f"There is no notebook {name!r}. There are: {there}.", status=2)
        found += [path for path in wanted if path not in found]
    return found


def _write_aside(path: Path, data: bytes) -> Path:
    """Write `data` into a new hidden file in the folder of `path`, and return that file."""
    aside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        aside.write_bytes(data)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise
    return aside


def write_whole(path: Path, data: bytes) -> None:
    """Write a file in one piece: whoever reads meanwhile sees the old file or the new one, never half of it."""
    os.replace(_write_aside(path, data), path)


def write_new(path: Path, data: bytes) -> bool:
    """Write a file in one piece unless something of that name exists; say whether it was written."""
    aside = _write_aside(path, data)
    try:
        if os.name == "nt":
            os.rename(aside, path)  # on Windows this refuses an existing name
        else:
            os.link(aside, path)  # so does this, everywhere else
    except FileExistsError:
        return False
    except OSError:
        if path.exists():
            return False
        os.replace(aside, path)  # a disk that knows no links
    finally:
        aside.unlink(missing_ok=True)
    return True
