"""Frames out of bytes: held against the library's own parser and builder, over generated streams, in any cut."""

import random
import zlib
from itertools import product
from types import SimpleNamespace

import pytest
from generated import Stream, broken_streams, cut, payloads, streams
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from websockets.client import ClientProtocol
from websockets.extensions.permessage_deflate import (
    ClientPerMessageDeflateFactory,
    PerMessageDeflate,
    ServerPerMessageDeflateFactory,
)
from websockets.frames import Frame as Built
from websockets.frames import Opcode
from websockets.protocol import OPEN
from websockets.server import ServerProtocol
from websockets.sync.client import connect
from websockets.uri import parse_uri

from helpers import EchoServer, Wire, frames
from helpers.frames.deflate import LIMIT
from helpers.frames.frame import masked
from helpers.frames.text import Utf8

MASK = b"\x01\x02\x03\x04"


def receiver(sender: str) -> ClientProtocol | ServerProtocol:
    """The library's own end of a connection, which gets what this side sends."""
    if sender == "client":
        return ServerProtocol(state=OPEN, max_size=None)
    return ClientProtocol(parse_uri("ws://localhost"), state=OPEN, max_size=None)


# Streams that keep to the rules


@given(streams(), st.data())
def test_a_correct_stream_in_any_cut(stream: Stream, data: st.DataObject) -> None:
    decoder = frames.Decoder(stream.sender)
    found = [frame for piece in data.draw(cut(stream.data)) for frame in decoder.feed(piece)]
    assert decoder.problem is None and decoder.partial is None
    assert [frame.raw for frame in found] == stream.written
    assert [(f.fin, f.opcode, f.payload, f.data) for f in found] == [
        (f.fin, f.opcode, f.data, f.data) for f in stream.frames
    ]
    assert [f.header + (masked(f.payload, f.mask) if f.masked else f.payload) for f in found] == stream.written
    assert all(f.masked == (stream.sender == "client") and f.length == len(f.payload) and f.complete for f in found)
    assert decoder.closed == any(f.opcode is Opcode.CLOSE for f in stream.frames)


@given(streams())
def test_fields_cover_each_bit_once(stream: Stream) -> None:
    for frame in frames.decode(stream.data, stream.sender):
        ends = [0] + [field.start + field.size for field in frame.fields]
        assert [field.start for field in frame.fields] == ends[:-1]
        assert ends[-1] == 8 * len(frame.raw)


@given(st.binary(max_size=70), st.binary(min_size=4, max_size=4), st.integers(0, 70))
def test_masking_is_octet_by_octet(data: bytes, mask: bytes, at: int) -> None:
    whole = bytes(octet ^ mask[place % 4] for place, octet in enumerate(data))  # RFC 6455, section 5.3
    assert masked(data, mask) == whole
    assert masked(data[:at], mask) + masked(data[at:], mask, min(at, len(data))) == whole


# Streams that don't


def behind_the_close(stream: Stream) -> int:
    """Where the bytes behind the first close frame begin."""
    place = 0
    for frame in frames.decode(stream.data, stream.sender):
        place += len(frame.raw)
        if frame.name == "close":
            break
    return place


STRICTER = ("shortest one", "length of 8 bytes", "UTF-8", "no more data")  # what the library doesn't look at, or not there


MIDDLE = "incomplete fragmented message"
"""The library's word for a close in the middle of a fragmented message, where any control frame may stand (RFC 6455, section 5.4)."""


