"""Chromium without a window, where it and its driver are installed."""

import contextlib
import shutil
from collections.abc import Iterator

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

BROWSER, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
installed = pytest.mark.skipif(
    not (BROWSER and DRIVER), reason="Chromium and its driver are not installed"
)
_ARGUMENTS = (
    "headless=new",
    "no-sandbox",
    "disable-gpu",
    "disable-dev-shm-usage",
    "window-size=1100,1200",
    "use-fake-device-for-media-stream",
)


@contextlib.contextmanager
def opened(*arguments: str) -> Iterator[webdriver.Chrome]:
    """A browser with a webcam that shows a test picture, and further arguments."""
    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    for argument in (*_ARGUMENTS, *arguments):
        options.add_argument(f"--{argument}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    try:
        yield driver
    finally:
        driver.quit()


def text(browser: webdriver.Chrome, name: str) -> str:
    """The text of the element with an id."""
    return browser.find_element(By.ID, name).text


def until(browser, holds):
    """Waits for `holds()`."""
    return WebDriverWait(browser, 300, poll_frequency=0.1).until(lambda _: holds())
