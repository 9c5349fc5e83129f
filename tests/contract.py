"""The contract of a notebook, rule by rule, read from its file.

A rule is a function that takes a `Book` and yields a sentence for everything that breaks it. test_notebook_contract.py
holds every notebook against every rule; test_contract_rules.py shows that each rule notices what it is there for.
"""

import ast
import html
import json
import re
import statistics
from collections import Counter
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

from books import NAME, Book, Cell, joined, sanitized

Rule = Callable[[Book], Iterator[str]]
RULES: list[Rule] = []

FIRST, LAST = "00", "27"
"""The notebooks that begin and end the course: nothing comes before the one, nothing is new in the other."""

CELLS = range(25, 46)
CELLS_OF: dict[str, range] = {
    "03": range(25, 52),  # three servers, each built, run and broken in front of the reader
    "05": range(25, 51),  # a loop grown in three steps, in small cells
    "07": range(25, 51),  # seven silences, each provoked, heard and mended
    "08": range(25, 54),  # a thousand callers, what blocks, who doesn't read, closing time, and four servers side by side
    "11": range(25, 48),  # a page and its stand-in, what a script may not do, how a page goes, and the way to another machine
    "18": range(25, 91),  # three sittings in one notebook, each with the size of a small one
    "22": range(25, 58),  # every record by hand, two mistakes, the bytes it costs, and the same with a library
    "23": range(25, 51),  # two transports by hand, in small cells, and a client that tries all three
}
"""How many cells a notebook has, and who may have more, with the reason."""

LINES_AT_MOST, LINES_OF_NINE_IN_TEN, LINES_IN_THE_MIDDLE = 20, 10, 4
WIDTH = 88
MINUTES = range(10, 31)
TAGS = {"run-once", "raises-exception"}
"""The cell tags with a meaning here. Those that let nbval look away are left out on purpose."""

RUNS_LOOPS = {"06", "07"}
"""Notebooks about starting a loop where one runs already: they call asyncio.run to show what happens."""

