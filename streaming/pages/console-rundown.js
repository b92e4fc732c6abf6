// The rundown as a list: what is on air, what comes next; moved by mouse, finger or keyboard.

import { newId } from "/assets/console-draft.js";
import { clock, h, plain, put, unmarked } from "/assets/console-dom.js";

const STATES = {
  waiting: "", preparing: "Preparing", ready: "Ready", "on air": "On air", aired: "Aired", skipped: "Skipped", failed: "Failed",
};
const EDGE = 48;
const SHOWN = [["chart", "Chart"], ["table", "Table"], ["clip", "Clip"], ["picture", "Picture"], ["headline", "Headline"], ["credits", "Credits"], ["cues", "Cues"]];

const button = (act, text, label) =>
  h("button", { class: "small", type: "button", text, "aria-label": label, title: label, tabIndex: -1, data: { act } });

// Events: "select" {id}, "jump" {id}.
export class Rundown extends EventTarget {
  constructor(list, draft) {
    super();
    this.list = list;
    this.draft = draft;
    this.rows = new Map();
    this.items = new Map();
    draft.addEventListener("change", () => this.render());
    draft.addEventListener("problems", () => this.render());
    list.addEventListener("click", (event) => this.clicked(event));
    list.addEventListener("keydown", (event) => this.pressed(event));
    list.addEventListener("focusin", (event) => { this.focused = event.target.closest("li")?.dataset.id; });
    list.addEventListener("pointerdown", (event) => this.grab(event));
  }

  show(order) {
    this.order = order;
    this.items = new Map(order.items.map((item) => [item.id, item]));
    this.render();
  }

  select(id, focus = false) {
    this.selected = id;
    this.render();
    const row = this.rows.get(id);
    row?.scrollIntoView({ block: "nearest" });
    if (focus) row?.querySelector(".open").focus();
    this.dispatchEvent(new CustomEvent("select", { detail: { id } }));
  }

  render() {
    if (this.dragged) return;
    const { segments } = this.draft;
    const ids = segments.map((segment) => segment.id);
    if (!ids.includes(this.selected)) this.selected = undefined;
    for (const [id, row] of this.rows) {
      if (ids.includes(id)) continue;
      row.remove();
      this.rows.delete(id);
    }
    const held = this.list.contains(document.activeElement) ? document.activeElement : null;
    segments.forEach((segment, place) => {
      let row = this.rows.get(segment.id);
      if (!row) this.rows.set(segment.id, (row = this.row(segment.id)));
      if (this.list.children[place] !== row) this.list.insertBefore(row, this.list.children[place] ?? null);
      this.fill(row, segment, place);
    });
    if (held && document.activeElement !== held) held.focus({ preventScroll: true });
  }

  row(id) {
    return h("li", { data: { id } },
      h("span", { class: "grip", title: "Drag to move", "aria-hidden": "true" }),
      h("button", { class: "open", type: "button" },
        h("span", { class: "number" }), h("span", { class: "words" }), h("span", { class: "marks" }), h("span", { class: "chip" }), h("span", { class: "length" })),
      h("span", { class: "acts" },
        button("jump", "Play next", "Play next: at the next sentence end"), button("up", "↑", "Move up (Alt and up arrow)"),
        button("down", "↓", "Move down (Alt and down arrow)"), button("duplicate", "Duplicate", "Duplicate"), button("delete", "Delete", "Delete (undo with Ctrl Z)")));
  }

  fill(row, segment, place) {
    const item = this.items.get(segment.id);
    const state = item?.state ?? "new";
    const language = plain(segment.language) || item?.language;
    const words = unmarked(plain(segment.text)) || unmarked(plain(segment.headline?.text ?? segment.headline)) || (segment.clip ? "Clip" : segment.picture ? "Picture" : segment.credits ? "Credits" : "Nothing yet");
    const marks = SHOWN.filter(([key]) => segment[key] && segment[key] !== "none").map(([, name]) => name);
    const wrong = this.draft.problems.filter((problem) => problem.segment === place).length;
    const chip = wrong ? `${wrong} ${wrong === 1 ? "problem" : "problems"}` : item?.problem ? "Failed" : state === "new" ? "New" : this.order?.next === segment.id && state !== "on air" ? "Next" : STATES[state];
    const told = JSON.stringify([place, words, marks, chip, state, item?.seconds, wrong, this.selected === segment.id, item?.problem, this.first()]);
    if (row.told === told) return;
    row.told = told;
    Object.assign(row.dataset, { state: wrong ? "wrong" : item?.problem ? "failed" : state, next: this.order?.next === segment.id, selected: this.selected === segment.id });
    const open = row.querySelector(".open");
    put(row.querySelector(".number"), String(place + 1));
    put(row.querySelector(".words"), words);
    row.querySelector(".words").lang = language ?? "";
    put(row.querySelector(".marks"), marks.join(" · "));
    put(row.querySelector(".chip"), chip);
    row.querySelector(".chip").title = item?.problem ?? "";
    put(row.querySelector(".length"), item?.seconds ? clock(item.seconds) : "");
    open.setAttribute("aria-current", this.selected === segment.id ? "true" : "false");
    open.tabIndex = this.first() === segment.id ? 0 : -1;
  }

