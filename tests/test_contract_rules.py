"""Each rule of the contract notices what it is there for, and is content with a notebook that keeps it."""

from collections.abc import Callable
from pathlib import Path

import contract
import pytest
from books import Book, sanitized
from contract import RULES, on_the_map
from specimens import ALT, Specimen, code, result, stream, text, with_neighbours


def complaints(specimen: Specimen, **options: bool) -> dict[str, list[str]]:
    """What each rule says, by its name; rules that are content are left out."""
    book = Book(specimen.write(**options))
    return {rule.__name__: said for rule in RULES if (said := list(rule(book)))}


def test_a_good_notebook(tmp_path: Path) -> None:
    assert complaints(with_neighbours(tmp_path)) == {}


def output(specimen: Specimen, *outputs: dict) -> None:
    """Let a cell say this."""
    specimen["say"]["outputs"] = list(outputs)


def shows(words: str) -> Callable[[Specimen], None]:
    return lambda s: output(s, stream(words))


def html(page: str, plain: str = ALT) -> Callable[[Specimen], None]:
    return lambda s: output(s, result(text_html=page, text_plain=plain))


def change(name: str, old: str, new: str) -> Callable[[Specimen], None]:
    return lambda s: s.replace(name, old, new)


def add(*cells: dict) -> Callable[[Specimen], None]:
    return lambda s: s.insert_after("say-why", *cells)


def neighbour(name: str) -> Callable[[Specimen], None]:
    return lambda s: Specimen(s.path.parent, [text("title", "# Neighbour")], name).write() and None


def set_in(path: str, value: object) -> Callable[[Specimen], None]:
    """Set a value in the file, by dotted keys; a number is an index."""
    def breaking(specimen: Specimen) -> None:
        *keys, last = [int(key) if key.isdigit() else key for key in path.split(".")]
        place = specimen.raw
        for key in keys:
            place = place[key]
        place[last] = value
    return breaking


ERROR = {"output_type": "error", "ename": "OSError", "evalue": "no", "traceback": ["OSError: no"]}
LONG = "\n".join(f"{n}" for n in range(25))