PICTURE = re.compile(r"image/.*")
FENCE = re.compile(r"^(```+|~~~+).*?^\1[ \t]*$", re.MULTILINE | re.DOTALL)
PYTHON = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^(#{1,6}) +(.*?) *$", re.MULTILINE)
LINK = re.compile(r"(?<!!)\[(?P<text>(?:[^\[\]]|\[[^\[\]]*\])*)\]\((?P<target>[^()\s]*(?:\([^()\s]*\)[^()\s]*)*)\)")
HREF = re.compile(r"""<a\b[^>]*\bhref\s*=\s*["']([^"']*)["']""")
FOLDED = re.compile(r"<details>\s*<summary>(.*?)</summary>(.*?)</details>", re.DOTALL)
EXERCISE = re.compile(r"^#{2,3} +Exercise (\d+) · \S.*$", re.MULTILINE)


def rule(function: Rule) -> Rule:
    RULES.append(function)
    return function


# --- reading prose ---------------------------------------------------------------------------------------------


def without_code(text: str) -> str:
    """Markdown without its blocks and spans of code."""
    return re.sub(r"(`+)(?!`).+?(?<!`)\1(?!`)", "", FENCE.sub("", text), flags=re.DOTALL)


def headings(text: str) -> list[tuple[int, str]]:
    """(level, text) of each heading."""
    return [(len(marks), words) for marks, words in HEADING.findall(FENCE.sub("", text))]


def links(text: str) -> list[str]:
    """The targets of all links."""
    plain = without_code(re.sub(r"\[`([^`\]]*)`\]", r"[\1]", text))  # a link may be on words of code
    return [match["target"] for match in LINK.finditer(plain)] + HREF.findall(plain)


def after_bold(words: str, text: str) -> str | None:
    """What follows **words** up to the next bold words that begin a paragraph, or the next heading; None: not there."""
    begin = re.search(rf"^\*\*{words}\*\*", text, re.MULTILINE)
    if begin is None:
        return None
    end = re.search(r"^(?:\*\*|#)", text[begin.end():], re.MULTILINE)
    return text[begin.end():begin.end() + end.start()] if end else text[begin.end():]


def items(text: str) -> list[str]:
    """The points of a list."""
    return re.findall(r"^(?:[-*+]|\d+[.)]) +(.+)", text, re.MULTILINE)


# --- file and form ---------------------------------------------------------------------------------------------


@rule
def name_and_number(book: Book) -> Iterator[str]:
    if not NAME.fullmatch(book.name):
        yield f"{book.name} is not named NN_topic.ipynb"
    for other in book.siblings:
        if other.path != book.path and other.number == book.number:
            yield f"{other.name} has the same number"
        if other.path != book.path and other.name[2:] == book.name[2:]:
            yield f"{other.name} has the same topic"


@rule
def metadata(book: Book) -> Iterator[str]:
    found = book.raw["metadata"]
    if found.get("kernelspec") != {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}:
        yield f"kernelspec is {found.get('kernelspec')}: without the usual one JupyterLab asks which kernel to use"
    if found.get("language_info") != {"name": "python"}:
        yield f"language_info is {found.get('language_info')}, not the name alone"
    if others := set(found) - {"kernelspec", "language_info"}:
        yield f"metadata of the notebook: {sorted(others)}"
    if (book.raw["nbformat"], book.raw["nbformat_minor"]) != (4, 5):
        yield "nbformat is not 4.5"
    for cell in book.cells:
        if others := set(cell.raw["metadata"]) - {"tags"}:
            yield f"{cell}: metadata {sorted(others)}"
        if others := set(cell.tags) - TAGS:
            yield f"{cell}: tags {sorted(others)}"
        if any(output.get("metadata") for output in cell.outputs):
            yield f"{cell}: an output with metadata"
        if any("widget" in kind for output in cell.outputs for kind in output.get("data", {})):
            yield f"{cell}: a widget, whose state isn't stored"


@rule
def cell_ids(book: Book) -> Iterator[str]:
    for cell in book.cells:
        if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", cell.id):
            yield f"cell {cell.index}: the id {cell.id!r} is not words-with-hyphens"
        elif re.fullmatch(r"(?=.*\d)[0-9a-f]{8,}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|cell-?\d+", cell.id):
            yield f"cell {cell.index}: the id {cell.id!r} says nothing"
    for repeated, times in Counter(cell.id for cell in book.cells).items():
        if times > 1:
            yield f"the id {repeated!r} is there {times} times"


@rule
def stored_as_one_run(book: Book) -> Iterator[str]:
    """nbval compares nothing where a cell has no number, so without them it would see nothing."""
    numbers = [cell.raw.get("execution_count") for cell in book.code]
    if numbers != list(range(1, len(numbers) + 1)):
        yield f"the code cells are numbered {numbers}, not as one run from the top"


# --- opening and closing ---------------------------------------------------------------------------------------


@rule
def opening(book: Book) -> Iterator[str]:
    text = book.opening
    if not re.match(rf"# {book.number} · \S", text):
        yield f"the first cell does not begin with '# {book.number} · Title'"
    if (tops := sum(level == 1 for cell in book.prose for level, _ in headings(cell.source))) != 1:
        yield f"{tops} headings of the first level"
    if not re.match(r"#.*\n+(?![#*])\S", text):
        yield "no sentence between the title and the rest"
    able = after_bold("You will be able to", text)
    if able is None or len(items(able)) != 3:
        yield "no '**You will be able to**' with three points"
    if not (after_bold("You need", text) or "").strip():
        yield "no '**You need**'"
    if book.minutes not in MINUTES:
        yield f"no '**Time** N minutes' between {MINUTES.start} and {MINUTES.stop - 1}"
    if book.number != FIRST:
        earlier = [other.name for other in book.siblings if other.number < book.number]
        needed = [unquote(link).partition("#")[0] for link in links(after_bold("You need", text) or "")]
        if earlier and not set(needed) & set(earlier):
            yield "'You need' links to no earlier notebook"
        if later := [link for link in needed if NAME.fullmatch(link) and link >= book.name]:
            yield f"'You need' names what comes later: {later}"
        question = after_bold("From an earlier notebook", text)
        if question is None or not FOLDED.search(question):
            yield "no '**From an earlier notebook**' with a folded answer"


@rule
def first_code_cell(book: Book) -> Iterator[str]:
    if not book.code or not isinstance(book.code[0].tree.body[0], ast.Import | ast.ImportFrom):
        yield "the first code cell does not begin with an import"


@rule
def closing(book: Book) -> Iterator[str]:
    text = book.closing
    short = re.search(r"^## In short\n(.*?)(?=^\*\*|^#|\Z)", text, re.MULTILINE | re.DOTALL)
    if not short:
        yield "no '## In short' after the last code cell"
    elif len(items(short[1])) != 3:
        yield f"'In short' has {len(items(short[1]))} points instead of three"
    following = [other.name for other in book.siblings if other.number > book.number]
    pointed = [unquote(link) for link in links(after_bold("Next", text) or "")]
    if following and following[0] not in pointed[:1]:
        yield f"'**Next**' does not lead to {following[0]} first"
    if not any(link.startswith("http") for link in links(after_bold("Further reading", text) or "")):
        yield "no '**Further reading**' with a link out of the course"


@rule
def new_terms(book: Book) -> Iterator[str]:
    if book.number == LAST:
        return
    listed = items(after_bold("New terms", book.closing) or "")
    if not 1 <= len(listed) <= 6:
        yield f"'**New terms**' at the end has {len(listed)} points, not one to six"
    before = "\n".join(cell.source for cell in book.prose[:-1]).lower()
    for item in listed:
        term = re.match(r"\*\*(.+?)\*\*", item)
        if not term:
            yield f"a new term that is not bold: {item!r}"
        elif f"**{term[1].lower()}" not in before:
            yield f"the new term {term[1]!r} is not bold where it first appears"


# --- prose -----------------------------------------------------------------------------------------------------


def anchors(path: Path) -> set[str]:
    """The places in a notebook that a link can lead to: its headings, as JupyterLab and GitHub name them there."""
    return {re.sub(r"[`*]", "", words).replace(" ", "-")
            for cell in Book(path).prose for _, words in headings(cell.source)}


@rule
def links_lead_somewhere(book: Book) -> Iterator[str]:
    for cell in book.prose:
        for link in links(cell.source):
            parts = urlsplit(link)
            if parts.scheme in ("http", "https"):
                if not re.fullmatch(r"[\w-]+(\.[\w-]+)+", parts.netloc) or re.search(r"[\s<>\"]", link):
                    yield f"{cell}: {link!r} is no address of a page"
                continue
            if parts.scheme or parts.netloc or link.startswith("/") or not link:
                yield f"{cell}: {link!r} is neither a page's address nor a file beside this notebook"
                continue
            target = (book.path.parent / unquote(parts.path)).resolve() if parts.path else book.path
            if not target.exists():
                yield f"{cell}: {link!r} leads to no file"
            elif parts.fragment and (target.suffix != ".ipynb" or unquote(parts.fragment) not in anchors(target)):
                yield f"{cell}: {link!r} leads to no heading"


@rule
def no_picture_files(book: Book) -> Iterator[str]:
    for cell in book.prose:
        if "![" in without_code(cell.source) or "<img" in without_code(cell.source) or cell.raw.get("attachments"):
            yield f"{cell}: a picture in the text; pictures are drawn by a cell"


@rule
def plain_words(book: Book) -> Iterator[str]:
    for cell in book.prose:
        for word in re.findall(r"\b(?:simply|just|let[’']s dive)\b", without_code(cell.source), re.IGNORECASE):
            yield f"{cell}: the filler {word!r}"
        for sign in re.findall(r"[\U0001F000-\U0001FAFF]", cell.source):
            yield f"{cell}: the emoji {sign}"


# --- code ------------------------------------------------------------------------------------------------------


@rule
def cell_budget(book: Book) -> Iterator[str]:
    allowed = CELLS_OF.get(book.number, CELLS)
    if len(book.cells) not in allowed:
        yield f"{len(book.cells)} cells, not {allowed.start} to {allowed.stop - 1}"
    for cell in book.cells:
        if not cell.lines:
            yield f"{cell} is empty"
        if cell.is_code and cell.lines > LINES_AT_MOST:
            yield f"{cell} has {cell.lines} lines of code, more than {LINES_AT_MOST}"
    sizes = sorted(cell.lines for cell in book.code)
    if statistics.median(sizes) > LINES_IN_THE_MIDDLE:
        yield f"the median code cell has {statistics.median(sizes)} lines, more than {LINES_IN_THE_MIDDLE}"
    if sum(size > LINES_OF_NINE_IN_TEN for size in sizes) > len(sizes) / 10:
        yield f"more than one code cell in ten is longer than {LINES_OF_NINE_IN_TEN} lines: {sizes}"
    if len(book.prose) < 0.7 * len(book.code):
        yield f"{len(book.prose)} cells of text for {len(book.code)} of code"


@rule
def line_width(book: Book) -> Iterator[str]:
    for cell in book.cells:
        code = [cell.source] if cell.is_code else PYTHON.findall(cell.source)
        for line in "\n".join(code).splitlines():
            if len(line) > WIDTH:
                yield f"{cell}: {len(line)} characters in {line!r}"


FORBIDDEN = {
    "input": "asks the reader's keyboard, which tests have not",
    "asyncio.run": "fails where a loop runs, as in a notebook",
    "asyncio.set_event_loop_policy": "changes the loop for everybody, and is on its way out of Python",
    "asyncio.get_event_loop_policy": "is on its way out of Python",
    "get_ipython": "works in a notebook only, and is magic",
    "os._exit": "ends the kernel",
    "os.fork": "is not there on Windows",
    "os.system": "hides what went wrong",
    "plt.show": "shows '<Figure size ...>', different everywhere; use helpers.pictures",
    "signal.signal": "takes the kernel's own way to be interrupted",
    "sys.exit": "ends the cell without a word",
}
NOT_IMPORTED = {"matplotlib.pyplot", "pylab", "multiprocessing"}


@rule
def code_that_runs_everywhere(book: Book) -> Iterator[str]:
    for cell in book.code:
        try:
            nodes = list(ast.walk(cell.tree))
        except SyntaxError as error:
            yield f"{cell}: not Python (a magic, a '!'?): {error}"
            continue
        for node in nodes:
            if isinstance(node, ast.Call) and (called := ast.unparse(node.func)) in FORBIDDEN:
                if not (called == "asyncio.run" and book.number in RUNS_LOOPS):
                    yield f"{cell}: {called} {FORBIDDEN[called]}"
            elif isinstance(node, ast.Import | ast.ImportFrom):
                wanted = {getattr(node, "module", None)} | {alias.name for alias in node.names}
                for module in sorted(wanted & NOT_IMPORTED):
                    yield f"{cell}: imports {module}"
        if "NBVAL" in cell.source:
            yield f"{cell}: tells nbval to look away"


@rule
def run_once_is_announced(book: Book) -> Iterator[str]:
    for cell in book.code:
        if "run-once" in cell.tags:
            before = [other for other in book.prose if other.index < cell.index]
            if not before or not re.search(r"\b(?:[Rr]un|again|once)\b", before[-1].source):
                yield f"{cell} is tagged run-once, and the text above does not say which cell to run first"


# --- outputs ---------------------------------------------------------------------------------------------------


class _Images(HTMLParser):
    """Collects the attributes of every <img>."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[dict[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "img":
            self.found.append(dict(attrs))


def images(text: str) -> list[dict[str, str | None]]:
    parser = _Images()
    parser.feed(text)
    return parser.found


@rule
def pictures_have_alt_text(book: Book) -> Iterator[str]:
    for cell in book.code:
        for output in cell.outputs:
            data = output.get("data", {})
            found = images(joined(data.get("text/html", "")))
            if any(PICTURE.fullmatch(kind) for kind in data) and not found:
                yield f"{cell}: a picture without an <img> in text/html, where alone JupyterLab reads its alt text"
            for image in found:
                alt = (image.get("alt") or "").strip()
                if len(alt.split()) < 4:
                    yield f"{cell}: the alt text {alt!r} says too little"
                if not (image.get("src") or "").startswith("data:image/"):
                    yield f"{cell}: the picture's data are elsewhere"
                if len(found) == 1 and joined(data.get("text/plain", "")).strip() != alt:
                    yield f"{cell}: text/plain is not the alt text"


def said(cell: Cell) -> str:
    """Everything that the outputs of a cell say in words, as nbval compares it, without colours and HTML's tags."""
    texts: list[str] = []
    for output in cell.outputs:
        match output["output_type"]:
            case "stream":
                texts.append(joined(output["text"]))
            case "error":
                texts += [output["ename"], output["evalue"], *output["traceback"]]
            case _:
                data = output["data"]
                texts += [joined(data[kind]) for kind in data if kind.startswith("text/") and kind != "text/html"]
                page = sanitized(joined(data.get("text/html", "")))
                texts.append(html.unescape(re.sub(r"<[^>]*>", " ", page)))
                texts += [image.get("alt") or "" for image in images(page)]
    return sanitized(re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(texts)))


