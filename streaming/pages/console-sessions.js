// The conversations that go on: who waits for a person, what was said last, and how long each stage of an answer took.

const MODES = {
  waiting: "Before the first word",
  listening: "Listening",
  hearing: "Visitor speaks",
  thinking: "Thinking",
  speaking: "Anchor speaks",
  person: "A person answers",
};
const WHO = { visitor: "Visitor", anchor: "Anchor", person: "Person", notice: "Notice" };
const TURNS = 3;
const SURE_SECONDS = 4;

const at = (id) => document.getElementById(id);
const node = (name, values, ...children) => {
  const made = Object.assign(document.createElement(name), values);
  made.append(...children);
  return made;
};

function lasted(seconds) {
  const whole = Math.floor(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

const written = ({ who, text, language }) =>
  node("p", { className: `line ${who}` }, node("b", { textContent: WHO[who] }), node("span", { textContent: text, lang: language }));

// One after another on a line of time, the longest turn from end to end.
function waterfall(turns) {
  const recent = turns.slice(-TURNS);
  const total = (turn) => Object.values(turn).reduce((sum, seconds) => sum + seconds, 0);
  const longest = Math.max(...recent.map(total));
  return recent.map((turn) => {
    const bars = Object.entries(turn).map(([stage, seconds], place) => {
      const told = `${stage} ${seconds.toFixed(2)} s`;
      const bar = node("span", { title: told, textContent: stage });
      bar.dataset.place = place % 5;
      bar.style.flexBasis = `${(100 * seconds) / longest}%`;
      return bar;
    });
    const told = Object.entries(turn).map(([stage, seconds]) => `${stage} ${seconds.toFixed(2)} s`).join(", ");
    const line = node("div", { className: "bars" }, ...bars);
    line.setAttribute("role", "img");
    line.setAttribute("aria-label", told);
    return node("div", { className: "turn" }, line, node("output", { textContent: `${total(turn).toFixed(2)} s` }));
  });
}

class Conversation {
  constructor(info, call, refresh) {
    this.call = call;
    this.refresh = refresh;
    this.path = `/sessions/${encodeURIComponent(info.session)}`;
    this.element = at("conversation").content.firstElementChild.cloneNode(true);
    this.find = (selector) => this.element.querySelector(selector);
    this.find("[data-act=take]").addEventListener("click", () => this.act(this.info.person ? "release" : "take", this.info.person ? undefined : {}));
    this.find("[data-act=end]").addEventListener("click", () => this.end());
    this.find("details").addEventListener("toggle", () => this.read());
    this.find("form").addEventListener("submit", (event) => this.say(event));
    at("conversations-list").append(this.element);
  }

  show(info) {
    this.info = info;
    const set = (field, text) => { this.find(`[data-field=${field}]`).textContent = text; };
    const wants = info.wants_person && !info.person;
    set("mode", wants ? "Wants a person" : MODES[info.mode]);
    this.find("[data-field=mode]").dataset.state = wants ? "live" : info.connected ? "waiting" : "off";
    this.element.dataset.wants = wants;
    set("about", [info.channel, info.language, lasted(info.seconds), info.connected ? "" : "connection lost"].filter(Boolean).join(" · "));
    const lines = JSON.stringify(info.lines);
    if (lines !== this.lines) {
      this.lines = lines;
      this.find(".lines").replaceChildren(...info.lines.slice(-3).map(written));
      this.read();
    }
    const turns = JSON.stringify(info.latencies);
    if (turns !== this.turns) {
      this.turns = turns;
      this.find(".latencies").hidden = !info.latencies.length;
      if (info.latencies.length) this.find(".waterfall").replaceChildren(...waterfall(info.latencies));
    }
    const take = this.find("[data-act=take]");
    take.textContent = info.person ? "Give back to the anchor" : "Take over";
    take.classList.toggle("primary", !info.person);
    this.find("form").hidden = !info.person;
    if (info.person && this.wasPerson === false) this.find("input").focus();
    this.wasPerson = Boolean(info.person);
  }

  report(text, ok = true) {
    const result = this.find(".result");
    result.textContent = text;
    result.dataset.ok = ok;
  }

  async act(path, body = {}) {
    try {
      await this.call(`${this.path}/${path}`, body);
      this.report("");
    } catch (error) {
      this.report(error.message, false);
    }
    this.refresh();
  }

  async say(event) {
    event.preventDefault();
    const field = this.find("input");
    const { value } = field;
    field.value = "";
    try {
      await this.call(`${this.path}/say`, { text: value });
      this.report("Said.");
    } catch (error) {
      field.value = value;
      this.report(error.message, false);
    }
    this.refresh();
  }

  // A visitor's conversation is not ended by one slip of the hand.
  end() {
    const button = this.find("[data-act=end]");
    if (this.sure) return this.act("end");
    button.textContent = "Really end?";
    this.sure = setTimeout(() => { button.textContent = "End"; this.sure = undefined; }, SURE_SECONDS * 1000);
  }

  async read() {
    if (!this.find("details").open) return;
    const { lines } = await this.call(this.path).catch(() => ({ lines: [] }));
    this.find(".transcript").replaceChildren(...lines.map(written));
  }

  remove() {
    clearTimeout(this.sure);
    this.element.remove();
  }
}

export class Conversations {
  // `call` asks the API, `refresh` asks for everything anew.
  constructor(call, refresh) {
    this.call = call;
    this.refresh = refresh;
    this.cards = new Map();
  }

  async update(channels) {
    const talk = channels.some((channel) => channel.talk);
    at("conversations").hidden = !talk;
    if (!talk) return;
    const infos = await this.call("/sessions");
    const names = new Set(infos.map((info) => info.session));
    for (const [name, card] of this.cards) {
      if (names.has(name)) continue;
      card.remove();
      this.cards.delete(name);
    }
    for (const info of infos) {
      if (!this.cards.has(info.session)) this.cards.set(info.session, new Conversation(info, this.call, this.refresh));
      this.cards.get(info.session).show(info);
    }
    const waiting = infos.filter((info) => info.wants_person && !info.person).length;
    at("conversations-count").textContent = infos.length ? String(infos.length) : "";
    at("conversations-empty").hidden = infos.length > 0;
    at("conversations-call").textContent = waiting ? `${waiting === 1 ? "A visitor wants" : `${waiting} visitors want`} a person` : "";
  }
}
