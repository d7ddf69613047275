"""Chromium, driven by Playwright; a page is closed only after it has reported no problem and asked for nothing."""

from __future__ import annotations

import base64
import shutil

import numpy as np
import pytest
from browser_waits import wait_until
from page_data import page_data

from bsoid_gpu.views.page_file import page

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
VIDEO_FRAMES, VIDEO_FPS, VIDEO_SIDE = 60, 30, 96


@pytest.fixture(scope="session")
def browser():
    sync_api = pytest.importorskip("playwright.sync_api", reason="needs Playwright: make test-browser")
    path = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if path is None:
        pytest.skip(f"needs Chromium; none of {', '.join(CHROMIUM)} is on the PATH")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def video(tmp_path_factory) -> str | None:
    """A short video as a data URL, or None without PyAV."""
    try:
        import av
    except ImportError:
        return None
    path = tmp_path_factory.mktemp("video") / "clip.mp4"
    with av.open(str(path), "w", options={"movflags": "faststart"}) as container:
        stream = container.add_stream("libx264", rate=VIDEO_FPS)
        stream.width, stream.height, stream.pix_fmt = VIDEO_SIDE, VIDEO_SIDE, "yuv420p"
        for number in range(VIDEO_FRAMES):
            image = np.full((VIDEO_SIDE, VIDEO_SIDE, 3), 4 * number, dtype=np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode())
    return "data:video/mp4;base64," + base64.b64encode(path.read_bytes()).decode()


@pytest.fixture(scope="session")
def data(video) -> dict:
    return page_data(minutes=6, video=video)


@pytest.fixture(scope="session")
def report(data, tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_bytes(page(data))
    return path


class Visit:
    """A browser window, what it asked for, and what it reported."""

    def __init__(self, browser, **options):
        self.context = browser.new_context(viewport={"width": 1280, "height": 800}, accept_downloads=True, **options)
        self.problems, self.requests = [], []
        self.page = self.watched(self.context.new_page())

    def watched(self, tab):
        tab.on("console", lambda message: self.problems.append(f"{message.type}: {message.text}"))
        tab.on("pageerror", lambda error: self.problems.append(f"error: {error}"))
        tab.on("request", lambda request: self.requests.append(request.url))
        return tab

    def open(self, address):
        self.page.goto(address)
        self.page.wait_for_selector("body.ready", timeout=15_000)
        wait_until(self.page, "window.report.readyMs !== null")
        return self.page

    def outside(self, own):
        return [url for url in self.requests if not url.startswith(("data:", "blob:", own))]


@pytest.fixture
def visit(browser):
    """Opens windows; at the end, none may have a problem or a request beyond its own file or server."""
    visits = []

    def visit(address, **options):
        visits.append((Visit(browser, **options), address))
        return visits[-1][0]

    yield visit
    for opened, address in visits:
        opened.context.close()
        assert opened.problems == []
        assert opened.outside(address) == []


@pytest.fixture
def opened(visit, report):
    """The report, opened as a file."""
    address = report.as_uri()
    return visit(address).open(address)