@settings(max_examples=200)
@given(broken_streams())
@example(Stream("client", [], [b"\x01\x80" + MASK, b"\x88\x80" + MASK]))
@example(Stream("client", [], [b"\x88\x80" + MASK, b"\x83\x80" + MASK]))
def test_a_broken_stream_has_the_librarys_verdict(stream: Stream) -> None:
    library = receiver(stream.sender)
    library.receive_data(stream.data)
    decoder = frames.Decoder(stream.sender)
    decoder.feed(stream.data)
    refused = library.parser_exc is not None and str(library.parser_exc) != MIDDLE
    if decoder.problem and any(words in decoder.problem.says for words in STRICTER):
        return
    if decoder.problem and decoder.partial:
        return  # the library says nothing before the frame is whole
    if decoder.problem and decoder.problem.at >= behind_the_close(stream):
        return  # where the library doesn't look any more
    assert (decoder.problem is not None) == refused, (decoder.problem, library.parser_exc)
    if refused and decoder.problem.code != library.close_sent.code:
        # a close frame with a code that isn't one and a reason that is no text: the library looks at the reason first
        assert frames.decode(stream.data, stream.sender)[-1].name == "close"


@given(broken_streams())
@example(Stream("client", [], [b"\x81\xfe\x00\x05" + MASK + b"....."]))
@example(Stream("client", [], [b"\x81\xff" + bytes(6) + b"\xff\xff" + MASK]))
@example(Stream("client", [], [b"\x82\xff\x80" + bytes(7) + MASK]))
@example(Stream("server", [], [b"\x88\x02\x03\xed"]))
def test_the_problem_shows_at_its_byte_and_not_before(stream: Stream) -> None:
    data = stream.data
    assume(len(data) < 5000)  # bit by bit is slow
    decoder = frames.Decoder(stream.sender)
    decoder.feed(data)
    problem = decoder.problem
    decoder = frames.Decoder(stream.sender)
    if problem is None:
        found = [frame for octet in data for frame in decoder.feed(bytes([octet]))]
        assert found == [f for f in frames.decode(data, stream.sender) if f.complete]
        return
    decoder.feed(data[: problem.at])
    assert decoder.problem is None
    decoder.feed(data[problem.at : problem.at + 1])
    assert decoder.problem == problem
    broken = [frame for frame in frames.decode(data, stream.sender) if frame.problem]
    assert [frame.problem for frame in broken] == [problem]
    assert broken[0].start <= problem.at < broken[0].start + len(broken[0].raw)


BROKEN = {
    "a reserved opcode": ("client", b"\x83\x80" + MASK, 0, 1002, "5.2"),
    "a reserved control opcode": ("client", b"\x8b\x80" + MASK, 0, 1002, "5.2"),
    "RSV1": ("client", b"\xc1\x80" + MASK, 0, 1002, "5.2"),
    "RSV2": ("server", b"\xa1\x00", 0, 1002, "5.2"),
    "RSV3": ("server", b"\x91\x00", 0, 1002, "5.2"),
    "unmasked": ("client", b"\x81\x02hi", 1, 1002, "5.1"),
    "masked": ("server", b"\x81\x80" + MASK, 1, 1002, "5.1"),
    "a ping in fragments": ("server", b"\x09\x00", 0, 1002, "5.5"),
    "a ping too long": ("server", b"\x89\x7e\x00\x7e" + bytes(126), 1, 1002, "5.5"),
    "a continuation of nothing": ("server", b"\x80\x00", 0, 1002, "5.4"),
    "two messages at a time": ("server", b"\x01\x01a\x81\x01b", 3, 1002, "5.4"),
    "a length that is too long, 16 bits": ("server", b"\x82\x7e\x00\x7d" + bytes(125), 3, 1002, "5.2"),
    "a length that is too long, 64 bits": ("server", b"\x82\x7f" + bytes(6) + b"\xff\xff", 9, 1002, "5.2"),
    "a length with its first bit set": ("server", b"\x82\x7f\x80", 2, 1002, "5.2"),
    "text in Latin-1": ("server", b"\x81\x04caf\xe9", 5, 1007, "8.1"),
    "text with a wrong octet early": ("server", b"\x81\x7e\x01\x00ab\xc3(", 7, 1007, "8.1"),
    "text with a surrogate": ("server", b"\x81\x03\xed\xa0\x80", 3, 1007, "8.1"),
    "text that ends in a character": ("server", b"\x01\x01\xc3\x89\x00\x80\x00", 6, 1007, "8.1"),
    "text that goes on wrong": ("server", b"\x01\x01\xc3\x80\x01a", 5, 1007, "8.1"),
    "half a close code": ("server", b"\x88\x01\x03", 1, 1002, "5.5.1"),
    "a close code for nobody": ("server", b"\x88\x02\x03\xed", 3, 1002, "7.4.1"),
    "a close code out of range": ("server", b"\x88\x02\x13\x88", 3, 1002, "7.4.2"),
    "a reason that is no text": ("server", b"\x88\x03\x03\xe8\xff", 4, 1007, "8.1"),
    "a reason that ends in a character": ("server", b"\x88\x03\x03\xe8\xc3", 4, 1007, "8.1"),
    "data after the close": ("server", b"\x88\x00\x8a\x00\x81\x00", 4, 1002, "5.5.1"),
}


