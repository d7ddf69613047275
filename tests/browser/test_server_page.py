"""The page of a server: names are saved there, a second window overwrites nothing, the tree is cut at any size."""

import json

import numpy as np
import pytest
from browser_waits import wait_until

from bsoid_gpu.views.page_file import packed, page

pytestmark = pytest.mark.browser
ADDRESS = "http://view.invalid/run/"


class Server:
    """Answers of a server, given within the browser: nothing is sent."""

    def __init__(self, data):
        self.data = data | {"server": {"token": "secret"}}
        self.version, self.behaviours, self.asked, self.tokens = 0, data["behaviours"], [], set()
        self.progress = [
            {"running": True, "message": "classifier", "share": 0.5, "error": None, "done": False},
            {"running": False, "message": "", "share": 1.0, "error": None, "done": True},
        ]

    def answer(self, route, request):
        path = request.url.removeprefix(ADDRESS).partition("?")[0]
        if path == "":
            data = self.data | {"version": self.version, "behaviours": self.behaviours}
            route.fulfill(body=page(data), content_type="text/html")
            return
        self.tokens.add(request.headers.get("x-token"))
        body = json.loads(request.post_data) if request.post_data else None
        self.asked.append((path, body))
        status, content = getattr(self, f"_{path}")(body)
        route.fulfill(status=status, body=json.dumps(content), content_type="application/json")

    def _names(self, body):
        if body["version"] != self.version:
            return 409, {"error": "another window saved version 1 meanwhile"}
        self.version, self.behaviours = self.version + 1, body["behaviours"]
        return 200, {"version": self.version}

    def _recut(self, body):
        labels = np.arange(self.data["map"]["shown"]) % 7
        return 200, {"clusters": 7, "noise": 0.25, "labels": packed(labels.astype(np.uint16))}

    def _clips(self, body):
        clips = [clip for clip in self.data["clips"] if clip["label"] == body["label"] and clip["kind"] == "typical"]
        return 200, {"clips": clips[: body["more"] // 6]}

    def _apply(self, body):
        return 202, {}

    def _progress(self, body):
        return 200, self.progress.pop(0)


@pytest.fixture
def server(data):
    return Server(data)


@pytest.fixture
def window(visit, server):
    def window():
        opened = visit(ADDRESS)
        opened.context.route(f"{ADDRESS}**", server.answer)
        return opened

    return window


def rename(tab, name):
    tab.keyboard.press("n")
    tab.keyboard.insert_text(name)
    tab.keyboard.press("Enter")


def test_names_are_saved_by_the_server(window, server):
    tab = window().open(f"{ADDRESS}?token=secret")
    number = int(tab.inner_text("#behaviour-title .swatch"))
    rename(tab, "rear")
    tab.click("#save")
    wait_until(tab, "document.querySelector('#save-state').textContent === 'saved'")
    assert server.tokens == {"secret"}
    assert {item["labels"][0]: item["name"] for item in server.behaviours}[number] == "rear"
    assert tab.is_disabled("#save")
    tab.reload()
    tab.wait_for_selector("body.ready")
    assert tab.inner_text(f"#behaviour-{number} .pick") == "rear"
    assert tab.query_selector("#kept") is None


def test_a_second_window_loses_and_overwrites_nothing(window, server):
    opened = window()
    first = opened.open(ADDRESS)
    second = opened.watched(opened.context.new_page())
    second.goto(ADDRESS)
    second.wait_for_selector("body.ready")
    number = int(first.inner_text("#behaviour-title .swatch"))
    rename(first, "first")
    first.click("#save")
    wait_until(first, "document.querySelector('#save-state').textContent === 'saved'")
    rename(second, "second")
    second.click("#save")
    second.wait_for_selector("#conflict")
    opened.problems = [text for text in opened.problems if "409" not in text]  # the browser's own line
    assert server.version == 1
    second.click("#conflict >> text=load again")
    second.wait_for_selector("#kept")
    assert second.inner_text(f"#behaviour-{number} .pick") == "first"
    second.click("#use-kept")
    assert second.inner_text(f"#behaviour-{number} .pick") == "second"
    second.click("#save")
    wait_until(second, "document.querySelector('#save-state').textContent === 'saved'")
    assert server.version == 2


def test_the_tree_is_cut_at_any_size_and_applied(window, server):
    tab = window().open(ADDRESS)
    tab.fill("#tree-size", "57")
    tab.click("#tree >> text=eom")
    wait_until(tab, "document.querySelector('#tree-text').textContent.includes('7 clusters, 25 % noise')")
    with tab.expect_navigation():
        tab.click("#tree-apply")
    assert server.asked == [
        ("recut", {"size": 57, "selection": "eom"}),
        ("apply", {"size": 57, "selection": "eom"}),
        ("progress", None),
        ("progress", None),
    ]


def test_more_clips_are_added(window, server):
    tab = window().open(ADDRESS)
    before = tab.locator(".clip").count()
    server.data = server.data | {"clips": [dict(clip, start=clip["start"] + 1) for clip in server.data["clips"]]}
    for more in (2, 4):  # the second answer holds the clips of the first one too
        tab.click("text=more clips")
        wait_until(tab, "(n) => document.querySelectorAll('.clip').length === n", before + more)
