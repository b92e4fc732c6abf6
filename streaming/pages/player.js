// One WebRTC viewer that stays connected: server restarts, lost networks and stalled pictures are mended by a new offer.

const STALL_SECONDS = 3;
const FIRST_PICTURE_SECONDS = 8;
const STEADY_SECONDS = 5;
const PICTURE_DELAY_MILLISECONDS = 60; // what sound waits in its buffer anyway; unasked, pictures run ahead of it
const RETRY_SECONDS = [0.4, 1, 2, 4, 8];
const REFUSED_SECONDS = 10;

const now = () => performance.now() / 1000;

// Events: "state" {state, message}, "event" (what the data channel says), "latency" {seconds, sound}, "open" (the data
// channel is), "stream" {stream} (is shown, and has one track more).
// States: connecting (message "blocked" when the server answers and no picture ever comes), live, lost (was live, comes back), refused (the server says no, and why).
export class Player extends EventTarget {
  // `signalling.ask(offer, signal)` gives {answer, leave}, as Whep does. With `talks` the page can be heard as well: by
  // whatever track `hear` was given last.
  constructor(video, signalling, options = {}) {
    super();
    this.video = video;
    this.signalling = signalling;
    this.iceServers = options.iceServers ?? [];
    this.talks = options.talks ?? false;
    this.stallSeconds = options.stallSeconds ?? STALL_SECONDS;
    this.steadySeconds = options.steadySeconds ?? STEADY_SECONDS;
    this.retrySeconds = options.retrySeconds ?? RETRY_SECONDS;
    this.track = null;
    this.state = "connecting";
    this.attempts = 0;
    this.wasLive = false;
    this.events = new AbortController();
    const { signal } = this.events;
    addEventListener("online", () => this.reconnect(), { signal });
    addEventListener("pagehide", () => this.stop(), { signal });
    addEventListener("pageshow", (event) => event.persisted && this.start(), { signal });
  }

  start() {
    this.stopped = false;
    this.connect();
  }

  stop() {
    this.stopped = true;
    clearTimeout(this.retry);
    this.hangUp();
  }

  // Stop, and never start again.
  end() {
    this.stop();
    this.events.abort();
  }

  say(state, message = "") {
    this.state = state;
    this.dispatchEvent(new CustomEvent("state", { detail: { state, message } }));
  }

  // Send a JSON object over the data channel; whether it could be.
  send(message) {
    const channel = this.session?.channel;
    if (channel?.readyState !== "open") return false;
    channel.send(JSON.stringify(message));
    return true;
  }

  // Send this microphone's sound from now on, or none.
  hear(track) {
    this.track = track;
    this.session?.hear(track);
  }

  async connect() {
    clearTimeout(this.retry);
    this.hangUp();
    const session = new Session(this);
    this.session = session;
    try {
      await session.open();
    } catch (error) {
      if (session === this.session) this.failed(error);
    }
  }

  hangUp() {
    this.session?.close();
    this.session = undefined;
  }

  reconnect() {
    if (!this.stopped && this.state !== "live") {
      this.attempts = 0;
      this.connect();
    }
  }

  lost(session) {
    if (session === this.session) this.failed(new Error(session.answered && !session.first ? "no picture" : "lost"));
  }

  failed(error) {
    this.hangUp();
    if (this.stopped) return;
    const refused = error instanceof Refused;
    const blocked = error.message === "no picture" ? "blocked" : "";
    this.say(refused ? "refused" : this.wasLive ? "lost" : "connecting", refused ? error.message : blocked);
    const step = this.retrySeconds[Math.min(this.attempts, this.retrySeconds.length - 1)];
    const wait = refused ? error.seconds : step * (0.75 + Math.random() / 2);
    this.attempts += 1;
    this.retry = setTimeout(() => this.connect(), wait * 1000);
  }

  playing() {
    this.wasLive = true;
    this.say("live");
  }

  steady() {
    this.attempts = 0;
  }
}

export class Refused extends Error {
  // What a server means that answers 404 or 503.
  static of(response) {
    const seconds = Number(response.headers.get("Retry-After")) || REFUSED_SECONDS;
    return new Refused(response.status === 404 ? "missing" : "full", seconds);
  }

  constructor(message, seconds) {
    super(message);
    this.seconds = seconds;
  }
}

// Watching by one request, and leaving by another.
export class Whep {
  constructor(channel) {
    this.url = `/whep/${encodeURIComponent(channel)}`;
  }

  async ask(offer, signal) {
    const headers = { "Content-Type": "application/sdp", Accept: "application/sdp" };
    const response = await fetch(this.url, { method: "POST", headers, body: offer, signal });
    const answer = await response.text();
    if (response.status === 404 || response.status === 503) throw Refused.of(response);
    if (response.status !== 201) throw new Error(`status ${response.status}`);
    const location = response.headers.get("Location");
    // keepalive lets it leave while the page goes away.
    return { answer, leave: () => fetch(location, { method: "DELETE", keepalive: true }).catch(() => {}) };
  }
}

