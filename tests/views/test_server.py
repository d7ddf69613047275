"""The server of the page: what it answers, and what it refuses."""

import http.client
import json
import os
import socket
import stat
import sys
import threading
from contextlib import contextmanager

import pytest

from bsoid_gpu.behaviours.names_file import Conflict
from bsoid_gpu.errors import BadInput
from bsoid_gpu.views.server import LARGEST_REQUEST, ViewServer

TOKEN = "secret"


class Page:
    """Answers with what it was asked."""

    def page(self, token):
        return f"<p>{token}".encode()

    def names(self, request):
        if request.get("version") == 0:
            msg = "saved elsewhere"
            raise Conflict(msg)
        return {"version": 2}

    def recut(self, request):
        msg = "no such size"
        raise BadInput(msg)

    def apply(self, request):
        return {"running": True}

    def clips(self, request):
        return {"clips": [request]}

    def progress(self):
        return {"running": False}


@contextmanager
def served(**options):
    server = ViewServer(Page(), token=TOKEN, **options)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield server
    finally:
        server.stop()
        thread.join(5)
        server.close()
        assert not thread.is_alive()


@pytest.fixture(scope="module")
def port():
    with served() as server:
        yield int(server.address.partition("127.0.0.1:")[2].partition("/")[0])


def ask(port, method, path, content=None, headers=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request(method, path, content, headers or {})
    response = connection.getresponse()
    body = response.read()
    connection.close()
    return response, body


def test_the_page_needs_the_token(port):
    response, body = ask(port, "GET", f"/?token={TOKEN}")
    assert (response.status, body) == (200, b"<p>secret")
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Referrer-Policy"] == "no-referrer"
    for path in (
        "/",
        "/?token=",
        "/?token=wrong",
        "/?token=secret%00",
        "/progress",
        "/?token=s%C3%A9cret",
    ):
        response, body = ask(port, "GET", path)
        assert response.status == 403
        assert b"secret" not in body
    for name in ("names", "recut", "apply", "clips"):
        assert ask(port, "POST", f"/{name}", "{}")[0].status == 403
        assert ask(port, "POST", f"/{name}", "{}", {"X-Token": "wrong"})[0].status == 403


@pytest.mark.parametrize(
    "path",
    ["/etc/passwd", "/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/model.safetensors", "//etc/passwd", "/names",
     "/behaviours.toml", "/..", "/page/../../x"],
)  # fmt: skip
def test_no_file_is_served(port, path):
    assert ask(port, "GET", f"{path}?token={TOKEN}")[0].status == 404
    assert ask(port, "POST", f"{path}x?token={TOKEN}", "{}")[0].status == 404


@pytest.mark.parametrize(
    ("name", "request_", "status", "answer"),
    [
        ("names", {"version": 1}, 200, {"version": 2}),
        ("names", {"version": 0}, 409, {"error": "saved elsewhere"}),
        ("recut", {"size": 3}, 400, {"error": "no such size"}),
        ("apply", {"size": 3}, 202, {"running": True}),
        ("clips", {"label": 3}, 200, {"clips": [{"label": 3}]}),
    ],
)
def test_requests_of_the_page(port, name, request_, status, answer):
    response, body = ask(port, "POST", f"/{name}", json.dumps(request_), {"X-Token": TOKEN})
    assert (response.status, json.loads(body)) == (status, answer)
    assert json.loads(ask(port, "GET", "/progress", headers={"X-Token": TOKEN})[1]) == {"running": False}


@pytest.mark.parametrize("content", ["", "[1]", "{", "\xff", "null"])
def test_what_is_no_json_object_is_refused(port, content):
    response, body = ask(port, "POST", "/names", content.encode("latin-1"), {"X-Token": TOKEN})
    assert response.status == 400
    assert "JSON" in json.loads(body)["error"]


def test_requests_that_are_too_large_or_of_other_kinds(port):
    headers = {"X-Token": TOKEN, "Content-Length": str(LARGEST_REQUEST + 1)}
    assert ask(port, "POST", "/names", None, headers)[0].status == 400
    assert ask(port, "PUT", "/names", "{}", {"X-Token": TOKEN})[0].status == 501
    with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
        client.sendall(b"nonsense\r\n\r\n")
        assert b"400" in client.recv(200)
    assert ask(port, "GET", f"/?token={TOKEN}")[0].status == 200


def test_a_port_in_use_is_refused(port):
    with pytest.raises(BadInput, match=f"port {port}"):
        ViewServer(Page(), port)


def test_each_server_has_a_token_of_its_own():
    servers = [ViewServer(Page()) for _ in range(2)]
    for server in servers:
        server.close()
    assert servers[0].token != servers[1].token
    assert len(servers[0].token) >= 30


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no Unix sockets")
def test_a_socket_that_only_its_owner_can_open(tmp_path):
    path = tmp_path / "view.sock"
    with socket.socket(socket.AF_UNIX) as killed:  # leaves its socket behind
        killed.bind(str(path))
    with served(socket_path=path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        with pytest.raises(BadInput, match="socket"):
            ViewServer(Page(), socket_path=path)
        client = socket.socket(socket.AF_UNIX)
        client.settimeout(5)
        client.connect(str(path))
        client.sendall(f"GET /?token={TOKEN} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        received = b""
        while part := client.recv(1000):
            received += part
        client.close()
        assert b"200 OK" in received
        assert received.endswith(b"<p>secret")
    assert not path.exists()
    (tmp_path / "file").write_text("kept")
    with pytest.raises(BadInput):
        ViewServer(Page(), socket_path=tmp_path / "file")
    assert (tmp_path / "file").read_text() == "kept"
    with pytest.raises(BadInput):
        ViewServer(Page(), socket_path=tmp_path / os.fspath("x" * 200))
