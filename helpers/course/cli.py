"""The arguments of the `course` command."""

import argparse
import importlib.metadata
import sys
from collections.abc import Sequence
from pathlib import Path

from . import places, workbook
from .checkup import examine, report
from .lab import PORT, open_lab

ECHO_PORT = 8765


class _Parser(argparse.ArgumentParser):
    """One line for a wrong argument, instead of the whole usage."""

    def error(self, message: str) -> None:  # type: ignore[override]
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n")


def main(argv: Sequence[str] | None = None, *, root: Path | None = None) -> int:
    """Run `course` with these arguments (those of the process when None) and return its exit code.

    `root` is the folder of the checkout; when None, the one this package lies in. Never raises for what a person can put
    right: that is one line on stderr, and 2 for bad input or 1 otherwise. SystemExit for --help, --version, bad options.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal that has no ✓
    arguments = _parser().parse_args(argv)
    try:
        return arguments.run(arguments, root or places.course_root())
    except places.CourseError as error:
        print(f"course: {error}", file=sys.stderr)
        return error.status
    except OSError as error:  # a full disk, for one
        print(f"course: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="course", description="Open the course in JupyterLab, in a copy that is yours to write in.",
                     epilog="Without a command: make or keep the copy, and open it.")
    parser.add_argument("--version", action="version", version=f"course {importlib.metadata.version('full-duplex')}")
    parser.add_argument("--no-browser", action="store_true", help="only print the address, open no browser")
    parser.add_argument("--port", type=_port, default=PORT, help="the port to try first (default %(default)s)")
    parser.add_argument("--ip", default="127.0.0.1", help="the address to listen on (default %(default)s: this computer alone)")
    _add_workbook(parser, default=None)
    parser.set_defaults(run=_open)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", parser_class=_Parser)

    command = commands.add_parser("workbook", help="make or keep the copy, without opening it")
    _add_workbook(command)
    command.set_defaults(run=_workbook)

    command = commands.add_parser("reset", help="a fresh copy of a notebook; the old one is kept beside it")
    command.add_argument("notebooks", nargs="+", metavar="NOTEBOOK", help="its number or name: 5, 05, 05_event_loop")
    _add_workbook(command)
    command.set_defaults(run=_reset)

    command = commands.add_parser("refresh", help="for authors: run the notebooks and store their outputs")
    command.add_argument("notebooks", nargs="*", metavar="NOTEBOOK", help="numbers or names (default: all)")
    command.add_argument("--timeout", type=_seconds, default=60, metavar="SECONDS", help="the limit of one cell (default %(default)s)")
    command.set_defaults(run=_refresh)

    command = commands.add_parser("doctor", help="look for what breaks a course, and say what to do")
    command.add_argument("--brief", action="store_true", help="without versions, addresses and limits")
    _add_workbook(command)
    command.set_defaults(run=_doctor)

    command = commands.add_parser("echo", help="an echo server in this terminal, for second clients")
    command.add_argument("--port", type=_port, default=ECHO_PORT, help="the port to listen on (default %(default)s)")
    command.set_defaults(run=_echo)
    return parser


def _add_workbook(parser: argparse.ArgumentParser, default: str | None = argparse.SUPPRESS) -> None:
    parser.add_argument("--workbook", metavar="FOLDER", default=default,
                        help="the folder of your copy (default: workbook/ in the checkout, or COURSE_WORKBOOK)")


def _port(text: str) -> int:
    if text.isdecimal() and 1 <= int(text) <= 65535:
        return int(text)
    raise argparse.ArgumentTypeError(f"a port is a number from 1 to 65535, not {text!r}")


def _seconds(text: str) -> float:
    try:
        if (seconds := float(text)) > 0:
            return seconds
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(f"a number of seconds above 0 is needed, not {text!r}")


def _folder(arguments: argparse.Namespace, root: Path) -> Path:
    return Path(arguments.workbook).expanduser().resolve() if arguments.workbook else places.workbook_of(root)


def _open(arguments: argparse.Namespace, root: Path) -> int:
    _workbook(arguments, root)
    open_lab(_folder(arguments, root), port=arguments.port, ip=arguments.ip, browser=not arguments.no_browser)
    return 0


def _workbook(arguments: argparse.Namespace, root: Path) -> int:
    folder = _folder(arguments, root)
    done = workbook.prepare(root / "notebooks", folder)
    print(f"Your copy is in {folder}" + (f" (new there: {', '.join(done.made)})." if done.made else "."))
    if done.newer:
        print(f"Newer than your copy: {', '.join(done.newer)}. "
              f"`course reset {' '.join(name[:2] for name in done.newer)}` gives them afresh and keeps yours beside them.")
    return 0


def _reset(arguments: argparse.Namespace, root: Path) -> int:
    for original in places.find_notebooks(arguments.notebooks, root / "notebooks"):
        kept = workbook.reset(original, _folder(arguments, root))
        print(f"{original.stem} is fresh" + (f"; the old one is {kept.name}." if kept else "."))
    return 0


def _refresh(arguments: argparse.Namespace, root: Path) -> int:
    from .refresh import refresh

    folder = root / "notebooks"
    paths = places.find_notebooks(arguments.notebooks, folder) if arguments.notebooks else places.notebooks_in(folder)
    return 0 if refresh(paths, timeout=arguments.timeout) else 1


def _doctor(arguments: argparse.Namespace, root: Path) -> int:
    well = report(examine(root, _folder(arguments, root)), details=not arguments.brief)
    return 0 if well else 1


def _echo(arguments: argparse.Namespace, root: Path) -> int:
    from .terminal import serve_echo

    serve_echo(arguments.port)
    return 0