@pytest.mark.parametrize(("sender", "data", "at", "code", "section"), BROKEN.values(), ids=BROKEN)
def test_each_rule_with_its_byte_its_code_and_its_section(
    sender: str, data: bytes, at: int, code: int, section: str
) -> None:
    decoder = frames.Decoder(sender)
    decoder.feed(data)
    assert (decoder.problem.at, decoder.problem.code) == (at, code)
    assert decoder.problem.where == f"RFC 6455, section {section}"
    shown = str(frames.decode(data, sender)[-1])
    assert shown.endswith(str(decoder.problem)) and "× byte " in shown
    before = decoder.problem
    decoder.feed(b"\x81\x02hi" * 3)
    assert decoder.problem is before, "what follows is ignored"


def test_what_is_legal_though_it_looks_odd() -> None:
    for data in (b"\x01\x00\x89\x00\x80\x00", b"\x01\x01\xc3\x80\x01\xa9", b"\x01\x00\x88\x00", b"\x88\x02\x0b\xb8"):
        decoder = frames.Decoder("server")
        assert decoder.feed(data) and decoder.problem is None


@pytest.mark.parametrize("lead", [0x00, 0x7F, 0x80, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xED, 0xEF, *range(0xF0, 0xF6), 0xFF])
def test_the_first_wrong_octet_of_a_text(lead: int) -> None:
    for rest in product((0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xE0), repeat=3):
        data = bytes([lead, *rest])
        whole, single, place = Utf8(), Utf8(), None
        for number, octet in enumerate(data):
            if single.feed(bytes([octet])) is not None:
                place = number
                break
        assert whole.feed(data) == place == wrong_octet(data), data.hex(" ")


def wrong_octet(data: bytes) -> int | None:
    """By the table of well-formed sequences (RFC 3629, section 4)."""
    tails = 0
    low, high = 0x80, 0xBF
    for place, octet in enumerate(data):
        if tails:
            if not low <= octet <= high:
                return place
            low, high, tails = 0x80, 0xBF, tails - 1
        elif octet >= 0x80:
            if not 0xC2 <= octet <= 0xF4:
                return place
            tails = 1 if octet < 0xE0 else 2 if octet < 0xF0 else 3
            low = {0xE0: 0xA0, 0xF0: 0x90}.get(octet, 0x80)
            high = {0xED: 0x9F, 0xF4: 0x8F}.get(octet, 0xBF)
    return None


# Incomplete frames


def test_a_frame_that_is_cut_off() -> None:
    data = b"\x81\xfe\x00\x80" + MASK + masked(b"tennis", MASK)
    shown = [str(frames.decode(data[:size])[-1]) for size in (1, 2, 3, 4, 8, 14)]
    assert shown[0] == "text, 0 bytes, cut off in its header"
    assert shown[-1] == "text, masked, 128 bytes, 6 of them here: 'tennis'"
    for size in range(1, len(data)):
        frame = frames.decode(data[:size])[-1]
        assert not frame.complete and frame.raw == data[:size]
        assert [field.name for field in frame.fields][:3] == ["FIN", "RSV", "opcode"]
    assert frames.decode(b"") == []