@rule
def no_errors_stored(book: Book) -> Iterator[str]:
    for cell in book.code:
        failed = any(output["output_type"] == "error" for output in cell.outputs)
        if failed and "raises-exception" not in cell.tags:
            yield f"{cell} ended in an error"
        if not failed and "raises-exception" in cell.tags:
            yield f"{cell} is tagged raises-exception and raised nothing"
        if any(output.get("name") == "stderr" for output in cell.outputs):
            yield f"{cell} wrote to stderr"


@rule
def no_ports_stored(book: Book) -> Iterator[str]:
    """The sanitiser would overlook them."""
    for cell in book.code:
        if found := re.search(r"//127\.0\.0\.1:[1-9]\d{4}\b", json.dumps(cell.outputs)):
            yield f"{cell}: a port in its output: {found[0]!r}; `course refresh` stores none"


NUMBER = r"(\d+(?:\.\d+)?)"
VARYING = {
    "a port": rf"(?:127\.0\.0\.1|localhost|0\.0\.0\.0|::1\]?)['\"]?(?::|, ?){NUMBER}\b|"
              rf"\bport\b[ =:]{{1,2}}{NUMBER}\b",
    "a time": rf"(?<![\w.]){NUMBER} ?(?:[mµun]?s|sec|secs|seconds?|milliseconds?|microseconds?|minutes?)\b",
    "a clock": r"\b\d{1,2}:\d\d:\d\d\b",
    "a date": r"\b20\d\d-[01]\d-[0-3]\d\b",
    "an address in memory": r"\bat 0x[0-9a-fA-F]+\b|\b0x[0-9a-fA-F]{9,}\b",
    "a path": r"(?:(?<![\w/])|(?<=file://))/(?:home|Users|root|tmp|work|usr|opt|var|private|mnt|workspaces?)/|~/|"
              r"\b[A-Za-z]:\\|site-packages|\bipykernel_\d",
    "a version": r"(?i:\b(?:python|cpython|websockets|ipython|ipykernel|matplotlib|openssl))[ /v-]{1,2}\d+\.\d+",
    "an id": rf"\b(?:pid|fd|ident|thread id|native_id)\b[ =:]{{1,2}}{NUMBER}\b|\b\d{{14,}}\b",
}
"""What differs from run to run or from machine to machine. A number that the notebook itself names is its own choice."""


