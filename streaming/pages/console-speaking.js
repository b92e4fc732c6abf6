// The operator's own voice in place of the show: their microphone out to the channel, and a meter of it.

import { authorization } from "/assets/console-api.js";
import { put } from "/assets/console-dom.js";
import { Sending } from "/assets/sending.js";

const WORDS = { connecting: "Connecting…", waiting: "Wait: the sentence on air ends first", "on air": "You are on air" };
const FLOOR = 54; // decibels under full scale that the meter shows nothing of

export class Speaking {
  constructor(element, path, refresh) {
    Object.assign(this, { element, path, refresh });
    this.find = (selector) => element.querySelector(selector);
    this.button = this.find("[data-act=speak]");
    this.button.addEventListener("click", () => (this.sending ? this.stop() : this.start()));
  }

  // `state` is the channel's: "" with nobody there.
  show(state) {
    const own = Boolean(this.sending);
    // The server shows out whoever is cut off; the browser would notice half a minute later.
    if (own && this.state && !state) return this.sending.stop("You were taken off air.");
    this.state = own ? state : "";
    this.element.dataset.state = own ? state || "connecting" : state ? "other" : "";
    put(this.find(".badge"), own ? WORDS[state] ?? WORDS.connecting : state ? "Somebody else speaks" : "");
    this.find(".badge").dataset.state = state === "on air" ? "live" : "waiting";
    this.find(".badge").hidden = !own && !state;
    this.button.disabled = Boolean(state) && !own;
    put(this.button, own ? "Give the show back" : "Take the microphone");
  }

  start() {
    put(this.find(".result"), "");
    this.state = "";
    const audio = { echoCancellation: true, noiseSuppression: true, autoGainControl: true, channelCount: 1 };
    const sending = (this.sending = new Sending(`/api/v1${this.path}/microphone`, { audio, video: false }, authorization));
    sending.addEventListener("stream", ({ detail }) => this.measure(detail.stream));
    sending.addEventListener("end", ({ detail }) => this.ended(detail.message));
    this.show("");
    return sending.start().then(() => this.refresh());
  }

  stop() {
    this.sending?.stop();
  }

  ended(message) {
    this.sending = undefined;
    this.state = "";
    cancelAnimationFrame(this.drawing);
    this.context?.close();
    this.context = undefined;
    this.find("meter").value = 0;
    put(this.find(".result"), message);
    this.find(".result").dataset.ok = !message;
    this.show("");
    this.refresh();
  }

  measure(stream) {
    this.context = new AudioContext();
    const analyser = this.context.createAnalyser();
    analyser.fftSize = 1024;
    this.context.createMediaStreamSource(stream).connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    let held = 0;
    const draw = () => {
      analyser.getFloatTimeDomainData(samples);
      const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
      const level = Math.max(0, 1 + (10 * Math.log10(power + 1e-12)) / FLOOR);
      held = Math.max(level, held * 0.94);
      this.find("meter").value = held;
      this.drawing = requestAnimationFrame(draw);
    };
    draw();
  }
}
