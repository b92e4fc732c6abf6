// One conversation, from the visitor's first touch until it is over: what comes over the wire, and what goes back.

import { FormCard } from "/assets/kiosk-form.js";
import { Log } from "/assets/kiosk-log.js";
import { FirstSound, Loudspeaker, Microphone } from "/assets/kiosk-sound.js";
import { nearest, textIn, wordsFor } from "/assets/kiosk-words.js";
import { Player } from "/assets/player.js";

// A conversation is waited for: it is given up sooner than a broadcast, and tried again sooner.
const PATIENCE = { stallSeconds: 0.9, steadySeconds: 1, retrySeconds: [0.1, 0.4, 1, 2, 4] };
const HERE_EVERY_SECONDS = 4;
const NOTICE_SECONDS = 12;
const LOST_SECONDS = 90; // what was said must not stay on a screen that has lost its server

const at = (id) => document.getElementById(id);
const HELP = { denied: "denied", missing: "missingDevice", busy: "busy", insecure: "insecure" };
const MICROPHONE = { on: "microphoneOn", off: "microphoneOff", asking: "microphoneAsking" };
// What the wire knows of a microphone.
const TOLD = { on: "on", off: "off", denied: "denied", missing: "missing", busy: "missing", insecure: "denied" };

// "language" {language}: the conversation is in another one now; "over" {why}.
export class Talk extends EventTarget {
  constructor({ visit, kiosk, language, context }) {
    super();
    this.visit = visit;
    this.kiosk = kiosk;
    this.language = language;
    this.context = context;
    this.mode = "waiting";
    this.hearing = { available: true, why: "" };
    this.listeners = new AbortController();
    const words = () => wordsFor(this.language);
    this.log = new Log(at("log"), at("spoken"), words);
    this.form = new FormCard(at("form"), words);
    this.microphone = new Microphone();
    this.loudspeaker = new Loudspeaker(at("video"));
    this.first = new FirstSound(context, (utterance, seconds) => {
      this.loudspeaker.sounded = Math.min(seconds, 1);
      this.send({ type: "sounded", utterance, seconds });
    });
    this.player = new Player(at("video"), visit, { iceServers: kiosk.ice, talks: true, ...PATIENCE });
    this.listen();
  }

  listen() {
    const { signal } = this.listeners;
    const on = (target, kind, treat) => target.addEventListener(kind, treat, { signal });
    on(this.player, "state", ({ detail }) => this.connected(detail));
    on(this.player, "event", ({ detail }) => this.hear(detail));
    on(this.player, "stream", ({ detail }) => this.first.attach(detail.stream));
    on(this.player, "latency", ({ detail }) => this.delayed(detail));
    on(this.microphone, "state", ({ detail }) => this.microphoneIs(detail.state));
    on(this.microphone, "level", ({ detail }) => at("microphone").style.setProperty("--level", detail.level.toFixed(3)));
    on(this.form, "choose", ({ detail }) => this.say(detail.text));
    on(this.form, "confirm", ({ detail }) => this.send({ type: "confirm", yes: detail.yes }));
    on(at("say"), "submit", (event) => this.submit(event));
    on(at("microphone"), "click", () => this.toggleMicrophone());
    on(at("help-retry"), "click", () => this.openMicrophone());
    on(at("help-close"), "click", () => { at("help").hidden = true; at("text").focus(); });
    on(at("person"), "click", () => this.send({ type: "human" }));
    on(at("end"), "click", () => this.end());
    on(at("here"), "click", () => this.stirred(true));
    on(at("sound-on"), "click", () => this.unmute());
    for (const kind of ["pointerdown", "keydown"]) on(document, kind, () => this.stirred());
  }

  start(withMicrophone) {
    this.translate();
    this.showMode();
    this.microphoneIs("off");
    at("video").muted = false;
    if (withMicrophone) this.openMicrophone();
    this.player.start();
  }

  close() {
    clearTimeout(this.noticed);
    clearTimeout(this.losing);
    clearInterval(this.counting);
    this.microphone.close();
    this.listeners.abort();
    this.player.end();
    this.first.close();
    this.loudspeaker.reset();
    this.log.clear();
    this.form.show(null);
    for (const id of ["notice", "help", "absence", "connection", "sound-on"]) at(id).hidden = true;
    at("notice").textContent = at("text").value = "";
  }

  // Out.

  send(message) {
    const sent = this.player.send(message);
    if (!sent && message.type !== "sounded" && message.type !== "here") this.notice(wordsFor(this.language).offline);
    return sent;
  }

