"""The exercises of 08: their stubs, their solutions, and what learners write instead."""

import pytest

from helpers import check

LOUD = """
async def loud_lines(reader, writer):
    while line := await reader.readline():
        writer.write(line.upper())
        await writer.drain()
    writer.close()
"""
FRAMES = """
async def frame_echo(reader, writer, limit=1_000):
    try:
        while True:
            header = await reader.readexactly(4)
            length = int.from_bytes(header, "big")
            if length > limit:
                return
            writer.write(header + await reader.readexactly(length))
            await writer.drain()
    except (EOFError, OSError):
        pass
    finally:
        writer.close()
"""

# name of what goes wrong: (what to replace in the good answer, by what, ...), a part of the hint
LOUD_WRONG = {
    "doesn't close": (("    writer.close()\n", ""), "returning is not hanging up"),
    "closes in the loop": (("        await writer.drain()\n", "        await writer.drain()\n        writer.close()\n"), "closed yourself"),
    "takes what is there": (("readline()", "read(1024)"), "waits for the `\\n`"),
    "waits for the write": (("        writer.write", "        await writer.write"), "nothing to wait for"),
    "waits for the close": (("    writer.close()", "    await writer.close()"), "so does `close`"),
    "closes the reader": (("writer.close()", "reader.close()"), "Which of the two hangs up"),
    "doesn't drain": (("        await writer.drain()\n", ""), "pile up in your own memory"),
    "takes a turn instead": (("        await writer.drain()\n", "        await asyncio.sleep(0)\n"), "pile up in your own memory"),
    "drains at the end": (("        await writer.drain()\n", "", "    writer.close()", "    await writer.drain()\n    writer.close()"), "pile up in your own memory"),
    "gives up on who doesn't read": (("await writer.drain()", "async with asyncio.timeout(0.05):\n            await writer.drain()"), "How long is it to wait"),
    "ends each line twice": (("line.upper()", 'line.upper() + b"\\n"'), "each line ends twice"),
    "an empty line is the end": (("await reader.readline()", "(await reader.readline()).strip()", "line.upper()", 'line.upper() + b"\\n"'), "you took it for the end"),
    "isn't loud": (("line.upper()", "line"), "capital letters"),
    "doesn't await": (("await reader.readline()", "reader.readline()"), "You hold a coroutine"),
    "sends text": (("line.upper()", "line.decode().upper()"), "A stream carries bytes"),
    "cuts the line's end off": (("line.upper()", "line.strip().upper()"), "belongs to what goes back"),
    "answers the first line": (("        await writer.drain()\n", "        await writer.drain()\n        break\n"), "keeps the handler going"),
    "reads to the end": (("while line := await reader.readline():", "if line := await reader.read():"), "When does your handler answer?"),
}
FRAMES_WRONG = {
    "catches nothing": (("    except (EOFError, OSError):\n        pass\n", ""), "the handler died of it"),
    "catches a hang-up alone": (("(EOFError, OSError)", "asyncio.IncompleteReadError"), "besides the one of `readexactly`"),
    "catches everything": (("(EOFError, OSError)", "BaseException"), "not for you"),
    "doesn't drain": (("            await writer.drain()\n", ""), "pile up in your own memory"),
    "little-endian": (('"big"', '"little"'), "Which end of the header comes first"),
    "half a message": (("readexactly(length)", "read(length)"), "at most `n` bytes"),
    "half a header": (("readexactly(4)", "read(4)"), "at most `n` bytes"),
    "a bare message": (("header + await", "await"), "what stands in front"),
    "reads before it asks": (
        (
            "            if length > limit:\n                return\n            writer.write(header + await reader.readexactly(length))",
            "            message = await reader.readexactly(length)\n            if length > limit:\n                return\n"
            "            writer.write(header + message)",
        ),
        "before the message is read",
    ),
    "takes the next header": (("                return", "                continue"), "wait for the next header"),
    "reads, and throws away": (("                return", "                await reader.readexactly(length)\n                continue"), "before the message is read"),
    "a number of its own": (("length > limit", "length > 1_000"), "where does it come from"),
    "gives up on who doesn't read": (
        ("            await writer.drain()", "            async with asyncio.timeout(0.1):\n                await writer.drain()"),
        "How long is it to wait",
    ),
    "drains outside of the try": (
        (
            FRAMES[FRAMES.index("    try:"):],
            """    try:
        while True:
            try:
                length = int.from_bytes(header := await reader.readexactly(4), "big")
                if length > limit:
                    break
                message = await reader.readexactly(length)
            except (EOFError, OSError):
                break
            writer.write(header + message)
            await writer.drain()
    finally:
        writer.close()
""",
        ),
        "which of them does the `try` hold",
    ),
    "the header first": (
        ("writer.write(header + await reader.readexactly(length))", "writer.write(header)\n            writer.write(await reader.readexactly(length))"),
        "When is a frame whole",
    ),
    "a text of digits": (('int.from_bytes(header, "big")', "int(header)"), "Which method of `int` reads bytes"),
    "doesn't close": (("    finally:\n        writer.close()\n", ""), "returning is not hanging up"),
    "the limit itself is too long": (("length > limit", "length >= limit"), "exactly as long as the limit"),
    "raises": (("                return", '                raise ValueError("too long")'), "end quietly"),
    "an empty frame is the end": (("            if length", "            if not length:\n                return\n            if length"), "a length of 0"),
    "one frame": (("        while True:\n", "        if True:\n"), "a second one came"),
    "complains": (("                return", '                writer.write(b"too long")\n                return'), "say to such a client"),
    "closes after the loop alone": (
        ("    except (EOFError, OSError):\n        pass\n    finally:\n        writer.close()\n", "    except (EOFError, OSError):\n        writer.close()\n"),
        "who closes the writer",
    ),
    "doesn't close when it is stopped": (
        (
            "                return\n",
            "                break\n",
            "    finally:\n        writer.close()\n",
            "    writer.close()\n",
        ),
        "also when you are asked to stop",
    ),
    "waits for the write": (("            writer.write", "            await writer.write"), "nothing to wait for"),
    "waits until it is closed": (("        writer.close()\n", "        writer.close()\n        await writer.wait_closed()\n"), "expect it there as well"),
}


