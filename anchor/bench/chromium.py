"""Chromium as the benches drive it."""

from __future__ import annotations

# Flags without which a strictly local Chromium neither connects to this machine nor stays quiet.
CHROMIUM_FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--allow-loopback-in-peer-connection",
    "--autoplay-policy=no-user-gesture-required",
)  # fmt: skip

KEEP_CONNECTIONS = """
window.__connections = [];
window.RTCPeerConnection = class extends RTCPeerConnection {
  constructor(...values) { super(...values); window.__connections.push(this); }
};
"""