@rule
def same_outputs_everywhere(book: Book) -> Iterator[str]:
    chosen = set(re.findall(r"\d+(?:\.\d+)?", "\n".join(cell.source for cell in book.cells)))
    for cell in book.code:
        text = said(cell)
        for what, pattern in VARYING.items():
            for found in re.finditer(pattern, text):
                if not chosen.intersection(found.groups()):
                    yield f"{cell}: {what} in its output: {found[0]!r}"


# --- the lesson ------------------------------------------------------------------------------------------------


def choices(text: str) -> set[str]:
    return set(re.findall(r"\(([a-z])\)", without_code(text)))


@rule
def one_signature_experiment(book: Book) -> Iterator[str]:
    guesses = [cell for cell in book.code if re.search(r"^guess\b", cell.source, re.MULTILINE)]
    if len(guesses) != 1:
        yield f"{len(guesses)} cells with a guess instead of one: {[cell.id for cell in guesses]}"
    for cell in guesses:
        if cell.source.splitlines()[0] != 'guess = "?"':
            yield f"{cell}: its first line is not guess = \"?\""
        around = book.cells[cell.index - 1], book.cells[cell.index + 1]
        if any(other.is_code for other in around):
            yield f"{cell}: no text directly above or below it"
            continue
        above, below = (choices(other.source) for other in around)
        if not above >= {"a", "b", "c"}:
            yield f"{cell}: the text above does not offer (a), (b) and (c) but {sorted(above)}"
        if missing := above - below:
            yield f"{cell}: the text below does not answer {sorted(missing)}"


