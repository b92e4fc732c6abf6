// A small chart of the last minutes: one line, its newest and its greatest value in words.

import { h, put } from "/assets/console-dom.js";

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 300;
const HEIGHT = 44;

export class Spark {
  // `dots`: what happens now and then, a point each.
  constructor(name, read, write, { dots = false } = {}) {
    Object.assign(this, { name, read, write, dots });
    this.svg = document.createElementNS(SVG, "svg");
    this.svg.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
    this.svg.setAttribute("preserveAspectRatio", "none");
    this.svg.setAttribute("role", "img");
    this.path = this.svg.appendChild(document.createElementNS(SVG, "path"));
    this.path.setAttribute("class", dots ? "dots" : "line");
    this.now = h("output");
    this.most = h("small");
    this.element = h("div", { class: "spark" }, h("span", { text: name }), this.now, this.svg, this.most);
  }

  // `count` samples fill the whole width; fewer stand at its right end.
  draw(samples, count) {
    const values = samples.map(this.read);
    const known = values.filter((value) => value !== null && value !== undefined);
    const most = Math.max(...known, 0);
    const x = (place) => ((WIDTH * (count - values.length + place)) / (count - 1)).toFixed(1);
    const y = (value) => (HEIGHT - 3 - ((HEIGHT - 6) * value) / (most || 1)).toFixed(1);
    let path = "";
    let pen = "M";
    values.forEach((value, place) => {
      if (value === null || value === undefined) { if (!this.dots) pen = "M"; return; }
      path += this.dots ? `M${x(place)} ${y(value)}h.01` : `${pen}${x(place)} ${y(value)}`;
      pen = "L";
    });
    if (path !== this.drawn) this.path.setAttribute("d", (this.drawn = path));
    put(this.now, known.length ? this.write(known.at(-1)) : "–");
    put(this.most, known.length ? `at most ${this.write(most)}` : "nothing yet");
    this.svg.setAttribute("aria-label", `${this.name}: ${this.now.textContent}, ${this.most.textContent}`);
  }
}
