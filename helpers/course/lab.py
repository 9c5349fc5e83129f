"""JupyterLab, opened on the learner's copy."""

import asyncio
import logging
import os
import signal
from pathlib import Path

from ..background import end_tasks
from .places import CourseError

PORT = 8888  # JupyterLab's own; when it is taken, the next free one is used


def open_lab(workbook: Path, *, port: int = PORT, ip: str = "127.0.0.1", browser: bool = True) -> None:
    """Serve `workbook` in JupyterLab on its first notebook, print the URL, and return when Ctrl-C stops it.

    `port` is where to look for a free one first. Runs in the calling thread, which must be the main one; Ctrl-C is
    JupyterLab's from then on.
    CourseError when `ip` isn't an address of this machine.
    """
    # the kernels, and the doctor in a cell, are told where the copy is
    os.environ["COURSE_WORKBOOK"] = str(workbook)
    # without the question about Jupyter's news: https://jupyterlab.readthedocs.io/en/stable/user/announcements.html
    # and without a search for language servers, which runs other programs, and which Ctrl-C would have to wait for
    settings = str(Path(__file__).with_name("jupyter"))
    os.environ["JUPYTER_CONFIG_PATH"] = os.pathsep.join(filter(None, [settings, os.environ.get("JUPYTER_CONFIG_PATH")]))

    print("Starting JupyterLab ...", flush=True)
    import zmq
    from jupyter_server.serverapp import ServerApp
    from jupyterlab.labapp import LabApp

    class Server(ServerApp):
        """Takes its port when it has found it. Jupyter's own lets go of it until its loop runs, and whoever starts meanwhile takes it."""

        def init_httpserver(self) -> None:
            super().init_httpserver()
            while not self._bind_http_server_tcp():
                self._find_http_port()  # somebody was quicker: the next one

        def _bind_http_server(self) -> None:
            pass  # it is, by now

    class Lab(LabApp):
        serverapp_class = Server

    options = [f"--ServerApp.root_dir={workbook}", f"--ServerApp.ip={ip}", f"--ServerApp.port={port}",
               "--ServerApp.port_retries=50", f"--ServerApp.open_browser={browser}", "--ServerApp.answer_yes=True",
               f"--LabApp.default_url=/lab/tree/{_first(workbook)}", "--Application.log_level=ERROR"]
    if zmq.has("curve"):
        # for a machine that many share; and a kernel that isn't encrypted warns of it in the terminal
        options.append("--MappingKernelManager.transport_encryption=auto")
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        print("You are root here (a container?), so JupyterLab is started with --allow-root.", flush=True)
        options.append("--allow-root")
    try:
        server = Lab.initialize_server(argv=options)
    except OSError as error:
        raise CourseError(f"JupyterLab can't listen on {ip} ({error.strerror}). Leave out --ip, or name this machine's.") from None
    # it would say once more where it is, and that it stops
    server.log.addFilter(lambda record: record.levelno != logging.CRITICAL
                         or not record.getMessage().strip().startswith(("To access the server", "Shutting down")))
    if server.port != port:
        print(f"Port {port} is taken: using {server.port}.")
    # said by its loop: from then on it answers, and Ctrl-C stops it
    server.io_loop.add_callback(print, f"Open in a browser: {server.display_url}\nCtrl-C here stops it.", flush=True)
    if os.name != "nt":
        # Jupyter does so only where there is a terminal to ask in; else Ctrl-C would be raised wherever the server just is
        signal.signal(signal.SIGINT, lambda *_: server.stop(from_signal=True))
    server.start()
    _end_requests(server.io_loop.asyncio_loop)
    print("Stopped.")


def _end_requests(loop: asyncio.AbstractEventLoop) -> None:
    """Let what a stopped loop was still doing come to its end, and cancel it if need be.

    Jupyter's server stops its loop and leaves it at that. A request that was not over by then keeps the thread that has
    read its files waiting for more to do, and Python waits for that thread, for ever.
    """
    loop.run_until_complete(end_tasks())


def _first(workbook: Path) -> str:
    start = workbook / "00_start_here.ipynb"
    return start.name if start.exists() else ""
