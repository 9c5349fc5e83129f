"""A table of clients that called a server and what came back; the last of them is the page that shows it."""

import html
import json
from collections.abc import Mapping

_WAITING = "waits for a browser: run the cell"
_CALL = """
for (const row of document.querySelectorAll('.guest-browser:not([data-called])')) {
    row.dataset.called = 'yes';
    const say = words => { row.textContent = words; };
    let answer = null;
    say('calls …');
    try {
        const ws = new WebSocket(URI);
        ws.onopen = () => ws.send(WORDS);
        ws.onmessage = event => { answer = event.data; ws.close(1000); };
        ws.onclose = event => say(answer === null ? `no answer (${event.code})` : `${answer} (closed with ${event.code})`);
    } catch (error) {
        say(`this page may not call: ${error.name}`);
    }
}
"""


class Guests:
    """Shows itself as the value of a cell: a row for each client, and one that the reader's browser fills in."""

    def __init__(self, uri: str, words: str, answers: Mapping[str, str]) -> None:
        self.uri = uri
        self.words = words
        self.answers = dict(answers)

    def __repr__(self) -> str:
        rows = {**self.answers, "this page": _WAITING}
        width = max(map(len, rows))
        return "\n".join(f"{name:<{width}}  {answer}" for name, answer in rows.items())

    def _repr_html_(self) -> str:
        row = '<tr><td style="text-align: left"><b>{}</b></td><td style="text-align: left"{}>{}</td></tr>'
        rows = [row.format(html.escape(name), "", html.escape(answer)) for name, answer in self.answers.items()]
        rows.append(row.format("this page", ' class="guest-browser"', _WAITING))
        call = _CALL.replace("URI", _script(self.uri)).replace("WORDS", _script(self.words))
        return f"<table>{''.join(rows)}</table><script>{call}</script>"


def guests(uri: str, words: str, answers: Mapping[str, str]) -> Guests:
    """A table of `answers` (client: what it got back), and a last row for the browser.

    The page that shows the table calls the server at `uri` itself, sends `words`, puts the answer and the close code into
    its row, and says so when it can't. Where no page runs it (a file on GitHub, a test) the row says that it waits.
    Runs in the thread of the cell; the call is the browser's own.

    Source: https://developer.mozilla.org/en-US/docs/Web/API/WebSocket
    """
    return Guests(uri, words, answers)


def _script(words: str) -> str:
    """A text as it may stand in a <script>."""
    return json.dumps(words).replace("<", "\\u003c")
