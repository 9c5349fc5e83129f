"""A client of hubs that is not ours: pysignalr's, running for as long as a block, and gone behind it."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Iterator

from pysignalr.client import SignalRClient
from websockets.asyncio.client import ClientConnection

_PATIENCE = 3.0  # seconds until it is connected
_GOODBYE = 1.0  # seconds that the hub has to answer a close


@contextlib.asynccontextmanager
async def running(client: SignalRClient) -> AsyncIterator[SignalRClient]:
    """Run a client in a task of its own: connected when the block begins, closed and hung up when it has ended.

    client = SignalRClient(hub.url)
    client.on("ball", heard.put)

    async with running(client):
        await client.send("Add", [2, 3], answers.put)

    All of it runs on the loop of the cell. A proxy is never asked: the hubs of the course are on this machine.

    Raises what ``client.run()`` raises, an error of a callback for example; whatever the block waits for is then cancelled.
    TimeoutError when the client isn't connected within three seconds.

    Source: https://github.com/baking-bad/pysignalr
    """
    transport = client._transport  # in public a client can be cancelled, but nobody can wait until its line is closed
    try:
        async with asyncio.TaskGroup() as group:
            with _no_proxy():
                life = group.create_task(client.run())
                try:
                    async with asyncio.timeout(_PATIENCE):
                        await transport._connected.wait()
                    yield client
                finally:
                    line = transport._ws
                    life.cancel()
                    if line is not None:
                        await _hang_up(line)  # its close is on its way before `life` hears that it is cancelled
                    await asyncio.wait([life])
    except BaseExceptionGroup as group:
        # one task and one block: the first error is the one to tell
        raise group.exceptions[0] from None


async def _hang_up(line: ClientConnection) -> None:
    """Say goodbye and wait until the line is closed.

    ``run()``, when it is cancelled, leaves that to a generator, which does it whenever it is collected.
    """
    try:
        async with asyncio.timeout(_GOODBYE):
            await line.close()
    except TimeoutError:
        line.transport.abort()
        await line.wait_closed()


@contextlib.contextmanager
def _no_proxy() -> Iterator[None]:
    """pysignalr can't be told to pass by a proxy, so the environment says it, as to any program."""
    before = os.environ.get("no_proxy")
    os.environ["no_proxy"] = ",".join(filter(None, (before, "127.0.0.1,::1")))
    try:
        yield
    finally:
        if before is None:
            del os.environ["no_proxy"]
        else:
            os.environ["no_proxy"] = before
