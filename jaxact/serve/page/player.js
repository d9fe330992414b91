// A clip in motion: the skeleton on a canvas, coloured by attention where there is any, or the video itself.
const FPS = 30;
const by = (id) => document.getElementById(id);
const TONES = [
  { left: "#0072b2", right: "#d55e00", middle: "#3a4048" },
  { left: "#63b4e4", right: "#eda33b", middle: "#9aa2ad" },
];
// Cividis, from least to most, as the pictures of `jaxact plot attention` have it.
const CIVIDIS = ["#00224e", "#123570", "#3b496c", "#575d6d", "#707173", "#8a8678", "#a59c74", "#c3b369", "#e1cc55", "#fee838"]
  .map((colour) => [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16)));

function heatColour(share) {
  const at = Math.min(Math.max(share, 0), 1) * (CIVIDIS.length - 1), low = Math.min(Math.floor(at), CIVIDIS.length - 2);
  return `rgb(${CIVIDIS[low].map((value, i) => Math.round(value + (CIVIDIS[low + 1][i] - value) * (at - low)))})`;
}

export class Player {
  constructor() {
    this.at = 0;
    this.playing = true;
    this.clip = null;
    this.told = () => {};
    by("play").addEventListener("click", () => this.toggle());
    by("seek").addEventListener("input", () => { this.at = Number(by("seek").value); this.draw(); });
    by("heated").addEventListener("change", () => this.draw());
    by("film").addEventListener("timeupdate", () => this.told(this.filmed()));
    const scale = by("scale").getContext("2d");
    for (let x = 0; x < 160; x++) { scale.fillStyle = heatColour(x / 159); scale.fillRect(x, 0, 1, 10); }
    let last = 0;
    const tick = (now) => {
      if (this.skeleton && this.playing && now - last >= 1000 / FPS) {
        last = now;
        this.at = (this.at + 1) % this.skeleton.points.length;
        this.draw();
      }
      requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
  }

  // Shows a clip from its start; `told` is called with the number of each frame that is shown.
  show(clip, film, told) {
    this.clip = clip;
    this.skeleton = film ? null : clip.skeleton;
    this.told = told;
    this.at = 0;
    by("body").hidden = by("player").hidden = Boolean(film) || !this.skeleton;
    by("film").hidden = !film;
    if (by("film").src) URL.revokeObjectURL(by("film").src);
    by("film").removeAttribute("src");
    by("heat").hidden = !this.skeleton?.heat;
    if (film) {
      by("film").src = URL.createObjectURL(film);
      by("film").play().catch(() => {}); // some containers are answered to, but not played by the browser
    } else if (this.skeleton) {
      by("seek").max = this.skeleton.points.length - 1;
      this.draw();
    }
    told(0);
  }

  filmed() {
    const film = by("film");
    return film.duration ? Math.min(Math.floor((film.currentTime / film.duration) * this.clip.frames), this.clip.frames - 1) : 0;
  }

  toggle() {
    this.playing = !this.playing;
    by("play").textContent = this.playing ? "Pause" : "Play";
  }

  // Goes to the frame shown that is nearest to a frame of the recording.
  seek(frame) {
    if (!this.skeleton) {
      const film = by("film");
      if (film.duration) film.currentTime = (frame / this.clip.frames) * film.duration;
      return this.told(frame);
    }
    const away = this.skeleton.frames.map((number) => Math.abs(number - frame));
    this.at = away.indexOf(Math.min(...away));
    if (this.playing) this.toggle();
    this.draw();
  }

  draw() {
    const { box, points, frames, edges, sides, heat } = this.skeleton;
    const canvas = by("body"), pen = canvas.getContext("2d"), margin = 50;
    const scale = Math.min((canvas.width - 2 * margin) / Math.max(box[0], 1e-6), (canvas.height - 2 * margin) / Math.max(box[1], 1e-6));
    const left = (canvas.width - scale * box[0]) / 2, top = (canvas.height - scale * box[1]) / 2;
    const hot = heat && by("heated").checked ? heat[this.at] : null;
    pen.clearRect(0, 0, canvas.width, canvas.height);
    pen.lineCap = "round";
    points[this.at].forEach((joints, person) => {
      const tone = TONES[Math.min(person, 1)];
      const places = joints.map((place) => place && [left + scale * place[0], top + scale * place[1]]);
      pen.lineWidth = 9;
      for (const [child, parent] of edges) {
        if (!places[child] || !places[parent]) continue;
        pen.strokeStyle = hot ? "#b9c0c9" : tone[sides[child]];
        pen.beginPath();
        pen.moveTo(...places[child]);
        pen.lineTo(...places[parent]);
        pen.stroke();
      }
      // The hottest lie on top.
      const order = places.map((_, joint) => joint).filter((joint) => places[joint]);
      if (hot) order.sort((a, b) => hot[person][a] - hot[person][b]);
      for (const joint of order) {
        pen.beginPath();
        pen.arc(...places[joint], hot ? 7 + 11 * hot[person][joint] : 8, 0, 2 * Math.PI);
        pen.fillStyle = hot ? heatColour(hot[person][joint]) : tone[sides[joint]];
        pen.fill();
        if (hot) { pen.strokeStyle = "#22262b"; pen.lineWidth = 1.5; pen.stroke(); }
      }
    });
    if (!points[this.at].flat().some(Boolean)) {
      pen.fillStyle = "#5b6470";
      pen.font = "28px system-ui, sans-serif";
      pen.textAlign = "center";
      pen.fillText("Nobody is seen in this frame.", canvas.width / 2, canvas.height / 2);
    }
    by("seek").value = this.at;
    by("frame").textContent = `frame ${frames[this.at]}`;
    this.told(frames[this.at]);
  }
}
