"""The exercises of notebook 14: the stubs, the folded solutions, and the wrong answers that people really give."""

import pytest

from helpers import check

NAMES = ["accept_key", "upgrade", "respond"]


@pytest.mark.parametrize("name", NAMES)
def test_the_stub_is_no_wrong_answer(taken, name):
    assert check(taken("14", name).stub).status == "not yet"


@pytest.mark.parametrize("name", NAMES)
def test_the_folded_solution_passes(taken, name):
    verdict = check(taken("14", name).solution)
    assert verdict.passed, verdict


def refused(taken, name: str, text: str, hint: str) -> None:
    verdict = check(taken("14", name).write(text))
    assert verdict.status == "failed", verdict
    assert hint in verdict.hint, verdict


KEY = "def accept_key(key):\n return "
RIGHT_KEY = KEY + "base64.b64encode(hashlib.sha1((key + GUID).encode()).digest()).decode()"


@pytest.mark.parametrize(
    ("old", "new", "hint"),
    [
        pytest.param("(key + GUID)", "key", "What hangs behind the key", id="no GUID"),
        pytest.param("(key + GUID)", "(GUID + key)", "Which of them comes first", id="GUID first"),
        pytest.param("(key + GUID)", "(key + GUID.lower())", "In which case", id="GUID in lower case"),
        pytest.param("(key + GUID)", "f'{key} {GUID}'", "stands between them", id="a space between"),
        pytest.param("(key + GUID).encode()", "base64.b64decode(key) + GUID.encode()", "decoded the key first", id="decodes the key"),
        pytest.param("digest()).decode()", "hexdigest().encode()).decode()", "`hexdigest` and `digest`", id="hex into base64"),
        pytest.param("base64.b64encode(hashlib.sha1((key + GUID).encode()).digest()).decode()", "hashlib.sha1((key + GUID).encode()).hexdigest()", "written in hexadecimal", id="hex"),
        pytest.param("sha1", "sha256", "which hash", id="another hash"),
        pytest.param("hashlib.sha1((key + GUID).encode()).digest()", "(key + GUID).encode()", "where is the hash", id="no hash"),
        pytest.param("b64encode", "urlsafe_b64encode", "`+` and `/`", id="urlsafe"),
        pytest.param("b64encode", "encodebytes", "a line break", id="encodebytes"),
        pytest.param(").decode()", ")", "bytes into text", id="returns bytes"),
        pytest.param(RIGHT_KEY, KEY + "str(base64.b64encode(hashlib.sha1((key + GUID).encode()).digest()))", "how Python *shows* bytes", id="str of bytes"),
        pytest.param("(key + GUID).encode()", "key + GUID", "A hash eats bytes", id="hashes text"),
        pytest.param("(key + GUID).encode()", "key.encode() + GUID", "A hash eats bytes", id="bytes and text"),
        pytest.param("(key + GUID).encode()", "GUID + key", "A hash eats bytes", id="hashes text, GUID first"),
        pytest.param("hashlib.sha1((key + GUID).encode()).digest()", "hashlib.sha1((key + GUID).encode())", "Which method gets them out", id="the hash object"),
        pytest.param("(key + GUID)", "GUID", "the same for every key", id="no key"),
        pytest.param("(key + GUID)", "f'{key.encode()}{GUID}'", "went into the text along with the key", id="bytes in an f-string"),
        pytest.param("(key + GUID).encode()", "base64.b64encode(key.encode()) + GUID.encode()", "once more", id="base64 twice"),
        pytest.param("(key + GUID).encode()).digest()", "key.encode()).digest() + GUID.encode()", "Of what is the hash", id="the GUID too late"),
        pytest.param("digest())", "digest().decode())", "no letters", id="decodes the digest"),
        pytest.param("base64.b64encode(hashlib.sha1((key + GUID).encode()).digest()).decode()", "base64.b64decode(hashlib.sha1((key + GUID).encode()).digest())", "goes the other way", id="b64decode"),
        pytest.param("base64.b64encode(hashlib.sha1((key + GUID).encode()).digest()).decode()", "base64.b64decode(key[:-1])", "goes the other way", id="b64decode that raises"),
        pytest.param("return ", "return 'Sec-WebSocket-Accept: ' + ", "the whole line", id="the header's name, too"),
        pytest.param("hashlib.sha1((key + GUID).encode()).digest()", "hashlib.sha1((key + GUID).encode()).hexdigest()", "A hash eats bytes", id="hex is text"),
        pytest.param("base64.b64encode(hashlib.sha1((key + GUID).encode()).digest()).decode()", "'s3pPLMBiTxaQ9kYGzzhZRbK+xOo='", "look at the key", id="the RFC's answer for all"),
        pytest.param("base64.b64encode(hashlib.sha1((key + GUID).encode()).digest()).decode()", "hashlib.sha1((key + GUID).encode()).digest()", "A header is text", id="no base64"),
        pytest.param("return ", "print('x')\n ", "went to the screen", id="prints"),
    ],
)  # fmt: skip
def test_accept_key_refuses(taken, old, new, hint):
    text = RIGHT_KEY.replace(old, new)
    assert text != RIGHT_KEY
    refused(taken, "accept_key", text, hint)


