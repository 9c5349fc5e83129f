"""What the notebooks import: background servers, a recording wire, pictures and checks."""

from importlib import import_module
from typing import Any

from .background import BackgroundServer
from .kernel import keep_interruptible
from .streams import StreamServer

__all__ = [
    "BackgroundServer",
    "EchoServer",
    "StreamServer",
    "TCPEchoServer",
    "WebSocketServer",
    "Wire",
    "check",
    "frames",
    "pictures",
]

keep_interruptible()


def __getattr__(name: str) -> Any:
    """Import what is heavy, rarely needed, or may be missing, when it is first asked for (PEP 562).

    So the doctor can speak where `websockets` or matplotlib are not installed.
    """
    if name in ("EchoServer", "TCPEchoServer", "WebSocketServer"):
        return getattr(import_module(".echo", __name__), name)
    if name == "Wire":
        return import_module(".wire", __name__).Wire
    if name == "check":
        return import_module(".exercises", __name__).check
    if name in ("frames", "pictures"):
        return import_module(f".{name}", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
