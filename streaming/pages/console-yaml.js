// The whole rundown as YAML. It is read by the server, and becomes the operator's copy when it is YAML at all.

import { call } from "/assets/console-api.js";
import { h, put } from "/assets/console-dom.js";

const READ_AFTER = 700;

export class YamlEditor {
  constructor(element, draft, path) {
    Object.assign(this, { element, draft, path });
    this.area = h("textarea", { class: "yaml", spellcheck: false, wrap: "off", "aria-label": "The rundown as YAML" });
    this.numbers = h("pre", { class: "numbers", "aria-hidden": "true" });
    this.problems = h("ul", { class: "problems", "aria-label": "Problems of the rundown" });
    this.result = h("p", { class: "result", role: "status" });
    this.area.addEventListener("input", () => this.typed());
    this.area.addEventListener("scroll", () => { this.numbers.scrollTop = this.area.scrollTop; });
    const file = h("a", { class: "small", text: "Save as a file", href: "#", onclick: (event) => { event.preventDefault(); this.save(); } });
    element.append(h("div", { class: "row" }, this.result, file), this.problems, h("div", { class: "yaml-editor" }, this.numbers, this.area));
    draft.addEventListener("replace", () => { if (!this.own && !element.hidden) this.open(); });
  }

  async open() {
    if (this.draft.document === undefined) return;
    const { yaml, problems } = await call(`${this.path}/rundown/check`, { document: this.draft.document }).catch((error) => ({ yaml: "", problems: [{ message: error.message, line: 1 }] }));
    this.area.value = yaml ?? "";
    this.show(problems);
    put(this.result, "");
  }

  typed() {
    this.count();
    clearTimeout(this.reading);
    put(this.result, "…");
    this.reading = setTimeout(() => this.read(), READ_AFTER);
  }

  async read() {
    const yaml = this.area.value;
    let found;
    try { found = await call(`${this.path}/rundown/check`, { yaml }); } catch (error) { return put(this.result, error.message); }
    if (yaml !== this.area.value) return;
    this.show(found.problems);
    put(this.result, found.document ? "" : "Not taken over yet: this is no YAML of a rundown.");
    if (!found.document) return;
    this.own = true;
    this.draft.replace(found.document);
    this.own = false;
  }

  show(problems) {
    this.count();
    const rows = problems.map((problem) => h("li", {}, h("button", { type: "button", class: "link", text: `Line ${problem.line}`, onclick: () => this.go(problem.line) }), ` ${problem.message}`));
    this.problems.replaceChildren(...rows);
  }

  count() {
    const lines = this.area.value.split("\n").length;
    put(this.numbers, Array.from({ length: lines }, (_, at) => at + 1).join("\n"));
    this.numbers.scrollTop = this.area.scrollTop;
  }

  go(line) {
    const lines = this.area.value.split("\n");
    const start = lines.slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0);
    this.area.focus();
    this.area.setSelectionRange(start, start + (lines[line - 1] ?? "").length);
    this.area.scrollTop = (line - 4) * parseFloat(getComputedStyle(this.area).lineHeight);
  }

  save() {
    const url = URL.createObjectURL(new Blob([this.area.value], { type: "application/yaml" }));
    h("a", { href: url, download: "rundown.yaml" }).click();
    setTimeout(() => URL.revokeObjectURL(url), 1000);
  }
}