ASK = '''def upgrade(host, path, key):
 rows = [f"GET {path} HTTP/1.1", f"Host: {host}", "Upgrade: websocket", "Connection: Upgrade", f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13"]
 return "\\r\\n".join([*rows, "", ""]).encode()'''


@pytest.mark.parametrize(
    ("old", "new", "hint"),
    [
        pytest.param('"\\r\\n"', '"\\n"', "two bytes", id="line feeds alone"),
        pytest.param('[*rows, "", ""]', '[*rows, ""]', "how does it know", id="no empty line"),
        pytest.param('[*rows, "", ""]', "rows", "how does it know", id="no end at all"),
        pytest.param('[*rows, "", ""]', '[*rows, "", "", ""]', "everything is a frame", id="an empty line too many"),
        pytest.param('[*rows, "", ""]', '["", *rows, "", ""]', "the first one is not the first", id="an empty line in front"),
        pytest.param('return "\\r\\n".join([*rows, "", ""])', 'return ("\\r\\n".join(rows) + "\\n\\n")', "stands alone", id="the last ones bare"),
        pytest.param(".encode()", "", "carries bytes", id="text"),
        pytest.param('"\\r\\n".join([*rows, "", ""]).encode()', "rows", "What joins them", id="the lines"),
        pytest.param("Connection: Upgrade", "Connection: keep-alive", "`keep-alive` alone", id="keep-alive"),
        pytest.param('"Connection: Upgrade", ', "", "meant for this connection", id="no Connection"),
        pytest.param('"Upgrade: websocket", ', "", "To which protocol", id="no Upgrade"),
        pytest.param("Upgrade: websocket", "Upgrade: ws", "To which protocol", id="another protocol"),
        pytest.param('f"Sec-WebSocket-Key: {key}", ', "", "How would you know your answer", id="no key"),
        pytest.param('f"Sec-WebSocket-Key: {key}"', '"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="', "another one than you were given", id="the RFC's key for all"),
        pytest.param(', "Sec-WebSocket-Version: 13"', "", "Which edition", id="no version"),
        pytest.param("Version: 13", "Version: 1.3", "Which edition", id="another version"),
        pytest.param('f"Host: {host}", ', "", "`Host` is missing", id="no Host"),
        pytest.param("{host}", "127.0.0.1", "names another one", id="one host for all"),
        pytest.param("GET {path}", "GET /", "another path", id="one path for all"),
        pytest.param('f"GET {path}', '"GET {path}', "`{path}` went over the line", id="no f in the first line"),
        pytest.param('f"Sec-WebSocket-Key: {key}"', '"Sec-WebSocket-Key: {key}"', "`{key}` went over the line", id="no f in the key's line"),
        pytest.param("GET {path}", "GET ws://{host}{path}", "another path", id="the whole URI"),
        pytest.param("GET {path} HTTP/1.1", "GET {path}", "three words", id="no version of HTTP"),
        pytest.param("HTTP/1.1", "HTTP/1.0", "an upgrade was new", id="HTTP 1.0"),
        pytest.param("GET", "POST", "Which one does a browser use", id="POST"),
        pytest.param("Upgrade: websocket", "Upgrade : websocket", "right behind it", id="a space before the colon"),
        pytest.param("Upgrade: websocket", " Upgrade: websocket", "first column", id="indented"),
        pytest.param("rows = [", 'rows = ["Upgrade: websocket", ', "The first line has three words", id="a header first"),
        pytest.param('"Upgrade: websocket", ', '"Upgrade: websocket", "Upgrade: websocket", ', "there twice", id="twice"),
    ],
)  # fmt: skip
def test_upgrade_refuses(taken, old, new, hint):
    assert old in ASK
    refused(taken, "upgrade", ASK.replace(old, new), hint)