  // The one row that Tab leads to; arrow keys lead on from it.
  first() {
    return this.selected ?? this.draft.segments[0]?.id;
  }

  place(id) {
    return this.draft.segments.findIndex((segment) => segment.id === id);
  }

  add(after = this.selected) {
    const id = newId(this.draft.segments);
    const place = after === undefined ? this.draft.segments.length : this.place(after) + 1;
    this.draft.change((rundown) => { (rundown.segments ??= []).splice(place, 0, { id, text: "" }); });
    this.select(id);
    return id;
  }

  duplicate(id) {
    const twin = { ...structuredClone(this.draft.segments[this.place(id)]), id: newId(this.draft.segments) };
    this.draft.change((rundown) => { rundown.segments.splice(this.place(id) + 1, 0, twin); });
    this.select(twin.id, true);
  }

  remove(id) {
    const place = this.place(id);
    this.draft.change((rundown) => { rundown.segments.splice(place, 1); });
    const next = this.draft.segments[Math.min(place, this.draft.segments.length - 1)]?.id;
    if (next) this.select(next, true);
    else this.dispatchEvent(new CustomEvent("select", { detail: { id: undefined } }));
  }

  move(id, place) {
    const from = this.place(id);
    const to = Math.max(0, Math.min(this.draft.segments.length - 1, place));
    if (from < 0 || from === to) return;
    this.draft.change((rundown) => { rundown.segments.splice(to, 0, ...rundown.segments.splice(from, 1)); });
    const row = this.rows.get(id);
    row.querySelector(".open").focus({ preventScroll: true });
    row.scrollIntoView({ block: "nearest" });
  }

  clicked(event) {
    const id = event.target.closest("li")?.dataset.id;
    if (!id) return;
    const act = event.target.closest("[data-act]")?.dataset.act;
    if (act) this.act(act, id);
    else if (event.target.closest(".open")) this.select(id);
  }

  act(act, id) {
    if (act === "up") this.move(id, this.place(id) - 1);
    else if (act === "down") this.move(id, this.place(id) + 1);
    else if (act === "duplicate") this.duplicate(id);
    else if (act === "delete") this.remove(id);
    else if (act === "jump") this.dispatchEvent(new CustomEvent("jump", { detail: { id } }));
  }

  pressed(event) {
    const id = event.target.closest("li")?.dataset.id;
    if (!id) return;
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (step && event.altKey) this.move(id, this.place(id) + step);
    else if (step) this.rows.get(this.draft.segments[this.place(id) + step]?.id)?.querySelector(".open").focus();
    else if (event.key === "Delete") this.remove(id);
    else if (event.key === "d" && (event.ctrlKey || event.metaKey)) this.duplicate(id);
    else return;
    event.preventDefault();
  }

  // Dragging by the grip: the row goes where the pointer is, and the order is settled when it is let go.
  grab(event) {
    const grip = event.target.closest(".grip");
    if (!grip || event.button) return;
    event.preventDefault();
    const row = (this.dragged = grip.closest("li"));
    const before = [...this.list.children];
    row.classList.add("dragged");
    // The list holds the pointer: a row that is moved in the document would lose it.
    this.list.setPointerCapture(event.pointerId);
    let pointer = event.clientY;
    let scrolling;
    const follow = () => {
      const next = [...this.list.children].find((other) => other !== row && pointer < middle(other));
      if (next !== row.nextElementSibling) this.list.insertBefore(row, next ?? null);
    };
    const scroll = () => {
      const box = this.list.getBoundingClientRect();
      const by = pointer < box.top + EDGE ? -8 : pointer > box.bottom - EDGE ? 8 : 0;
      if (by) { this.list.scrollBy(0, by); follow(); }
      scrolling = requestAnimationFrame(scroll);
    };
    const moved = (moving) => { pointer = moving.clientY; follow(); };
    const done = (ending) => {
      cancelAnimationFrame(scrolling);
      this.list.removeEventListener("pointermove", moved);
      removeEventListener("keydown", escaped, true);
      for (const kind of ["pointerup", "pointercancel", "lostpointercapture"]) this.list.removeEventListener(kind, done);
      row.classList.remove("dragged");
      const place = [...this.list.children].indexOf(row);
      this.dragged = undefined;
      if (ending.type !== "pointerup") this.list.replaceChildren(...before);
      else this.move(row.dataset.id, place);
      this.render();
    };
    const escaped = (pressing) => pressing.key === "Escape" && done(pressing);
    this.list.addEventListener("pointermove", moved);
    addEventListener("keydown", escaped, true);
    for (const kind of ["pointerup", "pointercancel", "lostpointercapture"]) this.list.addEventListener(kind, done);
    scroll();
  }
}

function middle(row) {
  const box = row.getBoundingClientRect();
  return box.top + box.height / 2;
}
