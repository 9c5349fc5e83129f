"""Python programs beside the notebook: written into a folder to throw away, and run as processes of their own."""

import atexit
import os
import re
import runpy
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Self

_PATIENCE = 4.0  # seconds that a cell waits for a program, at most
_GRACE = 3.0  # seconds that a program has to end by itself, once stop() has pressed Ctrl-C
# A kernel asks the programs it starts for colours, and Python colours tracebacks from 3.13 on; Windows has an encoding of its own.
_PLAIN = {"PYTHON_COLORS": "0", "PYTHONIOENCODING": "utf-8"}

# Every program that was started and not seen to its end, by the name of its file.
_running: dict[str, "Program"] = {}
_switching = threading.RLock()


@dataclass(frozen=True, repr=False)
class Ended:
    """A program that has run to its end: what is left of it."""

    name: str
    code: int
    """The exit code: 0 when all went well."""
    lines: list[str]
    """What it has printed."""
    errors: list[str]
    """Its error output: warnings, traceback. Files of the workshop are named without their folder."""

    @property
    def complaint(self) -> str:
        """The line of the error output that says what it was, as a traceback ends: ``NameError: name 'x' is not defined``.

        Without the name of a file, and of an error of the operating system the type alone, since the rest of its words differ
        from system to system. "" when there is no error output.
        """
        lines = [line for line in self.errors if line[:1].strip() and "Enable tracemalloc" not in line]
        words = re.sub(r"^.*\.py:\d+: ", "", lines[-1]) if lines else ""
        return re.sub(r": \[(?:Errno|WinError) .*", "", words)

    def __repr__(self) -> str:
        printed = self.lines if len(self.lines) < 4 else [f"{len(self.lines)} lines"]
        rows = [f"{self.name}: exit code {self.code}", *(f"    printed     {line}" for line in printed or ["nothing"])]
        return "\n".join([*rows, f"    complained  {self.complaint}"] if self.errors else rows)


