"""The report as a file in Chromium: everything is linked, and names last."""

import copy
import re
import sys

import numpy as np
import pytest
from browser_waits import wait_until
from page_data import UNSURE, page_data, unpacked

from bsoid_gpu.behaviours.colours import colour_of as default_colour
from bsoid_gpu.views.page_file import page

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

pytestmark = pytest.mark.browser
NAME = 'wälk "fast" \\ </script><b>\t🐁'
ON_ONE_LINE = NAME.replace("\t", " ")
DESCRIPTION = 'first "line"\nand\ta \\ second'


def pixels(tab, selector):
    return tab.evaluate("(s) => document.querySelector(s).toDataURL()", selector)


def after(tab, selector, before):
    """The pixels of a canvas once they are others than before."""
    return wait_until(
        tab, "([s, b]) => [document.querySelector(s).toDataURL()].find((now) => now !== b)", [selector, before]
    )


def chosen(tab):
    """Number of the selected behaviour."""
    return int(tab.inner_text("#behaviour-title .swatch"))


def seconds_of(text):
    minutes, seconds = text.split(":")
    return 60 * int(minutes) + float(seconds)


def point_of(tab, colour):
    """A place on the map, in pixels of the window, with only this colour around it."""
    return tab.evaluate(
        """(colour) => {
          const canvas = document.querySelector("#map-canvas");
          const { width, height } = canvas;
          const image = canvas.getContext("2d").getImageData(0, 0, width, height).data;
          const is = (x, y) => [0, 1, 2].every((k) => image[4 * (y * width + x) + k] === colour[k]);
          for (let y = 4; y < height - 4; y++)
            for (let x = 4; x < width - 4; x++)
              if ([-2, -1, 0, 1, 2].every((dx) => is(x + dx, y) && is(x, y + dx))) {
                const box = canvas.getBoundingClientRect();
                return [box.left + x * box.width / width, box.top + y * box.height / height];
              }
          return null;
        }""",
        colour,
    )


def colour_of(tab, number):
    text = tab.evaluate(
        "(n) => getComputedStyle(document.querySelector(`#behaviour-${n} .swatch`)).backgroundColor", number
    )
    return [int(value) for value in re.findall(r"\d+", text)]


def joined_bouts(data, labels):
    """Number of bouts and mean share of a behaviour of several labels, counted frame by frame."""
    bouts, shares = 0, []
    for session in data["sessions"]:
        frames = np.full(session["frames"], UNSURE)
        for start, stop, label in zip(
            *(unpacked(session["bouts"][key]) for key in ("start", "stop", "label")), strict=True
        ):
            frames[start:stop] = label
        inside = np.isin(frames, labels)
        bouts += int(np.sum(np.diff(np.concatenate([[0], inside.astype(int)])) == 1))
        shares.append(np.mean(inside))
    return bouts, float(np.mean(shares))


def facts_of(tab, number):
    """Bouts and share that the list gives for a behaviour."""
    bouts = re.search(r"([\d\u202f]+) bouts?", tab.inner_text(f"#behaviour-{number} .row-facts"))[1]
    return int(bouts.replace("\u202f", "")), float(
        tab.inner_text(f"#behaviour-{number} .share").removesuffix(" %")
    ) / 100


def test_times(visit, request, record_property, tmp_path):
    data = page_data(labels_of_behaviour=5)
    path = tmp_path / "report.html"
    path.write_bytes(page(data))
    figures = visit(path.as_uri()).open(path.as_uri()).evaluate("window.report")
    record_property("figures", figures)
    request.config.get_terminal_writer().line(
        f" {data['map']['shown']} points, {len(data['clips'])} clips, {data['labels']} labels, "
        f"{path.stat().st_size / 1e6:.1f} MB: {figures}"
    )
    assert 0 < figures["mapMs"] < figures["readyMs"]


def test_a_point_of_the_map_selects_its_behaviour_and_the_nearest_clip(opened, data):
    opened.keyboard.press("Escape")
    opened.wait_for_timeout(200)
    x, y = point_of(opened, colour_of(opened, 12))
    opened.mouse.move(x, y)
    tip = opened.inner_text("#tip")
    opened.mouse.click(x, y)
    assert chosen(opened) == 12
    session, time = re.search(r"(mouse\d_openfield), (\d+:\d+\.\d)", tip).groups()
    number = [item["name"] for item in data["sessions"]].index(session)
    far = {
        i: abs((clip["start"] + clip["onset"]) / 30 - seconds_of(time))
        for i, clip in enumerate(data["clips"])
        if clip["label"] == 12 and clip["session"] == number
    }
    assert int(opened.get_attribute(".clip.chosen", "data-clip")) == min(far, key=far.get)


