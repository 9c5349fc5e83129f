"""Notebook 02: the mistakes that people make with cut_line, feed and read_page, and the hint that each one meets."""

import pytest

from helpers import check

NAMES = ("cut_line", "feed", "read_page")


@pytest.mark.parametrize("name", NAMES)
def test_the_stub_is_not_yet_an_answer(taken, name):
    assert check(taken("02", name).stub).status == "not yet"


@pytest.mark.parametrize("name", NAMES)
def test_the_folded_solution_passes(taken, name):
    verdict = check(taken("02", name).solution)
    assert verdict.passed, verdict


def refused(taken, name: str, text: str, *, case: str, hint: str) -> None:
    verdict = check(taken("02", name).write(text))
    assert verdict.status == "failed", verdict
    assert f"“{case}”" in verdict.summary, verdict
    assert hint in verdict.hint, verdict


def indented(first: str, body: str) -> str:
    return first + "\n" + "".join(f" {line}\n" for line in body.splitlines())


END = "end = data.find(b'\\n')\n"


@pytest.mark.parametrize(
    ("body", "case", "hint"),
    [
        pytest.param(END + "return (data[:end + 1], end + 1) if end >= 0 else None", "one line, and nothing else", "a part of the message", id="keeps the delimiter"),
        pytest.param(END + "return (data[:end], end) if end >= 0 else None", "one line, and nothing else", "which byte comes first", id="leaves the delimiter"),
        pytest.param(END + "return (data[:end + 1], end) if end >= 0 else None", "one line, and nothing else", "told apart", id="mixes the two up"),
        pytest.param(END + "return (data[:end - 1], end) if end >= 0 else None", "one line, and nothing else", "a letter too few", id="one too few"),
        pytest.param(END + "return (end + 1, data[:end]) if end >= 0 else None", "one line, and nothing else", "The message comes first", id="the wrong way round"),
        pytest.param(END + "return bytes(data[:end]) if end >= 0 else None", "one line, and nothing else", "Which one is missing", id="the message alone"),
        pytest.param(END + "return (data[:end], data[end + 1:]) if end >= 0 else None", "one line, and nothing else", "is a *number*", id="the rest itself"),
        pytest.param(END + "return (data[:end].decode(), end + 1) if end >= 0 else None", "one line, and nothing else", "came as bytes", id="returns text"),
        pytest.param(END + "return (data[:end], len(data)) if end >= 0 else None", "a line, and the beginning of the next one", "everything is cut off", id="loses the rest"),
        pytest.param("end = data.rfind(b'\\n')\nreturn (data[:end], end + 1) if end >= 0 else None", "two lines at once", "at which one", id="the last delimiter"),
        pytest.param("return data[:data.find(b'\\n')], data.find(b'\\n') + 1", "a line that is not whole yet", "-1", id="does not ask whether there is one"),
        pytest.param("end = data.index(b'\\n')\nreturn data[:end], end + 1", "a line that is not whole yet", "`index` raises", id="index"),
        pytest.param(END + "return (data[:end], end + 1) if end >= 0 else (b'', 0)", "a line that is not whole yet", "an empty one", id="an empty message for none"),
        pytest.param(END + "return (data[:end], end + 1) if end >= 0 else (None, 0)", "a line that is not whole yet", "single value", id="a tuple for none"),
        pytest.param("line = data.partition(b'\\n')[0]\nreturn line, len(line) + 1", "a line that is not whole yet", "Has its delimiter come", id="partition"),
        pytest.param(END + "return (data[:end], end + 1) if end > 0 else None", "an empty line", "let 0 through", id="no empty lines"),
        pytest.param(END + "return (data.splitlines()[0], end + 1) if end >= 0 else None", "a message with `\\r` in it, and at its end", "nothing else is", id="splitlines"),
        pytest.param(END + "return (data[:end].rstrip(b'\\r\\n'), end + 1) if end >= 0 else None", "a message with `\\r` in it, and at its end", "nothing else is", id="strips line breaks"),
        pytest.param(END + "return (data[:end].strip(), end + 1) if end >= 0 else None", "a message that begins and ends with a space", "What became of the spaces", id="strips"),
    ],
)
def test_cut_line_refuses(taken, body, case, hint):
    refused(taken, "cut_line", indented("def cut_line(data):", body), case=case, hint=hint)


