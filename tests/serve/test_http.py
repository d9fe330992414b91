"""Clips over HTTP: the answers are the network's own, and what cannot be answered is one sentence
with its status.
"""

import http.client
import io
import json
import pickle
import socket
import sys
import tempfile
import threading
import time
import zipfile
from pathlib import Path

import httpx
import numpy as np
import pytest

from jaxact import cli
from jaxact.config import STGCNConfig
from jaxact.inference import predictor
from jaxact.serve import app, drawing, predictions
from tests.helpers import random_runs, toys
from tests.serve import serving


@pytest.fixture(scope="module")
def net():
    return serving.predictor()


@pytest.fixture(autouse=True)
def temporary(tmp_path, monkeypatch):
    """Where uploads lie while they are answered; must be empty in the end."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    for _ in range(100):  # a worker clears up after its asker has gone
        if not list(folder.iterdir()):
            break
        time.sleep(0.1)
    assert not list(folder.iterdir())


@pytest.fixture(scope="module")
def url(net):
    predictions.warm_up(net)
    with serving.served(net, max_bytes=200_000) as address:
        yield address


def npy(joints=None) -> bytes:
    stream = io.BytesIO()
    np.save(stream, serving.joints() if joints is None else joints)
    return stream.getvalue()


def zipped(**contents: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    return stream.getvalue()


def ask(url, content, name="clip.npy", headers=None, **fields):
    """Status and JSON of an upload."""
    files = {"file": (name, content)}
    response = httpx.post(f"{url}/predict", files=files, data=fields, timeout=600, headers=headers)
    return response.status_code, response.json()


def test_a_clip_is_answered_whole_and_by_windows_and_drawn(url, net):
    status, content = ask(url, npy(), window="16", top="2")
    assert status == 200 and content["step"] == 3
    (clip,) = content["clips"]
    assert (clip["name"], clip["frames"]) == ("clip", 40)
    whole, parts = net.predict(serving.joints()), net.predict(serving.joints(), window=16)
    assert [(one["label"], one["probability"]) for one in clip["top"]] == [
        (label, pytest.approx(share, abs=1e-5)) for label, share in whole.top(2)
    ]
    assert [(one["start"], one["stop"]) for one in clip["windows"]] == list(parts.spans)
    assert [one["top"][0]["label"] for one in clip["windows"]] == [
        parts.top(1, i)[0][0] for i in range(4)
    ]
    rows = [serving.LABELS.index(label) for label in clip["timeline"]["labels"]]
    np.testing.assert_allclose(clip["timeline"]["probabilities"], parts.windows[:, rows], atol=1e-4)
    skeleton = clip["skeleton"]
    points = np.array(skeleton["points"])
    assert (
        points.shape == (40, 1, 18, 2)
        and skeleton["frames"] == list(range(40))
        and skeleton["heat"] is None
    )
    assert points.min() == 0 and points.max() == 1 == max(skeleton["box"])
    up = serving.joints()[..., 1]
    assert np.corrcoef(points[..., 1].ravel(), up.ravel())[0, 1] > 0.99  # y runs down in both


def test_after_warming_up_answers_compile_nothing_new():
    """Whatever the length of a clip and the number of its windows."""
    net = serving.predictor()
    predictions.warm_up(net)
    assert net._apply._cache_size() == 2
    for frames, window in ((40, 16), (9, 3), (90, 7)):
        net.predict(serving.joints(frames), window=window)
        net.predict(serving.joints(frames))
    assert net._apply._cache_size() == 2


def test_a_missing_joint_is_no_place(url):
    joints = serving.joints()
    joints[3, 0, 4] = 0
    _, content = ask(url, npy(joints))
    points = content["clips"][0]["skeleton"]["points"]
    assert points[3][0][4] is None and points[2][0][4] is not None


def test_a_zip_of_openpose_frames_is_a_clip_for_each_of_its_folders(url, net):
    frames = {
        f"{folder}/v_{number:012}_keypoints.json": json.dumps(
            {"people": [{"pose_keypoints_2d": serving.joints()[number, 0].ravel().tolist()}]}
        ).encode()
        for folder in ("one", "../../two")
        for number in range(8)
    }
    status, content = ask(url, zipped(**frames), "clips.zip")
    assert status == 200 and [clip["name"] for clip in content["clips"]] == ["one", "two"]
    best = net.predict(serving.joints()[:8]).top(1)[0]
    assert content["clips"][1]["top"][0]["probability"] == pytest.approx(best[1], abs=1e-5)


@pytest.mark.parametrize(
    ("name", "content", "fields", "sentence"),
    [
        ("a.txt", b"x", {}, "'a.txt' is no clip of joints; wanted .npy"),
        ("a.npy", b"x", {}, "'a.npy' is not a readable .npy"),
        ("../../a.npy", b"x", {}, "'a.npy' is not a readable .npy"),
        ("a.zip", b"PK", {}, "'a.zip' is not a readable archive"),
        ("a.zip", zipped(x=b""), {}, "holds no frames of OpenPose's"),
        ("a.zip", zipped(v_1_keypoints=bytes(9_000_000)), {}, "unpacks to 9 MB; at most 2 MB"),
        ("a.pkl", pickle.dumps(print), {}, "asks for 'builtins.print'"),
        ("a.npy", npy(np.ones((20, 17, 3), np.float32)), {}, "name its layout (layout)"),
        (
            "a.npy",
            npy(),
            {"layout": "/etc/passwd.json"},
            "unknown layout '/etc/passwd.json'; available: ntu-25",
        ),
        ("a.npy", npy(), {"window": "-3"}, "window is '-3'; wanted a whole number from 0"),
        ("a.npy", npy(), {"stride": "3"}, "a stride needs a window"),
        (
            "a.npy",
            npy(),
            {"image-size": "1280"},
            "image-size is '1280'; wanted pixels such as 1280,720",
        ),
        ("a.npy", npy(), {"colour": "red"}, "unknown field 'colour'; available: file, layout"),
        (
            "a.npy",
            npy(np.full((20, 18, 3), 3e38, np.float32)),
            {},
            "the network's output is not finite",
        ),
    ],
)
def test_what_cannot_be_answered_is_one_sentence_that_names_no_folder_of_the_server(
    url, temporary, name, content, fields, sentence
):
    status, content = ask(url, content, name, **fields)
    assert status == 400 and sentence in content["error"] and str(temporary) not in content["error"]


def test_a_form_without_a_file_and_no_form_at_all_are_told_what_is_wanted(url):
    for body in ({"data": {"window": "3"}}, {"content": b"no form"}):
        response = httpx.post(f"{url}/predict", **body)
        assert response.status_code == 400 and "wanted a form" in response.json()["error"]


def test_an_upload_that_is_too_large_is_refused_whether_or_not_it_says_so(url):
    status, content = ask(url, bytes(400_000))
    assert status == 413 and content["error"].startswith("the upload is larger than 0.2 MB")
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.npy"\r\n\r\n'
    connection = http.client.HTTPConnection(url.removeprefix("http://"))
    body = iter([head, *[bytes(50_000)] * 6, b"\r\n--x--\r\n"])  # chunks: no length is stated
    connection.request(
        "POST", "/predict", body, {"Content-Type": "multipart/form-data; boundary=x"}
    )
    assert connection.getresponse().status == 413
    connection.close()


def test_pages_of_other_sites_and_made_up_names_get_nothing(url):
    status, content = ask(url, npy(), headers={"Sec-Fetch-Site": "cross-site"})
    assert status == 403 and "another site's page" in content["error"]
    assert httpx.get(url, headers={"Host": "evil.example"}).status_code == 400
    page = httpx.get(url)
    assert (
        page.status_code == 200 and "default-src 'self'" in page.headers["content-security-policy"]
    )


def test_two_uploads_at_once_are_both_answered_at_once(net, monkeypatch):
    """Both are inside before either is answered."""
    meeting, own = threading.Barrier(2, timeout=300), predictions.predict_upload

    def together(*given, **named):
        meeting.wait()
        return own(*given, **named)

    monkeypatch.setattr(predictions, "predict_upload", together)
    results = {}
    with serving.served(net) as url:
        threads = [
            threading.Thread(target=lambda name=name: results.update({name: ask(url, npy(), name)}))
            for name in ("a.npy", "b.npy")
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert {
        name: (status, content["clips"][0]["name"]) for name, (status, content) in results.items()
    } == {
        "a.npy": (200, "a"),
        "b.npy": (200, "b"),
    }


def test_an_answer_that_takes_too_long_is_a_504_and_meanwhile_others_are_told_to_wait(
    net, monkeypatch, temporary
):
    inside, leave = threading.Event(), threading.Event()

    def slow(*_, **__):
        inside.set()
        assert leave.wait(300)
        return []

    monkeypatch.setattr(predictions, "predict_upload", slow)
    with serving.served(net, concurrent=1, queued=0, timeout=0.3) as url:
        status, content = ask(url, npy())
        assert (
            status == 504
            and content["error"] == "no prediction within 0.3 seconds; cut 'clip.npy' into parts"
        )
        status, content = ask(url, npy())
        assert status == 503 and "try again later" in content["error"]
        assert (
            inside.is_set() and len(list(temporary.iterdir())) == 1
        )  # only what is still being worked on
        leave.set()


def test_more_uploads_than_may_wait_are_turned_away_at_once(net, monkeypatch):
    inside, leave = threading.Event(), threading.Event()

    def slow(*_, **__):
        inside.set()
        assert leave.wait(300)
        return []

    monkeypatch.setattr(predictions, "predict_upload", slow)
    with serving.served(net, concurrent=1, queued=0) as url:
        first = threading.Thread(target=ask, args=(url, npy()))
        first.start()
        assert inside.wait(300)
        status, content = ask(url, npy())
        leave.set()
        first.join()
    assert status == 503 and content["error"].startswith("1 uploads are being predicted or wait")


def test_a_mistake_of_the_servers_is_a_500_without_its_text(net, monkeypatch):
    def wrong(*_, **__):
        raise RuntimeError("secret")

    monkeypatch.setattr(predictions, "predict_upload", wrong)
    monkeypatch.setattr("uvicorn.protocols.http.h11_impl.H11Protocol.log_level", 0, raising=False)
    with serving.served(net) as url:
        status, content = ask(url, npy())
    assert status == 500 and "secret" not in content["error"]


def test_a_playlist_under_a_videos_name_is_no_video(net):
    with serving.served(serving.VideoPredictor(net.net)) as url:
        status, content = ask(url, b"#EXTM3U\nfile:///etc/passwd\n", "film.mp4")
        assert status == 400 and content["error"].startswith("'film.mp4' is no video; wanted MP4")
        status, content = ask(url, b"\0\0\0\x20ftypisom" + bytes(9), "film.mp4", window="10")
    assert (
        status == 200
        and content["clips"][0]["frames"] == 30
        and "skeleton" not in content["clips"][0]
    )


def test_the_heat_is_that_of_the_attention_maps(net, monkeypatch):
    heat = np.linspace(0, 1, 5 * 2 * 18).reshape(5, 2, 18)
    skeleton = drawing.draw_skeleton(
        serving.joints(5, 2), net.net, frames=np.array([0, 2, 4, 6, 8]), heat=heat
    )
    np.testing.assert_allclose(skeleton["heat"], heat, atol=1e-3)
    assert skeleton["frames"] == [0, 2, 4, 6, 8]
    long = drawing.draw_skeleton(serving.joints(drawing.MAX_FRAMES + 1), net.net)
    assert (
        long["frames"][:3] == [0, 2, 4]
        and len(long["points"]) == len(long["frames"]) <= drawing.MAX_FRAMES
    )


def test_the_command_serves_a_checkpoint(tmp_path, monkeypatch, capsys):
    run = str(tmp_path / "run")
    network = STGCNConfig(network="stem3", width=2)
    random_runs.write(tmp_path / "run", network, layout="openpose-18", frames=8)
    results = {}
    monkeypatch.setattr(predictions, "warm_up", lambda net: results.update(warmed=net.net.step))

    def served(self, sockets):
        results.update(app=self.config.app, port=sockets[0].getsockname()[1])

    with monkeypatch.context() as patch:
        patch.setattr("uvicorn.Server.run", served)
        assert cli.main(["serve", "--checkpoint", run, "--port", "0"]) == 0
    assert results["warmed"] == 0
    assert f"http://localhost:{results['port']} answers with {run}" in capsys.readouterr().out
    with serving.served(predictor.load(run)) as url:
        status, content = ask(url, npy(toys.clips(1, frames=12)[0][0]))
    assert status == 200 and {one["label"] for one in content["clips"][0]["top"]} <= set(
        random_runs.LABELS
    )


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (["--port", "{taken}"], "cannot listen on 127.0.0.1:{taken}: Address already in use"),
        (["--host", "203.0.113.1"], "cannot listen on 203.0.113.1:8000: Cannot assign"),
        (["--port", "99999"], "--port is 99999; wanted a number from 0 to 65535"),
        (["--max-mb", "0"], "--max-mb is 0; wanted a number above 0"),
        (["--port", "0"], "no checkpoint"),
    ],
)
def test_mistakes_on_the_command_line_are_one_sentence(tmp_path, capsys, more, sentence):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        taken = listener.getsockname()[1]
        line = [
            "serve",
            "--checkpoint",
            str(tmp_path),
            *(word.format(taken=taken) for word in more),
        ]
        assert cli.main(line) == 2
    captured = capsys.readouterr().err
    assert sentence.format(taken=taken) in captured and "Traceback" not in captured


def test_a_missing_package_names_the_extra(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert cli.main(["serve", "--checkpoint", str(tmp_path)]) == 2
    assert "pip install 'jaxact[serve]'" in capsys.readouterr().err


def test_only_a_loopback_keeps_to_its_own_names():
    assert "localhost" in app.allowed_hosts("127.0.0.1") and app.allowed_hosts("0.0.0.0") == ("*",)
    assert Path(app.PAGE / "index.html").is_file() and "starlette" in sys.modules