def test_a_clip_marks_its_place_on_the_map_and_in_the_ethogram(opened, data):
    opened.click("#behaviour-9 .pick")
    opened.wait_for_timeout(200)
    clip = int(opened.get_attribute(".clip:nth-child(2)", "data-clip"))
    strip = f".strip-row:nth-child({data['clips'][clip]['session'] + 1}) canvas"
    before = pixels(opened, "#map-canvas"), pixels(opened, strip)
    opened.click(".clip:nth-child(2) .clip-button")
    assert opened.get_attribute(".clip.chosen", "data-clip") == str(clip)
    after(opened, "#map-canvas", before[0])
    after(opened, strip, before[1])


def test_a_bout_of_the_ethogram_selects_its_behaviour(opened, data):
    strip = opened.locator(".strip").nth(1)
    strip.scroll_into_view_if_needed()
    strip.hover(position={"x": 200, "y": 15})
    number = opened.inner_text("#tip .first").split()[0]
    strip.click(position={"x": 200, "y": 15})
    assert chosen(opened) == int(number)


def test_zoom_changes_the_time_that_the_ethogram_shows(opened):
    opened.locator(".strips").focus()
    assert opened.inner_text("#ethogram-span") == "0:00.0 to 6:00.0 (min:s)"
    opened.keyboard.press("+")
    assert opened.inner_text("#ethogram-span") == "1:07.5 to 4:52.5 (min:s)"
    opened.keyboard.press("ArrowLeft")
    assert opened.inner_text("#ethogram-span") == "0:22.5 to 4:07.5 (min:s)"
    opened.keyboard.press("Home")
    assert opened.inner_text("#ethogram-span") == "0:00.0 to 6:00.0 (min:s)"


def test_a_pose_clip_moves_until_it_is_paused(opened):
    opened.click("#behaviour-6 .pick")
    clip = ".clip:nth-child(4) canvas"
    after(opened, clip, pixels(opened, clip))
    opened.keyboard.press("Escape")
    opened.click("#behaviour-6 .pick")
    opened.click("#play")
    still = pixels(opened, clip)
    opened.wait_for_timeout(300)
    assert pixels(opened, clip) == still
    opened.click("text=arena")
    after(opened, clip, still)


def test_a_video_clip_plays(opened, video):
    if video is None:
        pytest.skip("needs PyAV to make a video")
    wait_until(opened, "document.querySelector('.clip video').readyState >= 2")
    times = set()
    for _ in range(6):
        times.add(opened.evaluate("document.querySelector('.clip video').currentTime"))
        opened.wait_for_timeout(120)
    assert len(times) > 3
    assert opened.evaluate("document.querySelector('.clip video').muted")


def test_a_behaviour_with_few_bouts_says_so(opened, data):
    opened.click("#behaviour-24 .pick")
    few = data["bouts_of_label"][24]
    assert opened.inner_text("#clips-shown") == f"This behaviour has only {few} bouts: {few} shown."


def test_a_name_survives_save_and_reload(opened, data):
    number = chosen(opened)
    opened.keyboard.press("n")
    opened.keyboard.insert_text(NAME)
    opened.keyboard.press("Enter")
    assert opened.inner_text(f"#behaviour-{number} .pick") == ON_ONE_LINE
    opened.fill("#own-words", DESCRIPTION)
    with opened.expect_download() as download:
        opened.keyboard.press("Control+s")
    assert download.value.suggested_filename == "behaviours.toml"
    content = tomllib.loads(download.value.path().read_text(encoding="utf-8"))
    assert (content["model"], content["version"]) == (data["model"], 1)
    edited = {item["labels"][0]: item for item in content["behaviours"]}
    assert edited[number] == {
        "labels": [number],
        "name": ON_ONE_LINE,
        "description": DESCRIPTION,
        "colour": "",
        "hidden": False,
    }
    assert set(edited) == {0, 4, number}
    opened.reload()
    opened.wait_for_selector("#kept")
    opened.click("#use-kept")
    assert opened.inner_text(f"#behaviour-{number} .pick") == ON_ONE_LINE


