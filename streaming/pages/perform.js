// A performer's camera: one video track out to the channel it drives. The server looks at its pictures and keeps none.

import { Sending } from "/assets/sending.js";

const SIZE = { width: { ideal: 640 }, height: { ideal: 480 }, frameRate: { ideal: 30, max: 30 } };

// "end" {message}: the performance is over; with a message when nobody asked for that.
export class Performance extends Sending {
  constructor(url, preview, headers) {
    super(url, { video: SIZE, audio: false }, headers);
    this.addEventListener("stream", ({ detail }) => {
      preview.srcObject = detail.stream;
      preview.play().catch(() => {});
    });
    this.addEventListener("end", () => { preview.srcObject = null; });
  }
}
