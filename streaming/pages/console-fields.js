// Fields bound to a part of the rundown. What is empty is left out of it; what they do not know, they leave as it is.

import { h, plain } from "/assets/console-dom.js";

export const MOODS = ["neutral", "warm", "serious", "cheerful", "concerned"];
export const GESTURES = ["nod", "shake", "tilt", "blink", "brows", "smile", "glance left", "glance right", "glance up", "glance down"];
export const TRANSITIONS = ["cut", "fade", "wipe"];

const isMap = (value) => value && typeof value === "object" && !Array.isArray(value);
const isEmpty = (value) => value === "" || value === null || value === undefined || (Array.isArray(value) && !value.length) || (isMap(value) && !Object.keys(value).length);

let numbers = 0;

export class Fields {
  // `find` gives the object that is edited, `change(edit)` announces an edit, `about()` the language in view and all there are.
  constructor(find, change, about, prefix = "") {
    Object.assign(this, { find, change, about, prefix });
  }

  // The fields of an object inside; `short` is the key that a plain text there stands for.
  within(key, short) {
    const find = (made) => {
      const outer = this.find(made);
      const value = outer?.[key];
      if (isMap(value) && !(short && this.isLocal(value))) return value;
      if (!made) return short && value !== undefined ? { [short]: value } : {};
      return (outer[key] = short && !isEmpty(value) ? { [short]: value } : {});
    };
    const inner = new Fields(find, this.change, this.about, key);
    inner.emptied = () => {
      const outer = this.find();
      if (isEmpty(outer?.[key])) delete outer[key];
      else if (short && Object.keys(outer[key]).length === 1 && short in outer[key]) outer[key] = outer[key][short];
    };
    return inner;
  }

  // Whether an object is one text in several languages.
  isLocal(value) {
    const { languages } = this.about();
    return isMap(value) && Object.keys(value).length > 0 && Object.keys(value).every((key) => languages.includes(key));
  }

  get(key, local) {
    const value = this.find()?.[key];
    return local ? plain(value, this.about().language) : value;
  }

  set(key, value, local) {
    this.change(() => {
      const object = this.find(true);
      const { language, languages } = this.about();
      if (local && languages.length > 1) value = this.localized(object[key], value, language, languages);
      if (isEmpty(value)) delete object[key];
      else object[key] = value;
      this.emptied?.();
    });
  }

  // A text by language; where all say the same, that text alone.
  localized(before, value, language, languages) {
    const texts = isMap(before) ? { ...before } : isEmpty(before) ? {} : Object.fromEntries(languages.map((tag) => [tag, before]));
    if (isEmpty(value)) delete texts[language];
    else texts[language] = value;
    const all = Object.values(texts).map((text) => JSON.stringify(text));
    return all.length === languages.length && new Set(all).size === 1 ? value : texts;
  }

  field(key, label, control, hint) {
    const id = `field-${++numbers}`;
    control.id = id;
    return h("div", { class: "field", data: { key: this.prefix || key, name: key } }, h("label", { htmlFor: id, text: label }), control, hint && h("small", { text: hint }));
  }

  line(key, { label, local = isMap(this.get(key)), placeholder = "", list }) {
    const control = h("input", { type: "text", value: String(this.get(key, local) ?? ""), placeholder, autocomplete: "off", list });
    control.addEventListener("input", () => this.set(key, control.value, local));
    return this.field(key, label, control);
  }

  area(key, { label, rows = 3, hint, local = true }) {
    const control = h("textarea", { rows, value: String(this.get(key, local) ?? ""), spellcheck: true, lang: this.about().language ?? "" });
    control.addEventListener("input", () => this.set(key, control.value, local));
    return this.field(key, label, control, hint);
  }

  lines(key, { label, local = isMap(this.get(key)) }) {
    const value = this.get(key, local);
    const control = h("textarea", { rows: 2, value: Array.isArray(value) ? value.join("\n") : String(value ?? "") });
    control.addEventListener("input", () => this.set(key, control.value.split("\n").filter((line) => line.trim()), local));
    return this.field(key, label, control);
  }

  number(key, { label }) {
    const control = h("input", { type: "number", min: 0, max: 600, step: 0.1, value: String(this.get(key) ?? "") });
    control.addEventListener("input", () => this.set(key, control.value === "" ? "" : Number(control.value)));
    return this.field(key, label, control);
  }

  choice(key, { label, options, none }) {
    const value = String(this.get(key) ?? "");
    const all = value && !options.includes(value) ? [...options, value] : options;
    const control = h("select", {}, none !== undefined && h("option", { value: "", text: none }), all.map((option) => h("option", { value: option, text: option })));
    control.value = value;
    control.addEventListener("change", () => this.set(key, control.value));
    return this.field(key, label, control);
  }

  several(key, { label, options }) {
    const value = this.get(key);
    const chosen = new Set(Array.isArray(value) ? value : value ? [value] : []);
    const buttons = options.map((option) => h("button", {
      class: "small", type: "button", text: option, "aria-pressed": String(chosen.has(option)),
      onclick: ({ target }) => {
        if (!chosen.delete(option)) chosen.add(option);
        target.setAttribute("aria-pressed", String(chosen.has(option)));
        this.set(key, options.filter((one) => chosen.has(one)));
      },
    }));
    return h("div", { class: "field", role: "group", "aria-label": label, data: { key } }, h("span", { class: "label", text: label }), h("div", { class: "acts" }, buttons));
  }
}