def test_a_name_that_another_behaviour_has_is_refused(opened):
    number = chosen(opened)
    for name in ("walk", "label 7"):
        opened.keyboard.press("n")
        opened.keyboard.insert_text(name)
        opened.keyboard.press("Enter")
        assert "already" in opened.inner_text("#say")
        assert opened.inner_text(f"#behaviour-{number} .pick") == f"label {number}"


def test_colours_are_those_of_the_program(opened):
    assert [colour_of(opened, number) for number in range(25)] == [
        list(bytes.fromhex(default_colour(number)[1:])) for number in range(25)
    ]


def test_escape_leaves_a_name_as_it_was(opened):
    number = chosen(opened)
    before = opened.inner_text(f"#behaviour-{number} .pick")
    opened.keyboard.press("n")
    opened.keyboard.insert_text("other")
    opened.keyboard.press("Escape")
    assert opened.inner_text(f"#behaviour-{number} .pick") == before
    assert opened.is_disabled("#save")


def test_a_merge_changes_usage_and_ethogram_and_can_be_undone(opened, data):
    assert facts_of(opened, 6) == (data["bouts_of_label"][6], pytest.approx(joined_bouts(data, [6])[1], abs=6e-4))
    before = pixels(opened, ".strip"), opened.inner_html("#usage .chart"), opened.inner_text("#list-count")
    for number in (6, 7):
        opened.check(f"#behaviour-{number} input[type=checkbox]")
    opened.fill("#merge-name", "run")
    opened.click("#merge")
    bouts, share = joined_bouts(data, [6, 7])
    assert facts_of(opened, 6) == (bouts, pytest.approx(share, abs=6e-4))
    assert opened.inner_text("#behaviour-6 .pick") == "run"
    assert not opened.query_selector("#behaviour-7")
    after(opened, ".strip", before[0])
    wait_until(opened, "(b) => document.querySelector('#usage .chart').innerHTML !== b", before[1])
    opened.click("#undo")
    wait_until(opened, "(b) => document.querySelector('#list-count').textContent === b", before[2])
    assert facts_of(opened, 6)[0] == data["bouts_of_label"][6]


def test_a_proposal_is_accepted_and_unmerged(opened):
    opened.click("#proposals-title")
    opened.click("#proposal-list li:first-child >> text=accept")
    assert chosen(opened) == 6
    assert "labels 6 + 7" in opened.inner_text("#behaviour-6 .row-facts")
    assert opened.inner_text("#proposals-title") == "1 proposal: labels that may be one behaviour"
    opened.click("#behaviour-6 >> text=unmerge")
    assert opened.query_selector("#behaviour-7")


def test_the_tree_recolours_the_map(opened, data):
    before = pixels(opened, "#map-canvas")
    opened.keyboard.press("]")
    place = data["tree"]["chosen"] + 1
    assert f"{data['tree']['clusters'][place]} clusters" in opened.inner_text("#tree-text")
    other = after(opened, "#map-canvas", before)
    for _ in range(2):
        opened.keyboard.press("]")
    assert f"{data['tree']['clusters'][place + 2]} clusters" in opened.inner_text("#tree-text")
    after(opened, "#map-canvas", other)
    opened.click("#tree-model")
    wait_until(opened, "(b) => document.querySelector('#map-canvas').toDataURL() === b", before)


def test_keys(opened):
    first = chosen(opened)
    opened.keyboard.press("ArrowDown")
    second = chosen(opened)
    assert second != first
    assert opened.get_attribute(f"#behaviour-{second} .pick", "aria-current") == "true"
    opened.keyboard.press("ArrowUp")
    assert chosen(opened) == first
    opened.keyboard.press(" ")
    assert opened.inner_text("#play") == "play"
    opened.keyboard.press("?")
    assert opened.is_visible("#help")
    opened.keyboard.press("Escape")
    assert not opened.is_visible("#help")
    opened.keyboard.press("/")
    opened.keyboard.type("turn left")
    assert opened.inner_text("#list-count") == "1 of 25 behaviours"


