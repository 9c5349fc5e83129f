"""Notebook 11: the mistakes that people make with allowed and come_back, and the hint that each one meets."""

import pytest

from helpers import check

NAMES = ("allowed", "come_back")


@pytest.mark.parametrize("name", NAMES)
def test_the_stub_is_not_yet_an_answer(taken, name):
    assert check(taken("11", name).stub).status == "not yet"


@pytest.mark.parametrize("name", NAMES)
def test_the_folded_solution_passes(taken, name):
    verdict = check(taken("11", name).solution)
    assert verdict.passed, verdict


def refused(taken, name: str, text: str, *, case: str, hint: str) -> None:
    verdict = check(taken("11", name).write(text))
    assert verdict.status == "failed", verdict
    assert f"“{case}”" in verdict.summary, verdict
    assert hint in verdict.hint, verdict


@pytest.mark.parametrize(
    ("body", "case", "hint"),
    [
        pytest.param("return True", "a page of a stranger", "everybody else", id="everybody"),
        pytest.param("return headers['Origin'] in FRIENDS", "a program, without an Origin", "isn't there", id="no program"),
        pytest.param("return headers.get('Origin') in FRIENDS", "a program, without an Origin", "isn't there", id="no program, without an error"),
        pytest.param("return headers.get('Host') in FRIENDS", "a page of a friend", "Which header", id="the host"),
        pytest.param("return headers.get('Origin')", "a page of a friend", "`True` or `False`", id="the origin itself"),
        pytest.param(
            "o = headers.get('Origin')\nreturn o is None or any(o.startswith(f) for f in FRIENDS)", "a stranger that begins like a friend", "equal", id="beginning"
        ),
        pytest.param(
            "o = headers.get('Origin')\nreturn o is None or any(f.split('//')[1] in o for f in FRIENDS)", "a stranger that begins like a friend", "equal", id="contains"
        ),
        pytest.param(
            "o = headers.get('Origin')\nreturn o is None or o.endswith(('tennis.example', '8888'))", "a stranger that ends like a friend", "equal", id="end"
        ),
        pytest.param(
            "o = headers.get('Origin')\nreturn o is None or o.endswith(('//tennis.example', ':8888'))", "a stranger that holds a friend's name", "equal", id="port alone"
        ),
        pytest.param(
            "o = headers.get('Origin')\nreturn o is None or o.split('//')[1] in {f.split('//')[1] for f in FRIENDS}",
            "a friend's name over a line that anybody can rewrite",
            "scheme",
            id="without the scheme",
        ),
        pytest.param(
            "from urllib.parse import urlsplit\no = headers.get('Origin')\n"
            "same = lambda u: (urlsplit(u).scheme, urlsplit(u).hostname)\nreturn o is None or same(o) in {same(f) for f in FRIENDS}",
            "another port of this machine",
            "port",
            id="without the port",
        ),
        pytest.param("o = headers.get('Origin')\nreturn o is None or o in ' '.join(FRIENDS)", "a stranger that is a part of a friend", "equal", id="a part"),
        pytest.param("o = headers.get('Origin')\nreturn o is None or o in FRIENDS or o.endswith('.tennis.example')", "a stranger that is a friend's neighbour", "equal", id="below a friend"),
        pytest.param("import re\no = headers.get('Origin')\nreturn o is None or any(re.fullmatch(f, o) for f in FRIENDS)", "a stranger that differs by one letter", "equal", id="a pattern"),
        pytest.param("o = headers.get('Origin')\nreturn o is None or o in FRIENDS or o.startswith('https://tennis.example:')", "another port of a friend", "port", id="a friend's port"),
        pytest.param("o = headers.get('Origin')\nreturn o is None or o in FRIENDS or o == 'http://' + headers['Host']", "the address of the server itself", "port", id="same as the host"),
        pytest.param("o = headers.get('Origin')\nreturn o is None or o.replace('localhost', '127.0.0.1') in FRIENDS", "another name for this machine", "Which texts are equal", id="localhost"),
        pytest.param("o = headers.get('Origin')\nreturn not o or o in FRIENDS", "an Origin with nothing in it", "tell", id="empty"),
        pytest.param("return headers.get('Origin') not in FRIENDS", "a page of a friend", "*in* the list", id="the wrong way round"),
        pytest.param("return headers.get('Origin', 'null') in FRIENDS | {'null'}", "a page without a home", "a text that a browser sends", id="null"),
        pytest.param("o = dict(headers.raw_items()).get('Origin')\nreturn o is None or o in FRIENDS", "a name in small letters", "small letters", id="capitals"),
        pytest.param("return headers.get('Origin').startswith(tuple(FRIENDS))", "a program, without an Origin", "`None`", id="method of None"),
    ],
)
def test_allowed_refuses(taken, body, case, hint):
    lines = "\n".join("    " + line for line in body.splitlines())
    refused(taken, "allowed", f"def allowed(headers):\n{lines}", case=case, hint=hint)


