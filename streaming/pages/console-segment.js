// One segment of the rundown, to be edited: its words, what is shown with them, and what is wrong with it.

import { picture } from "/assets/console-api.js";
import { Cues } from "/assets/console-cues.js";
import { h } from "/assets/console-dom.js";
import { Fields, GESTURES, MOODS, TRANSITIONS } from "/assets/console-fields.js";
import { Inset } from "/assets/console-inset.js";

const MARKUP = [
  ["Pause", "<break time=\"500ms\"/>", ""], ["Stress", "<emphasis>", "</emphasis>"], ["Spell", "<say-as interpret-as=\"characters\">", "</say-as>"],
  ["Say as", "<sub alias=\"\">", "</sub>"], ["Cue", "<mark name=\"\"/>", ""],
];

export class SegmentEditor {
  constructor(element, draft, path) {
    this.element = element;
    this.draft = draft;
    this.path = path;
    draft.addEventListener("replace", () => this.open(this.id));
    draft.addEventListener("problems", () => this.showProblems());
  }

  get place() {
    return this.draft.segments.findIndex((segment) => segment.id === this.id);
  }

  get segment() {
    return this.draft.segments[this.place];
  }

  open(id) {
    if (this.id !== id) this.forgetPicture();
    this.id = id;
    if (!this.segment) {
      this.element.replaceChildren(h("p", { class: "empty", text: "Choose a segment to edit it, or add one." }));
      return;
    }
    const languages = this.draft.document.languages ?? [];
    if (!languages.includes(this.language)) this.language = languages[0];
    this.fields = new Fields(() => this.segment, (edit) => this.draft.change(edit), () => ({ language: this.language, languages }));
    this.element.replaceChildren(...this.build(languages));
    this.showProblems();
  }

  build(languages) {
    const { fields } = this;
    const text = fields.area("text", { label: "Text", rows: 5, hint: "What is said. SSML marks are allowed." });
    const area = text.querySelector("textarea");
    const third = fields.within("lower_third");
    const headline = fields.within("headline", "text");
    return [
      h("div", { class: "preview" }, (this.image = h("img", { alt: "Preview of this segment", hidden: true, src: this.url ?? "" })),
        h("button", { class: "small", type: "button", text: "Preview picture", onclick: () => this.preview() }),
        (this.result = h("p", { class: "result", role: "status" }))),
      (this.wrong = h("ul", { class: "problems", "aria-label": "Problems of this segment" })),
      languages.length > 1 && this.tabs(languages),
      text,
      h("div", { class: "acts markup", role: "group", "aria-label": "Mark the selected text" }, MARKUP.map(([name, before, after]) =>
        h("button", { class: "small", type: "button", text: name, title: `${before}${after}`, onclick: () => wrap(area, before, after) }))),
      h("div", { class: "pair" }, fields.choice("mood", { label: "Mood", options: MOODS, none: "As the show's" }), fields.number("pause", { label: "Pause after it, seconds" })),
      fields.several("gesture", { label: "Gestures as it begins", options: GESTURES }),
      h("fieldset", {}, h("legend", { text: "Lower third" }), third.line("title", { label: "Title", local: true }), third.line("subtitle", { label: "Smaller line", local: true })),
      h("fieldset", {}, h("legend", { text: "Headline card" }), headline.line("kicker", { label: "Small line over it", local: true }), headline.line("text", { label: "Headline", local: true })),
      new Inset(fields, () => this.open(this.id)).element,
      new Cues(this).element,
      h("details", { open: Boolean(this.segment.ticker || this.segment.credits || this.segment.voice || this.segment.avatar || this.segment.transition || this.segment.language) }, h("summary", { text: "More" }),
        fields.lines("ticker", { label: "Ticker, a line each", local: true }), fields.lines("credits", { label: "Credits, a line each", local: true }),
        h("div", { class: "pair" }, fields.line("language", { label: "Language, such as zh-CN" }), fields.choice("transition", { label: "Transition", options: TRANSITIONS, none: "Fade" })),
        h("div", { class: "pair" }, fields.line("voice", { label: "Voice" }), fields.line("avatar", { label: "Anchor" }))),
    ].filter(Boolean);
  }

  tabs(languages) {
    return h("div", { class: "languages", role: "group", "aria-label": "Language that is edited" }, languages.map((language) =>
      h("button", { class: "small", type: "button", text: language, "aria-pressed": String(language === this.language), onclick: () => { this.language = language; this.open(this.id); } })));
  }

  // Problems stand at their fields; those without one, above all.
  showProblems() {
    if (!this.segment || !this.wrong) return;
    const { place } = this;
    const problems = this.draft.problems.filter((problem) => problem.segment === place);
    for (const told of this.element.querySelectorAll(".wrong")) told.remove();
    for (const marked of this.element.querySelectorAll("[aria-invalid]")) marked.removeAttribute("aria-invalid");
    const left = problems.filter((problem) => !this.mark(problem));
    this.wrong.replaceChildren(...left.map((problem) => h("li", { text: problem.message })));
  }

  mark({ key, message }) {
    const field = this.element.querySelector(`[data-key="${CSS.escape(key)}"]`) ?? this.element.querySelector(`[data-key="${CSS.escape(key.split(/[.:]/)[0])}"]`);
    if (!field) return false;
    field.querySelector("textarea, input, select")?.setAttribute("aria-invalid", "true");
    field.append(h("p", { class: "wrong", text: message }));
    field.closest("details")?.setAttribute("open", "");
    return true;
  }

  async preview() {
    const wanted = this.id;
    this.result.textContent = "Drawing…";
    this.result.dataset.ok = "true";
    try {
      const url = await picture(`${this.path}/rundown/preview`, { document: this.draft.document, segment: this.place });
      if (wanted !== this.id) return URL.revokeObjectURL(url);
      this.forgetPicture();
      this.url = url;
      Object.assign(this.image, { src: url, hidden: false });
      this.result.textContent = "";
    } catch (error) {
      this.result.textContent = error.message;
      this.result.dataset.ok = "false";
    }
  }

  forgetPicture() {
    if (this.url) URL.revokeObjectURL(this.url);
    this.url = undefined;
  }
}

function wrap(area, before, after) {
  const { selectionStart: start, selectionEnd: end, value } = area;
  area.focus();
  // As if typed, so that the browser's own undo knows of it.
  document.execCommand("insertText", false, `${before}${value.slice(start, end)}${after}`);
  const inside = before.includes("\"\"") ? start + before.indexOf("\"\"") + 1 : start + before.length + (end - start);
  area.setSelectionRange(inside, inside);
}