def spoilt(text: str, changes: tuple[str, ...]) -> str:
    for old, new in zip(changes[::2], changes[1::2], strict=True):
        assert old in text
        text = text.replace(old, new)
    return text


@pytest.mark.parametrize("name", ["loud_lines", "frame_echo"])
def test_stub_and_solution(taken, name):
    assert check(taken("08", name).stub).status == "not yet"
    verdict = check(taken("08", name).solution)
    assert verdict.passed, verdict


@pytest.mark.parametrize("wrong", LOUD_WRONG)
def test_loud_lines(taken, wrong):
    changes, hint = LOUD_WRONG[wrong]
    verdict = check(taken("08", "loud_lines").write(spoilt(LOUD, changes)))
    assert verdict.status == "failed" and hint in verdict.hint, verdict


@pytest.mark.parametrize("wrong", FRAMES_WRONG)
def test_frame_echo(taken, wrong):
    changes, hint = FRAMES_WRONG[wrong]
    verdict = check(taken("08", "frame_echo").write(spoilt(FRAMES, changes)))
    assert verdict.status == "failed" and hint in verdict.hint, verdict


def test_other_words_for_the_same(taken):
    """A learner who names the exceptions one by one, and closes with the transport's own method."""
    text = spoilt(FRAMES, ("(EOFError, OSError)", "(asyncio.IncompleteReadError, ConnectionError)", "writer.close()", "writer.transport.close()"))
    assert check(taken("08", "frame_echo").write(text)).passed


@pytest.mark.parametrize(
    "changes",
    [
        ("while line := await reader.readline():", "async for line in reader:"),
        ("    writer.close()\n", "    writer.close()\n    await writer.wait_closed()\n"),
        ("        writer.write(line.upper())\n        await writer.drain()\n", "        await writer.drain()\n        writer.write(line.upper())\n"),
    ],
    ids=["async for", "waits until it is closed", "drains before it writes"],
)
def test_loud_lines_in_other_words(taken, changes):
    verdict = check(taken("08", "loud_lines").write(spoilt(LOUD, changes)))
    assert verdict.passed, verdict


@pytest.mark.parametrize(
    "changes",
    [
        ("            writer.write(header + await reader.readexactly(length))\n            await writer.drain()\n",
         "            message = await reader.readexactly(length)\n            for part in (header, message):\n                writer.write(part)\n"
         "                await writer.drain()\n"),
        ("        while True:\n", "        while True:\n            await writer.drain()\n", "(length))\n            await writer.drain()\n", "(length))\n"),
    ],
    ids=["two writes", "drains before it reads"],
)
def test_frame_echo_in_other_words(taken, changes):
    verdict = check(taken("08", "frame_echo").write(spoilt(FRAMES, changes)))
    assert verdict.passed, verdict
