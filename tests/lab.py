"""JupyterLab as a learner has it: opened by `course` on a copy of the notebooks, in a real browser, one notebook after
the other in one window.
"""

import json
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from books import Book, Cell, joined
from contract import checked, images
from kernels import hostile_environment
from playwright.sync_api import Locator, Playwright

LIMIT = 90_000
"""Milliseconds after which something that should happen in the window is not going to."""

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe",
)

QUIET = ["--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--disable-quic", "--no-first-run"]
"""Options that keep the browser from work, and calls home, of its own."""

PANEL = ".jp-NotebookPanel:not(.lm-mod-hidden)"
"""The notebook in front."""

SEEN = """panel => [...panel.querySelectorAll('.jp-CodeCell')].map(cell => ({
    prompt: cell.querySelector('.jp-InputPrompt').textContent,
    text: [...cell.querySelectorAll('.jp-OutputArea-output')].map(output => output.textContent).join('\\n'),
    red: cell.querySelectorAll("[data-mime-type$='jupyter.stderr'], [data-mime-type$='jupyter.error']").length,
    pictures: [...cell.querySelectorAll('.jp-OutputArea img')].map(image => [image.alt, image.naturalWidth]),
}))"""
"""What each code cell of a notebook shows. JupyterLab 4.6 draws an error as it draws what is written to stderr."""

READY = """panel => panel
    && panel.querySelector('.jp-Notebook-ExecutionIndicator')?.dataset.status === 'idle'
    && panel.querySelector('.jp-Toolbar-kernelName')?.textContent.includes('Python 3')"""
"""Whether a notebook shows its kernel: for a moment also before it has one."""

CONNECTED = """async name => {
    const base = JSON.parse(document.getElementById('jupyter-config-data').textContent).baseUrl;
    const sessions = await (await fetch(base + 'api/sessions')).json();
    return sessions.some(session => session.path.endsWith(name) && session.kernel.connections > 0);
}"""
"""Whether a notebook's kernel is there and the window has a line to it. A cell that is run before stays as it is."""

STARTED = """panel =>
    [...panel.querySelectorAll('.jp-InputPrompt')].some(prompt => !prompt.textContent.includes('[ ]'))"""
"""Whether any cell of a notebook runs or has run."""

DONE = """panel =>
    panel.querySelector('.jp-Notebook-ExecutionIndicator')?.dataset.status === 'idle'
    && [...panel.querySelectorAll('.jp-InputPrompt')].every(prompt => !prompt.textContent.includes('*'))
    && [...panel.querySelectorAll('.jp-OutputArea img')].every(image => image.complete)"""
"""Whether no cell of a notebook runs or waits for its turn."""


def find_browser(playwright: Playwright) -> str | None:
    """The path of a Chromium or one of its kin, or None."""
    found = [path for name in NAMES if (path := shutil.which(name))]
    found += [path for path in (*PLACES, playwright.chromium.executable_path) if Path(path).exists()]
    return found[0] if found else None


@dataclass
class Seen:
    """What the window shows after Run All."""

    cells: list[dict[str, Any]]
    dialogs: list[str]
    """The texts of all dialogs."""
    notices: list[str]
    """The texts of all notices that popped up, such as the one that asks about news."""


class Lab:
    """JupyterLab and a browser window on it. Neither outlives the `with`, nor does anything of the reader's own change.

    with Lab(folder, playwright, browser) as lab:
        lab.open("01_sockets.ipynb", 22)
        seen = lab.run_all()
        lab.close()
    """

    def __init__(self, folder: Path, playwright: Playwright, browser: str, *, host: str = "127.0.0.1",
                 config: dict[str, Any] | None = None) -> None:
        """`folder`: where to work, the copy is `workbook` in it; `browser`: its path, see find_browser.

        `host`: the name by which the browser calls this machine; `config`: further settings of Jupyter's server.
        """
        self.folder = folder
        self.workbook = folder / "workbook"
        self._host, self._config = host, config or {}
        self._playwright, self._browser = playwright, browser

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            address = stack.enter_context(_course(self.folder, self.workbook, self._config))
            self.url = address.replace("127.0.0.1", self._host, 1)
            names = [f"--host-resolver-rules=MAP {self._host} 127.0.0.1"]
            browser = self._playwright.chromium.launch(executable_path=self._browser, args=QUIET + names)
            stack.callback(browser.close)
            # a certificate of the test's own is signed by nobody
            self.page = browser.new_page(viewport={"width": 1300, "height": 1200}, ignore_https_errors=True)
            self.page.set_default_timeout(LIMIT)
            self.page.on("dialog", lambda question: question.accept())  # the browser's own: "Leave this page?"
            self.page.goto(self.url)
            self.page.locator(".jp-DirListing-item").first.wait_for()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def panel(self) -> Locator:
        """The notebook in front."""
        return self.page.locator(PANEL)

    @property
    def dialogs(self) -> list[str]:
        return self.page.locator(".jp-Dialog").all_inner_texts()

    def open(self, name: str, cells: int) -> None:
        """Open a notebook as one does, by a double click on its name, and wait for its kernel and its code cells.

        AssertionError with the text of a dialog that comes instead.
        """
        self.page.locator(".jp-DirListing-item", has_text=name).dblclick()
        self.panel.locator(".jp-CodeCell").nth(cells - 1).wait_for(state="attached")
        self._wait_until(READY)
        assert not self.dialogs, f"a dialog: {self.dialogs}"
        give_up = time.monotonic() + LIMIT / 1000
        while not self.page.evaluate(CONNECTED, name):
            assert time.monotonic() < give_up, f"{name} has no kernel"
            self.page.wait_for_timeout(50)

    def run_all(self) -> Seen:
        """Run All Cells, wait until nothing runs any more, and look."""
        self._choose("Run", "Run All Cells")
        self._wait_until(STARTED)
        self._wait_until(DONE)
        notices = self.page.locator(".Toastify__toast").all_inner_texts()
        return Seen(self.panel.evaluate(SEEN), self.dialogs, notices)

    def run_cell(self, number: int) -> str:
        """Run a code cell, by its place among them, and return what is seen under it."""
        prompt = self.panel.locator(".jp-CodeCell .jp-InputPrompt").nth(number)
        before = prompt.inner_text()
        prompt.click()
        self._choose("Run", "Run Selected Cell and Do not Advance")
        self._wait_until(f"""panel =>
            panel.querySelectorAll('.jp-CodeCell .jp-InputPrompt')[{number}].textContent !== {before!r}
            && ({DONE})(panel)""")
        return self.panel.evaluate(SEEN)[number]["text"]

    def close(self) -> None:
        """Close the notebook in front, and end its kernel."""
        front = self.page.locator(f"[id='{self.panel.get_attribute('id')}']")
        self._choose("File", "Close and Shut Down Notebook")
        self.page.locator(".jp-Dialog .jp-mod-accept").click()
        front.wait_for(state="detached")

    def begin_again(self) -> None:
        """Leave everything that is open, dialogs too, for an empty window."""
        self.page.goto(re.sub(r"/lab/tree/[^?]*", "/lab", self.url) + "&reset")
        self.page.locator(".jp-DirListing-item").first.wait_for()

    def screenshot(self, name: str) -> Path:
        path = self.folder / f"{name}.png"
        self.page.screenshot(path=path)
        return path

    def _choose(self, menu: str, item: str) -> None:
        self.page.locator(".lm-MenuBar-item", has_text=menu).click()
        self.page.locator(".lm-Menu-itemLabel", has_text=re.compile(rf"^{item}")).click()

    def _wait_until(self, condition: str) -> None:
        """Wait until this holds for the notebook in front, or a dialog wants an answer first."""
        self.page.wait_for_function(
            f"() => document.querySelector('.jp-Dialog') || ({condition})(document.querySelector({PANEL!r}))")