class Workshop:
    """A temporary folder for programs.

    ``folder`` is its path. It is gone after ``close()``, or with the kernel.
    """

    def __init__(self) -> None:
        self._place = TemporaryDirectory(prefix="workshop-", ignore_cleanup_errors=True)
        self.folder = Path(self._place.name)
        self._programs: list[Program] = []

    def save(self, name: str, text: str) -> None:
        """Write ``text`` into the file ``name`` of the folder, over what it held. ``name`` may lie in a folder of its own."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def run(
        self, name: str, *args: object, env: Mapping[str, str] | None = None, limit: float = _PATIENCE
    ) -> Ended:
        """Run ``python name args…`` with this notebook's Python, wait for its end, and say how it ended.

        ``args`` are turned into text. ``env``: its environment variables; None: those of the notebook. Its tracebacks have no colours.

        Raises TimeoutError when it hasn't ended within ``limit`` seconds; it is killed then.
        """
        command = [sys.executable, str(self.folder / name), *map(str, args)]
        try:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                encoding="utf-8",
                errors="replace",
                timeout=limit,
                env={**(os.environ if env is None else env), **_PLAIN},
            )
        except subprocess.TimeoutExpired:
            raise TimeoutError(f"{name} still ran after {limit:g} s, and was killed") from None
        errors = done.stderr.replace(f"{self.folder}{os.sep}", "")
        return Ended(name, done.returncode, done.stdout.splitlines(), errors.splitlines())

    def start(self, name: str, *args: object) -> "Program":
        """Start a program that stays, and return it once it has printed its first line. Raises as ``Program.start()``."""
        program = Program(self.folder / name, *args)
        self._programs.append(program)
        return program.start()

    def close(self) -> None:
        """Stop every program that was started here, and delete the folder. Safe to repeat."""
        for program in self._programs:
            program.stop()
        self._place.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return "<Workshop>"


class Program:
    """Runs ``python path args…`` as a process of its own, and has the keyboard and the screen of its terminal.

    path: the program's file. args: what follows it on the command line; each is turned into text.

    Starting a file of the same name again ends the first one, so that a cell run fifty times leaves one process. The
    notebook's ■ doesn't reach it, and it ends with the kernel. Of its keyboard only Ctrl-C works: it can't read its
    standard input.
    """

    def __init__(self, path: str | Path, *args: object) -> None:
        self.path = Path(path)
        self.args = [str(arg) for arg in args]
        self._process: subprocess.Popen[str] | None = None
        self._readers: list[threading.Thread] = []
        self._lines: list[str] = []
        self._errors: list[str] = []

    def start(self) -> Self:
        """Start the program, and return it once it has printed its first line. One that runs stays as it is.

        Raises FileNotFoundError when there is no such file, RuntimeError with the last line of its error output when it
        ended without printing anything, TimeoutError when it printed nothing within four seconds and was killed.
        """
        with _switching:
            if self.running:
                return self
            if not self.path.is_file():
                raise FileNotFoundError(f"there is no program {self.path.name!r}: run the cell that writes it")
            if before := _running.get(self.path.name):
                before.stop()
            _running[self.path.name] = self
            spoke = threading.Event()  # a line is there, or none will come any more
            self._start_process(spoke)
            if not spoke.wait(_PATIENCE):
                self.kill()
                raise TimeoutError(f"{self.path.name} printed nothing within {_PATIENCE:.0f} s")
            if not self._lines:
                self.stop()
                raise RuntimeError(f"{self.path.name} ended: {(self._errors or ['without a word'])[-1]}")
            return self

    @property
    def running(self) -> bool:
        """Whether the process lives."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int | None:
        """The number by which the operating system knows the process; None when it was never started."""
        return None if self._process is None else self._process.pid

    @property
    def lines(self) -> list[str]:
        """The lines that it has printed so far, kept after its end: a copy."""
        return list(self._lines)

    @property
    def errors(self) -> list[str]:
        """The lines of its error output so far (warnings, log, traceback), kept after its end: a copy."""
        return list(self._errors)

    def ctrl_c(self) -> None:
        """Press Ctrl-C in its terminal, and don't wait for what comes of it: its main thread gets a KeyboardInterrupt."""
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()  # see _be_terminal

    def kill(self) -> None:
        """End the process in the middle of whatever it does, and wait until it is gone. It can't prevent or notice this."""
        if self._process is not None:
            self._process.kill()
            self.wait()

    def wait(self) -> int | None:
        """Wait until it has ended, and return its exit code: 0 when all went well. None when it was never started.

        Raises TimeoutError when it hasn't ended within four seconds; then it still runs.
        """
        if self._process is None:
            return None
        deadline = time.monotonic() + _PATIENCE
        try:
            code = self._process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            raise TimeoutError(f"{self.path.name} still runs after {_PATIENCE:.0f} s") from None
        for reader in self._readers:  # a process that it has started itself may hold its screen open
            reader.join(max(0.1, deadline - time.monotonic()))
        self.ctrl_c()  # nobody is there to notice; it closes our end of the keyboard
        if _running.get(self.path.name) is self:
            del _running[self.path.name]
        return code

    def stop(self) -> None:
        """Press Ctrl-C, and kill the program if it hasn't ended within three seconds. Safe to repeat."""
        if self._process is None:
            return
        self.ctrl_c()
        try:
            self._process.wait(_GRACE)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self.wait()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *error: object) -> None:
        self.stop()

    def __repr__(self) -> str:
        state = "not started" if self._process is None else "running" if self.running else "ended"
        return f"<Program {self.path.name}, {state}>"

    def _start_process(self, spoke: threading.Event) -> None:
        self._lines, self._errors = [], []
        process = self._process = subprocess.Popen(
            [sys.executable, __file__, str(self.path), *self.args],  # this very file, which is a terminal in there
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
            env={**os.environ, **_PLAIN},
            # Jupyter interrupts the kernel's whole group of processes
            start_new_session=True,
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )
        self._readers = [
            threading.Thread(target=_read, args=(process.stdout, self._lines, spoke.set), daemon=True),
            threading.Thread(target=_read, args=(process.stderr, self._errors, None), daemon=True),
        ]
        for reader in reversed(self._readers):
            reader.start()


def _read(stream: IO[str], lines: list[str], spoke: Callable[[], None] | None) -> None:
    with stream:
        for line in stream:
            lines.append(line.rstrip("\n"))
            if spoke:
                spoke()
    if spoke:
        spoke()


@atexit.register
def _stop_all() -> None:
    for program in list(_running.values()):
        program.stop()


# In the new process


def _be_terminal() -> None:
    """Run the program that the command line names; press Ctrl-C for it when the notebook closes our standard input.

    No other way works on all systems: Windows can't send Ctrl-C to one process alone. And when the kernel dies, its end
    of our standard input closes by itself.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a program in the background may have been told to ignore it
    if sys.platform != "win32":
        signal.signal(signal.SIGURG, _nothing)
    threading.Thread(target=_press_at_the_end, daemon=True).start()
    del sys.argv[0]
    sys.path[0] = str(Path(sys.argv[0]).resolve().parent)  # as Python does with a program that it is given
    runpy.run_path(sys.argv[0], run_name="__main__")


def _press_at_the_end() -> None:
    while os.read(0, 1024):  # not sys.stdin: a thread that reads it holds its lock when Python ends, which is fatal
        pass
    if sys.platform == "win32":
        import _thread

        _thread.interrupt_main()
        return
    main_thread = threading.main_thread().ident
    assert main_thread is not None
    signal.pthread_kill(main_thread, signal.SIGINT)
    # What comes the moment before the main thread goes to sleep does not wake it. Another signal does, and a second
    # Ctrl-C would be taken for impatience.
    while True:
        time.sleep(0.1)
        signal.pthread_kill(main_thread, signal.SIGURG)


def _nothing(*_: object) -> None:
    pass


if __name__ == "__main__":
    _be_terminal()
