// The conversation in writing: what is understood of the visitor, and of the anchor what has been heard so far.

const KEPT = 60;
const SPACELESS = /[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef\u3000-\u303f]$/;

const node = (name, values, ...children) => {
  const made = Object.assign(document.createElement(name), values);
  made.append(...children);
  return made;
};

export class Log {
  constructor(list, live, words) {
    this.list = list;
    this.live = live;
    this.words = words;
    this.clear();
  }

  clear() {
    this.list.replaceChildren();
    this.live.textContent = "";
    this.visitors = new Map();
    this.answers = new Map();
    this.spoken = new Map();
    this.early = new Map();
    this.typed = null;
    this.speaking = null;
  }

  // What was said before a page came back.
  restore(entries) {
    this.clear();
    for (const { who, text, language } of entries) {
      if (who === "notice") this.note(text, language);
      else this.add(who).append(node("span", { textContent: text, lang: language || "" }));
    }
    this.follow(true);
  }

  add(who) {
    const text = node("p", { className: "text" });
    const name = { visitor: "you", person: "colleague" }[who] ?? "anchor";
    const entry = node("li", { className: who }, node("span", { className: "who", textContent: this.words()[name] }), text);
    const near = this.isNear();
    this.list.append(entry);
    while (this.list.children.length > KEPT) this.list.firstElementChild.remove();
    this.follow(near);
    return text;
  }

  note(text, language = "") {
    const near = this.isNear();
    this.list.append(node("li", { className: "said", textContent: text, lang: language }));
    this.follow(near);
  }

  isNear() {
    return this.list.scrollHeight - this.list.scrollTop - this.list.clientHeight < 80;
  }

  // Stay at the end, unless somebody reads further up.
  follow(near) {
    if (near) this.list.scrollTop = this.list.scrollHeight;
  }

  wrote(text) {
    const at = this.add("visitor");
    at.textContent = text;
    this.typed = { at, text, when: performance.now() };
  }

  visitor({ turn, text, final, language }) {
    let at = this.visitors.get(turn);
    if (!text.trim()) {
      at?.parentElement.remove();
      this.visitors.delete(turn);
      return;
    }
    if (!at) {
      const { typed } = this;
      const same = typed && typed.text.trim() === text.trim() && performance.now() - typed.when < 15000;
      at = same ? typed.at : this.add("visitor");
      if (same) this.typed = null;
      this.visitors.set(turn, at);
    }
    const near = this.isNear();
    at.textContent = text;
    at.lang = language || "";
    at.classList.toggle("partial", !final);
    this.follow(near);
  }

  // A sentence that is about to be said. An utterance is one entry: what comes later stands below what was said before.
  anchor({ turn, text, utterance, language }, who = "anchor") {
    const answer = this.answer(turn ?? utterance, utterance, who);
    const gap = answer.planned && !/\s$/.test(answer.planned) && !SPACELESS.test(answer.planned) ? " " : "";
    answer.planned += gap + text;
    answer.at.lang = language || "";
    this.show(answer);
    if (this.early.has(turn)) this.sources(this.early.get(turn));
    this.announce(text, language);
  }

  // The entry of an utterance; of a turn it is the latest.
  answer(turn, utterance, who) {
    let answer = this.answers.get(turn);
    if (!answer || answer.utterance !== utterance) {
      answer = { at: this.add(who), planned: "", heard: 0, utterance };
      this.answers.set(turn, answer);
      this.spoken.set(utterance, answer);
    }
    return answer;
  }

  // Between two sentences an utterance is silent, and not over.
  state({ utterance }) {
    const before = this.speaking;
    this.speaking = utterance ? (this.spoken.get(utterance) ?? this.begin(utterance)) : null;
    // An utterance that ends by itself was said whole, whatever its last word event was.
    if (before && before !== this.speaking && !before.cut) {
      before.heard = before.planned.length;
      this.show(before);
    }
  }

  // Speech that nobody announced, such as a greeting.
  begin(utterance) {
    return this.answer(utterance, utterance, "anchor");
  }

  word({ text }) {
    const answer = this.speaking;
    if (!answer) return;
    const place = after(answer.planned, answer.heard, text);
    if (place >= 0) answer.heard = place;
    else if (answer.heard === answer.planned.length) answer.heard = (answer.planned += text).length; // not announced
    this.show(answer);
  }

  // What was being said is over: only what was heard stays.
  cut(utterance) {
    const answer = this.spoken.get(utterance) ?? this.speaking;
    if (!answer) return;
    answer.cut = true;
    answer.planned = answer.planned.slice(0, answer.heard).trimEnd();
    answer.heard = answer.planned.length;
    this.show(answer);
    answer.at.classList.add("cut");
    answer.at.parentElement.hidden = !answer.at.textContent.trim();
  }

  show(answer) {
    const near = this.isNear();
    const heard = node("span", { textContent: answer.planned.slice(0, answer.heard) });
    const ahead = node("span", { className: "ahead", textContent: answer.planned.slice(answer.heard) });
    answer.at.replaceChildren(heard, ahead);
    answer.at.parentElement.hidden = false;
    this.follow(near);
  }

  sources(event) {
    const { turn, sources } = event;
    const answer = this.answers.get(turn);
    if (!answer || answer.cut) this.early.set(turn, event);
    if (!answer || answer.cut || !sources.length) return;
    this.early.delete(turn);
    const near = this.isNear();
    const chips = sources.map(({ title, source }) => node("li", { textContent: title || source, title: source }));
    answer.at.parentElement.querySelector(".sources")?.remove();
    const list = node("ul", { className: "sources" }, ...chips);
    list.setAttribute("aria-label", this.words().sources);
    answer.at.after(list);
    this.follow(near);
  }

  // For screen readers, each sentence once: the list itself is not announced.
  announce(text, language) {
    clearTimeout(this.quiet);
    const line = node("span", { textContent: `${text} `, lang: language || "" });
    this.live.append(line);
    this.quiet = setTimeout(() => this.live.replaceChildren(), 8000);
  }
}

// Where a word that is said in a text ends: the next one, or where some were missed a later one; -1 where it is neither.
function after(text, from, word) {
  const wanted = word.trim();
  const place = wanted ? text.indexOf(wanted, from) : from;
  if (place < 0) return -1;
  const rest = text.slice(place + wanted.length);
  return place + wanted.length + (rest.length - rest.trimStart().length);
}
