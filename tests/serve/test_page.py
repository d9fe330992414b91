"""The page in a browser: clips and their predictions, and what it says of errors."""

import re

import numpy as np
import pytest
from selenium.webdriver.common.by import By

from jaxact.serve import predictions
from tests.serve import browsers, serving
from tests.serve.browsers import text, until

pytestmark = browsers.installed


@pytest.fixture(scope="module")
def browser():
    """There is a webcam, and the browser may not use it."""
    with browsers.opened("deny-permission-prompts") as driver:
        yield driver


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
