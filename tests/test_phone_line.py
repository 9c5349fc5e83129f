"""The picture of a phone line shows what waits on it, and takes none of it."""

import socket
from collections.abc import Iterator

import pytest

from helpers import pictures

Line = tuple[socket.socket, socket.socket]


@pytest.fixture
def line() -> Iterator[Line]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        caller = socket.create_connection(listener.getsockname(), timeout=2)
        answerer = listener.accept()[0]
    answerer.settimeout(3)
    with caller, answerer:
        yield caller, answerer


def test_takes_nothing_and_changes_no_timeout(line: Line) -> None:
    caller, answerer = line
    caller.sendall(b"anybody there?")
    answerer.sendall(b"yes")
    alt = pictures.phone_line(caller, answerer).alt
    assert "the caller's words wait, and the answerer's words wait" in alt
    assert answerer.recv(1024) == b"anybody there?" and caller.recv(1024) == b"yes"
    assert (caller.gettimeout(), answerer.gettimeout()) == (2, 3)


def test_an_empty_line_says_so(line: Line) -> None:
    assert "nothing from the caller waits, and nothing from the answerer waits" in pictures.phone_line(*line).alt


def test_the_end_of_one_direction_is_no_end_of_the_other(line: Line) -> None:
    caller, answerer = line
    caller.shutdown(socket.SHUT_WR)
    answerer.sendall(b"now listen")
    assert "the caller has said its last word, and the answerer's words wait" in pictures.phone_line(caller, answerer).alt


def test_the_words_change_the_picture_and_not_the_alt_text(line: Line) -> None:
    caller, answerer = line
    caller.sendall(b"one")
    first = pictures.phone_line(caller, answerer)
    caller.sendall(b" and a great deal more than has room in a box: \xff\x00 " + b"x" * 100_000)
    second = pictures.phone_line(caller, answerer)
    assert first.alt == second.alt and first.png != second.png


def test_only_both_ends_of_an_open_line_will_do(line: Line) -> None:
    caller, answerer = line
    with pytest.raises(ValueError, match="answerer: pass an open socket"):
        pictures.phone_line(caller, "answerer")
    with socket.socket() as unconnected, pytest.raises(ValueError, match="caller: pass a socket that is connected"):
        pictures.phone_line(unconnected, answerer)
    caller.close()
    with pytest.raises(ValueError, match="caller: pass an open socket"):
        pictures.phone_line(caller, answerer)
