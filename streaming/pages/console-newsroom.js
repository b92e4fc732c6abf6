// A channel with a show: the monitor, what is on air and next, its rundown, and all that steers it.

import { call } from "/assets/console-api.js";
import { Card } from "/assets/console-card.js";
import { BreakingDialog, ConflictDialog, ImportDialog } from "/assets/console-dialogs.js";
import { clock, plain, put, timeOfDay, unmarked } from "/assets/console-dom.js";
import { Draft } from "/assets/console-draft.js";
import { HealthPanel, LogPanel, OutputsPanel } from "/assets/console-panels.js";
import { Rundown } from "/assets/console-rundown.js";
import { SegmentEditor } from "/assets/console-segment.js";
import { Speaking } from "/assets/console-speaking.js";
import { YamlEditor } from "/assets/console-yaml.js";

export class Newsroom extends Card {
  constructor(channel, refresh) {
    super(channel, "newsroom", refresh);
    this.draft = new Draft(channel.name, async (document) => (await call(`${this.path}/rundown/check`, { document })).problems);
    this.rundown = new Rundown(this.find(".rundown ol"), this.draft);
    this.editor = new SegmentEditor(this.find("[data-panel=segment]"), this.draft, this.path);
    this.yaml = new YamlEditor(this.find("[data-panel=yaml]"), this.draft, this.path);
    this.outputs = new OutputsPanel(this.find("[data-panel=outputs]"), this.path);
    this.health = new HealthPanel(this.find("[data-panel=health]"), this.path);
    this.log = new LogPanel(this.find("[data-panel=log]"), this.path);
    this.speaking = new Speaking(this.find(".speaking"), this.path, refresh);
    this.breaking = new BreakingDialog(this.find(".breaking"), this.path, () => this.refresh());
    this.importing = new ImportDialog(this.find(".import"), this.path, this.draft);
    this.conflict = new ConflictDialog(this.find(".conflict"), this.draft);
    this.watchDraft();
    this.wire();
  }

  wire() {
    const on = (act, run) => this.find(`[data-act=${act}]`).addEventListener("click", run);
    for (const order of ["go", "hold", "skip", "kill"]) on(order, () => this.order(order));
    on("breaking", () => this.breaking.open());
    on("import", () => this.importing.open());
    on("add", () => { this.panel("segment"); this.rundown.add(); this.find("[data-panel=segment] textarea").focus(); });
    on("apply", () => this.apply());
    on("discard", () => this.draft.discard());
    on("compare", () => this.conflict.open());
    this.rundown.addEventListener("select", ({ detail }) => {
      this.panel("segment");
      this.editor.open(detail.id);
    });
    this.rundown.addEventListener("jump", ({ detail }) => this.order("jump", { segment: detail.id }));
    for (const tab of this.element.querySelectorAll("[role=tab]")) {
      tab.addEventListener("click", () => this.panel(tab.dataset.tab));
      tab.addEventListener("keydown", (event) => this.turn(event, tab));
    }
    this.element.addEventListener("keydown", (event) => this.pressed(event));
    this.panel("anchor");
  }

  watchDraft() {
    const show = () => this.showDraft();
    for (const event of ["change", "replace", "behind", "problems"]) this.draft.addEventListener(event, show);
    this.leaving = (event) => this.draft.dirty && event.preventDefault();
    addEventListener("beforeunload", this.leaving);
  }

  panel(name) {
    this.shown = name;
    for (const tab of this.element.querySelectorAll("[role=tab]")) {
      tab.setAttribute("aria-selected", String(tab.dataset.tab === name));
      tab.tabIndex = tab.dataset.tab === name ? 0 : -1;
    }
    for (const panel of this.element.querySelectorAll("[role=tabpanel]")) panel.hidden = panel.dataset.panel !== name;
    if (name === "yaml") this.yaml.open();
    this.update();
  }