def feed_with(loop: str, *, start: str = "data += piece\nmessages = []", end: str = "if piece == b'' and data: raise EOFError\nreturn messages") -> str:
    return indented("def feed(data, piece, limit=1_000_000):", f"{start}\n{loop}\n{end}")


LOOP = """while len(data) >= 4:
 length = int.from_bytes(data[:4], 'big')
 if length > limit: raise ValueError
 if len(data) < 4 + length: break
 messages.append(bytes(data[4:4 + length]))
 del data[:4 + length]"""


@pytest.mark.parametrize(
    ("text", "case", "hint"),
    [
        pytest.param(feed_with(LOOP.replace("'big'", "'little'")), "a whole frame in one piece", "which end of it comes first", id="little endian"),
        pytest.param(feed_with("import struct\n" + LOOP.replace("int.from_bytes(data[:4], 'big')", "struct.unpack('I', data[:4])[0]")),
                     "a whole frame in one piece", "which end of it comes first", id="the machine's own order"),
        pytest.param(feed_with(LOOP.replace("data[4:4 + length]", "data[4:length]")), "a whole frame in one piece", "counts the message alone", id="forgets the header's length"),
        pytest.param(feed_with(LOOP.replace("data[4:4 + length]", "data[:4 + length]")), "a whole frame in one piece", "Where does the message begin", id="keeps the header"),
        pytest.param(feed_with(LOOP.replace("bytes(data[4:4 + length])", "data[4:4 + length].decode()")), "a whole frame in one piece", "that the message is text", id="decodes"),
        pytest.param(feed_with(LOOP.replace("del data[:4 + length]", "break")), "a whole frame in one piece", "takes a frame out", id="leaves the frame"),
        pytest.param(feed_with(LOOP, end="return messages[0] if messages else None"), "a whole frame in one piece", "any number of them", id="returns one message"),
        pytest.param(feed_with(LOOP, end="print(messages)"), "a whole frame in one piece", "went to the screen", id="prints"),
        pytest.param(feed_with(LOOP.replace("while", "if").replace(": break", ": return messages")), "two frames in one piece", "How many frames may a piece hold", id="one frame per feed"),
        pytest.param(feed_with(LOOP.replace(" del data[:4 + length]", " data.clear()")), "two frames in one piece", "the second is whole", id="clears the rest"),
        pytest.param(feed_with(LOOP, start="messages = []\ndata.append(piece)"), "a whole frame in one piece", "adds a single byte", id="append"),
        pytest.param(feed_with(LOOP, start="messages = []\ndata = data + piece"), "a cut in the middle of the message", "the caller's `bytearray`", id="another object"),
        pytest.param(feed_with(LOOP, start="messages = []\ndata[:] = piece"), "a cut in the middle of the message", "", id="forgets the rest"),
        pytest.param(feed_with(LOOP.replace(" if len(data) < 4 + length: break\n", "")), "a cut in the middle of the message", "while nothing is whole", id="hands over a part"),
        pytest.param(feed_with(LOOP, end="return messages or None"), "a cut in the middle of the message", "A list with nothing in it", id="None for nothing"),
        pytest.param(feed_with(LOOP.replace("len(data) >= 4", "data").replace("int.from_bytes(data[:4], 'big')", "data[0] << 24 | data[1] << 16 | data[2] << 8 | data[3]")),
                     "a cut in the middle of the header", "Does anything say", id="assumes a whole header"),
        pytest.param(feed_with("import struct\n" + LOOP.replace("len(data) >= 4", "data").replace("int.from_bytes(data[:4], 'big')", "struct.unpack('>I', data[:4])[0]")),
                     "a cut in the middle of the header", "Does anything say", id="assumes a whole header, by struct"),
        pytest.param(feed_with(LOOP.replace(" if len(data)", " if length == 0: return messages\n if len(data)")), "an empty message, and then another one", "length of 0", id="returns at length 0"),
        pytest.param(feed_with(LOOP.replace(" messages.append", " if length: messages.append")), "an empty message, and then another one", "an empty message is a message", id="drops empty messages"),
        pytest.param(feed_with(LOOP.replace("len(data) >= 4", "len(data) > 4")), "an empty message alone", "a whole frame", id="waits for a fifth byte"),
        pytest.param(feed_with(LOOP.replace("length > limit", "length >= limit")), "a frame as long as the limit allows", "not *above*", id="refuses the limit itself"),
        pytest.param(feed_with(LOOP.replace("length > limit", "4 + length > limit")), "a frame as long as the limit allows", "count the header", id="counts the header"),
        pytest.param(feed_with(LOOP.replace(" if length > limit: raise ValueError\n", "").replace(" messages.append", " if length > limit: raise ValueError\n messages.append")),
                     "a header that announces four gigabytes", "as if all were well", id="checks the limit after reading"),
        pytest.param(feed_with(LOOP.replace(" if length > limit: raise ValueError\n", "")), "a header that announces four gigabytes", "as if all were well", id="no limit"),
        pytest.param(feed_with(LOOP.replace("raise ValueError", "raise ConnectionError")), "a header that announces four gigabytes", "Which exception", id="another exception"),
        pytest.param(feed_with(LOOP.replace("raise ValueError", "return messages")), "a header that announces four gigabytes", "as if all were well", id="swallows it"),
        pytest.param(feed_with(LOOP, end="if not piece: raise EOFError\nreturn messages"), "a hang-up behind a whole frame", "a good end", id="every hang-up is an accident"),
        pytest.param(feed_with(LOOP, end="return messages"), "a hang-up in the middle of the message", "nothing more will come", id="no hang-up"),
        pytest.param(feed_with(LOOP, end="if piece == b'' and len(data) >= 4: raise EOFError\nreturn messages"), "a hang-up in the middle of the header", "nothing more will come", id="half a header is nothing"),
        pytest.param("kept = bytearray()\n" + feed_with(LOOP, start="data = kept\ndata += piece\nmessages = []"), "two callers in turn, each with its own data", "outside of `data`", id="a global rest"),
        pytest.param(feed_with(LOOP.replace("data[:4], 'big'", "data[2:4], 'big'")), "a header of which all four bytes count", "How many of them", id="two bytes of length"),
        pytest.param(feed_with(LOOP.replace("data[:4], 'big'", "data[1:4], 'big'")), "a header of which all four bytes count", "How many of them", id="three bytes of length"),
        pytest.param(feed_with(LOOP.replace(" del data[:4 + length]", " del data[:max(4 + length, 5)]")), "an empty message, and then another one", "", id="cuts off too much"),
        pytest.param(feed_with(LOOP.replace("if length > limit", "if length in (126, 65_536): length -= 1\n if length > limit")),
                     "every cut, from one byte to 4,096", "at a border that you have not tried", id="wrong at a border"),
        pytest.param(feed_with(LOOP.replace(": break", ": continue")), "a cut in the middle of the message", "round and round", id="spins"),
    ],
)
def test_feed_refuses(taken, text, case, hint):
    refused(taken, "feed", text, case=case, hint=hint)


