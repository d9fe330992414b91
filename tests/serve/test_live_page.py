"""The webcam in a browser: a fake camera is shown with a skeleton, and its label changes."""

import re

import av
import httpx
import numpy as np
import pytest
from selenium.webdriver.common.by import By

from tests.helpers import videos
from tests.serve import browsers, serving
from tests.serve.browsers import text, until

pytestmark = browsers.installed
SIZE = (48, 64)  # height and width of a picture
BRIGHTNESS = (90, 250, 0)  # of the camera: a person left, a person right, nobody


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    """Its camera shows every brightness for two seconds, again and again."""
    path = tmp_path_factory.mktemp("camera") / "camera.y4m"
    height, width = SIZE
    with path.open("wb") as file:
        file.write(f"YUV4MPEG2 W{width} H{height} F15:1 Ip A1:1 C420jpeg\n".encode())
        for brightness in BRIGHTNESS:
            picture = np.full((height, width, 3), brightness, np.uint8)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv420p")
            for _ in range(30):
                file.write(b"FRAME\n" + frame.to_ndarray().tobytes())
    camera = f"use-file-for-fake-video-capture={path}"
    with browsers.opened("use-fake-ui-for-media-stream", camera) as driver:
        yield driver


def button(browser):
    return browser.find_element(By.ID, "webcam")


def test_the_webcam_is_shown_with_its_skeleton_and_a_label_that_changes(browser):
    pool = serving.pool()
    with serving.served(serving.left_or_right(), pool=pool) as url:
        browser.get(url)
        until(browser, lambda: "3 classes" in text(browser, "network"))
        assert text(browser, "webcam") == "Start the camera"
        button(browser).click()
        for label in ("wave", "clap", "wave", "Nobody is in view"):
            until(browser, lambda label=label: text(browser, "live-label") == label)
        until(browser, lambda: text(browser, "live-label") == "clap")
        assert re.fullmatch(r"\d+ %", text(browser, "live-share"))
        colour = (  # the camera is grey
            "const c = document.getElementById('live-picture');"
            "const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;"
            "return d.some((value, i) => i % 4 == 0 && Math.abs(value - d[i + 2]) > 60)"
        )
        until(browser, lambda: browser.execute_script(colour))
        assert re.match("[0-9.]+ frames/s, 64 \u00d7 48", text(browser, "live-rate"))
        assert "pose 500 ms" in text(browser, "live-stages")
        changes = text(browser, "live-changes")
        assert "wave" in changes and "clap" in changes
        assert len(browser.find_elements(By.CSS_SELECTOR, "#live-bars li")) == 3
        button(browser).click()
        assert text(browser, "webcam") == "Start the camera"
        until(browser, lambda: len(pool._free) == 1)  # the session is closed
    assert not [
        entry for entry in browser.get_log("browser") if "Content Security" in entry["message"]
    ]


def test_a_busy_server_and_one_that_has_gone_are_said_in_the_page(browser):
    with serving.served(serving.left_or_right(), pool=serving.pool(), sessions=1) as url:
        session = httpx.post(f"{url}/live").json()["session"]
        browser.get(url)
        until(browser, lambda: "3 classes" in text(browser, "network"))
        button(browser).click()
        until(browser, lambda: "processing 1 cameras, its limit" in text(browser, "status"))
        assert text(browser, "webcam") == "Start the camera"
        httpx.delete(f"{url}/live/{session}")
        button(browser).click()
        until(browser, lambda: text(browser, "live-label") == "wave")
    until(browser, lambda: text(browser, "status").startswith("The server cannot be reached"))
    assert text(browser, "webcam") == "Start the camera"


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        ("NotFoundError", "No webcam was found: connect one, or upload a video."),
        ("NotReadableError", "The webcam is in use by another program"),
        ("AbortError", "The webcam cannot be used (AbortError)"),
    ],
)
def test_a_webcam_that_does_not_open_is_said_in_the_page(browser, error, sentence):
    with serving.served(serving.left_or_right(), pool=serving.pool()) as url:
        browser.get(url)
        until(browser, lambda: "3 classes" in text(browser, "network"))
        browser.execute_script(
            "navigator.mediaDevices.getUserMedia = () => "
            f"Promise.reject(new DOMException('', '{error}'))"
        )
        button(browser).click()
        until(browser, lambda: text(browser, "status").startswith(sentence))
        assert button(browser).is_enabled()


def test_a_video_is_shown_with_its_skeleton_and_one_that_does_not_play_without(browser, tmp_path):
    pictures = videos.frames(20, 48, 64)
    film = videos.write(tmp_path / "film.mp4", pictures, codec="libx264")
    other = videos.write(tmp_path / "other.avi", pictures)
    with serving.served(serving.left_or_right(), pool=serving.pool()) as url:
        browser.get(url)
        until(browser, lambda: "3 classes" in text(browser, "network"))
        overlaid = "return document.getElementById('film').classList.contains('overlaid')"
        video, skeleton = (browser.find_element(By.ID, name) for name in ("video", "skeleton"))
        browser.find_element(By.ID, "file").send_keys(str(film))
        until(browser, lambda: text(browser, "name") == "film, 20 frames")
        assert browser.execute_script(overlaid) and video.is_displayed()
        until(browser, lambda: abs(skeleton.size["height"] - video.size["height"]) < 4)
        browser.find_element(By.ID, "file").send_keys(str(other))
        until(browser, lambda: text(browser, "name") == "other, 20 frames")
        until(browser, lambda: not browser.execute_script(overlaid))
        assert skeleton.is_displayed() and not video.is_displayed()