def test_a_close_frame_is_read() -> None:
    (close,) = frames.decode(b"\x88\x05\x03\xe8bye", "server")
    assert (close.code, close.reason, str(close)) == (1000, "bye", "close, 5 bytes: 1000 'bye'")
    (empty,) = frames.decode(b"\x88\x00", "server")
    assert (empty.code, empty.reason, str(empty)) == (None, "", "close, 0 bytes")


def test_an_unknown_sender() -> None:
    with pytest.raises(ValueError, match="'client' or 'server', not 'me'"):
        frames.Decoder("me")
    with pytest.raises(ValueError, match="'client' or 'server', not 'me'"):
        frames.sent_by([], "me")


# Compression


@given(
    st.lists(payloads(), min_size=1, max_size=4),
    st.booleans(),
    st.integers(9, 15),
    st.lists(st.integers(0, 30), max_size=3),
    st.data(),
)
def test_compressed_messages_in_any_cut(
    messages: list[str | bytes], takeover: bool, bits: int, cuts: list[int], data: st.DataObject
) -> None:
    extension = PerMessageDeflate(False, not takeover, 15, bits)
    sent = []
    for message in messages:
        text = message.encode() if isinstance(message, str) else message
        ends = sorted({min(end, len(text)) for end in cuts})
        pieces = [text[a:b] for a, b in zip([0, *ends], [*ends, len(text)], strict=True)]
        opcode = Opcode.TEXT if isinstance(message, str) else Opcode.BINARY
        for place, piece in enumerate(pieces):
            frame = Built(Opcode.CONT if place else opcode, piece, fin=place == len(pieces) - 1)
            sent.append((frame.serialize(mask=True, extensions=[extension]), piece, frame.fin))
            if place == 0:
                sent.append((Built(Opcode.PING, b"there?").serialize(mask=True), b"there?", None))
    agreed = f"permessage-deflate; client_max_window_bits={bits}" + "; client_no_context_takeover" * (not takeover)
    decoder = frames.Decoder("client", agreed)
    found = [f for piece in data.draw(cut(b"".join(raw for raw, _, _ in sent))) for f in decoder.feed(piece)]
    assert decoder.problem is None
    assert [frame.raw for frame in found] == [raw for raw, _, _ in sent]
    data_frames = [frame for frame in found if frame.opcode < 8]
    assert all(frame.compressed for frame in data_frames)
    whole, expected = b"", [m.encode() if isinstance(m, str) else m for m in messages]
    for frame in data_frames:
        whole += frame.data
        if frame.fin:
            assert whole == expected.pop(0)
            whole = b""
    assert not expected


def test_the_examples_of_rfc_7692() -> None:
    agreed = "permessage-deflate"
    for stream in (
        "c1 07 f2 48 cd c9 c9 07 00",  # section 7.2.3.1
        "41 03 f2 48 cd 80 04 c9 c9 07 00",  # the same in fragments
        "c1 0b 00 05 00 fa ff 48 65 6c 6c 6f 00",  # section 7.2.3.3: a block without compression
        "c1 08 f3 48 cd c9 c9 07 00 00",  # section 7.2.3.4: BFINAL
        "c1 0d f2 48 05 00 00 00 ff ff ca c9 c9 07 00",  # section 7.2.3.5: two blocks
    ):
        found = frames.decode(bytes.fromhex(stream), "server", agreed)
        assert b"".join(frame.data for frame in found) == b"Hello", stream
    twice = bytes.fromhex("c1 07 f2 48 cd c9 c9 07 00 c1 05 f2 00 11 00 00")  # section 7.2.3.2: takeover
    assert [frame.data for frame in frames.decode(twice, "server", agreed)] == [b"Hello", b"Hello"]
    refused = frames.decode(twice, "server", "permessage-deflate; server_no_context_takeover")[-1]
    assert refused.problem.where == "RFC 7692, section 7.2.2"
    after_final = bytes.fromhex("c1 08 f3 48 cd c9 c9 07 00 00 c1 05 f2 00 11 00 00")
    assert [frame.data for frame in frames.decode(after_final, "server", agreed)] == [b"Hello", b"Hello"]