PAGE = """data = b''
while b'\\r\\n\\r\\n' not in data:
 data += more(line)
head, _, body = data.partition(b'\\r\\n\\r\\n')
length = int(head.partition(b'Content-Length: ')[2].partition(b'\\r\\n')[0])
while len(body) < length:
 body += more(line)
return body"""


@pytest.mark.parametrize(
    ("body", "case", "hint"),
    [
        pytest.param("return page_from(line)", "the whole page in one piece", "the bug itself", id="as it was"),
        pytest.param(PAGE.replace("while len(body)", "body = b''\nwhile len(body)"), "the whole page in one piece", "taken, and not used", id="forgets the rest"),
        pytest.param(PAGE.replace("return body", "return data"), "the head, and the body a little later", "the body alone", id="returns what came first"),
        pytest.param(PAGE.replace("while len(body) < length:\n body += more(line)\n", ""), "the head, and the body a little later", "Who waits for them", id="does not wait for the body"),
        pytest.param(PAGE.replace("while len(body)", "if len(body)").replace("if len(body) < length:\n body", "body").replace("body += more(line)", "body = body or more(line)"),
                     "a body that comes in two pieces", "who asks for the others", id="one recv for the body"),
        pytest.param("data = b''\nwhile True:\n piece = more(line)\n data += piece\n if b'\\r\\n\\r\\n' in piece: break\n" + PAGE.split("data += more(line)\n")[1],
                     "a cut in the middle of the empty line", "came in two halves", id="looks at the piece alone"),
        pytest.param(PAGE.replace("data.partition(b'\\r\\n\\r\\n')", "data.rpartition(b'\\r\\n\\r\\n')"), "an empty line in the body", "ends the head", id="the last empty line"),
        pytest.param(PAGE.replace("head, _, body = data.partition(b'\\r\\n\\r\\n')", "head, body = data.split(b'\\r\\n\\r\\n')"), "an empty line in the body", "How many parts", id="split"),
        pytest.param(PAGE.replace("return body", "return body.decode()"), "the head, and the body a little later", "", id="returns text"),
        pytest.param(PAGE.replace("return body", "return head, body"), "the head, and the body a little later", "wants one of them", id="returns both"),
        pytest.param(PAGE.replace("while len(body) < length:", "while True:").replace(" body += more(line)", " body += more(line)\n if len(body) >= length: break"),
                     "the whole page in one piece", "taken, and not used", id="asks before it looks"),
        pytest.param(PAGE.replace("while len(body) < length:\n body", "while len(data) < length:\n data").replace("return body", "return data.partition(b'\\r\\n\\r\\n')[2]"),
                     "the head, and the body a little later", "the body alone", id="counts the head as well"),
        pytest.param(PAGE.replace("while len(body)", "while len(body.decode())"), "a body of 18 letters in 19 bytes", "which do you count", id="counts letters"),
        pytest.param(PAGE.replace(" data += more(line)", " data += line.recv(1024)"), "a line that tears in the head", "for ever", id="spins in the head"),
        pytest.param(PAGE.replace(" data += more(line)", " piece = line.recv(1024)\n if not piece: break\n data += piece"), "a line that tears in the head", "before it says a length", id="goes on without a head"),
        pytest.param(PAGE.replace(" body += more(line)", " body += line.recv(1024)"), "a line that tears in the body", "What does `more` know", id="spins at the hang-up"),
        pytest.param(PAGE.replace(" body += more(line)", " piece = line.recv(1024)\n if not piece: break\n body += piece"), "a line that tears in the body", "the length says so", id="returns half a page"),
    ],
)
def test_read_page_refuses(taken, body, case, hint):
    refused(taken, "read_page", indented("def read_page(line):", body), case=case, hint=hint)


