// Plays a clip: its skeleton on a canvas, coloured by attention where there is any; or its video,
// with the skeleton over it where there is one.
import { drawPerson, heatColour, PICTURE_TONES, TONES } from "./bones.js";
import { byId } from "./elements.js";

const FPS = 30;
const MARGIN = 50; // pixels around the skeleton
const CANVAS = [960, 760]; // width and height of a canvas without a video

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
    byId("video").addEventListener("timeupdate", () => {
      if (!this.skeleton) this.onFrame(this.videoFrame());
    });
    byId("video").addEventListener("error", () => {
      if (byId("video").hasAttribute("src") && this.isOverlaid) this.showSkeletonAlone();
    });
    byId("video").addEventListener("loadedmetadata", () => {
      if (!this.isOverlaid) return;
      this.shapeCanvas();
      this.draw();
    });
    drawHeatScale();
    let last = 0;
    const tick = (time) => {
      if (this.isOverlaid) this.followVideo();
      else if (this.skeleton && this.playing && time - last >= 1000 / FPS) {
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
    this.skeleton = clip.skeleton ?? null;
    this.isOverlaid = Boolean(video && this.skeleton);
    this.onFrame = onFrame;
    this.position = 0;
    const element = byId("video");
    byId("skeleton").hidden = !this.skeleton;
    byId("film").classList.toggle("overlaid", this.isOverlaid);
    byId("player").hidden = !this.skeleton || this.isOverlaid;
    byId("heat").hidden = !this.skeleton?.heat;
    element.hidden = !video;
    if (element.src) URL.revokeObjectURL(element.src);
    element.removeAttribute("src");
    if (video) {
      element.src = URL.createObjectURL(video);
      element.play().catch(() => {}); // the server reads containers that browsers cannot play
    }
    if (this.skeleton) {
      this.shapeCanvas();
      byId("seek").max = this.skeleton.points.length - 1;
      this.draw();
    }
    onFrame(0);
  }

  // Plays the skeleton without its video, which the browser cannot show.
  showSkeletonAlone() {
    this.isOverlaid = false;
    byId("film").classList.remove("overlaid");
    byId("player").hidden = false;
    byId("video").hidden = true;
    byId("video").pause();
    this.shapeCanvas();
    this.draw();
  }

  shapeCanvas() {
    const { videoWidth, videoHeight } = byId("video");
    const canvas = byId("skeleton");
    [canvas.width, canvas.height] = CANVAS;
    if (this.isOverlaid && videoWidth)
      canvas.height = Math.round((CANVAS[0] * videoHeight) / videoWidth);
  }

  // The scale and the corner of the skeleton's box on the canvas.
  placeBox() {
    const { width, height } = byId("skeleton");
    const { box, picture } = this.skeleton;
    if (this.isOverlaid)
      return {
        scale: [picture.scale * width, picture.scale * height],
        corner: [picture.left * width, picture.top * height],
      };
    const scale = Math.min(
      (width - 2 * MARGIN) / Math.max(box[0], 1e-6),
      (height - 2 * MARGIN) / Math.max(box[1], 1e-6),
    );
    const corner = [(width - scale * box[0]) / 2, (height - scale * box[1]) / 2];
    return { scale: [scale, scale], corner };
  }

  // Draws the skeleton of the video's current frame.
  followVideo() {
    const position = this.nearest(this.videoFrame());
    if (position === this.position) return;
    this.position = position;
    this.draw();
  }

  // The index of the skeleton's frame that is nearest to a frame of the recording.
  nearest(frame) {
    const distances = this.skeleton.frames.map((number) => Math.abs(number - frame));
    return distances.indexOf(Math.min(...distances));
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
    if (!this.skeleton || this.isOverlaid) {
      const video = byId("video");
      if (video.duration) video.currentTime = (frame / this.clip.frames) * video.duration;
      this.onFrame(frame);
      return;
    }
    this.position = this.nearest(frame);
    if (this.playing) this.toggle();
    this.draw();
  }

  draw() {
    const { points, frames, heat } = this.skeleton;
    const canvas = byId("skeleton");
    const pen = canvas.getContext("2d");
    const { scale, corner } = this.placeBox();
    const tones = this.isOverlaid ? PICTURE_TONES : TONES;
    const frameHeat = heat && byId("show-heat").checked ? heat[this.position] : null;
    pen.clearRect(0, 0, canvas.width, canvas.height);
    points[this.position].forEach((joints, person) => {
      const pixels = joints.map((point) =>
        point && [corner[0] + scale[0] * point[0], corner[1] + scale[1] * point[1]]);
      drawPerson(pen, pixels, this.skeleton, {
        tone: tones[Math.min(person, 1)],
        heat: frameHeat && frameHeat[person],
        outline: this.isOverlaid,
      });
    });
    if (!points[this.position].flat().some(Boolean)) {
      const place = [canvas.width / 2, canvas.height / (this.isOverlaid ? 12 : 2)];
      pen.fillStyle = this.isOverlaid ? "#fff" : "#5b6470";
      pen.strokeStyle = this.isOverlaid ? "rgb(15 20 28 / 70%)" : "transparent";
      pen.lineWidth = 5;
      pen.font = "28px system-ui, sans-serif";
      pen.textAlign = "center";
      pen.strokeText("No person is visible in this frame.", ...place);
      pen.fillText("No person is visible in this frame.", ...place);
    }
    byId("seek").value = this.position;
    byId("frame").textContent = `frame ${frames[this.position]}`;
    this.onFrame(frames[this.position]);
  }
}
