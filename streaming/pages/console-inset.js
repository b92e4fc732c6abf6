// What a segment shows beside the anchor: a picture, a clip, a chart or a table.

import { h } from "/assets/console-dom.js";
import { chartFrom, chartRows, Sheet, tableFrom, tableRows } from "/assets/console-grid.js";

const KINDS = [["", "Nothing"], ["picture", "Picture"], ["clip", "Clip"], ["chart", "Chart"], ["table", "Table"]];
const NEW = {
  picture: { file: "" }, clip: { file: "" },
  chart: { kind: "bar", labels: ["", ""], values: [null, null] },
  table: { columns: ["", ""], rows: [["", ""]] },
};
const PLACES = ["full", "shoulder", "corner"];
// Whether cells are plain: lists of numbers and words, which a sheet can hold.
const scalar = (value) => value === null || typeof value !== "object";
const list = (value) => Array.isArray(value) && value.every((one) => scalar(one) || (Array.isArray(one) && one.every(scalar)));
const simple = (object, keys) => keys.every((key) => object[key] === undefined || list(object[key]) || (key === "series" && !Array.isArray(object[key]) && Object.values(object[key]).every(list)));

const WAS = Symbol("what was there before another kind was chosen");

export class Inset {
  // `fields` of what shows it; `again` builds the editor anew. At a cue, nothing said is another thing than nothing shown.
  constructor(fields, again, { cue = false } = {}) {
    this.fields = fields;
    this.again = again;
    const kinds = cue ? [["", "Unchanged"], ["none", "Nothing"], ...KINDS.slice(1)] : KINDS;
    const shown = KINDS.map(([key]) => key).find((key) => key && fields.get(key) && fields.get(key) !== "none");
    this.kind = shown ?? (cue && KINDS.some(([key]) => fields.get(key) === "none") ? "none" : "");
    this.element = h("fieldset", { class: "inset" }, h("legend", { text: "Shown with it" }),
      h("div", { class: "acts", role: "group", "aria-label": "What is shown" }, kinds.map(([key, name]) => h("button", {
        class: "small", type: "button", text: name, "aria-pressed": String(key === this.kind), onclick: () => this.choose(key),
      }))),
      this.kind && this.kind !== "none" && this[this.kind]());
  }

  choose(kind) {
    if (kind === this.kind) return;
    this.fields.change(() => {
      const object = this.fields.find(true);
      const before = (object[WAS] ??= {});
      for (const [key] of KINDS) {
        if (object[key] && object[key] !== "none") before[key] = object[key];
        delete object[key];
      }
      if (kind === "none") object.picture = "none";
      else if (kind) object[kind] = before[kind] ?? structuredClone(NEW[kind]);
    });
    this.again();
  }

  media(sound) {
    const inner = this.fields.within(this.kind, "file");
    return [
      inner.line("file", { label: "File, beside the rundown", placeholder: this.kind === "clip" ? "harbour.mp4" : "harbour.jpg" }),
      h("div", { class: "pair" }, inner.choice("place", { label: "Where", options: PLACES, none: "Over the shoulder" }),
        sound ? inner.choice("sound", { label: "Its sound", options: ["off", "under", "full"], none: "Off" }) : inner.line("credit", { label: "Credit", local: true })),
      sound && inner.line("credit", { label: "Credit", local: true }),
    ];
  }

  picture() {
    return this.media(false);
  }

  clip() {
    return this.media(true);
  }

  chart() {
    const inner = this.fields.within("chart");
    return [
      h("div", { class: "pair" }, inner.choice("kind", { label: "Kind", options: ["line", "bar", "pie"] }), inner.choice("place", { label: "Where", options: PLACES, none: "Full screen" })),
      inner.line("title", { label: "Title", local: true }),
      this.numbers(inner, "Numbers of the chart", "Label", chartRows, chartFrom, ["labels", "series", "values"]),
      h("div", { class: "pair" }, inner.line("unit", { label: "Unit", local: true }), inner.line("highlight", { label: "Label that stands out", local: true })),
      inner.line("source", { label: "Source", local: true }),
    ];
  }

  table() {
    const inner = this.fields.within("table");
    return [
      inner.line("title", { label: "Title", local: true }),
      this.numbers(inner, "Cells of the table", "First column", tableRows, tableFrom, ["columns", "rows"]),
      h("div", { class: "pair" }, inner.choice("place", { label: "Where", options: PLACES, none: "Full screen" }), inner.line("highlight", { label: "Row that stands out", local: true })),
      inner.line("source", { label: "Source", local: true }),
    ];
  }

  // Written here, or taken from a file.
  numbers(inner, label, corner, rows, from, keys) {
    if (inner.get("data") !== undefined) return inner.line("data", { label: "CSV file, beside the rundown", local: true });
    if (!simple(inner.find(), keys)) return h("p", { class: "hint", text: "Its cells are written by language: edit them in the YAML." });
    const change = (cells) => inner.change(() => {
      const object = inner.find(true);
      for (const key of keys) delete object[key];
      Object.assign(object, from(cells));
    });
    return new Sheet({ rows: rows(inner.find()), corner, label, change }).element;
  }
}