def test_an_answer_may_be_written_otherwise(taken):
    ways = {
        "cut_line": ["def cut_line(data):\n line, mark, _ = data.partition(b'\\n')\n if mark: return line, len(line) + 1"],
        "feed": [
            feed_with(LOOP, start="data.extend(piece)\nmessages = []"),
            feed_with(LOOP.replace("len(data) >= 4", "data")),  # a part of a header never says that a frame is whole
            "def feed(data, piece, limit=1_000_000):\n data[:], messages, place = data + piece, [], 0\n while place + 4 <= len(data):\n"
            "  end = place + 4 + struct.unpack_from('>I', data, place)[0]\n  if end - place - 4 > limit: raise ValueError\n"
            "  if end > len(data): break\n  messages.append(data[place + 4:end])\n  place = end\n del data[:place]\n"
            " if data and not piece: raise EOFError\n return messages",
        ],
        "read_page": ["def read_page(line):\n with line.makefile('rb') as file:\n  length = 0\n  while (row := file.readline()) != b'\\r\\n':\n"
                      "   if not row: raise EOFError\n   name, _, value = row.partition(b': ')\n   if name == b'Content-Length': length = int(value)\n"
                      "  body = file.read(length)\n if len(body) < length: raise EOFError\n return body"],
    }
    for name, texts in ways.items():
        for text in texts:
            verdict = check(taken("02", name).write(text))
            assert verdict.passed, verdict
