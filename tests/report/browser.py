"""Open pages in headless Chromium, and see what it does."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service


@contextmanager
def chromium(*, scripts: bool = True, width: int = 1280) -> Iterator[Chrome]:
    """Start a browser; skip where none is installed."""
    programs = [shutil.which("chromium"), shutil.which("chromedriver")]
    if not all(programs):
        pytest.skip("no chromium and chromedriver here: apt-get install chromium chromium-driver")
    options = ChromeOptions()
    options.binary_location = str(programs[0])
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    options.add_argument(f"--window-size={width},900")
    if not scripts:
        block = {"profile.managed_default_content_settings.javascript": 2}
        options.add_experimental_option("prefs", block)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = Chrome(options=options, service=Service(str(programs[1])))
    try:
        yield driver
    finally:
        driver.quit()


def show(driver: Chrome, page: str, folder: Path) -> None:
    """Open a page from a file."""
    file = folder / "page.html"
    file.write_text(page, encoding="utf-8")
    driver.get(file.as_uri())


def complaints(driver: Chrome) -> list[str]:
    """Return what the console says; a policy that was broken is in it."""
    return [entry["message"] for entry in driver.get_log("browser")]


def requests(driver: Chrome) -> list[str]:
    """Return what was fetched since the last time."""
    events = [json.loads(entry["message"])["message"] for entry in driver.get_log("performance")]
    return [
        e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"
    ]


def emulate(driver: Chrome, *, scheme: str = "light", medium: str = "screen") -> None:
    """Let the page believe in a colour scheme and a medium."""
    feature = {"name": "prefers-color-scheme", "value": scheme}
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": medium, "features": [feature]})


def resize(driver: Chrome, width: int) -> None:
    """Give the page a width that windows cannot have."""
    size = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