DOOR = '''def respond(head):
 headers = headers_of(head)
 options = [option.strip() for option in headers.get("connection", "").lower().split(",")]
 if head.split(" ")[0] != "GET":
  return http("HTTP/1.1 405 Method Not Allowed")
 if "upgrade" not in options or headers.get("upgrade", "").lower() != "websocket":
  return http("HTTP/1.1 426 Upgrade Required")
 if "sec-websocket-key" not in headers or headers.get("sec-websocket-version") != "13":
  return http("HTTP/1.1 400 Bad Request")
 return yes(head)'''


@pytest.mark.parametrize(
    ("old", "new", "hint"),
    [
        pytest.param('headers.get("connection", "")', 'headers["connection"]', "takes a default", id="KeyError"),
        pytest.param('headers.get("upgrade", "")', 'headers.get("upgrade")', "None has no `lower`", id="None"),
        pytest.param(".lower().split", ".split", "it was sent away", id="compares the case of Connection"),
        pytest.param('headers.get("upgrade", "").lower()', 'headers.get("upgrade", "")', "How do you compare", id="compares the case of Upgrade"),
        pytest.param('"upgrade" not in options', 'headers.get("connection", "").lower() != "upgrade"', "`Connection` is a list", id="no list"),
        pytest.param('"upgrade" not in options', '"upgrade" not in headers.get("connection", "").lower()', "letters anywhere", id="letters in the line"),
        pytest.param('"upgrade" not in options or ', "", "`Connection` does not list it", id="does not look at Connection"),
        pytest.param(' or headers.get("upgrade", "").lower() != "websocket"', "", "should not get in", id="does not look at Upgrade"),
        pytest.param('.lower() != "websocket"', ' == ""', "to which protocol", id="any protocol will do"),
        pytest.param('"GET"', '"POST"', "it was sent away", id="the wrong way round"),
        pytest.param("405", "400", "Which word of the first line", id="400 for a POST"),
        pytest.param("426", "400", "which status says *switch first*", id="400 for a page"),
        pytest.param("400", "426", "Which status says *bad request*", id="426 for no key"),
        pytest.param('"sec-websocket-key" not in headers or ', "", "`yes` needs a key", id="does not look for a key"),
        pytest.param('"sec-websocket-key" not in headers', 'headers["sec-websocket-key"] == ""', "takes a default", id="KeyError for the key"),
        pytest.param(' or headers.get("upgrade", "").lower() != "websocket"', "", "This one should not get in. The upgrade was not asked for", id="no Upgrade gets in"),
        pytest.param("426", "400", "It does not get in, which is right. The upgrade was not asked for", id="another number for no Upgrade"),
        pytest.param(' or headers.get("sec-websocket-version") != "13"', "", "an older edition", id="does not look at the version"),
        pytest.param('headers.get("sec-websocket-version") != "13"', 'headers.get("sec-websocket-version") != 13', "it was sent away", id="a number"),
        pytest.param('headers.get("sec-websocket-version") != "13"', 'headers.get("sec-websocket-version", "13") != "13"', "It does not say", id="no version is 13"),
        pytest.param('return http("HTTP/1.1 405 Method Not Allowed")', "return 405", "travels in the first line", id="the number alone"),
        pytest.param('return http("HTTP/1.1 405 Method Not Allowed")', "return http('405 Method Not Allowed')", "begins with a status line", id="no version"),
        pytest.param('http("HTTP/1.1 405 Method Not Allowed")', 'b"HTTP/1.1 405 Method Not Allowed\\r\\n"', "waits for the end of the head", id="no empty line"),
        pytest.param('http("HTTP/1.1 405 Method Not Allowed")', '"HTTP/1.1 405 Method Not Allowed\\r\\n\\r\\n"', "carries bytes", id="text"),
        pytest.param("return yes(head)", "yes(head)", "`return`", id="returns nothing"),
        pytest.param("return yes(head)", "return http('HTTP/1.1 101 Switching Protocols')", "the client doubts it", id="a bare yes"),
        pytest.param("return yes(head)", "return b'HTTP/1.1 101 Switching Protocols\\r\\n'", "no end of it", id="a yes without an end"),
        pytest.param(DOOR.partition("\n")[2].rpartition("\n")[0] + "\n", "", "Which word of the first line", id="yes to all"),
    ],
)  # fmt: skip
def test_respond_refuses(taken, old, new, hint):
    assert old in DOOR
    refused(taken, "respond", DOOR.replace(old, new), hint)


