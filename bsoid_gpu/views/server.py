"""The server of `bsoid-gpu view`: one page, and what it asks for; no file of the machine is served.

Every port of a login node is open to all its users, so that each request needs the token of the address. Addresses are
relative: the page also works behind a tunnel or a proxy.
"""

from __future__ import annotations

import json
import secrets
import socket
import socketserver
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import parse_qs, urlsplit

from bsoid_gpu.behaviours.names_file import Conflict
from bsoid_gpu.errors import BadInput, BsoidError
from bsoid_gpu.log import logger

HOST = "127.0.0.1"
LARGEST_REQUEST = 2_000_000  # bytes
TOKEN_HEADER = "X-Token"
TIMEOUT_S = 60.0  # of a connection without a request


class Actions(Protocol):
    """What the page asks for. Requests and answers are objects for JSON."""

    def page(self, token: str) -> bytes:
        """The page, which sends the token with its requests."""
        ...

    def names(self, request: dict[str, Any]) -> dict[str, Any]:
        """Save names; :class:`Conflict` if they were saved elsewhere meanwhile."""
        ...

    def recut(self, request: dict[str, Any]) -> dict[str, Any]:
        """Labels of the points of the map at another cut of the tree."""
        ...

    def apply(self, request: dict[str, Any]) -> dict[str, Any]:
        """Begin to fit the classifier to another cut."""
        ...

    def clips(self, request: dict[str, Any]) -> dict[str, Any]:
        """More clips of a label."""
        ...

    def progress(self) -> dict[str, Any]:
        """How far the fit is."""
        ...


class ViewServer:
    """Serves the page of a run until it is stopped.

    Parameters
    ----------
    actions
        What the page asks for.
    port
        Port of this machine; 0 for any that is free.
    socket_path
        A Unix socket instead of a port, which only its owner can open.
    token
        Secret of the address; by default a random one.

    Raises
    ------
    BadInput
        The port is in use, or the socket cannot be made.
    """

    def __init__(
        self, actions: Actions, port: int = 0, socket_path: Path | None = None, token: str | None = None
    ) -> None:
        self.token = token or secrets.token_urlsafe(24)
        handler = _handler(actions, self.token)
        self._socket_path = socket_path
        try:
            self._server = _on_port(port, handler) if socket_path is None else _on_socket(socket_path, handler)
        except (OSError, OverflowError) as error:
            where = f"port {port}" if socket_path is None else f"the socket {str(socket_path)!r}"
            msg = f"cannot serve at {where}: {getattr(error, 'strerror', None) or error}; choose another one"
            raise BadInput(msg) from error

    @property
    def address(self) -> str:
        """Address of the page with the token, or the path of the socket and the rest of the address."""
        if self._socket_path is not None:
            return f"{self._socket_path} (http://localhost/?token={self.token})"
        return f"http://{HOST}:{self._server.server_address[1]}/?token={self.token}"

    def run(self) -> None:
        """Answer requests until :meth:`stop`."""
        self._server.serve_forever(poll_interval=0.2)

    def stop(self) -> None:
        """Stop :meth:`run`, from another thread."""
        self._server.shutdown()

    def close(self) -> None:
        """Release the port or remove the socket."""
        self._server.server_close()
        if self._socket_path is not None:
            self._socket_path.unlink(missing_ok=True)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = False  # a second server on a port in use is an error, also on Windows

    def handle_error(self, request: object, client_address: object) -> None:
        """A browser that closes the connection early is no error; other errors are bugs."""
        import sys

        error = sys.exc_info()[1]
        if not isinstance(error, ConnectionError | TimeoutError):
            logger.warning("a request failed: %s: %s", type(error).__name__, error)


def _on_port(port: int, handler: type[BaseHTTPRequestHandler]) -> _Server:
    return _Server((HOST, port), handler)


