// Shows the camera with the skeletons of its people, and the classes of one of them.
import { drawPerson, PICTURE_TONES } from "./bones.js";
import { byId, createBar, createElement, percent, updateBar } from "./elements.js";

const MEAN_SECONDS = 2; // over which the rate is measured
const ALONE_SECONDS = 0.7; // without a person, until the page says so
const MAX_CHANGES = 8;

export class LiveView {
  constructor() {
    this.canvas = byId("live-picture");
    this.preview = 0; // id of the animation frame
  }

  // Shows the camera alone until the first result.
  open(video) {
    byId("live").hidden = false;
    this.times = [];
    this.stages = {};
    this.start = this.lastSeen = this.lastLabel = null;
    byId("live-changes").replaceChildren();
    byId("live-bars").replaceChildren();
    byId("live-rate").textContent = byId("live-stages").textContent = "";
    this.setLabel("", "");
    const tick = () => {
      if (video.videoWidth) {
        this.drawPicture(video, video.videoWidth, video.videoHeight);
        this.write("Starting ...");
      }
      this.preview = requestAnimationFrame(tick);
    };
    tick();
  }

  close() {
    cancelAnimationFrame(this.preview);
  }

  // Shows a frame and its result; `layout` has the edges and sides of the joints.
  show(frame, result, layout, seconds) {
    cancelAnimationFrame(this.preview);
    this.start ??= seconds;
    this.lastSeen ??= seconds;
    if (result.people.length) this.lastSeen = seconds;
    const followed = this.follow(result);
    this.drawPicture(frame, frame.width, frame.height);
    const others = result.people.filter((person) => person !== followed);
    for (const person of [...others, ...(followed ? [followed] : [])])
      this.drawOne(person, layout, person === followed);
    const isAlone = seconds - this.lastSeen >= ALONE_SECONDS;
    if (isAlone) this.write("Nobody is in view.");
    this.showClasses(followed, seconds, isAlone);
    this.showRate(result, frame, seconds);
  }

  // The person whose classes are shown: the most important one of those in view.
  follow({ people, ranked }) {
    const present = ranked.filter((id) => people.some((person) => person.id === id));
    return people.find(({ id }) => id === present[0]) ?? people[0];
  }

  drawPicture(source, width, height) {
    if (this.canvas.width !== width || this.canvas.height !== height) {
      this.canvas.width = width;
      this.canvas.height = height;
    }
    this.pen = this.canvas.getContext("2d");
    this.pen.save();
    if (byId("mirror").checked) {
      this.pen.translate(width, 0);
      this.pen.scale(-1, 1);
    }
    this.pen.drawImage(source, 0, 0, width, height);
    this.pen.restore();
  }

  drawOne(person, layout, isFollowed) {
    const { width, height } = this.canvas;
    const mirrored = byId("mirror").checked;
    const pixels = person.joints.map(
      (point) => point && [(mirrored ? 1 - point[0] : point[0]) * width, point[1] * height]);
    const tone = PICTURE_TONES[isFollowed ? 0 : 1];
    drawPerson(this.pen, pixels, layout, { tone, width: Math.max(3, height / 110), outline: true });
    if (!person.label) return;
    const visible = pixels.filter(Boolean);
    const columns = visible.map((point) => point[0]);
    const centre = (Math.min(...columns) + Math.max(...columns)) / 2;
    const top = Math.min(...visible.map((point) => point[1]));
    const text = `${person.label} ${percent(person.probability)}`;
    this.writeBox(text, centre, top - height / 14, isFollowed ? "#b84e00" : "#5b6470");
  }

  write(text) {
    this.writeBox(text, this.canvas.width / 2, 0.93 * this.canvas.height, "#22262b");
  }

  // Writes a text in a box around a point, inside the picture.
  writeBox(text, x, y, colour) {
    const { pen, canvas } = this;
    const size = Math.max(13, canvas.height / 24);
    pen.font = `600 ${size}px system-ui, "DejaVu Sans", sans-serif`;
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    const width = pen.measureText(text).width + size;
    const height = 1.6 * size;
    const centre = Math.min(Math.max(x, width / 2), canvas.width - width / 2);
    const middle = Math.min(Math.max(y, height / 2), canvas.height - height / 2);
    pen.fillStyle = colour;
    pen.globalAlpha = 0.88;
    pen.beginPath();
    pen.roundRect(centre - width / 2, middle - height / 2, width, height, size / 3);
    pen.fill();
    pen.globalAlpha = 1;
    pen.fillStyle = "#fff";
    pen.fillText(text, centre, middle);
  }

  showClasses(person, seconds, isAlone) {
    if (!person) {
      if (isAlone) this.setLabel("Nobody is in view", "");
      return;
    }
    const list = byId("live-bars");
    person.top.forEach((item, rank) => {
      if (list.children[rank]) updateBar(list.children[rank], item);
      else list.append(createBar(item));
    });
    if (person.label) this.setLabel(person.label, percent(person.probability));
    else this.setLabel(person.top.length ? "Undecided" : "Watching ...", "");
    if (person.label && person.label !== this.lastLabel) this.addChange(person, seconds);
    this.lastLabel = person.label ?? this.lastLabel;
  }

  setLabel(label, share) {
    if (byId("live-label").textContent !== label) byId("live-label").textContent = label;
    byId("live-share").textContent = share;
  }

  addChange({ label, probability }, seconds) {
    const item = createElement("li");
    item.append(
      createElement("span", `${(seconds - this.start).toFixed(1)} s`),
      createElement("span", label),
      createElement("span", percent(probability)),
    );
    byId("live-changes").prepend(item);
    byId("live-changes").children[MAX_CHANGES]?.remove();
  }

  showRate(result, frame, seconds) {
    this.times = this.times.filter((time) => time > seconds - MEAN_SECONDS);
    this.times.push(seconds);
    if (this.times.length > 1) {
      const rate = (this.times.length - 1) / (seconds - this.times[0]);
      byId("live-rate").textContent =
        `${rate.toFixed(rate < 9.95 ? 1 : 0)} frames/s, ${frame.width} × ${frame.height}`;
    }
    const texts = Object.entries(result.seconds).map(([stage, value]) => {
      this.stages[stage] = 0.9 * (this.stages[stage] ?? value) + 0.1 * value;
      return `${stage} ${(1000 * this.stages[stage]).toFixed(0)} ms`;
    });
    byId("live-stages").textContent = texts.join(", ");
  }
}
