// A performer's camera: one video track out to the channel it drives. The server looks at its pictures and keeps none.

const SIZE = { width: { ideal: 640 }, height: { ideal: 480 }, frameRate: { ideal: 30, max: 30 } };
const GATHER_SECONDS = 2;

// "end" {message}: the performance is over; with a message when nobody asked for that.
export class Performance extends EventTarget {
  constructor(url, preview, headers) {
    super();
    this.url = url;
    this.preview = preview;
    this.headers = headers;
    this.leave = () => this.stop();
  }

  async start() {
    addEventListener("pagehide", this.leave);
    try {
      if (!navigator.mediaDevices) throw new Error("This page may not use a camera: open it over HTTPS or as localhost.");
      this.stream = await navigator.mediaDevices.getUserMedia({ video: SIZE, audio: false }).catch((error) => {
        throw new Error(refusals[error.name] || `The camera cannot be used: ${error.message}`);
      });
      if (this.ended) return this.stop();
      this.preview.srcObject = this.stream;
      this.preview.play().catch(() => {});
      await this.connect();
    } catch (error) {
      this.stop(error.message);
    }
  }

  async connect() {
    const connection = (this.connection = new RTCPeerConnection({ iceServers: [] }));
    const [track] = this.stream.getVideoTracks();
    connection.addTransceiver(track, { direction: "sendonly", streams: [this.stream] });
    track.onended = () => this.stop("The camera has gone.");
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
    this.preview.srcObject = null;
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

const refusals = {
  NotAllowedError: "The browser was not allowed to use the camera.",
  NotFoundError: "There is no camera here.",
  NotReadableError: "The camera is in use elsewhere.",
};

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
