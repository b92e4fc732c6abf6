// Outputs, health and log: looked at while their panel is in view.

import { call } from "/assets/console-api.js";
import { bits, clock, h, put, timeOfDay } from "/assets/console-dom.js";
import { Spark } from "/assets/console-spark.js";

const STATES = { connecting: "Connecting", live: "Live", waiting: "Tries again soon", failed: "Failed", stopped: "Stopped" };

export class OutputsPanel {
  constructor(element, path) {
    Object.assign(this, { element, path });
    this.rows = new Map();
    this.empty = h("p", { class: "empty", text: "This channel is sent to its viewers alone. Outputs are set up in the configuration: [[channels.outputs]]." });
    this.list = h("ul", { class: "outputs", "aria-label": "Outputs" });
    this.result = h("p", { class: "result", role: "status" });
    element.append(this.list, this.empty, this.result);
  }

  async update() {
    this.show(await call(`${this.path}/outputs`));
  }

  show(outputs) {
    this.empty.hidden = outputs.length > 0;
    for (const [name, row] of this.rows) {
      if (outputs.some((output) => output.name === name)) continue;
      row.remove();
      this.rows.delete(name);
    }
    for (const output of outputs) {
      if (!this.rows.has(output.name)) this.rows.set(output.name, this.list.appendChild(this.row(output.name)));
      this.fill(this.rows.get(output.name), output);
    }
  }

  row(name) {
    return h("li", {}, h("div", { class: "row" }, h("b", { text: name }), h("span", { class: "badge" }), h("span", { class: "room" }), h("button", { class: "small", type: "button", onclick: (event) => this.act(name, event.target.dataset.act) })),
      h("small", { class: "address" }), h("small", { class: "facts" }), h("p", { class: "wrong", hidden: true }));
  }

  fill(row, output) {
    const stopped = output.state === "stopped" || output.state === "failed";
    const badge = row.querySelector(".badge");
    put(badge, STATES[output.state]);
    badge.dataset.state = { live: "good", connecting: "waiting", waiting: "waiting", failed: "live" }[output.state] ?? "off";
    const act = row.querySelector("button");
    put(act, stopped ? "Start" : "Stop");
    act.dataset.act = stopped ? "start" : "stop";
    act.setAttribute("aria-label", `${act.textContent} ${output.name}`);
    put(row.querySelector(".address"), `${output.kind} · ${output.address}`);
    const facts = [output.profile, output.state === "live" && bits(output.bitrate), `${clock(output.since)} in this state`, output.attempts > 1 && `${output.attempts} connections`, output.dropped && `${output.dropped} beats too late`];
    put(row.querySelector(".facts"), facts.filter(Boolean).join(" · "));
    const wrong = row.querySelector(".wrong");
    wrong.hidden = !output.problem;
    put(wrong, output.problem);
  }

  async act(name, act) {
    try {
      this.show(await call(`${this.path}/outputs/${encodeURIComponent(name)}/${act}`, {}));
      put(this.result, "");
    } catch (error) {
      put(this.result, error.message);
      this.result.dataset.ok = false;
    }
  }
}

const MOST_SAMPLES = 600;
const STANDINGS = { ready: "Ready", warming: "Loading", resting: "Rests", silenced: "Silenced" };

// Who can speak, in the order they are asked.
class Voices {
  constructor() {
    this.list = h("ul", { class: "outputs voices", "aria-label": "Voices" });
    this.known = "";
  }

  show(voices) {
    const known = JSON.stringify(voices);
    if (known === this.known) return;
    this.known = known;
    this.list.replaceChildren(...voices.map((voice) => this.row(voice)));
  }

  row(voice) {
    const well = voice.state === "ready";
    const state = voice.speaking && well ? "good" : well ? "off" : voice.state === "warming" ? "waiting" : "live";
    const count = (number, one, more) => number > 0 && `${number} ${number === 1 ? one : more}`;
    const facts = [voice.engine, count(voice.sentences, "sentence", "sentences"), count(voice.switches, "switch to the next", "switches to the next"), count(voice.swallowed, "with swallowed words", "with swallowed words")];
    return h("li", {}, h("div", { class: "row" }, h("b", { text: voice.name }), h("span", { class: "badge", data: { state }, text: voice.speaking && well ? "Speaks" : STANDINGS[voice.state] ?? voice.state })),
      h("small", { class: "facts", text: facts.filter(Boolean).join(" · ") }), h("p", { class: "wrong", hidden: !voice.problem, text: voice.problem }));
  }
}