  say(text) {
    if (!this.send({ type: "text", text })) return false;
    this.log.wrote(text);
    return true;
  }

  submit(event) {
    event.preventDefault();
    const field = at("text");
    const text = field.value.trim();
    if (text && this.say(text)) field.value = "";
  }

  end() {
    if (!this.player.send({ type: "end" })) this.visit.close();
    // What was sent has a moment to leave; the server's own "ended" usually comes first.
    setTimeout(() => this.over("visitor"), 250);
  }

  over(why) {
    if (this.isOver) return;
    this.isOver = true;
    this.dispatchEvent(new CustomEvent("over", { detail: { why } }));
  }

  stirred(surely = false) {
    const now = performance.now() / 1000;
    if (!at("absence").hidden) {
      this.absence({ seconds: null });
      surely = true;
    }
    if (!surely && now - (this.here ?? -Infinity) < HERE_EVERY_SECONDS) return;
    this.here = now;
    this.send({ type: "here" });
  }

  // The wish of whoever chose another language on the page.
  choose(language) {
    this.language = language;
    this.visit.keep({ language });
    this.send({ type: "language", language });
    this.translate();
  }

  // In.

  hear(event) {
    const treat = {
      session: () => this.opened(event),
      mode: () => this.modeIs(event.mode),
      visitor: () => this.log.visitor(event),
      anchor: () => this.log.anchor(event, this.mode === "person" ? "person" : "anchor"),
      word: () => { this.loudspeaker.word(); this.later(() => this.log.word(event)); },
      state: () => this.state(event),
      hush: () => { this.hushed = true; this.loudspeaker.hush(); this.first.forget(); },
      resume: () => { this.hushed = false; this.loudspeaker.resume(); },
      cancel: () => this.cancelled(event),
      sources: () => this.log.sources(event),
      form: () => this.form.show(event.form, this.language),
      notice: () => this.notice(event.text, true),
      log: () => this.log.restore(event.entries),
      language: () => { this.spoken(event.language); this.hears(event.hearing); },
      absence: () => this.absence(event),
      ended: () => this.over(event.why),
    }[event.type];
    treat?.();
  }

  opened({ language, resumed, hearing }) {
    if (!resumed) {
      this.log.clear();
      this.begin();
    } else {
      this.spoken(language);
    }
    this.tellMicrophone();
    this.hears(hearing);
  }

  hears(hearing) {
    const heard = this.hearing.available;
    this.hearing = hearing;
    if (!hearing.available) this.help("deafTitle", hearing.why);
    else if (!heard && this.helped === "deafTitle") at("help").hidden = true;
    this.showMode();
  }

  begin() {
    this.begun = this.player.send({ type: "begin", language: this.language });
  }

  modeIs(mode) {
    this.mode = mode;
    // A conversation that was found again before it had begun.
    if (mode === "waiting" && !this.begun) this.begin();
    this.showMode();
  }

  spoken(tag) {
    const language = nearest(this.kiosk.languages, tag);
    if (!language || language === this.language) return;
    this.language = language;
    this.visit.keep({ language });
    this.translate();
  }

  state(event) {
    this.loudspeaker.state(event);
    if (event.speaking && event.utterance && event.at >= 0 && event.utterance !== this.uttered) {
      this.first.expect(event.utterance);
    }
    // Between two sentences it is silent for a moment: the second one is not waited for.
    if (event.speaking) this.uttered = event.utterance;
    // Who is hushed has not come to an end: what is cut off then was not heard.
    if (!this.hushed || event.utterance) this.later(() => this.log.state(event));
  }

  // Words leave with their picture, which then waits a moment in the jitter buffer; a word of what is cancelled
  // meanwhile is not shown.
  later(show) {
    const made = (this.cuts ??= 0);
    setTimeout(() => made === this.cuts && show(), Math.min(this.shown ?? 0, 1) * 1000);
  }

  cancelled({ utterance }) {
    this.hushed = false;
    this.cuts = (this.cuts ?? 0) + 1;
    this.loudspeaker.cancel();
    this.first.forget();
    this.log.cut(utterance);
    // The states of what is cancelled are dropped too, so the log hears from the next one.
    this.log.speaking = null;
  }

  delayed({ seconds, sound }) {
    this.shown = seconds;
    this.loudspeaker.delay = Math.min(Math.max(sound, 0.05), 1);
  }