def test_the_window_that_was_agreed_on_holds() -> None:
    far = bytes(range(256)) * 3
    extension = PerMessageDeflate(False, False, 15, 15)
    noise = random.Random(1).randbytes(2000)
    raw = Built(Opcode.BINARY, noise + far + noise).serialize(mask=False, extensions=[extension])
    assert frames.decode(raw, "server", "permessage-deflate; server_max_window_bits=12")[0].problem is None
    refused = frames.decode(raw, "server", "permessage-deflate; server_max_window_bits=9")[0].problem
    assert refused.says == "this is no compressed data"


def test_problems_inside_compression() -> None:
    agreed = "permessage-deflate"
    ping = frames.decode(b"\xc9\x00", "server", agreed)[0].problem
    assert (ping.at, ping.where) == (0, "RFC 7692, section 6.1")
    second = frames.decode(b"\x41\x03\xf2\x48\xcd\xc0\x04\xc9\xc9\x07\x00", "server", agreed)[1].problem
    assert (second.at, second.where) == (5, "RFC 7692, section 6.1")
    bad_block = frames.decode(b"\xc1\x03\xff\xff\xff", "server", agreed)[0].problem
    assert (bad_block.at, bad_block.where) == (2, "RFC 7692, section 7.2.2")
    packer = zlib.compressobj(wbits=-15, level=0)
    latin = (packer.compress(b"caf\xe9 !") + packer.flush(zlib.Z_SYNC_FLUSH))[:-4]
    text = frames.decode(b"\xc1" + bytes([len(latin)]) + latin, "server", agreed)[0].problem
    assert (text.at, text.code) == (2 + latin.index(b"\xe9") + 1, 1007)


def test_a_few_bytes_that_stand_for_gigabytes() -> None:
    packer = zlib.compressobj(wbits=-15)
    bomb = (packer.compress(bytes(LIMIT + 1)) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4]
    raw = b"\xc2\x7e" + len(bomb).to_bytes(2, "big") + bomb
    problem = frames.decode(raw, "server", "permessage-deflate")[0].problem
    assert problem.code == 1009 and "inflates to more than" in problem.says


def test_a_recording_that_begins_later_keeps_compressed_messages_as_they_are() -> None:
    (frame,) = frames.decode(b"\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00", "server", None)
    assert frame.problem is None and frame.compressed and frame.data == frame.payload


# Recordings


@pytest.mark.parametrize(
    ("client", "server"),
    [
        ({}, {}),
        ({"client_no_context_takeover": True}, {}),
        ({"server_no_context_takeover": True, "server_max_window_bits": 9}, {}),
        ({}, {"client_max_window_bits": 9, "client_no_context_takeover": True}),
    ],
)
def test_a_recording_whose_handshake_agrees_on_compression(client: dict, server: dict) -> None:
    options = {"extensions": [ServerPerMessageDeflateFactory(**server)], "compression": None}
    texts = ["hello", "hello", "hello again " * 100, "bye"]
    with EchoServer(**options) as echo, Wire(echo) as wire:
        with connect(
            wire.uri, proxy=None, compression=None, extensions=[ClientPerMessageDeflateFactory(**client)]
        ) as ws:
            for text in texts:
                ws.send(text)
                ws.recv(timeout=10)
        sent = frames.sent_by(wire, "client")
        answered = frames.sent_by(wire, "server")
    assert [frame.data.decode() for frame in sent if frame.opcode == 1] == texts
    assert [frame.data.decode() for frame in answered if frame.opcode == 1] == [f"Echo: {text}" for text in texts]
    assert all(frame.compressed for frame in sent + answered if frame.opcode == 1)


