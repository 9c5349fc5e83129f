"""The exercise of 00: its stub, its solution, and what learners write instead."""

import pytest

from helpers import check

ASK = '''
def ask(uri, word):
    with connect(uri, proxy=None) as client:
        client.send(word)
        return client.recv(timeout=2)
'''

WRONG = {
    "keeps the first address": (
        '''
def two_matches():
    with EchoServer() as court:
        uri = court.uri
        first = ask(uri, "fifteen")
    with EchoServer() as court:
        return [first, ask(uri, "love")]
''',
        "asks the second one for its own",
    ),
    "never stops": (
        '''
def two_matches():
    first = EchoServer().start()
    one = ask(first.uri, "fifteen")
    second = EchoServer().start()
    return [one, ask(second.uri, "love")]
''',
        "Who stops it",
    ),
    "one server for both": (
        '''
def two_matches():
    with EchoServer() as court:
        return [ask(court.uri, "fifteen"), ask(court.uri, "love")]
''',
        "a server started for it",
    ),
    "returns what was sent": (
        '''
def two_matches():
    for word in ("fifteen", "love"):
        with EchoServer() as court:
            ask(court.uri, word)
    return ["fifteen", "love"]
''',
        "these you sent",
    ),
    "prints": (
        '''
def two_matches():
    for word in ("fifteen", "love"):
        with EchoServer() as court:
            print(ask(court.uri, word))
''',
        "leave a function",
    ),
    "listens first": (
        '''
def two_matches():
    with EchoServer() as court, connect(court.uri, proxy=None) as client:
        answer = client.recv(timeout=0.2)
        client.send("fifteen")
    return [answer]
''',
        "Whose turn is it first",
    ),
    "listens first, without a limit": (
        '''
def two_matches():
    with EchoServer() as court, connect(court.uri, proxy=None) as client:
        answer = client.recv()
        client.send("fifteen")
    return [answer]
''',
        "Whose turn is it first",
    ),
    "never starts": (
        """
def two_matches():
    court = EchoServer()
    return [ask(court.uri, "fifteen"), ask(court.uri, "love")]
""",
        "nobody has started it",
    ),
    "makes the answers up": ("def two_matches():\n    return ['Echo: fifteen', 'Echo: love']", "no server of yours"),
    "keeps the method": (
        """
def two_matches():
    with EchoServer() as court, connect(court.uri, proxy=None) as client:
        return [client.recv, client.recv]
""",
        "nobody has called it",
    ),
    "only one match": (
        '''
def two_matches():
    with EchoServer() as court:
        return [ask(court.uri, "fifteen")]
''',
        "once more",
    ),
}


def test_stub(taken):
    assert check(taken("00", "two_matches").stub).status == "not yet"


def test_solution(taken):
    verdict = check(taken("00", "two_matches").solution)
    assert verdict.passed, verdict


@pytest.mark.parametrize("name", WRONG)
def test_wrong(taken, name):
    text, hint = WRONG[name]
    verdict = check(taken("00", "two_matches").write(ASK + text))
    assert verdict.status == "failed" and hint in verdict.hint, verdict