  connected({ state, message }) {
    const words = wordsFor(this.language);
    if (state === "live") {
      clearTimeout(this.losing);
      this.losing = undefined;
    } else if (this.player.wasLive) {
      this.losing ??= setTimeout(() => this.over("lost"), LOST_SECONDS * 1000);
    }
    at("scene").dataset.state = state;
    const text = state === "live" ? "" : words[message || state] ?? words.connecting;
    at("connection").textContent = text;
    at("connection").hidden = !text;
    if (state === "live" && at("video").muted && !this.loudspeaker.forced) at("sound-on").hidden = false;
    this.showMode();
  }

  unmute() {
    at("video").muted = false;
    at("video").play().catch(() => {});
    this.context.resume().catch(() => {});
    at("sound-on").hidden = true;
  }

  // The microphone.

  openMicrophone() {
    at("help").hidden = true;
    this.context.resume().catch(() => {});
    this.microphone.open(this.context);
  }

  toggleMicrophone() {
    if (this.microphone.state === "on") this.microphone.close();
    else this.openMicrophone();
  }

  microphoneIs(state) {
    const words = wordsFor(this.language);
    const button = at("microphone");
    const on = state === "on";
    this.player.hear(this.microphone.track);
    button.dataset.state = state;
    button.setAttribute("aria-pressed", String(on));
    button.setAttribute("aria-label", on ? words.turnOff : words.turnOn);
    at("microphone-text").textContent = words[MICROPHONE[state] ?? "microphoneNone"];
    if (!on) button.style.setProperty("--level", 0);
    if (HELP[state]) this.help(`${state}Title`, words[HELP[state]]);
    else at("help").hidden = true;
    // Remembered as the visitor wishes it: also while a device is missing.
    if (on || state === "off") this.visit.keep({ microphone: on });
    this.tellMicrophone();
    this.showMode();
  }

  tellMicrophone() {
    const state = TOLD[this.microphone.state];
    if (state) this.player.send({ type: "microphone", state });
  }

  help(title, text) {
    const words = wordsFor(this.language);
    this.helped = title;
    at("help-title").textContent = words[title];
    at("help-text").textContent = text;
    at("help-retry").hidden = title === "deafTitle" || title === "insecureTitle";
    at("help").hidden = false;
  }

  // What is seen.

  showMode() {
    const words = wordsFor(this.language);
    const deaf = this.mode === "listening" && (this.microphone.state !== "on" || !this.hearing.available);
    const mode = this.player.state === "live" ? this.mode : "waiting";
    at("mode").dataset.mode = deaf && mode === "listening" ? "quiet" : mode;
    at("mode-text").textContent = deaf && mode === "listening" ? words.quiet : words[mode === "person" ? "person_mode" : mode];
  }

  // Something that must be known: before everything else for a while, then kept among what was said.
  notice(text, kept = false) {
    clearTimeout(this.noticed);
    this.settle?.();
    at("notice").textContent = text;
    at("notice").hidden = false;
    this.settle = () => {
      at("notice").hidden = true;
      if (kept) this.log.note(text, this.language);
      this.settle = undefined;
    };
    this.noticed = setTimeout(this.settle, NOTICE_SECONDS * 1000);
  }

  absence({ seconds }) {
    clearInterval(this.counting);
    const card = at("absence");
    const wasHidden = card.hidden;
    card.hidden = seconds === null;
    if (seconds === null) return;
    const until = performance.now() + seconds * 1000;
    const count = () => {
      at("absence-count").textContent = String(Math.max(0, Math.ceil((until - performance.now()) / 1000)));
    };
    count();
    this.counting = setInterval(count, 250);
    if (wasHidden) at("here").focus();
  }

  translate() {
    const { buttons } = this.kiosk;
    const chips = buttons.map(({ label, says }) => {
      const chip = Object.assign(document.createElement("button"), { className: "button", type: "button" });
      chip.textContent = textIn(label, this.language);
      chip.lang = this.language;
      chip.addEventListener("click", () => this.say(textIn(says, this.language)));
      return chip;
    });
    at("questions").replaceChildren(...chips);
    at("questions").hidden = !chips.length;
    at("text").lang = this.language;
    this.form.translate();
    this.dispatchEvent(new CustomEvent("language", { detail: { language: this.language } }));
    this.microphoneLabels();
    this.showMode();
  }

  microphoneLabels() {
    const words = wordsFor(this.language);
    const { state } = this.microphone;
    at("microphone").setAttribute("aria-label", state === "on" ? words.turnOff : words.turnOn);
    at("microphone-text").textContent = words[MICROPHONE[state] ?? "microphoneNone"];
    if (!at("help").hidden && HELP[state]) this.help(`${state}Title`, words[HELP[state]]);
  }
}