@rule
def what_goes_wrong(book: Book) -> Iterator[str]:
    found = [words for cell in book.prose for level, words in headings(cell.source)
             if level == 2 and words.startswith("What goes wrong")]
    if len(found) != 1:
        yield f"{len(found)} sections '## What goes wrong' instead of one"


def checked(cell: Cell) -> str | None:
    """The name in a cell that is check(name) and nothing else, or None."""
    match cell.tree.body:
        case [ast.Expr(ast.Call(ast.Name("check"), [ast.Name(name)], []))]:
            return name
    return None


@rule
def exercises(book: Book) -> Iterator[str]:
    found = [(cell, int(number)) for cell in book.prose for number in EXERCISE.findall(FENCE.sub("", cell.source))]
    mentioned = [cell for cell in book.prose for _, words in headings(cell.source) if words.startswith("Exercise")]
    if len(found) != len(mentioned):
        yield f"a heading that is not 'Exercise N · what': {[str(cell) for cell in mentioned]}"
    if not 1 <= len(found) <= 3:
        yield f"{len(found)} exercises instead of one to three"
    if [number for _, number in found] != list(range(1, len(found) + 1)):
        yield f"the exercises are numbered {[number for _, number in found]}"
    if found and found[0][0].index >= len(book.cells) / 2:
        yield f"the first exercise, {found[0][0]}, comes after the middle"
    checks = [cell for cell in book.code if "check(" in cell.source and checked(cell)]
    if len(checks) != len(found):
        yield f"{len(found)} exercises, and {len(checks)} cells that are check(name) and nothing else"
    ends = [cell.index for cell, _ in found[1:]] + [len(book.cells)]
    for (cell, number), end in zip(found, ends):
        inside = [other for other in checks if cell.index < other.index < end]
        if len(inside) != 1:
            yield f"Exercise {number} has {len(inside)} checks"
        else:
            yield from (f"Exercise {number}: {words}" for words in _exercise(book, inside[0]))