ANYWHERE = "letters anywhere in it"


@pytest.mark.parametrize(
    ("old", "new", "case", "hint"),
    [
        ('head.split(" ")[0] != "GET"', 'not head.startswith("GET / HTTP/1.1")', "another path", "How much of the first line"),
        ('head.split(" ")[0] != "GET"', '"GET" not in head', "a POST to the path /GET", "In which place"),
        ('headers.get("upgrade", "").lower() != "websocket"', '"websocket" not in headers.get("upgrade", "").lower()', "an upgrade to websocket2", ANYWHERE),
        ('headers.get("sec-websocket-version") != "13"', '"13" not in headers.get("sec-websocket-version", "")', "version 113", ANYWHERE),
    ],
)
def test_respond_looks_at_the_right_part_of_a_line(taken, old, new, case, hint):
    assert old in DOOR
    verdict = check(taken("14", "respond").write(DOOR.replace(old, new)))
    assert verdict.status == "failed" and f"“{case}”" in verdict.summary and hint in verdict.hint, verdict


def test_what_respond_raises_is_shown_and_not_that_it_said_nothing(taken):
    verdict = check(taken("14", "respond").write(DOOR.replace('return http("HTTP/1.1 405 Method Not Allowed")', "raise LookupError(405)")))
    assert ("received", "it raised LookupError: 405, in `raise LookupError(405)`") in verdict.rows, verdict


def test_an_answer_may_be_written_otherwise(taken):
    ways = {
        "accept_key": ["def accept_key(key):\n h = hashlib.sha1(key.encode())\n h.update(GUID.encode())\n return str(base64.b64encode(h.digest()), 'ascii')"],
        "upgrade": [
            "def upgrade(host, path, key):\n return (f'GET {path} HTTP/1.1\\r\\nsec-websocket-version:13\\r\\nCONNECTION: keep-alive, upgrade\\r\\n'\n"
            "  f'Sec-WebSocket-Key: {key}\\r\\nupgrade: WebSocket\\r\\nhost: {host}\\r\\nOrigin: http://{host}\\r\\n\\r\\n').encode()",
        ],
        "respond": [
            DOOR.replace('return http("HTTP/1.1 400 Bad Request")', "return b'HTTP/1.1 400 Bad Request\\r\\nContent-Length: 2\\r\\n\\r\\nno'"),
            DOOR.replace('headers.get("upgrade", "").lower() != "websocket"', '"websocket" not in headers.get("upgrade", "").lower().split(", ")'),
            DOOR.replace('headers.get("sec-websocket-version") != "13"', 'int(headers.get("sec-websocket-version", 0)) != 13'),
            DOOR.replace('head.split(" ")[0] != "GET"', 'not head.startswith("GET ")'),
        ],
    }
    for name, texts in ways.items():
        for text in texts:
            verdict = check(taken("14", name).write(text))
            assert verdict.passed, verdict
