// The page of `jaxact serve`: uploads a clip and shows the network's prediction.
import { Player } from "./player.js";

const RECORDING_SECONDS = 4;
const byId = (id) => document.getElementById(id);
const player = new Player();
let network = null;
let latestUpload = 0; // number of the upload whose response is shown

function setStatus(text, isError = false) {
  byId("status").textContent = text;
  byId("status").classList.toggle("error", isError);
}

function createElement(tag, text = "", className = "") {
  const element = document.createElement(tag);
  element.textContent = text;
  element.className = className;
  return element;
}

const percent = (share) => `${(100 * share).toFixed(share < 0.0995 ? 1 : 0)} %`;
const megabytes = (bytes) => `${(bytes / 1e6).toPrecision(3)} MB`;

async function start() {
  network = await (await fetch("network")).json();
  const isVideo = network.reads === "video";
  const input = isVideo ? "videos" : `${network.layout} joints (${network.channels.join(", ")})`;
  byId("network").textContent =
    `${network.network}, step ${network.step}, reads ${input}, ${network.labels.length} classes`;
  const formats = isVideo
    ? "MP4, MOV, WebM, MKV, AVI or MPEG"
    : ".skeleton, .npy, .npz, .json, pyskl's .pkl, or a .zip of OpenPose's JSON";
  byId("formats").textContent = `${formats}, up to ${megabytes(network.most_bytes)}`;
  for (const field of document.querySelectorAll(".joints")) field.hidden = isVideo;
  const layoutField = byId("options").elements.layout;
  for (const name of network.layouts) layoutField.append(createElement("option", name));
  if (!isVideo)
    disableWebcam("A webcam records video, but this network reads joints: upload joints.");
  else if (!navigator.mediaDevices?.getUserMedia || !window.MediaRecorder)
    disableWebcam("The browser allows a webcam only for pages from localhost or over https.");
}

function disableWebcam(reason) {
  byId("webcam").disabled = true;
  byId("webcam-note").textContent = reason;
}

async function upload(file, name) {
  const number = ++latestUpload;
  if (file.size > network.most_bytes) {
    setStatus(
      `${name} has ${megabytes(file.size)}; the server accepts up to ` +
        `${megabytes(network.most_bytes)}: cut it into parts, or start the server with a larger ` +
        "--max-mb.",
      true,
    );
    return;
  }
  setStatus(`Predicting ${name} ...`);
  const form = new FormData(byId("options"));
  form.append("file", file, name);
  let response, content;
  try {
    response = await fetch("predict", { method: "POST", body: form });
    content = await response.json();
  } catch {
    if (number === latestUpload)
      setStatus("The server cannot be reached; is it still running?", true);
    return;
  }
  if (number !== latestUpload) return; // a later clip was uploaded meanwhile
  if (!response.ok) {
    setStatus(`${name}: ${content.error}`, true);
    return;
  }
  setStatus("");
  showClips(content.clips, network.reads === "video" ? file : null);
}

function showClips(clips, video) {
  byId("result").hidden = false;
  const buttons = clips.map((clip) => {
    const button = createElement("button", clip.name);
    button.type = "button";
    button.addEventListener("click", () => {
      for (const other of buttons) other.setAttribute("aria-pressed", other === button);
      showClip(clip, video);
    });
    return button;
  });
  byId("clips").replaceChildren(...(clips.length > 1 ? buttons : []));
  buttons[0].click();
}

function showClip(clip, video) {
  byId("name").textContent = `${clip.name}, ${clip.frames} frames`;
  byId("bars").replaceChildren(...clip.top.map(createBar));
  const playheads = showTimeline(clip);
  player.show(clip, video, (frame) => {
    for (const playhead of playheads)
      playhead.style.left = `${(100 * (frame + 0.5)) / clip.frames}%`;
    byId("current-window").textContent = describeWindow(clip, frame);
  });
}

