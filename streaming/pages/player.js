// One WHEP viewer that stays connected: server restarts, lost networks and stalled pictures are mended by a new offer.

const STALL_SECONDS = 3;
const FIRST_PICTURE_SECONDS = 8;
const STEADY_SECONDS = 5;
const PICTURE_DELAY_MILLISECONDS = 60; // what sound waits in its buffer anyway; unasked, pictures run ahead of it
const RETRY_SECONDS = [0.4, 1, 2, 4, 8];
const REFUSED_SECONDS = 10;

const now = () => performance.now() / 1000;

// Events: "state" {state, message}, "event" (what the data channel says), "latency" {seconds}.
// States: connecting (message "blocked" when the server answers and no picture ever comes), live, lost (was live, comes back), refused (the server says no, and why).
export class Player extends EventTarget {
  constructor(video, channel, iceServers = []) {
    super();
    this.video = video;
    this.url = `/whep/${encodeURIComponent(channel)}`;
    this.iceServers = iceServers;
    this.state = "connecting";
    this.attempts = 0;
    this.wasLive = false;
    addEventListener("online", () => this.reconnect("online"));
    addEventListener("pagehide", () => this.stop());
    addEventListener("pageshow", (event) => event.persisted && this.start());
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

  say(state, message = "") {
    this.state = state;
    this.dispatchEvent(new CustomEvent("state", { detail: { state, message } }));
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
    const step = RETRY_SECONDS[Math.min(this.attempts, RETRY_SECONDS.length - 1)];
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

class Refused extends Error {
  constructor(message, seconds) {
    super(message);
    this.seconds = seconds;
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
    for (const kind of ["video", "audio"]) connection.addTransceiver(kind, { direction: "recvonly" });
    const channel = (this.channel = connection.createDataChannel("events"));
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
    this.watch = setInterval(() => this.check(), 500);
  }

  async ask(offer) {
    this.abort = new AbortController();
    const giveUp = setTimeout(() => this.abort.abort(), 8000);
    try {
      const headers = { "Content-Type": "application/sdp", Accept: "application/sdp" };
      const response = await fetch(this.player.url, { method: "POST", headers, body: offer, signal: this.abort.signal });
      const text = await response.text();
      if (response.status === 404 || response.status === 503) {
        const seconds = Number(response.headers.get("Retry-After")) || REFUSED_SECONDS;
        throw new Refused(response.status === 404 ? "missing" : "full", seconds);
      }
      if (response.status !== 201) throw new Error(`status ${response.status}`);
      this.location = response.headers.get("Location");
      return text;
    } finally {
      clearTimeout(giveUp);
    }
  }

  show(stream) {
    const { video } = this.player;
    if (this.ended) return;
    if (video.srcObject !== stream) video.srcObject = stream;
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
    for (const entry of report.values()) {
      if (entry.type === "inbound-rtp" && entry.kind === "video") {
        packets = entry.packetsReceived;
        this.measure(entry);
      } else if (entry.type === "candidate-pair" && entry.nominated) {
        this.trip = entry.currentRoundTripTime ?? 0;
      }
    }
    if (packets !== this.packets) {
      this.packets = packets;
      this.heard = now();
    }
    if (this.first && now() - this.first > STEADY_SECONDS) this.player.steady();
    const late = this.first ? now() - this.heard > STALL_SECONDS : now() - this.begun > FIRST_PICTURE_SECONDS;
    if (late) this.player.lost(this);
  }

  measure(entry) {
    const delay = entry.jitterBufferDelay - (this.delay ?? 0);
    const count = entry.jitterBufferEmittedCount - (this.count ?? 0);
    this.delay = entry.jitterBufferDelay;
    this.count = entry.jitterBufferEmittedCount;
    if (count > 0) {
      const seconds = delay / count + (this.trip ?? 0) / 2;
      this.player.dispatchEvent(new CustomEvent("latency", { detail: { seconds } }));
    }
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
    // keepalive lets it leave while the page goes away.
    if (this.location) fetch(this.location, { method: "DELETE", keepalive: true }).catch(() => {});
    this.location = undefined;
  }
}