@contextmanager
def _course(folder: Path, workbook: Path, config: dict[str, Any]) -> Iterator[str]:
    """`course`, serving a copy of the notebooks in `workbook`, with these settings: the address that it prints."""
    # a kernel's sockets have names of limited length
    runtime = Path(tempfile.mkdtemp(prefix="lab-"))
    settings = folder / "config"
    settings.mkdir()
    if sys.platform == "linux":
        # no ports that others may take meanwhile: see PrivateKernelManager
        config = config | {"KernelManager": {"transport": "ipc"}}
    (settings / "jupyter_server_config.json").write_text(json.dumps(config), encoding="utf-8")
    environment = hostile_environment() | {
        "IPYTHONDIR": str(folder / "ipython"),
        "JUPYTER_CONFIG_DIR": str(settings),
        "JUPYTER_RUNTIME_DIR": str(runtime),
        "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
        "PYTHONUNBUFFERED": "1",
    }
    command = shutil.which("course", path=sysconfig.get_path("scripts"))
    assert command, "the course command is not installed in this environment"
    with (folder / "course.log").open("w+") as log:
        course = subprocess.Popen([command, "--no-browser", "--workbook", str(workbook)], cwd=folder, env=environment,
                                  stdout=log, stderr=subprocess.STDOUT)
        try:
            yield _address(course, folder / "course.log")
        finally:
            course.terminate()
            try:
                course.wait(timeout=LIMIT / 1000)
            finally:
                course.kill()
                shutil.rmtree(runtime, ignore_errors=True)


def _address(course: subprocess.Popen, log: Path) -> str:
    """The address in the log, once it is there. AssertionError with the log when `course` ended instead."""
    deadline = time.monotonic() + LIMIT / 1000
    while time.monotonic() < deadline:
        if found := re.search(r"https?://127\.0\.0\.1:\S+", log.read_text(encoding="utf-8")):
            return found[0]
        if course.poll() is not None:
            break
        time.sleep(0.05)
    raise AssertionError(f"course did not say where it serves:\n{log.read_text(encoding='utf-8')}")


def complaints(book: Book, seen: Seen) -> Iterator[str]:
    """What a learner should not see."""
    yield from (f"a dialog: {words!r}" for words in seen.dialogs)
    yield from (f"a notice: {words!r}" for words in seen.notices)
    if len(seen.cells) != len(book.code):
        yield f"{len(seen.cells)} code cells instead of {len(book.code)}"
        return
    for number, (cell, now) in enumerate(zip(book.code, seen.cells), start=1):
        if now["prompt"] != f"[{number}]:":
            yield f"{cell} is numbered {now['prompt']}, not [{number}]: it did not run in its turn"
        if now["red"] and "raises-exception" not in cell.tags:
            yield f"{cell} shows an error, or what was written to stderr: {now['text']}"
        if checked(cell) and "not yet" not in now["text"]:
            yield f"{cell} shows no 'not yet': {now['text']}"
        alts = [alt for alt, _ in now["pictures"]]
        if alts != (stored := _alts(cell)):
            yield f"{cell} shows pictures with the alt texts {alts}, stored are {stored}"
        if not all(width > 0 for _, width in now["pictures"]):
            yield f"{cell} shows a picture that is none"


def _alts(cell: Cell) -> list[str]:
    """The alt texts of the pictures stored under a cell."""
    return [image.get("alt") or "" for output in cell.outputs
            for image in images(joined(output.get("data", {}).get("text/html", "")))]
