"""Every notebook in a real browser: opened by `course`, Run All, and looked at as a learner would."""

import os
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from books import Book, books
from lab import Lab, complaints, find_browser
from playwright.sync_api import Playwright, sync_playwright
from specimens import Specimen, code

BROKEN = [
    code("stderr", "import sys\nfrom IPython.display import HTML, display\nprint('careful', file=sys.stderr)"),
    code("no-alt", "display(HTML('<img src=\"data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA=\">'))"),
    code("no-picture", "display(HTML('<img alt=\"four words of it\" src=\"data:image/png;base64,AAAA\">'))"),
    code("define", "def double(n):\n    ...\n\ndef check(answer):\n    print('passed')"),
    code("check", "check(double)"),
    code("error", "1 / 0"),
    code("after", "2 + 2"),
]
"""A notebook with everything that a learner should not see."""


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with sync_playwright() as playwright:
        browser = required_browser(playwright)
        folder = tmp_path_factory.mktemp("lab")
        (folder / "workbook").mkdir()
        Specimen(folder / "workbook", BROKEN, "98_broken.ipynb").write(number=False)
        nameless = Specimen(folder / "workbook", BROKEN[:1], "99_nameless.ipynb")
        nameless.raw["metadata"] = {}
        nameless.write(number=False)
        with Lab(folder, playwright, browser) as lab:
            yield lab


def required_browser(playwright: Playwright) -> str:
    """The path of a browser. Where there is none these tests are skipped, but in CI they fail."""
    if browser := find_browser(playwright):
        return browser
    reason = "no Chromium on this machine: install chromium, or run `playwright install chromium`"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def look(lab: Lab, book: Book) -> str:
    """Open a notebook, run it, and say what is wrong with what is seen, a line each, and where a screenshot is."""
    try:
        lab.open(book.name, len(book.code))
        found = list(complaints(book, lab.run_all()))
    except Exception as error:
        found = [str(error)]
    if found:
        found.append(f"screenshot: {lab.screenshot(book.stem)}")
        lab.begin_again()
    else:
        lab.close()
    return "\n".join(found)


@pytest.mark.skipif(not books(), reason="there is no notebook yet")
def test_it_opens_on_the_first_notebook(lab: Lab) -> None:
    lab.panel.locator(".jp-Cell").first.wait_for()
    assert lab.page.locator(".lm-TabBar-tab.jp-mod-current").inner_text() == books()[0].name


@pytest.mark.parametrize("book", books()[::2], ids=str)
def test_notebook(lab: Lab, book: Book) -> None:
    found = look(lab, book)
    assert not found, found


class TestOtherWindow:
    """Every other notebook, in a window of its own. pytest-xdist gives a class to one worker: one window would be the last to end."""

    @pytest.mark.parametrize("book", books()[1::2], ids=str)
    def test_notebook(self, lab: Lab, book: Book) -> None:
        found = look(lab, book)
        assert not found, found


def test_a_broken_notebook(lab: Lab) -> None:
    found = look(lab, Book(lab.workbook / "98_broken.ipynb"))
    for words in ("cell 0 (stderr) shows an error, or what was written to stderr: careful",
                  "cell 1 (no-alt) shows pictures with the alt texts ['Image",
                  "cell 2 (no-picture) shows a picture that is none",
                  "cell 4 (check) shows no 'not yet': passed",
                  "cell 5 (error) shows an error, or what was written to stderr: ----",
                  "cell 6 (after) is numbered [ ]:, not [7]",
                  "98_broken.png"):
        assert words in found


def test_a_notebook_without_a_kernel(lab: Lab) -> None:
    assert "a dialog: ['Select Kernel" in look(lab, Book(lab.workbook / "99_nameless.ipynb"))
    assert (lab.folder / "99_nameless.png").exists()




def test_where_there_is_no_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    nowhere = SimpleNamespace(chromium=SimpleNamespace(executable_path="/nowhere/chrome"))
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr("lab.PLACES", ())
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="no Chromium"):
        required_browser(nowhere)
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="no Chromium"):
        required_browser(nowhere)