RIGHT = """\
def come_back(state, event):
    kind = event[0]
    if kind == "open":
        state["wait"] = 1
    elif kind == "bye":
        state["asked"] = True
        return "close"
    elif state["asked"]:
        return None
    elif kind == "close":
        seconds = state["wait"]
        state["wait"] = min(2 * seconds, 30)
        return ("timer", seconds)
    elif kind == "timer":
        return "connect"
"""

CUT = "the line is cut"
RESTART = "the server restarts"
LONG = "the server stays away"


@pytest.mark.parametrize(
    ("old", "new", "case", "hint"),
    [
        pytest.param('return ("timer", seconds)', 'return "connect"', CUT, "thousands of times", id="at once"),
        pytest.param('return ("timer", seconds)', "return seconds", CUT, '("timer", seconds)', id="a number"),
        pytest.param('return ("timer", seconds)', 'return "timer"', CUT, "For how many seconds", id="a word"),
        pytest.param('return ("timer", seconds)', "pass", CUT, "a close that nobody asked for", id="stays away"),
        pytest.param('        return "connect"', "        pass", CUT, "The time is over", id="waits and does nothing"),
        pytest.param('elif kind == "close":', 'elif kind == "close" and not event[2]:', RESTART, "the code, or the page", id="by clean"),
        pytest.param('elif kind == "close":', 'elif kind == "close" and event[1] == 1006:', RESTART, "the code, or the page", id="by 1006"),
        pytest.param('elif kind == "close":', 'elif kind == "close" and event[1] != 1000:', "the server hangs up with 1000", "the code, or the page", id="by 1000"),
        pytest.param('        return "close"', "        pass", "the visitor says bye", "with its line", id="bye is not a close"),
        pytest.param('        state["asked"] = True\n', "", "the visitor says bye", "Who remembers", id="forgets bye"),
        pytest.param('elif state["asked"]:', 'elif state["asked"] and kind == "close" and event[2]:', "bye, and then the line is cut", "Who remembers", id="bye and a cut"),
        pytest.param('        state["wait"] = min(2 * seconds, 30)\n', "", LONG, "who remembers", id="always one second"),
        pytest.param("min(2 * seconds, 30)", "seconds + 1", LONG, "*twice*", id="adds"),
        pytest.param("min(2 * seconds, 30)", "2 * seconds", LONG, "longest", id="without a limit"),
        pytest.param("min(2 * seconds, 30)", "min(2 * seconds, 32)", LONG, "longest", id="another limit"),
        pytest.param('        state["wait"] = 1', "        pass", "it came back, and is cut once more", "all is well", id="never begins again"),
        pytest.param('elif state["asked"]:', 'elif state["asked"] and kind == "close":', "bye while it waits", "while it was waiting", id="timer after bye"),
        pytest.param('        seconds = state["wait"]\n        state["wait"] = min(2 * seconds, 30)\n', '        seconds = state["wait"] = min(2 * state["wait"], 30)\n', CUT, "before you double it", id="doubles first"),
        pytest.param("kind = event[0]", "kind = event", CUT, "where is its kind", id="compares the tuple"),
        pytest.param('elif state["asked"]:\n', 'elif state["asked"]:\n        state["asked"] = kind != "close"\n', "bye, a close, and an old timer", "made you forget", id="forgets after the close"),
        pytest.param('        state["wait"] = 1\n', '        state["wait"] = 1\n        state["asked"] = False\n', "bye while it connects", "made you forget", id="forgets when open"),
        pytest.param("kind = event[0]", "kind, code, clean = event", CUT, "different lengths", id="unpacks three"),
        pytest.param("kind = event[0]", "kind, code = event[0], event[1]", CUT, "more", id="a code in each"),
    ],
)
def test_come_back_refuses(taken, old, new, case, hint):
    assert RIGHT.count(old) == 1, old
    refused(taken, "come_back", RIGHT.replace(old, new), case=case, hint=hint)


def test_come_back_remembers_in_the_state(taken):
    text = "waits = [1]\n" + RIGHT.replace('state["wait"]', "waits[-1]").replace("waits[-1] = 1", "waits.append(1)")
    text = text.replace("waits[-1] = min(2 * seconds, 30)", "waits.append(min(2 * seconds, 30))")
    refused(taken, "come_back", text, case="two pages", hint="a `state` of its own")
