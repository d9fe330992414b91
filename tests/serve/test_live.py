"""Frames of a camera over HTTP: each is answered with its people, and sessions are limited."""

import contextlib
import io
import threading
import time

import httpx
import numpy as np
import pytest
from PIL import Image

from jaxact.datasets.formats import recording
from jaxact.errors import UserError
from jaxact.serve import live_frame
from jaxact.serve.estimator_pool import EstimatorPool, TimedEstimator
from jaxact.streaming.frame import Frame
from jaxact.streaming.recognition import make_processor
from tests.helpers import videos
from tests.serve import serving


def jpeg(brightness: int = 200, size: tuple[int, int] = (64, 48), kind: str = "JPEG") -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", size, (brightness,) * 3).save(stream, kind)
    return stream.getvalue()


@pytest.fixture(scope="module")
def net():
    return serving.predictor()


@pytest.fixture
def estimators():
    """Every estimator that the pool opened."""
    return []


@pytest.fixture
def pool(estimators):
    def open_estimator():
        estimators.append(serving.FakeEstimator())
        return estimators[-1]

    return EstimatorPool(open_estimator)


@contextlib.contextmanager
def connected(net, pool, **limits):
    """A client of a server."""
    with (
        serving.served(net, pool=pool, **limits) as url,
        httpx.Client(base_url=url, timeout=600) as client,
    ):
        yield client


@pytest.fixture
def client(net, pool):
    with connected(net, pool) as client:
        yield client


def opened(client) -> str:
    """The path of a new session."""
    response = client.post("/live")
    assert response.status_code == 201, response.text
    return f"/live/{response.json()['session']}"


def refused(response, status: int) -> str:
    """The sentence of a refusal."""
    assert response.status_code == status, response.text
    return response.json()["error"]


def test_a_session_answers_frames_as_a_stream_does(client, net):
    content = client.post("/live").json()
    assert content["layout"] == "openpose-18" and [2, 1] in content["edges"]
    assert content["sides"][2] == "right"
    processor = make_processor(estimator=serving.FakeEstimator(), net=net.net)
    for number, brightness in enumerate((200, 210, 0, 220)):
        body = jpeg(brightness)
        answer = client.post(
            f"/live/{content['session']}", params={"time": 7 + number / 10}, content=body
        ).json()
        image = live_frame.decode_jpeg(body, max_side=100)
        result = processor.process(Frame(number, number / 10, image))
        assert answer["frame"] == number and len(answer["people"]) == len(result.people)
        assert answer["ranked"] == list(result.ranked)
        assert set(answer["seconds"]) == {"read", "pose", "follow", "recognise"}
        assert answer["seconds"]["pose"] == 0.5  # of this frame alone
        for person, expected in zip(answer["people"], result.people, strict=True):
            assert person["id"] == expected.id and person["joints"][4] is None
            shares = expected.joints[0, :2] / (64, 48)
            assert person["joints"][0] == pytest.approx(shares, abs=1e-3)
            probabilities = expected.prediction.probabilities
            best = int(np.argmax(probabilities))
            assert person["top"][0]["label"] == serving.LABELS[best]
            assert person["top"][0]["probability"] == pytest.approx(probabilities[best], abs=1e-3)
            assert [one["label"] for one in person["top"]] != sorted(serving.LABELS)
            label = expected.prediction.label
            assert person["label"] == (None if label is None else serving.LABELS[label])


def test_every_session_has_an_estimator_of_its_own_which_is_used_again(client, estimators):
    first, second = opened(client), opened(client)
    client.post(first, content=jpeg())
    client.post(second, content=jpeg())
    client.post(second, content=jpeg())
    assert sorted(estimator.frames for estimator in estimators) == [1, 2]
    assert client.delete(second).status_code == 204
    assert "no such session" in refused(client.post(second, content=jpeg()), 404)
    assert client.delete(second).status_code == 204
    third = opened(client)
    assert len(estimators) == 2 and sorted(one.frames for one in estimators) == [0, 1]
    assert client.post(third, content=jpeg()).json()["people"][0]["id"] == 0


