"""`course refresh`: runs notebooks, stores their outputs, writes the same bytes when nothing has changed."""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import nbformat
import pytest
from tiny_course import code, heeds_ctrl_c, make_tiny_course, markdown, read_cells, write_notebook  # noqa: F401

from helpers.course import main
from helpers.course.places import CourseError
from helpers.course.refresh import merged, name_cells, refresh_one, refuse_paths

PICTURE = """\
import io
from IPython.display import Image
from matplotlib.figure import Figure
figure = Figure()
figure.add_subplot().plot([1, 2])
figure.savefig(png := io.BytesIO(), format="png")
Image(png.getvalue())"""


def outputs(path: Path) -> list[list[dict[str, Any]]]:
    return [cell["outputs"] for cell in read_cells(path) if cell["cell_type"] == "code"]


# --- what is stored


def test_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    path = write_notebook(tmp_path / "00_start.ipynb", markdown("# Start"), code("print('a')\nprint('b')"), code(""),
                          code(PICTURE), code("{1: 'one'}", "run-once"))
    assert refresh_one(path)
    first, written = path.read_bytes(), path.stat().st_mtime_ns
    assert not refresh_one(path)
    assert (path.read_bytes(), path.stat().st_mtime_ns) == (first, written)
    assert outputs(path)[0] == [{"output_type": "stream", "name": "stdout", "text": ["a\n", "b\n"]}]
    assert outputs(path)[1] == []
    assert set(outputs(path)[2][0]["data"]) == {"image/png", "text/plain"}
    assert [cell.get("execution_count") for cell in read_cells(path)] == [None, 1, None, 2, 3]


def test_ids_are_kept_and_metadata_is_cleaned_in_the_notebooks_folder(tmp_path: Path) -> None:
    path = write_notebook(tmp_path / "00_start.ipynb", markdown("## What goes wrong?"), code("import os; os.listdir()", "run-once"))
    notebook = json.loads(path.read_text())
    notebook["nbformat_minor"] = 5
    notebook["cells"][1] |= {"id": "mine", "metadata": {"tags": ["run-once"], "execution": {"iopub": "now"}, "trusted": True}}
    path.write_text(json.dumps(notebook))
    refresh_one(path)
    stored = json.loads(path.read_text())
    assert [(cell["id"], cell["metadata"]) for cell in stored["cells"]] == [
        ("what-goes-wrong", {}), ("mine", {"tags": ["run-once"]})]
    assert stored["metadata"] == {
        "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
        "language_info": {"name": "python"}}
    assert outputs(path)[0][0]["data"]["text/plain"] == ["['00_start.ipynb']"]
    nbformat.validate(nbformat.from_dict(stored))


def test_missing_and_doubled_ids_are_made_from_the_first_words() -> None:
    cells = [{"source": "# One, two; three four five six"}, {"source": ["import ", "socket"], "id": "kept"}, {"source": "***"},
             {"source": "again", "id": "kept"}, {"source": "Again!"}, {"source": "x" * 99}]
    name_cells(cells)
    assert [cell["id"] for cell in cells] == ["one-two-three-four-five", "kept", "cell", "again", "again-2", "x" * 40]


def test_a_port_that_the_system_picked_is_not_stored(tmp_path: Path) -> None:
    path = write_notebook(tmp_path / "00_start.ipynb", code(
        "from IPython.display import HTML\nprint('ws://127.0.0.1:43211/a, ws://127.0.0.1:8765, http://127.0.0.1:43211')\n"
        "HTML('<a href=\"http://127.0.0.1:43211/\">here</a>')"))
    refresh_one(path)
    printed, shown = outputs(path)[0]
    assert printed["text"] == ["ws://127.0.0.1:PORT/a, ws://127.0.0.1:8765, http://127.0.0.1:PORT\n"]
    assert shown["data"]["text/html"] == ['<a href="http://127.0.0.1:PORT/">here</a>']


def stream(name: str, text: str) -> Any:
    return nbformat.v4.new_output("stream", name=name, text=text)


