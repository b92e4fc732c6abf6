// Business in progress: what is known, what is asked for, and what may be answered by touch.

const node = (name, values, ...children) => {
  const made = Object.assign(document.createElement(name), values);
  made.append(...children);
  return made;
};

// "choose" {text}: a choice was touched; "confirm" {yes}.
export class FormCard extends EventTarget {
  constructor(card, words) {
    super();
    this.card = card;
    this.words = words;
    this.find = (id) => card.querySelector(`#form-${id}`);
  }

  show(form, language) {
    this.form = form;
    this.language = language;
    this.card.hidden = !form;
    if (!form) return this.clear();
    const words = this.words();
    const focused = document.activeElement?.closest?.("#form-choices") !== null && this.card.contains(document.activeElement);
    this.card.lang = language;
    this.find("title").textContent = form.title;
    this.find("slots").replaceChildren(...form.slots.map((slot) => this.slot(slot, form.asking)));
    const asked = form.slots.find((slot) => slot.name === form.asking);
    this.find("asking").textContent = form.confirming ? words.confirm : "";
    this.find("choices").setAttribute("aria-label", form.confirming ? words.confirm : (asked?.label ?? form.title));
    const buttons = form.confirming
      ? [this.button(words.yes, "confirm", { yes: true }, "primary"), this.button(words.no, "confirm", { yes: false })]
      : (form.choices ?? []).map((choice) => this.button(choice, "choose", { text: choice }));
    this.find("choices").replaceChildren(...buttons);
    // On a low screen what can be touched is seen before what is known already.
    if (buttons.length) this.card.scrollTop = this.card.scrollHeight;
    if (focused) buttons[0]?.focus();
  }

  // Nothing of one visitor stays for the next.
  clear() {
    for (const part of ["title", "slots", "asking", "choices"]) this.find(part).replaceChildren();
  }

  slot({ name, label, value }, asking) {
    const row = node("div", {}, node("dt", { textContent: label }), node("dd", { textContent: value || "…" }));
    row.dataset.state = value ? "known" : name === asking ? "asked" : "open";
    return row;
  }

  button(text, kind, detail, style = "") {
    const made = node("button", { className: `button ${style}`, type: "button", textContent: text });
    made.addEventListener("click", () => this.dispatchEvent(new CustomEvent(kind, { detail })));
    return made;
  }

  translate() {
    if (this.form) this.show(this.form, this.language);
  }
}