def test_what_is_no_frame_is_one_sentence(client):
    path = opened(client)
    whole = jpeg(size=(640, 480))
    for content, sentence in (
        (b"", "the frame is not a readable JPEG"),
        (b"GIF89a" + bytes(99), "the frame is not a readable JPEG"),
        (jpeg(kind="PNG"), "the frame is not a readable JPEG"),
        (whole[: len(whole) // 2], "the frame is not a readable JPEG"),
        (jpeg(size=(2000, 10)), "the frame has 2000 x 10 pixels; at most 1920 x 1920 are read"),
    ):
        assert refused(client.post(path, content=content), 400) == sentence
    assert "larger than 2 MB" in refused(client.post(path, content=bytes(2_000_001)), 413)
    for text in ("soon", "-1", "nan", "inf"):
        response = client.post(path, params={"time": text}, content=whole)
        assert refused(response, 400) == f"time is {text!r}; wanted seconds from 0"
    assert client.post(path, params={"time": "9"}, content=whole).json()["frame"] == 0
    sentence = refused(client.post(path, params={"time": "8"}, content=whole), 400)
    assert sentence.startswith("the frame is of 8 s, but the one before it of 9 s")
    assert client.post(path, params={"time": "9.5"}, content=whole).status_code == 200


def test_sessions_are_limited_and_end_without_frames(net, pool):
    with connected(net, pool, sessions=2, idle=0.5) as client:
        paths = [opened(client), opened(client)]
        sentence = refused(client.post("/live"), 503)
        assert sentence == "the server is processing 2 cameras, its limit; try again later"
        for _ in range(100):  # without a request
            if len(pool._free) == 2:
                break
            time.sleep(0.1)
        assert len(pool._free) == 2
        assert "after 0.5 seconds without a frame" in refused(client.post(paths[0]), 404)
        opened(client)


def test_one_frame_of_a_session_at_a_time(net, monkeypatch):
    inside, leave = threading.Event(), threading.Event()

    class Slow(serving.FakeEstimator):
        def __call__(self, image):
            inside.set()
            assert leave.wait(300)
            return super().__call__(image)

    estimators = []

    def open_estimator():
        estimators.append(Slow())
        return estimators[-1]

    pool = EstimatorPool(open_estimator)
    with connected(net, pool, timeout=0.3, sessions=1) as client:
        path = opened(client)
        assert "not processed within 0.3 seconds" in refused(client.post(path, content=jpeg()), 504)
        assert inside.is_set()
        assert "previous frame is still" in refused(client.post(path, content=jpeg()), 409)
        client.delete(path)  # its estimator is still in use
        assert not pool._free
        leave.set()
        for _ in range(100):
            if pool._free:
                break
            time.sleep(0.05)
        assert pool._free == estimators
        opened(client)
        assert len(estimators) == 1


def test_an_estimator_that_fails_is_not_used_again(net):
    class Broken(serving.FakeEstimator):
        def __call__(self, image):
            raise RuntimeError("secret")

    pool = EstimatorPool(Broken)
    with serving.served(net, pool=pool) as url:
        with httpx.Client(base_url=url, timeout=600) as client:
            path = url + opened(client)
        # The server closes the connection of a failed request.
        assert "secret" not in refused(httpx.post(path, content=jpeg()), 500)
        refused(httpx.post(path, content=jpeg()), 404)
        assert not pool._free


def test_pages_of_other_sites_open_no_session(client):
    path = opened(client)
    for method, target in (("POST", "/live"), ("POST", path), ("DELETE", path)):
        response = client.request(method, target, headers={"Sec-Fetch-Site": "cross-site"})
        assert "another site's page" in refused(response, 403)
    assert client.post(path, content=jpeg()).status_code == 200


def test_a_server_without_an_estimator_names_the_option(net):
    with connected(net, None) as client:
        assert client.get("/network").json()["poses"] is False
        assert "start it with --pose SPEC" in refused(client.post("/live"), 404)
        files = {"file": ("film.mp4", b"\0\0\0\x20ftypisom" + bytes(9))}
        sentence = refused(client.post("/predict", files=files), 400)
        assert sentence.startswith("'film.mp4' is a video, and the network reads joints")


def test_a_video_is_answered_by_its_estimated_joints(client, net, estimators, tmp_path):
    film = videos.write(tmp_path / "film.mp4", videos.frames(12, 48, 64))

    def ask(path, **fields):
        return client.post("/predict", files={"file": (path.name, path.read_bytes())}, data=fields)

    (clip,) = ask(film, window="6").json()["clips"]
    assert (clip["name"], clip["frames"], clip["video"]) == ("film", 12, True)
    recorded = recording.read_video(film, serving.FakeEstimator())
    best = net.predict_clip(net.open_joints(recorded)).top(1)[0]
    assert clip["top"][0]["label"] == best[0]
    assert clip["top"][0]["probability"] == pytest.approx(best[1], abs=1e-5)
    skeleton = clip["skeleton"]
    picture, point = skeleton["picture"], np.array(skeleton["points"][3][0][2])
    shares = (picture["left"], picture["top"]) + picture["scale"] * point
    np.testing.assert_allclose(shares, recorded.joints[3, 0, 2, :2], atol=1e-3)
    assert len(estimators) == 1 and estimators[0].resets == 2
    assert "states; leave layout" in refused(ask(film, layout="coco-17"), 400)
    dark = videos.write(tmp_path / "dark.mp4", np.zeros((5, 48, 64, 3), np.uint8))
    assert "detects nobody in the 5 frames of 'dark.mp4'" in refused(ask(dark), 400)


def test_a_video_whose_poses_take_too_long_frees_its_thread(tmp_path):
    film = videos.write(tmp_path / "film.mp4", videos.frames(12, 48, 64))
    estimator = TimedEstimator(serving.FakeEstimator(), 0.0)
    with pytest.raises(UserError, match="not estimated within 0 seconds; cut it into parts"):
        recording.read_video(film, estimator)