BROKEN: list[tuple[str, str, Callable[[Specimen], object]]] = [
    # rule, what it must mention, the harm
    ("name_and_number", "same number", neighbour("05_other.ipynb")),
    ("name_and_number", "same topic", neighbour("07_specimen.ipynb")),
    ("metadata", "kernelspec", lambda s: s.raw["metadata"].pop("kernelspec")),
    ("metadata", "language_info", set_in("metadata.language_info.version", "3.12.1")),
    ("metadata", "widgets", set_in("metadata.widgets", {})),
    ("metadata", "execution", set_in("cells.1.metadata.execution", {"iopub.status.busy": "2026"})),
    ("metadata", "nbval-skip", set_in("cells.1.metadata.tags", ["nbval-skip"])),
    ("metadata", "output with metadata", set_in("cells.3.outputs.0.metadata", {"width": 9})),
    ("metadata", "nbformat", set_in("nbformat_minor", 4)),
    ("cell_ids", "the id ''", lambda s: s["say"].pop("id")),
    ("cell_ids", "says nothing", set_in("cells.3.id", "c0ffee12")),
    ("cell_ids", "words-with-hyphens", set_in("cells.3.id", "Say_It")),
    ("cell_ids", "2 times", set_in("cells.3.id", "setup")),
    ("opening", "first cell", change("title", "# 05 ·", "# 06 ·")),
    ("opening", "first level", change("wrong", "##", "#")),
    ("opening", "no sentence", change("title", "A notebook that keeps every rule.\n\n", "")),
    ("opening", "able to", change("title", "- feel\n", "")),
    ("opening", "You need", change("title", "**You need** [04 Before](04_before.ipynb#What-goes-wrong).", "")),
    ("opening", "no earlier", change("title", "[04 Before](04_before.ipynb#What-goes-wrong)", "Nothing")),
    ("opening", "comes later", change("title", "04_before.ipynb#What-goes-wrong", "06_after.ipynb")),
    ("opening", "Time", change("title", "20 minutes", "some minutes")),
    ("opening", "earlier notebook", change("title", "</details>", "")),
    ("first_code_cell", "import", change("setup", "import socket", "x = 1")),
    ("closing", "In short", change("end", "## In short", "## Bye")),
    ("closing", "2 points", change("end", "3. three\n", "")),
    ("closing", "06_after.ipynb first", change("end", "06_after", "04_before")),
    ("closing", "Further", change("end", "https://www.rfc-editor.org/rfc/rfc6455#section-5", "06_after.ipynb")),
    ("closing", "In short", lambda s: s.insert_after("end", code("last", "1"), text("very-last", "Bye."))),
    ("new_terms", "0 points", change("end", "- **said**: what was said\n", "")),
    ("new_terms", "7 points", change("end", "- **said**: what was said\n", "- **said**: so\n" * 7)),
    ("new_terms", "not bold", change("end", "**said**", "said")),
    ("new_terms", "first appears", change("predict", "**said**", "said")),
    ("links_lead_somewhere", "no file", change("say-why", "others", "[others](99_others.ipynb)")),
    ("links_lead_somewhere", "no heading", change("stop-intro", "#What-goes-wrong", "#Nowhere")),
    ("links_lead_somewhere", "no heading", change("title", "#What-goes-wrong", "#Nowhere")),
    ("links_lead_somewhere", "page", change("stop-intro", "https://peps.python.org", "https://peps")),
    ("links_lead_somewhere", "neither", change("say-why", "others", "[others](/etc/hosts)")),
    ("links_lead_somewhere", "no file", change("say-why", "others", '<a href="gone.html">others</a>')),
    ("no_picture_files", "picture", change("say-why", "others", "![others](others.png)")),
    ("plain_words", "simply", change("say-why", "others", "simply others")),
    ("plain_words", "emoji", change("say-why", "others", "others \N{SLIGHTLY SMILING FACE}")),
    ("cell_budget", "24 cells", lambda s: s.remove("once")),
    ("cell_budget", "51 cells", add(*[text(f"padding-{n}", "More.") for n in range(26)])),
    ("cell_budget", "empty", change("more-1", "Step 1.", "\n")),
    ("cell_budget", "25 lines", add(code("long", LONG))),
    ("cell_budget", "median", lambda s: [cell.update(source="1\n2\n3\n4\n5") for cell in s.raw["cells"][11:]]),
    ("cell_budget", "one code cell in ten", add(code("a-long", LONG[:40]), code("b-long", LONG[:40]))),
    ("cell_budget", "cells of text", add(*[code(f"dry-{n}", "1") for n in range(12)])),
    ("line_width", "99 characters", change("take", "1 + 1", "1" * 99)),
    ("line_width", "99 characters", change("double-solution", "2 * n", "2" * 84 + " * n")),
    ("code_that_runs_everywhere", "not Python", change("take", "1 + 1", "!ls")),
    ("code_that_runs_everywhere", "not Python", change("take", "1 + 1", "%time 1 + 1")),
    ("code_that_runs_everywhere", "plt.show", change("take", "1 + 1", "plt.show()")),
    ("code_that_runs_everywhere", "asyncio.run", change("take", "1 + 1", "asyncio.run(main())")),
    ("code_that_runs_everywhere", "pyplot", change("take", "1 + 1", "import matplotlib.pyplot as plt")),
    ("code_that_runs_everywhere", "multiprocessing", change("take", "1 + 1", "from multiprocessing import Process")),
    ("code_that_runs_everywhere", "look away", change("take", "1 + 1", "# NBVAL_IGNORE_OUTPUT\n1 + 1")),
    ("run_once_is_announced", "run-once", change("once", "Run the cell above first.", "Then.")),
    ("pictures_have_alt_text", "without an <img>", lambda s: output(s, result(image_png="AAAA", text_plain=ALT))),
    ("pictures_have_alt_text", "without an <img>", lambda s: output(s, result(image_svg="<svg/>"))),
    ("pictures_have_alt_text", "too little", html('<img src="data:image/png;base64,AAAA">', "")),
    ("pictures_have_alt_text", "too little", html('<img alt="" src="data:image/png;base64,AAAA">', "")),
    ("pictures_have_alt_text", "elsewhere", html(f'<img alt="{ALT}" src="a.png">')),
    ("pictures_have_alt_text", "text/plain", html(f'<img alt="{ALT}" src="data:image/png;base64,AAAA">', "<Picture>")),
    ("no_errors_stored", "ended in an error", lambda s: output(s, ERROR)),
    ("no_errors_stored", "raised nothing", set_in("cells.3.metadata.tags", ["raises-exception"])),
    ("no_errors_stored", "stderr", lambda s: output(s, stream("careful\n", "stderr"))),
    ("no_ports_stored", "a port", shows("http://127.0.0.1:43211/page")),
    ("no_ports_stored", "a port", html('<iframe srcdoc="ws://127.0.0.1:43211"></iframe>')),
    ("same_outputs_everywhere", "a port", shows("('127.0.0.1', 43211)")),
    ("same_outputs_everywhere", "a port", shows("127.0.0.1:43211")),
    ("same_outputs_everywhere", "a port", shows("listening on port 43211")),
    ("same_outputs_everywhere", "a port", shows("laddr=('::1', 43211, 0, 0)")),
    ("same_outputs_everywhere", "a port", html('<b title="x">localhost:43211</b>')),
    ("same_outputs_everywhere", "a time", shows("it took 0.53 s")),
    ("same_outputs_everywhere", "a time", shows("103 ms for all")),
    ("same_outputs_everywhere", "a time", html('<img alt="It took 1.75 s to do." src="data:,">', "It took 1.75 s to do.")),
    ("same_outputs_everywhere", "a clock", shows("Date: Mon, 23 Nov 2026 06:22:05 GMT")),
    ("same_outputs_everywhere", "a date", shows("2026-11-23")),
    ("same_outputs_everywhere", "an address in memory", shows("<Thing object at 0x7f3a12345678>")),
    ("same_outputs_everywhere", "a path", shows("/home/me/course")),
    ("same_outputs_everywhere", "a path", shows("/tmp/tmpabc/server.py")),
    ("same_outputs_everywhere", "a path", shows("C:\\Users\\me")),
    ("same_outputs_everywhere", "a path", lambda s: output(s, {**ERROR, "traceback": ["File ~/lib/socket.py:851"]})),
    ("same_outputs_everywhere", "a version", shows("Server: Python/3.11 websockets/17.4")),
    ("same_outputs_everywhere", "an id", shows("<socket.socket fd=64, family=2>")),
    ("same_outputs_everywhere", "an id", shows("pid 4711")),
    ("same_outputs_everywhere", "an id", shows("140230394029632")),
    ("one_signature_experiment", "0 cells", change("say", 'guess = "?"\n', "")),
    ("one_signature_experiment", "2 cells", change("take", "1 + 1", 'guess = "?"')),
    ("one_signature_experiment", "first line", change("say", 'guess = "?"', 'guess = "c"')),
    ("one_signature_experiment", "offer", change("predict", "(b) never, ", "")),
    ("one_signature_experiment", "answer ['b']", change("say-why", " and *(b)*", "")),
    ("one_signature_experiment", "no text", lambda s: s.remove("say-why")),
    ("what_goes_wrong", "0 sections", change("wrong", "What goes wrong", "Trouble")),
    ("exercises", "0 exercises", change("exercise", "### Exercise 1 · Double", "Try it.")),
    ("exercises", "4 exercises", change("exercise", "`double(2)`", "### Exercise 2 · X\n" * 3)),
    ("exercises", "numbered [2]", change("exercise", "Exercise 1", "Exercise 2")),
    ("exercises", "Exercise N", change("exercise", "Exercise 1 · Double", "Exercise: Double")),
    ("exercises", "after the middle", lambda s: s.raw["cells"].extend(
        [s.raw["cells"].pop(6) for _ in range(4)])),
    ("exercises", "0 checks", lambda s: s.remove("double-check")),
    ("exercises", "not the stub", change("double", "def double", "def triple")),
    ("exercises", "not yet", set_in("cells.8.outputs", [result(text_plain="✓ double: passed")])),
    ("exercises", "not yet", set_in("cells.8.outputs", [])),
    ("exercises", "no folded solution", lambda s: s.remove("double-solution")),
    ("exercises", "no folded solution", change("double-solution", "```python", "```")),
    ("exercises", "no blank line", change("double-solution", "</summary>\n\n", "</summary>\n")),
    ("exercises", "does not define", change("double-solution", "def double", "def triple")),
    ("exercises", "is not Python", change("double-solution", "return 2", "return return 2")),
]