def test_neighbouring_streams_are_joined() -> None:
    picture = nbformat.v4.new_output("display_data", {"text/plain": "a picture"})
    joined = merged([stream("stdout", "a"), stream("stderr", "x"), stream("stdout", "b"), picture, stream("stdout", "c"),
                     stream("stdout", "d")])
    assert [output.get("text", "picture") for output in joined] == ["ab", "x", "picture", "cd"]
    assert [output.get("name") for output in joined] == ["stdout", "stderr", None, "stdout"]


# --- what is refused


@pytest.mark.parametrize(("source", "reason"), [
    ("raise ValueError('two\\nlines')", "ValueError: two"),
    ("while True: pass", "was not done after 2 s"),
    ("__import__('os')._exit(3)", "the kernel died"),
], ids=["raises", "spins", "dies"])
def test_nothing_is_written_when_a_cell_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], source: str, reason: str
) -> None:
    notebooks = make_tiny_course(tmp_path) / "notebooks"
    bad = write_notebook(notebooks / "03_bad.ipynb", code("print('fine')"), markdown("# no"), code(source))
    before = bad.read_bytes()
    assert main(["refresh", "3", "--timeout", "2"], root=tmp_path) == 1
    out, err = capsys.readouterr()
    assert out.startswith("✗ 03_bad: ") and "cell 3 (id '" in out and reason in out
    assert out.endswith("Nothing written.\n") and out.count("\n") == 1
    assert "Traceback" not in err
    assert bad.read_bytes() == before
    assert sorted(path.name for path in notebooks.iterdir()) == [
        "00_start_here.ipynb", "03_bad.ipynb", "05_event_loop.ipynb", "scratch.ipynb"]


def test_a_cell_that_is_meant_to_fail_may(tmp_path: Path) -> None:
    path = write_notebook(tmp_path / "00_start.ipynb", code("1/0", "raises-exception"), code("'went on'"))
    refresh_one(path)
    assert outputs(path)[0][0]["ename"] == "ZeroDivisionError"
    assert outputs(path)[1][0]["data"]["text/plain"] == ["'went on'"]


def test_a_path_of_this_machine_is_refused(tmp_path: Path) -> None:
    path = write_notebook(tmp_path / "00_start.ipynb", code("1"), code("import os; print(os.getcwd())"))
    before = path.read_bytes()
    with pytest.raises(CourseError, match=r"cell 2 \(id '.*'\) shows a path of this machine"):
        refresh_one(path)
    assert path.read_bytes() == before


def shows(kind: str, text: str) -> Any:
    return nbformat.v4.new_output("display_data", {kind: text})


def cell_with(output: Any) -> Any:
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1", outputs=[output])])


@pytest.mark.parametrize("output", [
    shows("text/plain", repr(Path.home() / "notes.txt")),
    shows("text/plain", repr(sys.executable)),
    shows("text/html", f'<a href="{Path(sys.prefix).as_posix()}/share">'),
    shows("text/markdown", f"in `{tempfile.gettempdir()}{os.sep}x`"),
    stream("stderr", "/elsewhere/ipykernel_123/4.py:1: UserWarning: old"),
    nbformat.v4.new_output("error", ename="JSONDecodeError", evalue="bad", traceback=[
        "\x1b[36mFile \x1b[39m\x1b[32m~/anywhere/lib/\x1b[39m\x1b[32mpython3.11/json/decoder.py:355\x1b[39m"]),
], ids=["home", "prefix", "html", "temporary", "warning", "traceback"])
def test_every_kind_of_text_is_searched_for_paths(tmp_path: Path, output: Any) -> None:
    with pytest.raises(CourseError, match="shows a path of this machine"):
        refuse_paths(cell_with(output), tmp_path)


def test_letters_of_a_picture_are_no_path(tmp_path: Path) -> None:
    letters = f"AAAA{tempfile.gettempdir()}/AAAA="
    refuse_paths(cell_with(shows("image/png", letters)), tmp_path)
    refuse_paths(cell_with(shows("text/html", f'<img src="data:image/png;base64,{letters}" alt="a folder">')), tmp_path)
    refuse_paths(cell_with(shows("text/plain", f"{tempfile.gettempdir()}-like, not a folder")), tmp_path)


@pytest.mark.parametrize("spoilt", [b"no JSON", b"\xff\xfe", b"[]", b"{}", b'{"cells": [{"cell_type": "code"}]}',
                                    b'{"cells": [{"cell_type": "poem", "source": "", "metadata": {}}]}'])
