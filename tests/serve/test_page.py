"""The page in a browser: Debian's Chromium without a window, where it and its driver are
installed.
"""

import re
import shutil

import numpy as np
import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from jaxact.serve import predictions
from tests.serve import serving

BROWSER, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(
    not (BROWSER and DRIVER), reason="Chromium and its driver are not installed"
)


@pytest.fixture(scope="module")
def browser():
    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    for argument in (
        "headless=new",
        "no-sandbox",
        "disable-gpu",
        "disable-dev-shm-usage",
        "window-size=1100,1200",
    ):
        options.add_argument(f"--{argument}")
    options.add_argument("--deny-permission-prompts")
    options.add_argument(
        "--use-fake-device-for-media-stream"
    )  # there is a webcam, and the browser may not use it
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    yield driver
    driver.quit()


def text(browser, name):
    return browser.find_element(By.ID, name).text


def until(browser, holds):
    return WebDriverWait(browser, 300).until(lambda _: holds())


def test_a_clip_is_drawn_and_answered_and_what_goes_wrong_is_said_in_the_page(browser, tmp_path):
    net = serving.predictor()
    predictions.warm_up(net)
    np.save(tmp_path / "day.npy", serving.joints())
    np.save(tmp_path / "large.npy", np.zeros(200_000))
    with serving.served(net, max_bytes=1_000_000) as url:
        browser.get(url)
        until(browser, lambda: "3 classes" in text(browser, "network"))
        assert not browser.find_element(By.ID, "webcam").is_enabled()
        assert "need a pose estimator: start the server with --pose" in text(browser, "webcam-note")
        upload = browser.find_element(By.ID, "file")
        upload.send_keys(str(tmp_path / "large.npy"))
        until(browser, lambda: "large.npy has 1.60 MB" in text(browser, "status"))
        upload.send_keys(str(tmp_path / "day.npy"))
        until(browser, lambda: text(browser, "name") == "day, 40 frames")
        assert text(browser, "status") == ""
        bars = browser.find_elements(By.CSS_SELECTOR, "#bars li")
        best = net.predict(serving.joints()).top(1)[0]
        assert len(bars) == 3 and bars[0].text.startswith(
            best[0]
        )  # "<b>jump</b>" is a name, not markup
        assert len(browser.find_elements(By.CSS_SELECTOR, "#timeline .row")) == 3
        drawn = (
            "const c = document.getElementById('skeleton');"
            "return c.getContext('2d').getImageData(0, 0, c.width, c.height)"
        )
        assert browser.execute_script(f"{drawn}.data.some((value) => value > 0)")
        before = text(browser, "frame")
        until(browser, lambda: text(browser, "frame") != before)  # it moves
        assert re.fullmatch(r"frame \d+", text(browser, "frame"))
    assert not [
        entry for entry in browser.get_log("browser") if "Content Security" in entry["message"]
    ]


def test_a_refused_webcam_is_said_in_the_page_and_can_be_asked_for_again(browser):
    with serving.served(serving.VideoPredictor(serving.predictor().net)) as url:
        browser.get(url)
        button = browser.find_element(By.ID, "webcam")
        until(browser, lambda: "reads videos" in text(browser, "network"))
        button.click()
        until(browser, lambda: text(browser, "status") != "")
        assert text(browser, "status").startswith(
            "The browser was not allowed to use the webcam: allow it"
        )
        assert button.is_enabled()
