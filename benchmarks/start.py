"""From the first command to a JupyterLab page, in seconds.

    uv run python benchmarks/start.py           with what is installed here
    uv run python benchmarks/start.py --cold    also in a fresh clone with empty caches, the network included
"""

import argparse
import os
import re
import subprocess
import tempfile
import time
import urllib.request
import venv
from collections.abc import Sequence
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
LIMIT = 600  # seconds


def seconds_to_page(commands: Sequence[Sequence[str]], folder: Path, environment: dict[str, str]) -> float:
    """Run the commands in `folder`, the last of which is `course`, until JupyterLab answers with its page."""
    began = time.perf_counter()
    *before, last = commands
    for command in before:
        subprocess.run(command, cwd=folder, env=environment, check=True, stdout=subprocess.DEVNULL, timeout=LIMIT)
    with subprocess.Popen(last, cwd=folder, env=environment, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout
            url = next(found[0] for line in process.stdout if (found := re.search(r"http://\S+", line)))
            opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            with opener.open(url, timeout=LIMIT) as page:
                assert b"jupyter-config-data" in page.read()
            return time.perf_counter() - began
        finally:
            process.terminate()
            process.wait(timeout=60)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cold", action="store_true", help="also in a fresh clone with empty caches")
    parser.add_argument("--repeat", type=int, default=3, help="warm starts (default %(default)s)")
    arguments = parser.parse_args()
    course = ["uv", "run", "course", "--no-browser"]

    with tempfile.TemporaryDirectory() as name:
        aside = Path(name)
        warm = {**os.environ, "COURSE_WORKBOOK": str(aside / "workbook")}
        times = [seconds_to_page([course], REPOSITORY, warm) for _ in range(arguments.repeat)]
        print(f"warm: {', '.join(f'{took:.1f}' for took in times)} s (wanted: below 10)", flush=True)
        if arguments.cold:
            clone = aside / "clone"
            subprocess.run(["git", "clone", "--quiet", str(REPOSITORY), str(clone)], check=True)
            venv.create(aside / "python", with_pip=True)
            scripts = aside / "python" / ("Scripts" if os.name == "nt" else "bin")
            cold = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT")}
            cold |= {"UV_CACHE_DIR": str(aside / "cache"), "PIP_NO_CACHE_DIR": "1",
                     "PATH": os.pathsep.join([str(scripts), os.environ["PATH"]])}
            took = seconds_to_page([[str(scripts / "pip"), "install", "--quiet", "uv"], [str(scripts / "uv"), *course[1:]]], clone, cold)
            print(f"cold: {took:.1f} s (wanted: below 120)")


if __name__ == "__main__":
    main()