def test_all_that_can_be_used_is_reached_by_tab_and_has_a_name(opened):
    opened.evaluate("document.body.focus()")
    wanted = "button, input, select, textarea, a[href], summary, [tabindex='0']"
    count = opened.evaluate(f"document.querySelectorAll(`{wanted}`).length")
    names = opened.evaluate(
        """(wanted) => [...document.querySelectorAll(wanted)].filter((e) => !(e.getAttribute("aria-label")
          || e.textContent.trim() || e.closest("label")?.textContent.trim())).map((e) => e.outerHTML)""",
        wanted,
    )
    assert count > 100
    assert names == []
    reached = set()
    for _ in range(60):
        opened.keyboard.press("Tab")
        reached.add(opened.evaluate("document.activeElement.id || document.activeElement.className"))
    assert {"save", "search", "order", "proposals-title", "pick unnamed"} - reached <= {"save"}  # nothing to save yet


def test_every_drawing_has_a_label(opened):
    drawings = opened.eval_on_selector_all(
        "canvas, main svg", "(all) => all.map((e) => [e.getAttribute('role'), e.getAttribute('aria-label')])"
    )
    assert len(drawings) > 15
    assert all(role == "img" and label for role, label in drawings)


def test_hostile_names_are_only_text(visit, data, tmp_path):
    hostile = "</script><script>window.hacked = 1</script><img src=x onerror='window.hacked = 1'>"
    changed = copy.deepcopy(data)
    changed.update(title=hostile, warnings=[hostile], keypoints=[hostile] * len(data["keypoints"]), settings=hostile)
    changed["behaviours"][21].update(name=hostile, description=hostile)
    for session in changed["sessions"]:
        session.update(name=hostile, recording=hostile, notes=[hostile])
    for description in changed["descriptions"]:
        description["sentences"] = [hostile]
    path = tmp_path / "report.html"
    path.write_bytes(page(changed))
    tab = visit(path.as_uri()).open(path.as_uri())
    tab.hover("#behaviour-21 .pick")
    assert tab.inner_text("#title") == hostile
    assert tab.inner_text("#behaviour-21 .pick") == hostile
    assert tab.evaluate("window.hacked") is None
    assert tab.query_selector("img") is None


def test_a_report_with_little_in_it_opens(visit, data, tmp_path):
    empty = dict.fromkeys(("map", "tree", "dendrogram", "stability", "confusion"))
    lists = {
        "clips": [],
        "descriptions": [],
        "proposals": [],
        "warnings": [],
        "provenance": [],
        "skeleton": [],
        "scores": {},
    }
    sessions = [session | {"bouts": None, "quality": []} for session in data["sessions"]]
    path = tmp_path / "report.html"
    path.write_bytes(page(data | empty | lists | {"sessions": sessions, "settings": ""}))
    tab = visit(path.as_uri()).open(path.as_uri())
    assert "no map" in tab.inner_text("#map")
    assert tab.inner_text("#list-count") == "25 behaviours"
    assert facts_of(tab, 6)[0] == data["bouts_of_label"][6]


def test_it_prints_each_behaviour_with_its_poses(opened):
    opened.evaluate("""addEventListener("afterprint", () => { window.printed = true; })""")
    opened.emulate_media(color_scheme="dark")
    document = opened.pdf(format="A4", print_background=True)
    pages = len(re.findall(rb"/Type\s*/Page\b", document))
    assert document.startswith(b"%PDF")
    assert 8 <= pages <= 14
    wait_until(opened, "!document.documentElement.classList.contains('printing')")


def test_on_paper_nothing_is_wider_than_the_page(opened):
    opened.evaluate("dispatchEvent(new Event('beforeprint'))")
    wide = opened.evaluate(
        """() => [...document.querySelectorAll("main *, header *")].filter((e) => !e.closest("svg") || e.matches("svg"))
          .filter((e) => e.getBoundingClientRect().right > 702).map((e) => e.outerHTML.slice(0, 200))"""
    )
    assert wide == []
    strips = opened.eval_on_selector_all(".printed", "(all) => all.map((e) => e.querySelectorAll('canvas').length)")
    assert strips == [2] * 25
    opened.evaluate("dispatchEvent(new Event('afterprint'))")
    assert opened.query_selector(".printed") is None
