"""Pictures of a page for the documentation, by Chromium through Playwright.

python benchmarks/screenshots.py RUN/report.html docs/images/report.png [WIDTH HEIGHT]
"""

import shutil
import sys
from pathlib import Path

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
OPTIONS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]
CLIPS_MS = 1200  # until the clips are in the middle of their bouts


def main() -> None:
    from playwright.sync_api import sync_playwright  # a benchmark can be imported without it

    page_file, picture, *size = sys.argv[1:]
    width, height = map(int, size or (1280, 800))
    program = next(filter(None, map(shutil.which, CHROMIUM)))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=OPTIONS)
        tab = browser.new_page(viewport={"width": width, "height": height}, color_scheme="light")
        tab.goto(Path(page_file).resolve().as_uri())
        tab.wait_for_selector("body.ready")
        tab.wait_for_timeout(CLIPS_MS)
        Path(picture).parent.mkdir(parents=True, exist_ok=True)
        tab.screenshot(path=picture)
        browser.close()


if __name__ == "__main__":
    main()