def _on_socket(path: Path, handler: type[BaseHTTPRequestHandler]) -> _Server:
    if not hasattr(socket, "AF_UNIX"):
        msg = "this system has no Unix sockets: leave out --socket"
        raise BadInput(msg)
    if path.is_socket() and not _answers(path):
        path.unlink()  # of a server that was killed

    class OnSocket(_Server):
        address_family = socket.AF_UNIX

        def server_bind(self) -> None:
            socketserver.TCPServer.server_bind(self)
            path.chmod(0o600)
            self.server_name, self.server_port = "localhost", 0

    return OnSocket(str(path), handler)  # type: ignore[arg-type]


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        return client.connect_ex(str(path)) == 0


def _handler(actions: Actions, token: str) -> type[BaseHTTPRequestHandler]:
    """Handler of requests with a token."""
    posts: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
        "names": actions.names,
        "recut": actions.recut,
        "apply": actions.apply,
        "clips": actions.clips,
    }

    class Handler(BaseHTTPRequestHandler):
        server_version, sys_version = "bsoid_gpu", ""
        protocol_version = "HTTP/1.1"
        timeout = TIMEOUT_S

        def do_GET(self) -> None:
            """The page, and how far a fit is."""
            name, given = self._asked()
            if name not in ("", "progress"):
                self._answer(HTTPStatus.NOT_FOUND, {"error": "there is no such page"})
            elif not self._allowed(given):
                return
            elif name == "progress":
                self._answer(HTTPStatus.OK, actions.progress())
            else:
                self._send(HTTPStatus.OK, actions.page(token), "text/html; charset=utf-8")

        def do_POST(self) -> None:
            """A request of the page."""
            name, given = self._asked()
            content = self._content()
            if name not in posts:
                self._answer(HTTPStatus.NOT_FOUND, {"error": "there is no such page"})
                return
            if not self._allowed(given):
                return
            try:
                request = json.loads(content or b"")
                if not isinstance(request, dict):
                    raise ValueError
            except ValueError:
                self._answer(HTTPStatus.BAD_REQUEST, {"error": "the request is no JSON object"})
                return
            try:
                answer = posts[name](request)
            except Conflict as error:
                self._answer(HTTPStatus.CONFLICT, {"error": str(error)})
            except BsoidError as error:
                self._answer(HTTPStatus.BAD_REQUEST, {"error": str(error)})
            else:
                self._answer(HTTPStatus.ACCEPTED if name == "apply" else HTTPStatus.OK, answer)

        def _asked(self) -> tuple[str, str]:
            """Name of what is asked for, and the token of the address or of the header."""
            parts = urlsplit(self.path)
            given = parse_qs(parts.query).get("token", [""])[0] or self.headers.get(TOKEN_HEADER, "")
            return parts.path.removeprefix("/"), given

        def _allowed(self, given: str) -> bool:
            if secrets.compare_digest(given.encode(), token.encode()):
                return True
            self._answer(HTTPStatus.FORBIDDEN, {"error": "wrong token: open the address that `bsoid-gpu view` printed"})
            return False

        def _content(self) -> bytes | None:
            """Body of the request; None without one, or if it is too large, which closes the connection."""
            length = self.headers.get("Content-Length", "")
            if not length.isdecimal() or int(length) > LARGEST_REQUEST:
                self.close_connection = True
                return None
            return self.rfile.read(int(length))

        def _answer(self, status: HTTPStatus, content: dict[str, Any]) -> None:
            self._send(status, json.dumps(content).encode(), "application/json")

        def _send(self, status: HTTPStatus, content: bytes, kind: str) -> None:
            self.send_response(status)
            headers = {
                "Content-Type": kind,
                "Content-Length": str(len(content)),
                "Cache-Control": "no-store",
                "Referrer-Policy": "no-referrer",
                "X-Content-Type-Options": "nosniff",
                "X-Frame-Options": "SAMEORIGIN",
            }
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """No line for each request."""

    return Handler
