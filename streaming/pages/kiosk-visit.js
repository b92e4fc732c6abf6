// A conversation by HTTP: opened by one request, found again after a lost network or a reload by its key.

import { Refused } from "/assets/player.js";

const KEPT_AS = "visit";

// Private windows may forbid storage; a reload then begins anew.
function stored() {
  try { return JSON.parse(sessionStorage.getItem(KEPT_AS)); } catch { return null; }
}

export class Visit {
  constructor(channel) {
    this.channel = channel;
    const kept = stored();
    this.kept = kept?.channel === channel ? kept : null;
  }

  // What there was before this page was loaded: {session, key, language, microphone}.
  get before() {
    return this.kept;
  }

  keep(values) {
    this.kept = { channel: this.channel, ...this.kept, ...values };
    try { sessionStorage.setItem(KEPT_AS, JSON.stringify(this.kept)); } catch { /* forgets */ }
  }

  forget() {
    this.kept = null;
    try { sessionStorage.removeItem(KEPT_AS); } catch { /* nothing was kept */ }
  }

  // End a conversation that cannot be told over its own connection.
  close() {
    const { session, key } = this.kept ?? {};
    if (!session) return;
    const headers = { Authorization: `Session ${key}` };
    fetch(`/api/v1/sessions/${encodeURIComponent(session)}`, { method: "DELETE", headers, keepalive: true }).catch(() => {});
  }

  async ask(sdp, signal) {
    const { session, key, language } = this.kept ?? {};
    const body = { channel: this.channel, sdp, language, session, key };
    const response = await fetch("/api/v1/sessions", {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/json" },
      body: JSON.stringify(body),
      signal,
    });
    if (response.status === 404 || response.status === 503) throw Refused.of(response);
    if (response.status !== 201) throw new Error(`status ${response.status}`);
    const visit = await response.json();
    // A page that goes away does not end the conversation: it may be a reload.
    this.keep({ session: visit.session, key: visit.key });
    return { answer: visit.sdp };
  }
}
