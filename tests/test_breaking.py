"""A cell that is meant to break shows its error, and says so when it does not break."""

import errno
import socket

import pytest

from helpers.breaking import meant_to_break


def test_shows_the_error_as_a_traceback_ends(capsys):
    with meant_to_break(TypeError):
        b"".join(["text"])
    assert capsys.readouterr().out == "TypeError: sequence item 0: expected a bytes-like object, str found\n"


def test_an_error_of_the_system_has_the_name_that_all_systems_know(capsys):
    with socket.create_server(("127.0.0.1", 0)) as first, meant_to_break(OSError):
        socket.create_server(first.getsockname())
    assert capsys.readouterr().out == "OSError: [EADDRINUSE]\n"


def test_a_name_of_windows_loses_its_prefix(capsys, monkeypatch):
    monkeypatch.setitem(errno.errorcode, 10061, "WSAECONNREFUSED")
    with meant_to_break(ConnectionRefusedError):
        raise ConnectionRefusedError(10061, "the machine actively refused it")
    assert capsys.readouterr().out == "ConnectionRefusedError: [ECONNREFUSED]\n"


def test_an_error_without_a_number_keeps_its_words(capsys):
    near, far = socket.socketpair()
    with near, far, meant_to_break(TimeoutError):
        near.settimeout(0.01)
        near.recv(1)
    assert capsys.readouterr().out == "TimeoutError: timed out\n"


def test_a_block_that_does_not_break_is_an_error():
    with pytest.raises(AssertionError, match="meant to break with TimeoutError"), meant_to_break(TimeoutError):
        pass


def test_another_error_goes_through(capsys):
    with pytest.raises(KeyError), meant_to_break(TypeError):
        {}["missing"]
    assert capsys.readouterr().out == ""