def _defined(tree: ast.Module) -> set[str]:
    kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    return {node.name for node in tree.body if isinstance(node, kinds)}


def _exercise(book: Book, check: Cell) -> Iterator[str]:
    """What is wrong with the stub above a check, with its stored verdict, or with the solution below."""
    name = checked(check)
    stub = book.cells[check.index - 1]
    if not stub.is_code or name not in _defined(stub.tree):
        yield f"the cell above check({name}) is not the stub of {name}"
    if "not yet" not in said(check) or "○" not in said(check):
        yield f"the stored verdict on the stub is not '○ {name}: not yet', but {said(check)!r}"
    below = book.cells[check.index + 1] if check.index + 1 < len(book.cells) else check
    folded = [] if below.is_code else [body for title, body in FOLDED.findall(below.source) if title == "Solution"]
    blocks = PYTHON.findall("".join(folded))
    if len(folded) != 1 or len(blocks) != 1:
        yield f"no folded solution with one python block directly below check({name})"
        return
    if not folded[0].startswith("\n\n"):
        yield "no blank line after the summary of the solution: GitHub would not show its code as code"
    try:
        if name not in _defined(ast.parse(blocks[0])):
            yield f"the solution does not define {name}"
    except SyntaxError as error:
        yield f"the solution is not Python: {error}"


# --- the notebook in its course --------------------------------------------------------------------------------


def on_the_map(book: Book, readme: Path) -> Iterator[str]:
    """The README's map has a line for every notebook, with the minutes that the notebook itself announces."""
    lines = [line for line in readme.read_text(encoding="utf-8").splitlines() if f"](notebooks/{book.name})" in line]
    if not lines:
        yield f"{readme.name} has no line with a link to notebooks/{book.name}"
    elif not any(re.search(rf"\b{book.minutes}\b", LINK.sub("", line)) for line in lines):
        yield f"{readme.name} does not give its {book.minutes} minutes"