@pytest.mark.parametrize("rule, mention, harm", BROKEN, ids=[f"{rule}-{mention}" for rule, mention, _ in BROKEN])
def test_a_broken_notebook(tmp_path: Path, rule: str, mention: str, harm: Callable[[Specimen], object]) -> None:
    specimen = with_neighbours(tmp_path)
    harm(specimen)
    found = complaints(specimen)
    assert any(mention in words for words in found.get(rule, [])), found


def test_outputs_without_numbers(tmp_path: Path) -> None:
    assert "stored_as_one_run" in complaints(with_neighbours(tmp_path), number=False)


def test_every_rule_is_seen_to_fail() -> None:
    assert {rule.__name__ for rule in RULES} == {rule for rule, _, _ in BROKEN} | {"stored_as_one_run"}


@pytest.mark.parametrize("words", [
    "ws://127.0.0.1:PORT/chat", "http://127.0.0.1:PORT", "it waits at most 20 seconds", "81 85 37 fa 21 3d",
    "TimeoutError: timed out", "GET /home HTTP/1.1", "0x81 0x85", "port 05",
])
def test_what_may_be_shown(tmp_path: Path, words: str) -> None:
    specimen = with_neighbours(tmp_path)
    output(specimen, stream(words))
    assert complaints(specimen) == {}


def test_asyncio_run_where_it_is_the_subject(tmp_path: Path) -> None:
    for number, content in (("06", True), ("08", False)):
        path = Specimen(tmp_path, [code("run", "asyncio.run(main())")], f"{number}_x.ipynb").write()
        assert (not list(contract.code_that_runs_everywhere(Book(path)))) == content


def test_the_map(tmp_path: Path) -> None:
    book, readme = Book(with_neighbours(tmp_path).write()), tmp_path / "README.md"
    line = "| [05 Specimen](notebooks/05_specimen.ipynb) | it says | {} |\n"
    for lines, content in ((line.format("20 min"), True), (line.format("25 min"), False), ("", False)):
        readme.write_text(lines, encoding="utf-8")
        assert (not list(on_the_map(book, readme))) == content


def test_the_sanitizer_hides_nothing_else() -> None:
    assert sanitized("data:image/png;base64,iV/+w==\">") == "data:image/png;base64,PICTURE\">"
    assert sanitized("ws://127.0.0.1:43211/chat?n=1") == "ws://127.0.0.1:PORT/chat?n=1"
    for words in ("ws://127.0.0.1:8765", "('127.0.0.1', 43211)", "wss://example.org:44300/", "data:text/html,a", "0.25 s"):
        assert sanitized(words) == words
