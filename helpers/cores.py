"""How many processor cores threads keep busy (notebook 08)."""

import asyncio
import time
from collections.abc import Callable

_THREADS = 4


async def busy_cores(job: Callable[[], object], threads: int = _THREADS) -> float:
    """Run ``job`` in so many threads at once, with ``asyncio.to_thread``, and say how many cores this program kept busy meanwhile.

    Seconds of work, by ``time.process_time``, for each second that passed: about 0 for jobs that wait, 1 for one core. A machine
    that is busy with something else makes it less, never more. Raises what ``job`` raises.

    Source: https://docs.python.org/3/library/time.html#time.process_time
    """
    worked, passed = time.process_time(), time.perf_counter()
    await asyncio.gather(*(asyncio.to_thread(job) for _ in range(threads)))
    return (time.process_time() - worked) / (time.perf_counter() - passed)
