"""For cells that are meant to break: the error is caught and shown, and a cell that does not break says so."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def meant_to_break(kind: type[BaseException]) -> Iterator[None]:
    """Catch an error of type ``kind`` in the block and print its last line, as a traceback would end.

    The operating systems have numbers and words of their own for an error, so one that has an ``errno`` is printed with the
    name that all of them know: ``OSError: [EADDRINUSE]``. See https://docs.python.org/3/library/errno.html.

    Raises AssertionError when the block ends without an error. An error of another type goes through.
    """
    try:
        yield
    except kind as error:
        print(f"{type(error).__name__}: {_words(error)}")
    else:
        raise AssertionError(f"this was meant to break with {kind.__name__}, and it did not")


def _words(error: BaseException) -> str:
    number = getattr(error, "errno", None)
    name = errno.errorcode.get(number) if number is not None else None
    return f"[{name.removeprefix('WSA')}]" if name else str(error)
