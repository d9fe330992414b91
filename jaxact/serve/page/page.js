// The page of `jaxact serve`: sends a clip, and shows what the network says of it.
import { Player } from "./player.js";

const SECONDS = 4;
const by = (id) => document.getElementById(id);
const player = new Player();
let network = null;
let number = 0; // of the upload whose answer is awaited

function say(text, error = false) {
  by("status").textContent = text;
  by("status").classList.toggle("error", error);
}

function element(kind, text = "", name = "") {
  const made = document.createElement(kind);
  made.textContent = text;
  made.className = name;
  return made;
}

const percent = (share) => `${(100 * share).toFixed(share < 0.0995 ? 1 : 0)} %`;
const megabytes = (bytes) => `${(bytes / 1e6).toPrecision(3)} MB`;

async function start() {
  network = await (await fetch("network")).json();
  const videos = network.reads === "video";
  const reads = videos ? "videos" : `the ${network.layout} joints (${network.channels.join(", ")})`;
  by("network").textContent =
    `${network.network}, step ${network.step}, reads ${reads}, knows ${network.labels.length} actions`;
  by("kinds").textContent = (videos
    ? "MP4, MOV, WebM, MKV, AVI or MPEG"
    : ".skeleton, .npy, .npz, .json, pyskl's .pkl, or a .zip of OpenPose's JSON") +
    `, up to ${megabytes(network.most_bytes)}`;
  for (const field of document.querySelectorAll(".joints")) field.hidden = videos;
  for (const name of network.layouts) by("options").elements.layout.append(element("option", name));
  if (!videos) cannotFilm("A webcam gives pictures, and this network reads joints: give it a clip of joints.");
  else if (!navigator.mediaDevices?.getUserMedia || !window.MediaRecorder)
    cannotFilm("The browser gives a webcam only to pages from localhost or over https.");
}

function cannotFilm(reason) {
  by("webcam").disabled = true;
  by("why").textContent = reason;
}

async function send(file, name) {
  const turn = ++number;
  if (file.size > network.most_bytes) {
    say(`${name} is ${megabytes(file.size)} large, and the server takes up to ${megabytes(network.most_bytes)}: ` +
      "cut it into parts, or start the server with a larger --max-mb.", true);
    return;
  }
  say(`${name} is being looked at ...`);
  const form = new FormData(by("options"));
  form.append("file", file, name);
  let response, told;
  try {
    response = await fetch("predict", { method: "POST", body: form });
    told = await response.json();
  } catch {
    if (turn === number) say("The server cannot be reached; is it still running?", true);
    return;
  }
  if (turn !== number) return; // a later clip was sent meanwhile
  if (!response.ok) return say(`${name}: ${told.error}`, true);
  say("");
  choose(told.clips, network.reads === "video" ? file : null);
}

function choose(clips, film) {
  by("told").hidden = false;
  const buttons = clips.map((clip) => {
    const button = element("button", clip.name);
    button.type = "button";
    button.addEventListener("click", () => {
      for (const other of buttons) other.setAttribute("aria-pressed", other === button);
      show(clip, film);
    });
    return button;
  });
  by("clips").replaceChildren(...(clips.length > 1 ? buttons : []));
  buttons[0].click();
}

function show(clip, film) {
  by("name").textContent = `${clip.name}, ${clip.frames} frames`;
  by("bars").replaceChildren(...clip.top.map(({ label, probability }) => {
    const item = element("li"), line = element("div", "", "line"), track = element("div", "", "track");
    const bar = element("div", "", "bar");
    bar.style.width = `${100 * probability}%`;
    line.append(element("span", label), element("span", percent(probability)));
    track.append(bar);
    item.append(line, track);
    return item;
  }));
  const marks = timeline(clip);
  player.show(clip, film, (frame) => {
    for (const mark of marks) mark.style.left = `${(100 * (frame + 0.5)) / clip.frames}%`;
    const now = clip.windows.filter(({ start, stop }) => start <= frame && frame < stop);
    const middle = now[Math.floor(now.length / 2)];
    by("here").textContent = middle
      ? `frames ${middle.start} to ${middle.stop - 1}: ` +
        middle.top.slice(0, 3).map(({ label, probability }) => `${label} ${percent(probability)}`).join(", ")
      : "";
  });
}

function timeline(clip) {
  by("along").hidden = !clip.timeline;
  by("timeline").replaceChildren();
  if (!clip.timeline) return [];
  // Windows overlap: each is drawn from half-way to the one before to half-way to the one after.
  const middles = clip.windows.map(({ start, stop }) => (start + stop) / 2);
  const edges = [0, ...middles.slice(1).map((middle, i) => (middle + middles[i]) / 2), clip.frames];
  return clip.timeline.labels.map((label, row) => {
    const name = element("div", label, "label"), line = element("div", "", "row"), now = element("div", "", "now");
    name.title = label;
    clip.timeline.probabilities.forEach((shares, i) => {
      const cell = element("div", "", "cell");
      cell.style.left = `${(100 * edges[i]) / clip.frames}%`;
      cell.style.width = `${(100 * (edges[i + 1] - edges[i])) / clip.frames}%`;
      cell.style.opacity = shares[row];
      cell.title = `${label} ${percent(shares[row])}, frames ${clip.windows[i].start} to ${clip.windows[i].stop - 1}`;
      line.append(cell);
    });
    line.append(now);
    line.addEventListener("click", (event) => {
      const box = line.getBoundingClientRect();
      player.seek(Math.floor((clip.frames * (event.clientX - box.left)) / box.width));
    });
    by("timeline").append(name, line);
    return now;
  });
}

async function film() {
  by("webcam").disabled = true;
  by("why").textContent = "";
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: true });
  } catch (error) {
    say({
      NotAllowedError: "The browser was not allowed to use the webcam: allow it beside the address, or drop a video.",
      NotFoundError: "No webcam was found: connect one, or drop a video.",
    }[error.name] ?? `The webcam cannot be used (${error.name}): drop a video.`, true);
    by("webcam").disabled = false;
    return;
  }
  try {
    by("live").srcObject = stream;
    by("live").hidden = false;
    await by("live").play();
    say(`Recording, ${SECONDS} seconds ...`);
    const parts = [], recorder = new MediaRecorder(stream);
    recorder.addEventListener("dataavailable", ({ data }) => parts.push(data));
    const stopped = new Promise((resolve) => recorder.addEventListener("stop", resolve));
    recorder.start();
    setTimeout(() => recorder.stop(), 1000 * SECONDS);
    await stopped;
    const type = recorder.mimeType;
    await send(new Blob(parts, { type }), type.includes("mp4") ? "webcam.mp4" : "webcam.webm");
  } finally {
    for (const track of stream.getTracks()) track.stop();
    by("live").srcObject = null;
    by("live").hidden = true;
    by("webcam").disabled = false;
  }
}

by("file").addEventListener("change", () => {
  const [file] = by("file").files;
  if (file) send(file, file.name);
  by("file").value = ""; // so that the same file can be chosen again
});
for (const name of ["dragenter", "dragover", "dragleave", "drop"])
  document.addEventListener(name, (event) => {
    event.preventDefault();
    by("drop").classList.toggle("over", name === "dragenter" || name === "dragover");
    if (name === "drop" && event.dataTransfer.files.length) {
      const [file, ...others] = event.dataTransfer.files;
      if (others.length) say("One clip at a time; OpenPose's JSON files go into one .zip.", true);
      else send(file, file.name);
    }
  });
by("webcam").addEventListener("click", film);
by("options").addEventListener("submit", (event) => event.preventDefault());
start().catch(() => say("The server cannot be reached; is it still running?", true));