// One connection, from its offer until it is closed; never used again.
class Session {
  constructor(player) {
    this.player = player;
    this.connection = new RTCPeerConnection({ iceServers: player.iceServers });
    this.begun = now();
    this.packets = 0;
    this.heard = now();
  }

  async open() {
    const { connection, player } = this;
    const stream = new MediaStream();
    connection.addTransceiver("video", { direction: "recvonly" });
    const sound = connection.addTransceiver("audio", { direction: player.talks ? "sendrecv" : "recvonly" });
    if (player.talks) this.sender = sound.sender;
    this.hear(player.track);
    const channel = (this.channel = connection.createDataChannel("events"));
    channel.onopen = () => player.dispatchEvent(new Event("open"));
    channel.onmessage = ({ data }) => player.dispatchEvent(new CustomEvent("event", { detail: JSON.parse(data) }));
    channel.onclose = () => player.lost(this); // the server hung up
    connection.ontrack = ({ track, receiver }) => {
      stream.addTrack(track);
      if (track.kind === "video") receiver.jitterBufferTarget = PICTURE_DELAY_MILLISECONDS;
      // The old picture stays until the new one is there. Without one, sound must not pile up before it is played.
      if (!player.wasLive) this.show(stream);
      else if (track.kind === "video") track.onunmute = () => this.show(stream);
    };
    connection.onconnectionstatechange = () => {
      if (["failed", "closed"].includes(connection.connectionState)) player.lost(this);
    };
    // Without waiting for candidates: the server learns the viewer's address from its first connectivity check.
    await connection.setLocalDescription();
    const answer = await this.ask(connection.localDescription.sdp);
    if (this.ended) return this.goodbye();
    await connection.setRemoteDescription({ type: "answer", sdp: answer });
    this.answered = true;
    this.watch = setInterval(() => this.check(), 1000 * Math.min(0.5, player.stallSeconds / 4));
  }

  async ask(offer) {
    this.abort = new AbortController();
    const giveUp = setTimeout(() => this.abort.abort(), 8000);
    try {
      const { answer, leave } = await this.player.signalling.ask(offer, this.abort.signal);
      this.leave = leave;
      return answer;
    } finally {
      clearTimeout(giveUp);
    }
  }

  hear(track) {
    this.sender?.replaceTrack(track).catch(() => {});
  }

  show(stream) {
    const { video } = this.player;
    if (this.ended) return;
    if (video.srcObject !== stream) video.srcObject = stream;
    this.player.dispatchEvent(new CustomEvent("stream", { detail: { stream } }));
    video.play().catch(() => {
      video.muted = true;
      video.play().catch(() => {});
    });
    const shown = () => {
      if (this.ended || this.first) return;
      this.first = now();
      this.player.playing();
    };
    if (video.requestVideoFrameCallback) video.requestVideoFrameCallback(shown);
    else video.addEventListener("timeupdate", shown, { once: true });
  }

  async check() {
    const report = await this.connection.getStats();
    if (this.ended) return;
    let packets = 0;
    const delays = {};
    for (const entry of report.values()) {
      if (entry.type === "inbound-rtp") {
        if (entry.kind === "video") packets = entry.packetsReceived;
        delays[entry.kind] = this.delayOf(entry);
      } else if (entry.type === "candidate-pair" && entry.nominated) {
        this.trip = entry.currentRoundTripTime ?? 0;
      }
    }
    if (delays.video !== undefined) {
      const trip = (this.trip ?? 0) / 2;
      const detail = { seconds: delays.video + trip, sound: (delays.audio ?? delays.video) + trip };
      this.player.dispatchEvent(new CustomEvent("latency", { detail }));
    }
    if (packets !== this.packets) {
      this.packets = packets;
      this.heard = now();
    }
    if (this.first && now() - this.first > this.player.steadySeconds) this.player.steady();
    const late = this.first ? now() - this.heard > this.player.stallSeconds : now() - this.begun > FIRST_PICTURE_SECONDS;
    if (late) this.player.lost(this);
  }

  // Seconds that what came out since the last time had waited in its jitter buffer.
  delayOf({ kind, jitterBufferDelay, jitterBufferEmittedCount }) {
    const before = (this.emitted ??= {})[kind] ?? { delay: 0, count: 0 };
    this.emitted[kind] = { delay: jitterBufferDelay, count: jitterBufferEmittedCount };
    const count = jitterBufferEmittedCount - before.count;
    return count > 0 ? (jitterBufferDelay - before.delay) / count : undefined;
  }

  close() {
    if (this.ended) return;
    this.ended = true;
    clearInterval(this.watch);
    this.abort?.abort();
    this.connection.onconnectionstatechange = null;
    if (this.channel) this.channel.onclose = null;
    this.connection.close();
    this.goodbye();
  }

  goodbye() {
    this.leave?.();
    this.leave = undefined;
  }
}
