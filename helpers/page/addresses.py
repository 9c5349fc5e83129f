"""How a page reaches a port of the machine on which the kernel runs.

A browser and a kernel need not share a machine. What a kernel can know stands in its environment; the rest only the page
knows, from the address that it was loaded from. So the kernel says what can't work at all, and the page tries the rest, in
the order of `page.html`:

    the page comes from this machine       ws://127.0.0.1:PORT/
    a Jupyter server can pass it on        wss://HOST/BASE/proxy/PORT/    (jupyter-server-proxy; ws where the page is http)
    a Codespace without Jupyter's page     wss://NAME-PORT.DOMAIN/
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

__all__ = ["forwarded", "no_way", "proxied"]


def no_way(environment: Mapping[str, str] = os.environ, platform: str = sys.platform) -> str | None:
    """Why no page can reach a server in this kernel, in a sentence; None where there may be a way."""
    if platform == "emscripten":
        return "JupyterLite runs Python inside the browser, where there are no sockets: no server, and no way to one."
    if any(name.startswith("COLAB_") for name in environment):
        return "Colab lets no page open a WebSocket to a server in the kernel."
    return None


def forwarded(environment: Mapping[str, str] = os.environ) -> str | None:
    """The address at which a Codespace forwards a port, with PORT in its place; None elsewhere."""
    if environment.get("CODESPACES") != "true" or not environment.get("CODESPACE_NAME"):
        return None
    domain = environment.get("GITHUB_CODESPACES_PORT_FORWARDING_DOMAIN", "app.github.dev")
    return f"wss://{environment['CODESPACE_NAME']}-PORT.{domain}"


def proxied(page: str, base: str, port: int, path: str = "/") -> str:
    """The address, through jupyter-server-proxy, of a server on ``port``, for a page that was loaded from the address ``page``.

    ``base``: the path under which Jupyter serves: "/", and on a JupyterHub what JUPYTERHUB_SERVICE_PREFIX says.

    >>> proxied("https://hub.example.org/user/you/lab", "/user/you/", 41234)
    'wss://hub.example.org/user/you/proxy/41234/'
    """
    scheme, _, rest = page.partition("://")
    host = rest.partition("/")[0]
    return f"{'wss' if scheme == 'https' else 'ws'}://{host}{base}proxy/{port}{path}"
