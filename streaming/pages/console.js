// The operator's page: its channels, the token, and one look at everything each second.

import { call, hasToken, setToken } from "/assets/console-api.js";
import { avatars, Card } from "/assets/console-card.js";
import { at, h, put, timeOfDay } from "/assets/console-dom.js";
import { Newsroom } from "/assets/console-newsroom.js";
import { Conversations } from "/assets/console-sessions.js";

const AVATARS_EVERY = 5;
const cards = new Map();
let chosen = decodeURIComponent(location.hash.slice(1));

const open = (channel) => (channel.show ? new Newsroom(channel, refresh) : new Card(channel, "channel", refresh));

// Where there is a newsroom, one channel is in view at a time: its player is the only one that runs.
function showChannels(channels) {
  const single = channels.some((channel) => channel.show);
  if (!channels.some((channel) => channel.name === chosen)) chosen = (channels.find((channel) => channel.show) ?? channels[0])?.name;
  const wanted = channels.filter((channel) => !single || channel.name === chosen);
  document.body.classList.toggle("newsroom", wanted.some((channel) => channel.show));
  showTabs(single ? channels : []);
  for (const [name, card] of cards) {
    const channel = wanted.find((one) => one.name === name);
    if (channel && Boolean(channel.show) === card instanceof Newsroom) continue;
    card.remove();
    cards.delete(name);
  }
  for (const channel of wanted) {
    if (!cards.has(channel.name)) cards.set(channel.name, open(channel));
    cards.get(channel.name).show(channel);
  }
  at("empty").hidden = channels.length > 0;
  at("empty").textContent = "There are no channels.";
}

function showTabs(channels) {
  const tabs = at("tabs");
  tabs.hidden = channels.length < 2;
  const known = channels.map((channel) => channel.name).join("\n");
  if (tabs.dataset.known !== known) {
    tabs.dataset.known = known;
    tabs.replaceChildren(...channels.map((channel) => h("a", { href: `#${encodeURIComponent(channel.name)}`, text: channel.title || channel.name, data: { name: channel.name } })));
  }
  for (const tab of tabs.children) {
    const channel = channels.find((one) => one.name === tab.dataset.name);
    tab.setAttribute("aria-current", String(tab.dataset.name === chosen));
    tab.dataset.state = channel?.speaking ? "live" : "off";
  }
}

addEventListener("hashchange", () => { chosen = decodeURIComponent(location.hash.slice(1)); refresh(); });

const conversations = new Conversations(call, () => refresh());

let avatarsAge = AVATARS_EVERY;
let timer;
async function refresh() {
  clearTimeout(timer);
  put(at("time"), timeOfDay(new Date()));
  try {
    if (++avatarsAge > AVATARS_EVERY) {
      avatarsAge = 0;
      await avatars.refresh();
    }
    const channels = await call("/channels");
    showChannels(channels);
    await Promise.all([conversations.update(channels), ...[...cards.values()].map((card) => card.update?.())]);
    at("unlock").hidden = true;
    document.body.classList.remove("unreachable");
  } catch (error) {
    if (error.locked) return lock(hasToken() ? error.message : "");
    document.body.classList.add("unreachable");
    at("empty").hidden = cards.size > 0;
    at("empty").textContent = "The server does not answer. Trying again…";
  }
  clearTimeout(timer);
  timer = setTimeout(refresh, document.hidden ? 5000 : 1000);
}

function lock(message) {
  at("unlock").hidden = false;
  at("empty").hidden = true;
  at("unlock-result").textContent = message;
  at("token").focus();
}

at("unlock").addEventListener("submit", (event) => {
  event.preventDefault();
  setToken(at("token").value);
  refresh();
});
document.addEventListener("visibilitychange", () => document.hidden || refresh());
refresh();
