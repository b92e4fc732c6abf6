// What changes at the marks of a segment's text.

import { h } from "/assets/console-dom.js";
import { Fields, MOODS } from "/assets/console-fields.js";
import { Inset } from "/assets/console-inset.js";

const marksIn = (text) => [...JSON.stringify(text ?? "").matchAll(/<mark\s+name=\\?["']([^"'\\]+)/g)].map(([, name]) => name);

export class Cues {
  constructor(editor) {
    this.editor = editor;
    const cues = editor.segment.cues ?? [];
    this.element = h("details", { class: "cues", open: cues.length > 0, data: { key: "cues" } },
      h("summary", { text: cues.length ? `Cues (${cues.length})` : "Cues" }),
      h("datalist", { id: "marks" }, [...new Set(marksIn(editor.segment.text))].map((name) => h("option", { value: name }))),
      cues.map((_, place) => this.cue(place)),
      h("button", { class: "small", type: "button", text: "+ Cue", onclick: () => this.add() }));
  }

  cue(place) {
    const find = () => this.editor.segment.cues[place];
    const fields = new Fields(find, (edit) => this.editor.draft.change(edit), this.editor.fields.about);
    const headline = fields.within("headline", "text");
    const third = fields.within("lower_third");
    return h("fieldset", { class: "cue" }, h("legend", { text: `Cue ${place + 1}` }),
      h("div", { class: "pair" }, fields.line("mark", { label: "At the mark", list: "marks" }), fields.choice("mood", { label: "Mood", options: MOODS, none: "Unchanged" })),
      headline.line("text", { label: "Headline", local: true }),
      h("div", { class: "pair" }, third.line("title", { label: "Lower third", local: true }), third.line("subtitle", { label: "Smaller line", local: true })),
      new Inset(fields, () => this.editor.open(this.editor.id), { cue: true }).element,
      h("button", { class: "small", type: "button", text: "Take this cue out", onclick: () => this.remove(place) }));
  }

  add() {
    const { segment } = this.editor;
    const used = new Set((segment.cues ?? []).map((cue) => cue.mark));
    const mark = marksIn(segment.text).find((name) => !used.has(name)) ?? "";
    this.change(() => { (this.editor.segment.cues ??= []).push({ mark }); });
  }

  remove(place) {
    this.change(() => {
      const { segment } = this.editor;
      segment.cues.splice(place, 1);
      if (!segment.cues.length) delete segment.cues;
    });
  }

  change(edit) {
    this.editor.draft.change(edit);
    this.editor.open(this.editor.id);
  }
}
