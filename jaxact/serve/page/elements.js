// Elements of the page that several of its files use.
export const byId = (id) => document.getElementById(id);
export const percent = (share) => `${(100 * share).toFixed(share < 0.0995 ? 1 : 0)} %`;

export function setStatus(text, isError = false) {
  byId("status").textContent = text;
  byId("status").classList.toggle("error", isError);
}

export function createElement(tag, text = "", className = "") {
  const element = document.createElement(tag);
  element.textContent = text;
  element.className = className;
  return element;
}

// A class and its probability, as an item of a list.
export function createBar({ label, probability }) {
  const item = createElement("li");
  const line = createElement("div", "", "line");
  const track = createElement("div", "", "track");
  line.append(createElement("span"), createElement("span"));
  track.append(createElement("div", "", "bar"));
  item.append(line, track);
  updateBar(item, { label, probability });
  return item;
}

export function updateBar(item, { label, probability }) {
  const [name, share] = item.querySelectorAll("span");
  name.textContent = label;
  share.textContent = percent(probability);
  item.querySelector(".bar").style.width = `${100 * probability}%`;
}

// A request whose error is a sentence; its `status` is 0 where the server did not answer.
export class RequestError extends Error {
  constructor(status, text) {
    super(text[0].toUpperCase() + text.slice(1) + (/[.?]$/.test(text) ? "" : "."));
    this.status = status;
  }
}

export async function request(method, path, body) {
  let response, content;
  try {
    response = await fetch(path, { method, body });
    content = response.status === 204 ? null : await response.json();
  } catch {
    throw new RequestError(0, "The server cannot be reached; is it still running?");
  }
  if (!response.ok) throw new RequestError(response.status, content.error);
  return content;
}