  turn(event, tab) {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step) return;
    const tabs = [...this.element.querySelectorAll("[role=tab]")];
    const next = tabs[(tabs.indexOf(tab) + step + tabs.length) % tabs.length];
    this.panel(next.dataset.tab);
    next.focus();
    event.preventDefault();
  }

  pressed(event) {
    if (!(event.ctrlKey || event.metaKey)) return;
    const typing = event.target.matches("input, textarea");
    if (event.key === "s") this.apply();
    else if (event.key === "z" && !typing && this.draft.undo()) this.editor.open(this.rundown.selected);
    else return;
    event.preventDefault();
  }

  async update() {
    if (this.updating || this.removed) return;
    this.updating = true;
    try {
      const known = this.draft.version;
      const order = await call(`${this.path}/rundown${known === undefined ? "" : `?known=${known}`}`);
      if (this.removed) return;
      this.language = order.items[0]?.language;
      if (order.document) this.draft.take(order.version, order.document);
      this.showOrder(order);
      await { outputs: this.outputs, health: this.health, log: this.log }[this.shown]?.update();
    } finally {
      this.updating = false;
    }
  }

  showOrder(order) {
    const first = this.current === undefined;
    if (order.on_air !== this.current?.on_air) this.since = performance.now();
    this.current = order;
    this.rundown.show(order);
    this.showState(order);
    const news = order.items.filter((item) => item.breaking && ["waiting", "preparing", "ready", "on air"].includes(item.state));
    this.find(".queued").hidden = !news.length;
    put(this.find(".queued"), news.map((item) => `${item.state === "on air" ? "On air" : "Waiting"}: ${item.text}`).join("\n"));
    // The first look opens what is to be worked on.
    if (first && order.items.length) this.rundown.select(order.on_air || this.rundown.first());
  }

  showState(order) {
    const item = order.items.find((one) => one.id === order.on_air);
    const state = order.killed ? "killed" : order.takeover ? "person" : item ? "live" : order.held ? "held" : "off";
    const words = { killed: "Killed", person: "Person on air", live: order.held ? "On air, then hold" : "On air", held: "On hold", off: "Off air" }[state];
    this.element.dataset.state = state;
    put(this.find("[data-field=onair]"), words);
    const elapsed = order.elapsed ?? (performance.now() - this.since) / 1000;
    put(this.find("[data-field=now]"), item ? unmarked(item.text) || "Picture" : order.killed ? "Silence and a card. Press Go live to go on." : order.next_start ? `Starts at ${timeOfDay(new Date(order.next_start))}` : "Nothing is on air.");
    put(this.find("[data-field=elapsed]"), item ? clock(elapsed) : "–:––");
    put(this.find("[data-field=remaining]"), item?.seconds ? `−${clock(Math.max(0, item.seconds - elapsed))}` : "");
    const bar = this.find("progress");
    bar.value = item?.seconds ? Math.min(1, elapsed / item.seconds) : 0;
    const next = order.items.find((one) => one.id === order.next);
    put(this.find("[data-field=next]"), order.held && !order.killed ? "Held: nothing follows until Go live." : next ? unmarked(next.text) || "Picture" : order.loop ? "From the beginning" : "The end");
    put(this.find("[data-field=lap]"), order.loop && order.lap ? `Round ${order.lap}` : "");
    this.find("[data-act=go]").classList.toggle("primary", order.held || order.killed || !item);
    this.find("[data-act=go]").disabled = !order.held && !order.killed && Boolean(item);
    this.find("[data-act=hold]").disabled = order.held || order.killed;
    this.find("[data-act=skip]").disabled = !item;
    this.find("[data-act=kill]").disabled = order.killed;
  }

  show(channel) {
    super.show(channel);
    this.speaking.show(channel.speaker);
  }

  async order(name, body = {}) {
    try {
      const order = await call(`${this.path}/show/${name}`, body);
      this.report("", true, "show");
      this.showOrder(order);
    } catch (error) {
      this.report(error.message, false, "show");
    }
  }

  showDraft() {
    const { draft } = this;
    const overall = draft.problems.filter((problem) => problem.segment === null);
    const wrong = draft.problems.length;
    this.find(".rundown").dataset.dirty = draft.dirty;
    put(this.find("[data-field=draft]"), draft.theirs ? "Changed elsewhere meanwhile" : draft.dirty ? "Not applied yet" : "As on air");
    this.find("[data-act=apply]").disabled = !draft.dirty || Boolean(this.applying);
    this.find("[data-act=discard]").hidden = !draft.dirty;
    this.find("[data-act=compare]").hidden = !draft.theirs;
    put(this.find("[data-field=wrong]"), wrong ? `${wrong} ${wrong === 1 ? "problem" : "problems"}` : "");
    const list = this.find(".rundown .problems");
    list.hidden = !overall.length;
    put(list, overall.map((problem) => problem.message).join("\n"));
    put(this.find("[data-field=title]"), plain(draft.document?.title, this.language));
    this.find(".review").hidden = draft.document?.review !== "required";
    this.find(".nothing").hidden = draft.segments.length > 0;
  }

  // Puts the operator's copy on the server. What was changed here stays, whatever the answer is.
  async apply() {
    const { draft } = this;
    if (!draft.dirty || this.applying) return;
    if (draft.theirs) return this.conflict.open();
    this.applying = true;
    this.showDraft();
    const document = structuredClone(draft.document);
    try {
      const order = await call(`${this.path}/rundown`, { document, version: draft.version }, "PUT");
      if (JSON.stringify(draft.document) === JSON.stringify(document)) draft.accept(order.version, order.document);
      else Object.assign(draft, { version: order.version, base: order.document }); // typed on meanwhile
      draft.keep();
      this.report("Applied.", true, "rundown");
      this.showOrder(order);
    } catch (error) {
      if (error.problems?.length) draft.show(error.problems);
      this.report(error.message, false, "rundown");
      if (error.status === 409) await this.behind();
    }
    this.applying = false;
    this.showDraft();
  }

  async behind() {
    const order = await call(`${this.path}/rundown`);
    this.draft.take(order.version, order.document);
    if (this.draft.theirs) this.conflict.open();
    else this.report("The show went on meanwhile; apply again.", true, "rundown");
  }

  remove() {
    this.removed = true;
    removeEventListener("beforeunload", this.leaving);
    this.speaking.stop();
    super.remove();
  }
}
