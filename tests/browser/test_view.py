"""The page that `bsoid-gpu view` serves, of a real run."""

import threading
from urllib.error import HTTPError
from urllib.request import urlopen

import pandas as pd
import pytest
from browser_waits import wait_until

from bsoid_gpu.run_folder.model_file import load_model
from bsoid_gpu.views.server import ViewServer
from bsoid_gpu.workflows.report import report
from bsoid_gpu.workflows.view import RunActions

pytestmark = pytest.mark.browser


@pytest.fixture
def viewed(reported):
    server = ViewServer(RunActions(reported / "run"))
    thread = threading.Thread(target=server.run)
    thread.start()
    yield reported / "run", server.address
    server.stop()
    thread.join()
    server.close()


def test_names_are_saved_into_the_run_and_survive_a_reload(visit, viewed):
    run, address = viewed
    tab = visit(address.partition("?")[0]).open(address)
    number = int(tab.inner_text("#behaviour-title .swatch"))
    tab.keyboard.press("n")
    tab.keyboard.insert_text("groom")
    tab.keyboard.press("Enter")
    tab.click("#save")
    wait_until(tab, "document.querySelector('#save-state').textContent === 'saved'")
    tab.reload()
    tab.wait_for_selector("body.ready")
    assert tab.inner_text(f"#behaviour-{number} .pick") == "groom"
    frames = pd.concat([pd.read_csv(path) for path in (run / "labels").glob("*.labels.csv")])
    assert (frames["behaviour"] == "groom").sum() == (frames["label"] == number).sum() > 0


def test_the_tree_is_cut_anew_and_the_classifier_is_fitted_to_it(visit, viewed):
    run, address = viewed
    before = load_model(run)
    tab = visit(address.partition("?")[0]).open(address)
    tab.fill("#tree-size", "90")
    tab.click("#tree >> text=cut")
    wait_until(tab, "document.querySelector('#tree-text').textContent.includes('clusters,')")
    with tab.expect_navigation(timeout=60_000):
        tab.click("#tree-apply")
    tab.wait_for_selector("body.ready", timeout=15_000)
    after = load_model(run)
    assert 2 <= after.labels < before.labels
    assert tab.locator("[id^=behaviour-] .pick").count() == after.labels


def test_only_the_page_is_served_and_only_with_the_token(viewed):
    _, address = viewed
    for path, status in (("?token=wrong", 403), ("", 403), ("../model.safetensors?token=", 404), ("etc/passwd", 404)):
        with pytest.raises(HTTPError) as error:
            urlopen(address.partition("?")[0] + path)
        assert error.value.code == status
        error.value.close()


@pytest.mark.parametrize("labels", [None, "labels"])
def test_the_file_of_a_real_run_opens(visit, reported, labels):
    path = report(reported / "run", labels and reported / labels)
    tab = visit(path.as_uri()).open(path.as_uri())
    model = load_model(reported / "run")
    assert tab.locator("[id^=behaviour-] .pick").count() == model.labels
    assert "null" not in tab.inner_text("body")
    assert "undefined" not in tab.inner_text("body")
    assert "NaN" not in tab.inner_text("body")
