// The page of `jaxact serve`: uploads a clip and shows the network's prediction.
import { byId, createBar, createElement, percent, request, setStatus } from "./elements.js";
import { LiveCamera } from "./live.js";
import { Player } from "./player.js";
import { hasWebcam, recordWebcam } from "./webcam.js";

const VIDEOS = "MP4, MOV, WebM, MKV, AVI or MPEG";
const JOINTS = ".skeleton, .npy, .npz, .json, pyskl's .pkl, or a .zip of OpenPose's JSON";
const player = new Player();
const live = new LiveCamera();
let network = null;
let latestUpload = 0; // number of the upload whose response is shown

const megabytes = (bytes) => `${(bytes / 1e6).toPrecision(3)} MB`;

async function start() {
  network = await request("GET", "network");
  const isVideo = network.reads === "video";
  const input = isVideo ? "videos" : `${network.layout} joints (${network.channels.join(", ")})`;
  byId("network").textContent =
    `${network.network}, step ${network.step}, reads ${input}, ${network.labels.length} classes`;
  let formats = isVideo ? VIDEOS : JOINTS;
  if (network.poses) formats = `A video (${VIDEOS}) or joints (${JOINTS})`;
  byId("formats").textContent = `${formats}, up to ${megabytes(network.most_bytes)}`;
  for (const field of document.querySelectorAll(".joints")) field.hidden = isVideo;
  const layoutField = byId("options").elements.layout;
  for (const name of network.layouts) layoutField.append(createElement("option", name));
  startWebcam(isVideo);
}

function startWebcam(isVideo) {
  const button = byId("webcam");
  if (!isVideo && !network.poses)
    disableWebcam("The webcam and videos need a pose estimator: start the server with --pose.");
  else if (!hasWebcam())
    disableWebcam("The browser allows a webcam only for pages from localhost or over https.");
  if (isVideo) button.addEventListener("click", () => recordWebcam(upload));
  else {
    button.textContent = "Start the camera";
    button.addEventListener("click", () => live.toggle());
  }
}

function disableWebcam(reason) {
  byId("webcam").disabled = true;
  byId("webcam-note").textContent = reason;
}

async function upload(file, name) {
  const number = ++latestUpload;
  live.stop();
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
  let content;
  try {
    content = await request("POST", "predict", form);
  } catch (error) {
    if (number === latestUpload)
      setStatus(error.status ? `${name}: ${error.message}` : error.message, true);
    return;
  }
  if (number !== latestUpload) return; // a later clip was uploaded meanwhile
  setStatus("");
  showClips(content.clips, content.clips[0].video ? file : null);
}

function showClips(clips, video) {
  byId("live").hidden = true;
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
byId("options").addEventListener("submit", (event) => event.preventDefault());
start().catch(() => setStatus("The server cannot be reached; is it still running?", true));
