"""What the benchmarks of servers share: servers in processes of their own, and one client process that drives them.

The client speaks the protocol with bytes made beforehand, so that the servers are what is measured. Figures of a busy machine
mean little: rounds alternate between the servers, and only ratios are held against targets.
"""

import asyncio
import contextlib
import gc
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

HANDSHAKE = (
    b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


@dataclass(frozen=True)
class Play:
    """What a client sends, and the bytes that it waits for; `handshake` is what it says first, b"" for nothing."""

    message: bytes
    answer: bytes
    handshake: bytes = HANDSHAKE


def echoed(payload: bytes, prefix: bytes = b"", *, text: bool = False) -> Play:
    """A WebSocket message and its echo. The mask is of zeros, which changes nothing."""
    first = 0x81 if text else 0x82
    return Play(_head(first, len(payload), 0x80) + bytes(4) + payload, _head(first, len(prefix + payload)) + prefix + payload)


def _head(first: int, length: int, mask: int = 0) -> bytes:
    if length < 126:
        return bytes([first, mask | length])
    short, octets = (126, 2) if length < 2**16 else (127, 8)
    return bytes([first, mask | short]) + length.to_bytes(octets, "big")


# A server's side


def tidy_up() -> None:
    """Throw away, each time the client says so, what Python would throw away at some time anyway."""
    if not sys.stdin.readline():
        sys.exit()
    gc.collect()
    print("tidy", flush=True)


def tidy_up_when_told() -> None:
    """The same on the running loop, where the system lets a loop listen to its standard input."""
    if sys.platform != "win32":
        asyncio.get_running_loop().add_reader(sys.stdin, tidy_up)


# The client's side


@contextlib.contextmanager
def server_process(program: str, kind: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """`python program --serve kind` as a process, and the port that it prints first."""
    command = [sys.executable, program, "--serve", kind]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with process:
        try:
            assert process.stdout is not None
            yield process, int(process.stdout.readline())
        finally:
            process.kill()


class Player(asyncio.Protocol):
    """Sends a message, waits for its answer, sends the next."""

    def __init__(self, play: Play) -> None:
        self.message, self.answer, self.handshake = play.message, play.answer, play.handshake
        self.ready = asyncio.get_running_loop().create_future()
        self.received = bytearray()
        self.playing = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        if self.handshake:
            transport.write(self.handshake)
        else:
            self.ready.set_result(None)

    def begin(self) -> None:
        self.playing, self.answers = True, 0
        self.over = asyncio.get_running_loop().create_future()
        self.transport.write(self.message)

    def data_received(self, data: bytes) -> None:
        self.received += data
        if not self.ready.done():
            if self.received.endswith(b"\r\n\r\n"):
                assert self.received.startswith(b"HTTP/1.1 101 ")
                self.received.clear()
                self.ready.set_result(None)
        elif len(self.received) == len(self.answer):
            assert self.received == self.answer
            self.received.clear()
            self.answers += 1
            if self.playing:
                self.transport.write(self.message)
            else:
                self.over.set_result(None)


async def connected(port: int, count: int, play: Play) -> list[Player]:
    """So many players, each behind its handshake."""
    loop = asyncio.get_running_loop()
    players = [(await loop.create_connection(lambda: Player(play), "127.0.0.1", port))[1] for _ in range(count)]
    await asyncio.gather(*(player.ready for player in players))
    return players


async def messages_per_second(players: list[Player], seconds: float) -> float:
    """Of all players together, who play for that long."""
    begin = time.perf_counter()
    for player in players:
        player.begin()
    await asyncio.sleep(seconds)
    for player in players:
        player.playing = False
    await asyncio.gather(*(player.over for player in players))
    return sum(player.answers for player in players) / (time.perf_counter() - begin)


async def compared(
    program: str, plays: Mapping[str, Play], connections: int, rounds: int, seconds: float
) -> dict[str, tuple[float, float]]:
    """For each kind of server (median of its rate / the first one's in the same round, median of its messages per second)."""
    kinds = list(plays)
    with contextlib.ExitStack() as stack:
        ports = {kind: stack.enter_context(server_process(program, kind))[1] for kind in kinds}
        players = {kind: await connected(ports[kind], connections, plays[kind]) for kind in kinds}
        rates: dict[str, list[float]] = {kind: [] for kind in kinds}
        for number in range(rounds + 2):
            for kind in kinds[:: 1 if number % 2 else -1]:
                rate = await messages_per_second(players[kind], seconds)
                if number > 1:  # the first rounds warm up
                    rates[kind].append(rate)
        for player in (player for several in players.values() for player in several):
            player.transport.abort()
    first = rates[kinds[0]]
    return {kind: (median(a / b for a, b in zip(rates[kind], first)), median(rates[kind])) for kind in kinds}


def resident(process: subprocess.Popen[str]) -> int:
    """Bytes of memory that a process has in use (RSS), once it has tidied up."""
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write("\n")
    process.stdin.flush()
    process.stdout.readline()
    status = Path(f"/proc/{process.pid}/status")
    if status.exists():
        [line] = [line for line in status.read_text().splitlines() if line.startswith("VmRSS:")]
        return int(line.split()[1]) * 1024
    return int(subprocess.check_output(["ps", "-o", "rss=", "-p", str(process.pid)])) * 1024


async def memory(program: str, kind: str, connections: int, play: Play) -> float:
    """Bytes per idle connection. Memory comes in pieces of a megabyte, so it takes many to measure one."""
    with server_process(program, kind) as (process, port):
        # The first ones find memory that the imports have left in the main thread's heap, a fixed amount, where the
        # background thread's heap starts empty: no cost per connection. And the very first is alone: CPython makes
        # every connection larger, of either server, when many are made before one has all its attributes.
        first = [*await connected(port, 1, play), *await connected(port, 1_000, play)]
        before = resident(process)
        rest = await connected(port, connections, play)
        per_connection = (resident(process) - before) / connections
        for player in (*first, *rest):
            player.transport.abort()
        return per_connection


def report(name: str, measured: str, target: str, met: bool) -> bool:
    """Print a line of the table; returns whether the target was met."""
    print(f"{name:<44} {measured:>10} {target:>12}   {'pass' if met else 'FAIL'}", flush=True)
    return met


def table(heading: str, columns: Sequence[str]) -> None:
    """Print the first line of a table."""
    print(f"{heading:<44} " + " ".join(f"{column:>12}" for column in columns), flush=True)
