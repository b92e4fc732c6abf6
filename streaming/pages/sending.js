// One camera or microphone out to the server, over WebRTC with one request; nothing comes back.

const GATHER_SECONDS = 2;

// "stream" {stream}: the device is open. "end" {message}: it is over; with a message when nobody asked for that.
export class Sending extends EventTarget {
  // `wanted` is what getUserMedia is asked for: either video or audio.
  constructor(url, wanted, headers) {
    super();
    Object.assign(this, { url, wanted, headers });
    this.device = wanted.video ? "camera" : "microphone";
    this.leave = () => this.stop();
  }

  async start() {
    addEventListener("pagehide", this.leave);
    try {
      if (!navigator.mediaDevices) throw new Error(`This page may not use a ${this.device}: open it over HTTPS or as localhost.`);
      this.stream = await navigator.mediaDevices.getUserMedia(this.wanted).catch((error) => {
        throw new Error(refusals(this.device)[error.name] || `The ${this.device} cannot be used: ${error.message}`);
      });
      if (this.ended) return this.stop();
      this.dispatchEvent(new CustomEvent("stream", { detail: { stream: this.stream } }));
      await this.connect();
    } catch (error) {
      this.stop(error.message);
    }
  }

  async connect() {
    const connection = (this.connection = new RTCPeerConnection({ iceServers: [] }));
    const [track] = this.stream.getTracks();
    connection.addTransceiver(track, { direction: "sendonly", streams: [this.stream] });
    track.onended = () => this.stop(`The ${this.device} has gone.`);
    connection.onconnectionstatechange = () => {
      if (["failed", "closed"].includes(connection.connectionState)) this.stop("The connection is lost.");
    };
    await connection.setLocalDescription();
    await gathered(connection);
    const headers = { ...this.headers(), "Content-Type": "application/sdp", Accept: "application/sdp" };
    const response = await fetch(this.url, { method: "POST", headers, body: connection.localDescription.sdp });
    const text = await response.text();
    if (response.status !== 201) throw new Error(reason(text, response.status));
    this.location = response.headers.get("Location");
    if (this.ended) return this.goodbye();
    await connection.setRemoteDescription({ type: "answer", sdp: text });
  }

  stop(message = "") {
    const first = !this.ended;
    this.ended = true;
    removeEventListener("pagehide", this.leave);
    this.stream?.getTracks().forEach((track) => { track.onended = null; track.stop(); });
    if (this.connection) this.connection.onconnectionstatechange = null;
    this.connection?.close();
    this.goodbye();
    if (first) this.dispatchEvent(new CustomEvent("end", { detail: { message } }));
  }

  goodbye() {
    // keepalive lets it leave while the page goes away.
    if (this.location) fetch(this.location, { method: "DELETE", headers: this.headers(), keepalive: true }).catch(() => {});
    this.location = undefined;
  }
}

const refusals = (device) => ({
  NotAllowedError: `The browser was not allowed to use the ${device}.`,
  NotFoundError: `There is no ${device} here.`,
  NotReadableError: `The ${device} is in use elsewhere.`,
});

function gathered(connection) {
  return new Promise((resolve) => {
    const check = () => connection.iceGatheringState === "complete" && resolve();
    connection.addEventListener("icegatheringstatechange", check);
    setTimeout(resolve, GATHER_SECONDS * 1000);
    check();
  });
}

function reason(text, status) {
  try { return JSON.parse(text).error; } catch { return `status ${status}`; }
}
