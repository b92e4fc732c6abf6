// Sound in and out of a conversation: the microphone and its level, silence at once, and when a first sound is played.

const RAMP_MILLISECONDS = 40;
const STEP_MILLISECONDS = 8;
const DRAIN_SECONDS = 0.12; // over what the jitter buffer holds: the trip of what was sent before the hush
const SURELY_SECONDS = 0.06; // over how long sound was last measured to take
const DEFAULT_DELAY_SECONDS = 0.2;
const LATE_WORD_SECONDS = 0.4;
const AUDIBLE = 0.003;
const FIRST_SOUND_SECONDS = 8;

const WANTED = { audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true }, video: false };
const FAILURES = { NotAllowedError: "denied", SecurityError: "denied", NotFoundError: "missing", OverconstrainedError: "missing" };

const now = () => performance.now() / 1000;

function loudness(analyser, samples) {
  analyser.getFloatTimeDomainData(samples);
  let sum = 0;
  for (const one of samples) sum += one * one;
  return Math.sqrt(sum / samples.length);
}

// "state" {state}: off, asking, on, denied, missing, busy, insecure. "level" {level}: 0 to 1 while it is on.
export class Microphone extends EventTarget {
  constructor() {
    super();
    this.state = "off";
    this.track = null;
  }

  say(state) {
    this.state = state;
    this.dispatchEvent(new CustomEvent("state", { detail: { state } }));
  }

  async open(context) {
    if (this.state === "on" || this.state === "asking") return;
    if (!navigator.mediaDevices?.getUserMedia) return this.say("insecure");
    this.say("asking");
    const asked = (this.asked = {});
    try {
      const stream = await navigator.mediaDevices.getUserMedia(WANTED);
      if (asked !== this.asked) return stream.getTracks().forEach((track) => track.stop());
      [this.track] = stream.getAudioTracks();
      this.track.onended = () => this.close("missing");
      this.measure(stream, context);
      this.say("on");
    } catch (error) {
      if (asked === this.asked) this.say(FAILURES[error.name] ?? "busy");
    }
  }

  measure(stream, context) {
    this.source = context.createMediaStreamSource(stream);
    const analyser = context.createAnalyser();
    analyser.fftSize = 1024;
    this.source.connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    let level = 0;
    const look = () => {
      // 0 to 1 over the 45 dB in which people speak; falls slower than it rises.
      const loud = Math.min(1, Math.max(0, 1 + Math.log10(loudness(analyser, samples) + 1e-6) / 2.25 + 0.25));
      level = Math.max(loud, level * 0.88);
      this.dispatchEvent(new CustomEvent("level", { detail: { level } }));
      this.frame = requestAnimationFrame(look);
    };
    look();
  }

  close(state = "off") {
    this.asked = undefined;
    cancelAnimationFrame(this.frame);
    this.source?.disconnect();
    if (this.track) {
      this.track.onended = null;
      this.track.stop();
    }
    this.track = null;
    this.say(state);
  }
}

// The loudspeaker: at a hush it is silent within 40 ms, though the browser still holds sound; it comes back when that
// has run out and something new is said.
export class Loudspeaker {
  constructor(video) {
    this.video = video;
    this.delay = DEFAULT_DELAY_SECONDS;
    this.sounded = 0;
    this.utterance = null;
    this.reset();
  }

  reset() {
    clearTimeout(this.timer);
    clearTimeout(this.opening);
    this.hushedAt = null;
    this.cancelled = false;
    this.set(1);
  }

  get silent() {
    return this.hushedAt !== null;
  }

  set(volume) {
    this.video.volume = volume;
    // Some telephones leave the volume to their keys: mute instead.
    if (volume === 0 && this.video.volume !== 0) this.video.muted = this.forced = true;
    else if (volume > 0 && this.forced) this.video.muted = this.forced = false;
  }

  hush() {
    clearTimeout(this.opening);
    if (this.silent) return;
    this.hushedAt = now();
    this.cancelled = false;
    this.heldUtterance = this.utterance;
    const begun = performance.now();
    const from = this.video.volume;
    const step = () => {
      const share = (performance.now() - begun) / RAMP_MILLISECONDS;
      this.set(share >= 1 ? 0 : from * (1 - share));
      if (share < 1) this.timer = setTimeout(step, STEP_MILLISECONDS);
    };
    this.timer = setTimeout(step, STEP_MILLISECONDS);
  }

  cancel() {
    this.hush();
    this.cancelled = true;
  }

  resume() {
    if (!this.silent) return;
    clearTimeout(this.opening);
    const drained = this.hushedAt + Math.max(this.delay + DRAIN_SECONDS, this.sounded + SURELY_SECONDS);
    const wait = Math.max(0, drained - now());
    this.opening = setTimeout(() => this.reset(), wait * 1000);
  }

  state({ speaking, utterance }) {
    this.utterance = speaking ? utterance : null;
    if (this.silent && speaking && (this.cancelled || utterance !== this.heldUtterance)) this.resume();
  }

  // A word that leaves well after the hush: whoever said "resume" was not heard, but speech goes on.
  word() {
    if (this.silent && now() - this.hushedAt > LATE_WORD_SECONDS) this.resume();
  }
}

// How long after an utterance's own event its first sound is played.
export class FirstSound {
  constructor(context, told) {
    this.context = context;
    this.told = told;
  }

  attach(stream) {
    if (!stream.getAudioTracks().length) return;
    this.source?.disconnect();
    this.source = this.context.createMediaStreamSource(stream);
    this.analyser = this.context.createAnalyser();
    this.analyser.fftSize = 256;
    this.source.connect(this.analyser);
  }

  expect(utterance) {
    this.forget();
    if (!this.analyser) return;
    const begun = now();
    const samples = new Float32Array(this.analyser.fftSize);
    let quiet = false;
    this.timer = setInterval(() => {
      const loud = loudness(this.analyser, samples) > AUDIBLE;
      quiet ||= !loud; // the end of what was said before is not it
      if (now() - begun > FIRST_SOUND_SECONDS) this.forget();
      if (!quiet || !loud) return;
      this.forget();
      this.told(utterance, now() - begun + (this.context.outputLatency || 0));
    }, 5);
  }

  forget() {
    clearInterval(this.timer);
  }

  close() {
    this.forget();
    this.source?.disconnect();
  }
}
