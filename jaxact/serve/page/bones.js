// Draws the bones and joints of a person on a canvas.
export const TONES = [
  { left: "#0072b2", right: "#d55e00", middle: "#3a4048" },
  { left: "#63b4e4", right: "#eda33b", middle: "#9aa2ad" },
];
// On a picture, light tones with a dark outline; people who are not followed are grey.
export const PICTURE_TONES = [
  { left: "#56c2ff", right: "#ffa040", middle: "#f4f6f8" },
  { left: "#c3c9d0", right: "#c3c9d0", middle: "#c3c9d0" },
];
const OUTLINE = "rgb(15 20 28 / 55%)";
const GREY = "#b9c0c9";
const INK = "#22262b";
// The colour map cividis, from least to most, as in the figures of `jaxact plot attention`.
const CIVIDIS = [
  "#00224e", "#123570", "#3b496c", "#575d6d", "#707173",
  "#8a8678", "#a59c74", "#c3b369", "#e1cc55", "#fee838",
].map((colour) => [1, 3, 5].map((start) => parseInt(colour.slice(start, start + 2), 16)));

export function heatColour(heat) {
  const position = Math.min(Math.max(heat, 0), 1) * (CIVIDIS.length - 1);
  const low = Math.min(Math.floor(position), CIVIDIS.length - 2);
  const rgb = CIVIDIS[low].map((value, channel) =>
    Math.round(value + (CIVIDIS[low + 1][channel] - value) * (position - low)));
  return `rgb(${rgb})`;
}

// `pixels` has a point of the canvas, or null, for every joint of `layout` (`edges`, `sides`);
// `heat` gives each joint's attention, or null; `width` is that of a bone in pixels.
export function drawPerson(pen, pixels, layout, { tone, heat = null, width = 9, outline = false }) {
  pen.lineCap = "round";
  const bones = layout.edges.filter(([child, parent]) => pixels[child] && pixels[parent]);
  if (outline) {
    pen.strokeStyle = OUTLINE;
    pen.lineWidth = width * 1.8;
    for (const bone of bones) strokeBone(pen, pixels, bone);
  }
  pen.lineWidth = width;
  for (const bone of bones) {
    pen.strokeStyle = heat ? GREY : tone[layout.sides[bone[0]]];
    strokeBone(pen, pixels, bone);
  }
  const visible = pixels.map((_, joint) => joint).filter((joint) => pixels[joint]);
  if (heat) visible.sort((a, b) => heat[a] - heat[b]); // the hottest joints lie on top
  for (const joint of visible) {
    const radius = heat ? width * (0.8 + 1.2 * heat[joint]) : width * 0.9;
    pen.beginPath();
    pen.arc(...pixels[joint], radius, 0, 2 * Math.PI);
    pen.fillStyle = heat ? heatColour(heat[joint]) : tone[layout.sides[joint]];
    pen.fill();
    if (heat || outline) {
      pen.strokeStyle = heat ? INK : OUTLINE;
      pen.lineWidth = 1.5;
      pen.stroke();
    }
  }
}

function strokeBone(pen, pixels, [child, parent]) {
  pen.beginPath();
  pen.moveTo(...pixels[child]);
  pen.lineTo(...pixels[parent]);
  pen.stroke();
}