def test_a_table_is_the_same_on_every_run() -> None:
    with EchoServer() as echo, Wire(echo) as wire:
        with connect(wire.uri, proxy=None, compression=None) as ws:
            ws.send(["15", "-", "love"])
            ws.recv(timeout=10)
            ws.ping(b"there?").wait(10)
            ws.close(4000, "rain")
        assert frames.table(wire).splitlines() == [
            "client  GET / HTTP/1.1",
            "server  HTTP/1.1 101 Switching Protocols",
            "client  text, no FIN, masked, 2 bytes: '15'",
            "client  continuation, no FIN, masked, 1 byte: '-'",
            "client  continuation, no FIN, masked, 4 bytes: 'love'",
            "client  continuation, masked, 0 bytes",
            "server  text, 13 bytes: 'Echo: 15-love'",
            "client  ping, masked, 6 bytes: 'there?'",
            "server  pong, 6 bytes: 'there?'",
            "client  close, masked, 6 bytes: 4000 'rain'",
            "server  close, 6 bytes: 4000 'rain'",
        ]
        request, answer, *rest = frames.conversation(wire)
        assert request.what.get("sec-websocket-version") == "13" and request.what.status is None
        assert answer.what.upgraded and answer.what.get("Sec-WebSocket-Extensions") == ""
        assert all(part.received is not None and part.sent <= part.received for part in rest)
        assert frames.conversation(wire.events) == frames.conversation(wire, 1)
        assert frames.conversation(wire, connection=2) == []


def event(number: int, sender: str, data: bytes, kind: str = "received") -> SimpleNamespace:
    return SimpleNamespace(time=float(number), connection=1, sender=sender, kind=kind, data=data)


GET = b"GET /feed HTTP/1.1\r\nHost: a\r\n\r\n"
SWITCH = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
HELLO = b"\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00"


@given(st.data())
def test_a_handshake_in_any_cut(data: st.DataObject) -> None:
    client = [event(0, "client", piece) for piece in data.draw(cut(GET + b"\x81\x82" + MASK + masked(b"hi", MASK)))]
    server = [event(1, "server", piece) for piece in data.draw(cut(SWITCH + HELLO))]
    # a client that doesn't wait for the answer: its frames are understood once that has come
    shown = {str(part) for part in frames.conversation(client + server)}
    assert shown == {
        "client  GET /feed HTTP/1.1",
        "client  text, masked, 2 bytes: 'hi'",
        "server  HTTP/1.1 101 Switching Protocols",
        "server  text, compressed, 7 bytes: 'Hello'",
    }


def test_requests_that_are_no_handshake() -> None:
    refused = b"HTTP/1.1 426 Upgrade Required\r\nContent-Length: 2\r\n\r\n\x81\x85"
    events = [
        event(0, "client", GET),
        event(1, "server", b"HTTP/1.1 100 Continue\r\n\r\n" + refused),
        event(2, "client", GET + b"hel"),
        event(3, "server", b"HTTP/1.1 200 OK\r\n\r\nas much as comes"),
    ]
    parts = frames.conversation(events)
    assert [str(part) for part in parts] == [
        "client  GET /feed HTTP/1.1",
        "server  HTTP/1.1 100 Continue",
        "server  HTTP/1.1 426 Upgrade Required",
        "client  GET /feed HTTP/1.1",
        "server  HTTP/1.1 200 OK (cut off)",
    ]
    assert parts[2].what.body == b"\x81\x85"
    ended = frames.conversation([*events, event(4, "server", b"", "end")])[-1]
    assert str(ended) == "server  HTTP/1.1 200 OK" and ended.what.body == b"as much as comes"


@pytest.mark.parametrize("recording", [None, 7, "hello", b"hello", ["hello"], [(0, 1, "client", "hello")]])
def test_what_is_no_recording(recording: object) -> None:
    with pytest.raises(ValueError, match="pass a Wire or its events"):
        frames.table(recording)