function createBar({ label, probability }) {
  const item = createElement("li");
  const line = createElement("div", "", "line");
  const track = createElement("div", "", "track");
  const bar = createElement("div", "", "bar");
  bar.style.width = `${100 * probability}%`;
  line.append(createElement("span", label), createElement("span", percent(probability)));
  track.append(bar);
  item.append(line, track);
  return item;
}

// The middle one of the windows that contain a frame, with its three best classes.
function describeWindow(clip, frame) {
  const windows = clip.windows.filter(({ start, stop }) => start <= frame && frame < stop);
  const middle = windows[Math.floor(windows.length / 2)];
  if (!middle) return "";
  const best = middle.top
    .slice(0, 3)
    .map(({ label, probability }) => `${label} ${percent(probability)}`);
  return `frames ${middle.start} to ${middle.stop - 1}: ${best.join(", ")}`;
}

// Draws a row per class and returns the playheads of the rows.
function showTimeline(clip) {
  byId("windows").hidden = !clip.timeline;
  byId("timeline").replaceChildren();
  if (!clip.timeline) return [];
  // Windows overlap: each ends in the middle between its centre and its neighbour's.
  const centres = clip.windows.map(({ start, stop }) => (start + stop) / 2);
  const between = centres.slice(1).map((centre, i) => (centre + centres[i]) / 2);
  const edges = [0, ...between, clip.frames];
  return clip.timeline.labels.map((label, row) => {
    const name = createElement("div", label, "label");
    const line = createElement("div", "", "row");
    const playhead = createElement("div", "", "playhead");
    name.title = label;
    clip.timeline.probabilities.forEach((probabilities, i) => {
      const cell = createElement("div", "", "cell");
      const { start, stop } = clip.windows[i];
      cell.style.left = `${(100 * edges[i]) / clip.frames}%`;
      cell.style.width = `${(100 * (edges[i + 1] - edges[i])) / clip.frames}%`;
      cell.style.opacity = probabilities[row];
      cell.title = `${label} ${percent(probabilities[row])}, frames ${start} to ${stop - 1}`;
      line.append(cell);
    });
    line.append(playhead);
    line.addEventListener("click", (event) => {
      const box = line.getBoundingClientRect();
      player.seek(Math.floor((clip.frames * (event.clientX - box.left)) / box.width));
    });
    byId("timeline").append(name, line);
    return playhead;
  });
}

async function openWebcam() {
  try {
    return await navigator.mediaDevices.getUserMedia({ video: true });
  } catch (error) {
    const messages = {
      NotAllowedError:
        "The browser was not allowed to use the webcam: allow it next to the address, " +
        "or upload a video.",
      NotFoundError: "No webcam was found: connect one, or upload a video.",
    };
    const fallback = `The webcam cannot be used (${error.name}): upload a video.`;
    setStatus(messages[error.name] ?? fallback, true);
    return null;
  }
}

async function recordWebcam() {
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
    for (const track of stream.getTracks()) track.stop();
    byId("preview").srcObject = null;
    byId("preview").hidden = true;
    byId("webcam").disabled = false;
  }
}

function onDrag(event) {
  event.preventDefault();
  byId("drop").classList.toggle("over", event.type === "dragenter" || event.type === "dragover");
  if (event.type !== "drop" || !event.dataTransfer.files.length) return;
  const [file, ...others] = event.dataTransfer.files;
  if (others.length)
    setStatus("Upload one clip at a time; put OpenPose's JSON files into one .zip.", true);
  else upload(file, file.name);
}

byId("file").addEventListener("change", () => {
  const [file] = byId("file").files;
  if (file) upload(file, file.name);
  byId("file").value = ""; // so that the same file can be chosen again
});
for (const type of ["dragenter", "dragover", "dragleave", "drop"])
  document.addEventListener(type, onDrag);
byId("webcam").addEventListener("click", recordWebcam);
byId("options").addEventListener("submit", (event) => event.preventDefault());
start().catch(() => setStatus("The server cannot be reached; is it still running?", true));
