// Opens the webcam, and records a few seconds of it for networks that read videos.
import { byId, setStatus } from "./elements.js";

const RECORDING_SECONDS = 4;
const ERRORS = {
  NotAllowedError:
    "The browser was not allowed to use the webcam: allow it next to the address, " +
    "or upload a video.",
  NotFoundError: "No webcam was found: connect one, or upload a video.",
  NotReadableError: "The webcam is in use by another program: close it, or upload a video.",
};

export function hasWebcam() {
  return Boolean(navigator.mediaDevices?.getUserMedia && window.MediaRecorder);
}

// Returns the stream, or null after the reason is shown.
export async function openWebcam(video = true) {
  try {
    return await navigator.mediaDevices.getUserMedia({ video });
  } catch (error) {
    const fallback = `The webcam cannot be used (${error.name}): upload a video.`;
    setStatus(ERRORS[error.name] ?? fallback, true);
    return null;
  }
}

export function closeWebcam(stream) {
  for (const track of stream.getTracks()) track.stop();
}

// Records the webcam and passes the recording and its name to `upload`.
export async function recordWebcam(upload) {
  byId("webcam").disabled = true;
  byId("webcam-note").textContent = "";
  const stream = await openWebcam();
  if (!stream) {
    byId("webcam").disabled = false;
    return;
  }
  try {
    byId("preview").srcObject = stream;
    byId("preview").hidden = false;
    await byId("preview").play();
    setStatus(`Recording ${RECORDING_SECONDS} seconds ...`);
    const parts = [];
    const recorder = new MediaRecorder(stream);
    recorder.addEventListener("dataavailable", ({ data }) => parts.push(data));
    const stopped = new Promise((resolve) => recorder.addEventListener("stop", resolve));
    recorder.start();
    setTimeout(() => recorder.stop(), 1000 * RECORDING_SECONDS);
    await stopped;
    const type = recorder.mimeType;
    await upload(new Blob(parts, { type }), type.includes("mp4") ? "webcam.mp4" : "webcam.webm");
  } finally {
    closeWebcam(stream);
    byId("preview").srcObject = null;
    byId("preview").hidden = true;
    byId("webcam").disabled = false;
  }
}
