"""Lets the stop button reach a cell that awaits."""

import asyncio
import sys
import weakref

_BEAT = 0.25  # seconds between two wake-ups of the kernel's loop

_beating: weakref.WeakSet[asyncio.AbstractEventLoop] = weakref.WeakSet()


def keep_interruptible() -> bool:
    """Wake the notebook kernel's event loop four times a second from now on.

    ipykernel 7.4 cancels an awaiting cell when you interrupt it, but the loop sleeps and does not
    notice until something wakes it. With this heartbeat it notices within a quarter of a second, and
    the cell ends with ``CancelledError``.

    Call it in a cell, in the kernel's own thread; importing ``helpers`` there does it for you. Once a
    loop beats, further calls change nothing. Outside of ipykernel it does nothing at all.
    It makes no task and no thread: one timer on the loop, that ends with the loop.

    Returns: True when this loop beats, False when there is no kernel's loop here.
    """
    if not _in_ipykernel():
        return False
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:  # a thread of its own, without a loop
        return False
    if loop not in _beating:
        _beating.add(loop)
        _beat(loop)
    return True


def _beat(loop: asyncio.AbstractEventLoop) -> None:
    loop.call_later(_BEAT, _beat, loop)


def _in_ipykernel() -> bool:
    # never imports IPython: where it isn't loaded, there is no kernel
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return hasattr(shell, "kernel")
