// Sends frames of the camera to the server, one at a time, so that a slow server skips frames.
import { byId, request, RequestError, setStatus } from "./elements.js";
import { LiveView } from "./live_view.js";
import { closeWebcam, openWebcam } from "./webcam.js";

const LONG_SIDE = 640; // pixels of a frame that is sent
const JPEG_QUALITY = 0.85;
const SLOW = 3000; // milliseconds after which the page says that it waits

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

export class LiveCamera {
  constructor() {
    this.view = new LiveView();
    this.running = false;
    this.stream = this.session = null;
    this.video = document.createElement("video");
    this.video.muted = this.video.playsInline = true;
    this.frame = document.createElement("canvas");
    window.addEventListener("pagehide", () => this.stop());
  }

  toggle() {
    if (this.running) this.stop();
    else this.start();
  }

  async start() {
    byId("webcam").disabled = true;
    setStatus("Opening the camera ...");
    const stream = await openWebcam({ width: { ideal: LONG_SIDE }, facingMode: "user" });
    byId("webcam").disabled = false;
    if (!stream) return;
    this.stream = stream;
    this.running = true;
    byId("webcam").textContent = "Stop the camera";
    byId("result").hidden = true;
    stream.getVideoTracks()[0].addEventListener("ended", () => {
      if (this.stream === stream) this.fail("The camera was disconnected.");
    });
    try {
      this.video.srcObject = stream;
      await this.video.play();
      this.view.open(this.video);
      await this.processFrames(stream);
    } catch (error) {
      if (this.stream !== stream) return; // stopped meanwhile
      if (!(error instanceof RequestError)) console.error(error);
      this.fail(error instanceof RequestError ? error.message : `The camera failed: ${error}.`);
    }
  }

  // Stops the camera and ends its session; the last picture stays.
  stop() {
    if (!this.running) return;
    this.running = false;
    closeWebcam(this.stream);
    this.closeSession();
    this.stream = this.video.srcObject = null;
    this.view.close();
    byId("webcam").textContent = "Start the camera";
    setStatus("");
  }

  fail(text) {
    this.stop();
    setStatus(text, true);
  }

  async openSession(stream) {
    setStatus("Opening the pose estimator ...");
    const session = await request("POST", "live");
    this.session = session;
    if (this.stream !== stream) this.closeSession(); // the camera was stopped meanwhile
    else setStatus("");
  }

  closeSession() {
    if (!this.session) return;
    const path = `live/${this.session.session}`;
    fetch(path, { method: "DELETE", keepalive: true }).catch(() => {});
    this.session = null;
  }

  async processFrames(stream) {
    await this.openSession(stream);
    while (this.stream === stream) {
      await this.nextFrame();
      if (this.stream !== stream) return;
      const seconds = performance.now() / 1000;
      const jpeg = await this.capture();
      try {
        const answer = await this.send(jpeg, seconds);
        if (this.stream !== stream) return;
        this.view.show(this.frame, answer, this.session, seconds);
      } catch (error) {
        if (this.stream !== stream) return;
        if (error.status === 409) await pause(500); // after a frame that took too long
        else if (error.status === 404) await this.openSession(stream); // the page was asleep
        else throw error;
      }
    }
  }

  async send(jpeg, seconds) {
    let isSlow = false;
    const timer = setTimeout(() => {
      isSlow = true;
      setStatus("Waiting for the server ...");
    }, SLOW);
    try {
      return await request("POST", `live/${this.session.session}?time=${seconds.toFixed(3)}`, jpeg);
    } finally {
      clearTimeout(timer);
      if (isSlow) setStatus("");
    }
  }

  // Waits for a new frame of the camera; a hidden page has no such callbacks.
  nextFrame() {
    if (!this.video.requestVideoFrameCallback) return pause(33);
    return new Promise((resolve) => {
      const handle = this.video.requestVideoFrameCallback(resolve);
      setTimeout(() => {
        this.video.cancelVideoFrameCallback(handle);
        resolve();
      }, 500);
    });
  }

  capture() {
    const { videoWidth, videoHeight } = this.video;
    const scale = Math.min(1, LONG_SIDE / Math.max(videoWidth, videoHeight));
    this.frame.width = Math.round(scale * videoWidth);
    this.frame.height = Math.round(scale * videoHeight);
    this.frame.getContext("2d").drawImage(this.video, 0, 0, this.frame.width, this.frame.height);
    return new Promise((resolve) => this.frame.toBlob(resolve, "image/jpeg", JPEG_QUALITY));
  }
}
