"""Generated WebSocket streams (hypothesis): correct ones, and ones that break the rules somewhere."""

from dataclasses import dataclass

from hypothesis import strategies as st
from websockets.frames import CloseCode, Frame, Opcode, apply_mask

SENDERS = st.sampled_from(["client", "server"])
# around the lengths at which a frame's header grows (RFC 6455, section 5.2)
_SIZES = st.integers(0, 40) | st.sampled_from([0, 1, 2, 124, 125, 126, 127, 128, 300, 65535, 65536])
_CODES = st.sampled_from([int(code) for code in CloseCode if code not in (1005, 1006, 1015)]) | st.integers(3000, 4999)


@dataclass(frozen=True)
class Stream:
    """What one side sends: its frames as the library has them, and their bytes one by one."""

    sender: str
    frames: list[Frame]
    written: list[bytes]

    @property
    def data(self) -> bytes:
        return b"".join(self.written)


def _sized(draw: st.DrawFn) -> bytes:
    pattern = draw(st.binary(min_size=1, max_size=9))
    size = draw(_SIZES)
    return (pattern * (size // len(pattern) + 1))[:size]


@st.composite
def payloads(draw: st.DrawFn) -> str | bytes:
    """A message: str for text, bytes for binary."""
    kind = draw(st.sampled_from(["text", "long", "binary"]))
    if kind == "text":
        return draw(st.text(max_size=30))
    if kind == "long":
        size = draw(_SIZES)
        return (draw(st.text("aé漢🎾", min_size=1, max_size=5)) * size)[:size]
    return _sized(draw)


def _control(draw: st.DrawFn) -> Frame:
    return Frame(draw(st.sampled_from([Opcode.PING, Opcode.PONG])), _sized(draw)[:125])


@st.composite
def conversations(draw: st.DrawFn) -> list[Frame]:
    """Frames of a few messages, whole and in fragments, with control frames between them, perhaps a close at the end."""
    frames = []
    for message in draw(st.lists(payloads(), max_size=4)):
        data = message.encode() if isinstance(message, str) else message
        ends = sorted(draw(st.lists(st.integers(0, len(data)), max_size=3)))
        pieces = [data[a:b] for a, b in zip([0, *ends], [*ends, len(data)], strict=True)]
        opcode = Opcode.TEXT if isinstance(message, str) else Opcode.BINARY
        for place, piece in enumerate(pieces):
            frames.append(Frame(opcode if place == 0 else Opcode.CONT, piece, fin=place == len(pieces) - 1))
            if draw(st.booleans()):
                frames.append(_control(draw))
    if draw(st.booleans()):
        payload = draw(_CODES).to_bytes(2, "big") + draw(st.text(max_size=30)).encode()
        frames.append(Frame(Opcode.CLOSE, payload if draw(st.booleans()) else b""))
    return frames


def written(frame: Frame, mask: bytes) -> bytes:
    """The frame as the library writes it, but with this mask (b"": none) instead of a random one."""
    raw = frame.serialize(mask=False)
    if not mask:
        return raw
    head = len(raw) - len(frame.data)
    return raw[:1] + bytes([raw[1] | 0x80]) + raw[2:head] + mask + apply_mask(frame.data, mask)


@st.composite
def streams(draw: st.DrawFn) -> Stream:
    """What a correct sender sends, written by the library."""
    sender, frames = draw(SENDERS), draw(conversations())
    masks = st.binary(min_size=4, max_size=4) if sender == "client" else st.just(b"")
    return Stream(sender, frames, [written(frame, draw(masks)) for frame in frames])


@st.composite
def broken_streams(draw: st.DrawFn) -> Stream:
    """A stream in which a byte of one header or payload is another one; it may be correct all the same."""
    stream = draw(streams().filter(lambda stream: stream.written))
    place = draw(st.integers(0, len(stream.written) - 1))
    frame = bytearray(stream.written[place])
    at = draw(st.sampled_from([0, 0, 0, 1, 1]) | st.integers(0, min(len(frame), 20) - 1))
    frame[at] = draw(st.integers(0, 255)) if draw(st.booleans()) else frame[at] ^ 1 << draw(st.integers(0, 7))
    written = [*stream.written]
    written[place] = bytes(frame)
    return Stream(stream.sender, stream.frames, written)


@st.composite
def cut(draw: st.DrawFn, data: bytes) -> list[bytes]:
    """The same bytes in pieces."""
    ends = sorted(draw(st.lists(st.integers(0, len(data)), max_size=12)))
    return [data[a:b] for a, b in zip([0, *ends], [*ends, len(data)], strict=True)]