def test_what_is_no_notebook_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str], spoilt: bytes) -> None:
    path = make_tiny_course(tmp_path) / "notebooks" / "05_event_loop.ipynb"
    path.write_bytes(spoilt)
    assert main(["refresh", "5"], root=tmp_path) == 1
    assert capsys.readouterr().out.startswith("✗ 05_event_loop: not a notebook of format 4 (")
    assert path.read_bytes() == spoilt


def test_an_unknown_notebook_runs_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_tiny_course(tmp_path)
    assert main(["refresh", "0", "99"], root=tmp_path) == 2
    assert capsys.readouterr() == ("", "course: There is no notebook '99'. There are: 00_start_here, 05_event_loop.\n")


# --- the command


def test_all_by_default_with_a_bar_on_stderr(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    notebooks = make_tiny_course(tmp_path) / "notebooks"
    scratch = (notebooks / "scratch.ipynb").read_bytes()
    bad = write_notebook(notebooks / "03_bad.ipynb", code("1/0"))
    assert main(["refresh"], root=tmp_path) == 1
    out, err = capsys.readouterr()
    assert [line.partition(" failed")[0] for line in out.splitlines()] == [
        "✓ 00_start_here: stored", "✗ 03_bad: cell 1 (id '1-0')", "✓ 05_event_loop: stored"], "a failure doesn't hold up the next"
    assert re.search(r"00_start_here: .*\| 1/3", err)
    assert (notebooks / "scratch.ipynb").read_bytes() == scratch
    bad.unlink()
    assert main(["refresh", "05_event_loop"], root=tmp_path) == 0
    assert capsys.readouterr().out == "✓ 05_event_loop: unchanged\n"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for one process alone")
def test_ctrl_c_stops_it_with_nothing_written(tmp_path: Path, heeds_ctrl_c: None) -> None:  # noqa: F811
    notebooks = make_tiny_course(tmp_path) / "notebooks"
    started = tmp_path / "started"
    slow = write_notebook(notebooks / "03_slow.ipynb", code(
        f"import os, pathlib, time\npathlib.Path({str(started)!r}).write_text(str(os.getpid()))\ntime.sleep(60)"))
    before = slow.read_bytes()
    os.mkfifo(started)  # whoever opens it for reading waits until the cell opens it for writing
    program = f"import sys; from pathlib import Path; from helpers.course import main; sys.exit(main(['refresh', '3', '5'], root=Path({str(tmp_path)!r})))"
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        kernel = int(started.read_text())
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    finally:
        process.kill()
    assert (process.returncode, out) == (130, "")
    assert "Traceback" not in err and err.endswith("Stopped.\n")
    assert slow.read_bytes() == before
    with pytest.raises(ProcessLookupError):
        os.kill(kernel, 0)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for one process alone")
@pytest.mark.parametrize("moment", ["async_start_new_kernel_client", "_async_poll_kernel_alive"])
def test_ctrl_c_at_a_bad_moment(tmp_path: Path, moment: str, heeds_ctrl_c: None) -> None:  # noqa: F811
    """While the kernel starts, and in the turn of another task than the one that runs the cells."""
    notebooks = make_tiny_course(tmp_path) / "notebooks"
    slow = write_notebook(notebooks / "03_slow.ipynb", code("import time\ntime.sleep(60)"))
    before = slow.read_bytes()
    program = f"""
import os, signal, sys
from pathlib import Path
from nbclient import NotebookClient
from helpers.course import main

before = NotebookClient.{moment}
assert callable(before)

async def pressed(self):
    os.kill(os.getpid(), signal.SIGINT)
    print("kernel", self.km.provisioner.pid)
    return await before(self)

NotebookClient.{moment} = pressed
sys.exit(main(["refresh", "3", "5"], root=Path({str(tmp_path)!r})))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert (done.returncode, "Traceback" in done.stderr) == (130, False), done.stderr
    assert done.stderr.endswith("Stopped.\n")
    assert slow.read_bytes() == before
    kernel = int(done.stdout.removeprefix("kernel "))  # nothing else was printed
    with pytest.raises(ProcessLookupError):
        os.kill(kernel, 0)
