// Plays a clip: its skeleton on a canvas, coloured by attention where there is any, or its video.
const FPS = 30;
const MARGIN = 50; // pixels around the skeleton
const byId = (id) => document.getElementById(id);
const TONES = [
  { left: "#0072b2", right: "#d55e00", middle: "#3a4048" },
  { left: "#63b4e4", right: "#eda33b", middle: "#9aa2ad" },
];
const GREY = "#b9c0c9";
const INK = "#22262b";
// The colour map cividis, from least to most, as in the figures of `jaxact plot attention`.
const CIVIDIS = [
  "#00224e", "#123570", "#3b496c", "#575d6d", "#707173",
  "#8a8678", "#a59c74", "#c3b369", "#e1cc55", "#fee838",
].map((colour) => [1, 3, 5].map((start) => parseInt(colour.slice(start, start + 2), 16)));

function heatColour(heat) {
  const position = Math.min(Math.max(heat, 0), 1) * (CIVIDIS.length - 1);
  const low = Math.min(Math.floor(position), CIVIDIS.length - 2);
  const rgb = CIVIDIS[low].map((value, channel) =>
    Math.round(value + (CIVIDIS[low + 1][channel] - value) * (position - low)));
  return `rgb(${rgb})`;
}

function drawHeatScale() {
  const pen = byId("heat-scale").getContext("2d");
  for (let x = 0; x < 160; x++) {
    pen.fillStyle = heatColour(x / 159);
    pen.fillRect(x, 0, 1, 10);
  }
}

export class Player {
  constructor() {
    this.position = 0; // index of the shown frame in the skeleton's frames
    this.playing = true;
    this.clip = null;
    this.onFrame = () => {};
    byId("play").addEventListener("click", () => this.toggle());
    byId("seek").addEventListener("input", () => {
      this.position = Number(byId("seek").value);
      this.draw();
    });
    byId("show-heat").addEventListener("change", () => this.draw());
    byId("video").addEventListener("timeupdate", () => this.onFrame(this.videoFrame()));
    drawHeatScale();
    let last = 0;
    const tick = (time) => {
      if (this.skeleton && this.playing && time - last >= 1000 / FPS) {
        last = time;
        this.position = (this.position + 1) % this.skeleton.points.length;
        this.draw();
      }
      requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
  }

  // Shows a clip from its start; calls `onFrame` with the number of each shown frame.
  show(clip, video, onFrame) {
    this.clip = clip;
    this.skeleton = video ? null : clip.skeleton;
    this.onFrame = onFrame;
    this.position = 0;
    const element = byId("video");
    byId("skeleton").hidden = !this.skeleton;
    byId("player").hidden = !this.skeleton;
    byId("heat").hidden = !this.skeleton?.heat;
    element.hidden = !video;
    if (element.src) URL.revokeObjectURL(element.src);
    element.removeAttribute("src");
    if (video) {
      element.src = URL.createObjectURL(video);
      element.play().catch(() => {}); // the server reads containers that browsers cannot play
    } else if (this.skeleton) {
      byId("seek").max = this.skeleton.points.length - 1;
      this.draw();
    }
    onFrame(0);
  }

  videoFrame() {
    const { currentTime, duration } = byId("video");
    if (!duration) return 0;
    const frame = Math.floor((currentTime / duration) * this.clip.frames);
    return Math.min(frame, this.clip.frames - 1);
  }

  toggle() {
    this.playing = !this.playing;
    byId("play").textContent = this.playing ? "Pause" : "Play";
  }

  // Shows the frame that is nearest to a frame of the recording.
  seek(frame) {
    if (!this.skeleton) {
      const video = byId("video");
      if (video.duration) video.currentTime = (frame / this.clip.frames) * video.duration;
      this.onFrame(frame);
      return;
    }
    const distances = this.skeleton.frames.map((number) => Math.abs(number - frame));
    this.position = distances.indexOf(Math.min(...distances));
    if (this.playing) this.toggle();
    this.draw();
  }

  draw() {
    const { box, points, frames, heat } = this.skeleton;
    const canvas = byId("skeleton");
    const pen = canvas.getContext("2d");
    const scale = Math.min(
      (canvas.width - 2 * MARGIN) / Math.max(box[0], 1e-6),
      (canvas.height - 2 * MARGIN) / Math.max(box[1], 1e-6),
    );
    const left = (canvas.width - scale * box[0]) / 2;
    const top = (canvas.height - scale * box[1]) / 2;
    const frameHeat = heat && byId("show-heat").checked ? heat[this.position] : null;
    pen.clearRect(0, 0, canvas.width, canvas.height);
    pen.lineCap = "round";
    points[this.position].forEach((joints, person) => {
      const pixels = joints.map((point) =>
        point && [left + scale * point[0], top + scale * point[1]]);
      this.drawPerson(pen, pixels, TONES[Math.min(person, 1)], frameHeat && frameHeat[person]);
    });
    if (!points[this.position].flat().some(Boolean)) {
      pen.fillStyle = "#5b6470";
      pen.font = "28px system-ui, sans-serif";
      pen.textAlign = "center";
      pen.fillText("No person is visible in this frame.", canvas.width / 2, canvas.height / 2);
    }
    byId("seek").value = this.position;
    byId("frame").textContent = `frame ${frames[this.position]}`;
    this.onFrame(frames[this.position]);
  }

  // Draws bones and joints; `heat` gives each joint's attention, or null.
  drawPerson(pen, pixels, tone, heat) {
    const { edges, sides } = this.skeleton;
    pen.lineWidth = 9;
    for (const [child, parent] of edges) {
      if (!pixels[child] || !pixels[parent]) continue;
      pen.strokeStyle = heat ? GREY : tone[sides[child]];
      pen.beginPath();
      pen.moveTo(...pixels[child]);
      pen.lineTo(...pixels[parent]);
      pen.stroke();
    }
    const visible = pixels.map((_, joint) => joint).filter((joint) => pixels[joint]);
    if (heat) visible.sort((a, b) => heat[a] - heat[b]); // the hottest joints lie on top
    for (const joint of visible) {
      pen.beginPath();
      pen.arc(...pixels[joint], heat ? 7 + 11 * heat[joint] : 8, 0, 2 * Math.PI);
      pen.fillStyle = heat ? heatColour(heat[joint]) : tone[sides[joint]];
      pen.fill();
      if (heat) {
        pen.strokeStyle = INK;
        pen.lineWidth = 1.5;
        pen.stroke();
      }
    }
  }
}
