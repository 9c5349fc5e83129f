"""What the tests of the notebooks cost: the suite's time against the same number of empty notebooks.

Run it with ``python benchmarks/suite.py``; it takes some minutes, ``--quick`` leaves the whole suite out. Three things are timed
one after the other, with the same settings of pytest: as many notebooks as the course has, each with one empty cell, under nbval;
the course's notebooks under nbval; and the whole suite. What stands above 1 in the first ratio is the lessons' own work and
waiting, since a kernel is started for either.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

import nbformat
from nbformat.v4 import new_code_cell, new_notebook

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def seconds(*what: str) -> float:
    """Run pytest on these and return how long it took. SystemExit when it fails: the time of a failure says nothing."""
    start = perf_counter()
    # the settings of the suite, also for notebooks elsewhere
    command = [sys.executable, "-m", "pytest", "-q", "-c", "pyproject.toml", "-p", "no:cacheprovider", *what]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if run.returncode:
        sys.exit(f"pytest {' '.join(what)} failed:\n{run.stdout[-2000:]}{run.stderr[-2000:]}")
    return perf_counter() - start


def empty_notebooks(folder: Path) -> list[str]:
    """Write a notebook with one cell for each of the course's, under its name, and return their paths."""
    paths = []
    for notebook in NOTEBOOKS:
        path = folder / notebook.name
        nbformat.write(new_notebook(cells=[new_code_cell("pass")]), path)
        paths.append(str(path))
    return paths


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="leave the whole suite out")
    quick = parser.parse_args().quick
    with tempfile.TemporaryDirectory() as folder:
        rows = {f"{len(NOTEBOOKS)} empty notebooks": seconds(*empty_notebooks(Path(folder)))}
    rows[f"{len(NOTEBOOKS)} notebooks of the course, nbval"] = seconds("notebooks")
    if not quick:
        rows["the whole suite"] = seconds()
    base = next(iter(rows.values()))
    print(f"{'':42}{'seconds':>9}{'ratio':>8}")
    for what, took in rows.items():
        print(f"{what:42}{took:9.1f}{took / base:8.1f}")


if __name__ == "__main__":
    main()
