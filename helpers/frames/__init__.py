"""Recorded bytes shown as an HTTP handshake and WebSocket frames, field by field.

    from helpers import frames

    print(frames.table(wire))                          # who said what, a line each
    frames.sent_by(wire, "client")[0].fields           # one frame, field by field
    frames.decode(b"\\x81\\x02hi", "server")             # bare bytes
"""

from ..recording import Sender
from .conversation import Event, Part, conversation, sent_by, table
from .decoder import Decoder, decode
from .frame import Field, Frame, Problem
from .http import Http

__all__ = ["Decoder", "Event", "Field", "Frame", "Http", "Part", "Problem", "Sender", "conversation", "decode", "sent_by", "table"]