export class HealthPanel {
  constructor(element, path) {
    Object.assign(this, { element, path });
    this.samples = [];
    this.last = 0;
    this.sparks = new Map();
    this.box = element.appendChild(h("div", { class: "sparks" }));
    this.voices = new Voices();
    element.append(h("p", { class: "hint", text: "The last ten minutes, second by second." }), this.voices.list);
    this.spark("first", "Asked for, to first word", (sample) => sample.first_word_seconds, (value) => `${value.toFixed(2)} s`, { dots: true });
    this.spark("late", "Beats late", (sample) => sample.late, (value) => `${Math.round(value)} a second`);
    this.spark("lag", "Release lag", (sample) => sample.lag_ms, (value) => `${value.toFixed(1)} ms`);
    this.spark("viewers", "Viewers", (sample) => sample.viewers, (value) => String(Math.round(value)));
  }

  spark(key, name, read, write, options) {
    if (this.sparks.has(key)) return;
    const spark = new Spark(name, read, write, options);
    this.sparks.set(key, spark);
    this.box.append(spark.element);
  }

  async update() {
    const [{ last, samples }, voices] = await Promise.all([call(`${this.path}/health?after=${this.last}`), call("/voices")]);
    this.voices.show(voices);
    if (last < this.last) this.samples = []; // the server was started anew
    this.last = last;
    this.samples = [...this.samples, ...samples].slice(-MOST_SAMPLES);
    for (const name of Object.keys(samples.at(-1)?.bitrates ?? {})) this.spark(`to ${name}`, `To ${name}`, (sample) => sample.bitrates[name], bits);
    for (const spark of this.sparks.values()) spark.draw(this.samples, MOST_SAMPLES);
  }
}

const KEPT_LINES = 300;

export class LogPanel {
  constructor(element, path) {
    Object.assign(this, { element, path });
    this.last = 0;
    const views = [["aired", "Aired"], ["log", "Server's log"]];
    this.buttons = views.map(([view, text]) => h("button", { class: "small", type: "button", text, onclick: () => this.choose(view), data: { view } }));
    this.aired = h("ol", { class: "aired", "aria-label": "What went out, the latest first" });
    this.lines = h("ol", { class: "log", "aria-label": "The server's log, the latest first", tabIndex: 0 });
    element.append(h("div", { class: "acts" }, this.buttons), this.aired, this.lines);
    this.choose("aired");
  }

  choose(view) {
    this.view = view;
    for (const button of this.buttons) button.setAttribute("aria-pressed", String(button.dataset.view === view));
    this.aired.hidden = view !== "aired";
    this.lines.hidden = view !== "log";
    this.update().catch(() => {});
  }

  update() {
    return this.view === "aired" ? this.showAired() : this.showLog();
  }

  async showAired() {
    const lines = await call(`${this.path}/aired?limit=100`);
    const known = JSON.stringify(lines.slice(0, 2)) + lines.length;
    if (known === this.known) return;
    this.known = known;
    const row = (line) => h("li", { data: { outcome: line.outcome } }, h("time", { text: timeOfDay(new Date(line.started)), dateTime: line.started }),
      h("span", { text: line.text, lang: line.language }), h("small", { text: [clock(line.seconds), line.outcome !== "said" && line.outcome, line.voice, line.avatar].filter(Boolean).join(" · ") }));
    this.aired.replaceChildren(...(lines.length ? lines.map(row) : [h("li", { class: "empty", text: "Nothing has gone out yet." })]));
  }

  async showLog() {
    const { last, records } = await call(`/log?after=${this.last}`);
    if (last < this.last) this.lines.replaceChildren();
    this.last = last;
    for (const record of records) {
      this.lines.prepend(h("li", { data: { level: record.level } }, h("time", { text: timeOfDay(new Date(record.at)), dateTime: record.at }), h("b", { text: record.level.toLowerCase() }), h("span", { text: record.message, title: record.logger })));
    }
    while (this.lines.children.length > KEPT_LINES) this.lines.lastElementChild.remove();
  }
}
