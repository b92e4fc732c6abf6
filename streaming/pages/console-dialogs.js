// What asks for more than a press: breaking news, an article, and two edits of one rundown.

import { call } from "/assets/console-api.js";
import { h, plain, put, unmarked } from "/assets/console-dom.js";
import { changes } from "/assets/console-draft.js";

class Dialog {
  constructor(element) {
    this.element = element;
    this.find = (selector) => element.querySelector(selector);
    this.form = this.find("form");
    this.form.addEventListener("submit", (event) => { event.preventDefault(); this.send(event.submitter?.value); });
    this.find("[data-act=close]").addEventListener("click", () => element.close());
    element.addEventListener("keydown", (event) => event.stopPropagation());
  }

  open() {
    this.report("");
    this.element.showModal();
  }

  report(text, ok = true) {
    put(this.find(".result"), text);
    this.find(".result").dataset.ok = ok;
  }
}

export class BreakingDialog extends Dialog {
  constructor(element, path, done) {
    super(element);
    Object.assign(this, { path, done });
    // Enter sends: news does not wait for the mouse. Shift and Enter begin a new line.
    this.find("textarea").addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.form.requestSubmit();
    });
  }

  async send() {
    if (this.sending) return;
    const value = (name) => this.form.elements[name].value.trim();
    const body = { text: value("text") };
    if (value("headline")) body.headline = value("headline");
    if (value("language")) body.language = value("language");
    if (value("title")) body.lower_third = { title: value("title"), subtitle: value("subtitle") };
    this.sending = true;
    try {
      await call(`${this.path}/breaking`, body);
      this.form.reset();
      this.element.close();
      this.done();
    } catch (error) {
      this.report(error.message, false);
    }
    this.sending = false;
  }
}

export class ImportDialog extends Dialog {
  constructor(element, path, draft) {
    super(element);
    Object.assign(this, { path, draft });
    this.find("input[type=file]").addEventListener("change", (event) => this.read(event.target.files[0]));
  }

  async read(file) {
    if (!file) return;
    this.form.elements.article.value = await file.text();
    this.form.elements.kind.value = /\.html?$/i.test(file.name) ? "html" : /\.(md|markdown)$/i.test(file.name) ? "markdown" : "text";
  }

  async send(where) {
    this.report("Reading…");
    try {
      const { document } = await call(`${this.path}/rundown/draft`, { article: this.form.elements.article.value, kind: this.form.elements.kind.value });
      if (where === "append") this.append(document);
      else this.draft.replace(document);
      this.form.reset();
      this.element.close();
    } catch (error) {
      this.report(error.message, false);
    }
  }

  // Behind what is there: its segments alone, with ids that are not taken, and still to be reviewed.
  append(document) {
    const taken = new Set(this.draft.segments.map((segment) => segment.id));
    const segments = (document.segments ?? []).map((segment) => {
      let { id } = segment;
      for (let number = 2; taken.has(id); number++) id = `${segment.id}-${number}`;
      taken.add(id);
      return { ...segment, id };
    });
    const review = document.review ? { review: document.review } : {};
    this.draft.replace({ ...review, ...this.draft.document, segments: [...this.draft.segments, ...segments] });
  }
}

const KEYS = { segments: "order", lower_third: "lower third" };
const DONE = { added: "Added", removed: "Taken out", changed: "Changed", moved: "Moved" };

export class ConflictDialog extends Dialog {
  constructor(element, draft) {
    super(element);
    this.draft = draft;
  }

  open() {
    const { draft } = this;
    if (!draft.theirs) return;
    const list = (name, document) => this.find(`[data-of=${name}]`).replaceChildren(...changes(draft.base, document).map((one) => this.line(one)));
    list("theirs", draft.theirs.document);
    list("mine", draft.document);
    super.open();
  }

  line({ kind, id, keys, segment }) {
    const words = id === "" ? "" : unmarked(plain(segment?.text)) || id;
    const what = keys.map((key) => KEYS[key] ?? key).join(", ");
    return h("li", {}, h("b", { text: kind === "moved" ? "Order changed" : id === "" ? "Head of the rundown" : DONE[kind] }), words && ` “${words.slice(0, 80)}”`, kind === "changed" && h("small", { text: ` ${what}` }));
  }

  send(what) {
    if (what === "discard") this.draft.discard();
    else {
      const clashes = this.draft.rebase();
      if (clashes.length) {
        const told = clashes.map(({ id, key }) => `${id || "head"}: ${KEYS[key] ?? key}`).join("; ");
        this.report(`Both changed the same; yours stands there. Look at it before you apply. ${told}`, false);
        this.find("[data-of=theirs]").replaceChildren();
        this.find("[data-of=mine]").replaceChildren();
        return;
      }
    }
    this.element.close();
  }
}
