// One channel: what it shows, who is shown, what is to be said.

import { authorization, call } from "/assets/console-api.js";
import { at } from "/assets/console-dom.js";
import { Performance } from "/assets/perform.js";
import { Player, Whep } from "/assets/player.js";

// Posters want the token, which an <img> cannot send: they are fetched, once for every version of an avatar.
const posters = new Map();
function poster(url) {
  if (!posters.has(url)) {
    const picture = fetch(url, { headers: authorization() }).then(async (response) => {
      if (!response.ok) throw new Error(`status ${response.status}`);
      return URL.createObjectURL(await response.blob());
    });
    posters.set(url, picture);
    picture.catch(() => posters.delete(url));
  }
  return posters.get(url);
}

// Who can be shown, asked for now and then.
export const avatars = {
  list: [],
  cards: new Set(),
  async refresh() {
    this.list = await call("/avatars").catch(() => this.list);
    for (const card of this.cards) card.showFaces();
  },
};

const PERFORMING = {
  waiting: "Waiting for the camera",
  "no face": "No face in the picture",
  calibrating: "Finding your rest",
  driving: "Driving the face",
};

export class Card {
  // `template` names what it is made of; `refresh` asks for everything anew.
  constructor(channel, template, refresh) {
    this.refresh = refresh;
    this.element = at(template).content.firstElementChild.cloneNode(true);
    this.find = (selector) => this.element.querySelector(selector);
    this.path = `/channels/${encodeURIComponent(channel.name)}`;
    this.stage = this.find(".stage");
    this.stage.style.setProperty("--width", channel.width);
    this.stage.style.setProperty("--height", channel.height);
    this.find("h2").textContent = channel.title || channel.name;
    this.find("[data-act=watch]").href = `/watch/${encodeURIComponent(channel.name)}`;
    this.find(".say").addEventListener("submit", (event) => this.say(event));
    this.find(".say textarea").addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) this.find(".say").requestSubmit();
    });
    this.find("[data-act=interrupt]").addEventListener("click", () => this.interrupt());
    this.find("[data-act=sound]").addEventListener("click", (event) => this.toggleSound(event));
    this.find("[data-act=perform]").addEventListener("click", () => this.perform());
    if (channel.talk) this.showTalking(channel);
    else this.watch(channel);
    at("channels").append(this.element);
    avatars.cards.add(this);
  }

  watch(channel) {
    this.player = new Player(this.find(".stage video"), new Whep(channel.name));
    this.player.addEventListener("state", ({ detail }) => { this.stage.dataset.state = detail.state; });
    this.player.start();
  }

  // Every visitor has a stream of their own: there is none to watch, and nothing to say to all of them.
  showTalking(channel) {
    for (const part of [".stage", ".say", ".perform", "[data-act=sound]"]) this.find(part).hidden = true;
    const href = `/kiosk/${encodeURIComponent(channel.name)}`;
    Object.assign(this.find("[data-act=watch]"), { href, textContent: "Kiosk page", className: "button" });
  }

  show(channel) {
    const set = (field, text) => { this.find(`[data-field=${field}]`).textContent = text; };
    set("viewers", channel.viewers);
    set("waiting", channel.waiting);
    set("avatar", `${channel.avatar || "nobody"} · ${channel.language}`);
    const notice = this.find(".notice");
    if (channel.notice && notice.hidden) this.report("", true, "cast");
    notice.textContent = channel.notice;
    notice.hidden = !channel.notice;
    this.onAir = channel.avatar;
    this.showFaces();
    set("picture", `${channel.width}×${channel.height} · ${channel.fps} fps`);
    set("state", channel.speaking ? "Speaking" : "Idle");
    this.find("[data-field=state]").dataset.state = channel.speaking ? "live" : "off";
    const performing = this.find("[data-field=performing]");
    performing.hidden = !channel.performing;
    performing.textContent = PERFORMING[channel.performing] || channel.performing;
    performing.dataset.state = channel.performing === "driving" ? "live" : "off";
    // Somebody else's performance cannot be joined, nor ended from here.
    this.find("[data-act=perform]").disabled = Boolean(channel.performing) && !this.performance;
  }

  showFaces() {
    const known = JSON.stringify(avatars.list);
    if (known !== this.known) {
      const focused = this.element.contains(document.activeElement) ? document.activeElement.dataset.name : null;
      this.find(".faces").replaceChildren(...avatars.list.map((avatar) => this.face(avatar)));
      this.known = known;
      if (focused) this.find(`.face[data-name="${CSS.escape(focused)}"]`)?.focus();
    }
    for (const face of this.element.querySelectorAll(".face")) {
      face.setAttribute("aria-pressed", face.dataset.name === this.onAir);
    }
  }

  face(avatar) {
    const face = at("face").content.firstElementChild.cloneNode(true);
    const image = face.querySelector("img");
    face.dataset.name = avatar.name;
    face.title = avatar.problem || `${avatar.kind}, ${avatar.licence}; consent: ${avatar.scope}`;
    face.querySelector(".name").textContent = avatar.title;
    image.alt = avatar.problem ? `No picture of ${avatar.title}` : `What ${avatar.title} looks like`;
    const until = avatar.until && avatar.until !== "unlimited" ? `until ${avatar.until}` : "";
    const told = avatar.problem ? "cannot be used" : until;
    face.querySelector("small").textContent = told;
    face.setAttribute("aria-label", told ? `${avatar.title}, ${told}` : avatar.title);
    if (avatar.problem) {
      face.setAttribute("aria-disabled", "true");
      image.src = "/assets/icon.svg";
    }
    if (avatar.poster) poster(avatar.poster).then((url) => { image.src = url; }, () => avatars.refresh());
    face.addEventListener("click", () => this.cast(avatar, face));
    return face;
  }

  async cast(avatar, face) {
    if (avatar.problem) return this.report(avatar.problem, false, "cast");
    face.setAttribute("aria-busy", "true");
    this.report(`Making ${avatar.title} ready…`, true, "cast");
    try {
      this.show(await call(`${this.path}/avatar`, { avatar: avatar.name }));
      this.report(`${avatar.title} is on air.`, true, "cast");
    } catch (error) {
      this.report(error.message, false, "cast");
      avatars.refresh();
    }
    face.removeAttribute("aria-busy");
  }

  report(text, ok = true, of = "say") {
    const result = this.find(`.result[data-of=${of}]`);
    result.textContent = text;
    result.dataset.ok = ok;
  }

  async say(event) {
    event.preventDefault();
    const text = this.find(".say textarea");
    const interrupt = this.find(".say input").checked;
    try {
      await call(`${this.path}/say`, { text: text.value, interrupt });
      text.value = "";
      this.report("On its way.");
    } catch (error) {
      this.report(error.message, false);
    }
    this.refresh();
  }

  async interrupt() {
    try {
      const { interrupted } = await call(`${this.path}/interrupt`, {});
      this.report(interrupted ? "Stopped." : "Nothing was being said.");
    } catch (error) {
      this.report(error.message, false);
    }
    this.refresh();
  }

  perform() {
    if (this.performance) return this.performance.stop();
    const mirror = this.find(".mirror");
    const button = this.find("[data-act=perform]");
    this.performance = new Performance(`/api/v1${this.path}/mocap`, mirror, authorization);
    this.performance.addEventListener("end", ({ detail }) => {
      this.performance = undefined;
      mirror.hidden = true;
      button.textContent = "Perform with my camera";
      this.report(detail.message, false, "perform");
      this.refresh();
    });
    mirror.hidden = false;
    button.textContent = "Stop performing";
    this.report("", true, "perform");
    this.performance.start().then(() => this.refresh());
  }

  toggleSound(event) {
    event.preventDefault();
    const video = this.find(".stage video");
    video.muted = !video.muted;
    event.target.textContent = video.muted ? "Sound on" : "Sound off";
  }

  remove() {
    avatars.cards.delete(this);
    this.performance?.stop();
    this.player?.end();
    this.element.remove();
  }
}
