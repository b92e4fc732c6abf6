// The kiosk page: a start screen with what must be known first, then one conversation, then the start screen again.

import { Talk } from "/assets/kiosk-talk.js";
import { Visit } from "/assets/kiosk-visit.js";
import { nameOf, nearest, textIn, wordsFor, wordsLanguage } from "/assets/kiosk-words.js";

const OVER_SECONDS = 10;

const at = (id) => document.getElementById(id);
const page = document.body.dataset;
const kiosk = JSON.parse(page.kiosk);
const visit = new Visit(page.channel);

const preferred = () => navigator.languages.map((one) => nearest(kiosk.languages, one)).find(Boolean) ?? kiosk.languages[0];
let language = nearest(kiosk.languages, visit.before?.language ?? "") ?? preferred();
let talk = null;
let context = null;
let homeward;
let ended = "visitor";

function show(phase) {
  page.phase = phase;
  for (const id of ["start", "talk", "over"]) at(id).hidden = id !== phase;
  if (phase !== "talk") at("scene").dataset.state = "idle";
}

function translate() {
  const words = wordsFor(language);
  document.documentElement.lang = wordsLanguage(language);
  for (const one of document.querySelectorAll("[data-word]")) one.textContent = words[one.dataset.word];
  for (const one of document.querySelectorAll("[data-label]")) one.setAttribute("aria-label", words[one.dataset.label]);
  for (const one of document.querySelectorAll("[data-placeholder]")) one.placeholder = words[one.dataset.placeholder];
  at("privacy").textContent = textIn(kiosk.privacy, language);
  at("privacy").hidden = !at("privacy").textContent;
  at("over-title").textContent = words.overTitle;
  at("over-text").textContent = words[ended === "lost" ? "lostEnd" : ended] ?? words.visitor;
  for (const radio of at("languages").querySelectorAll("input")) radio.checked = radio.value === language;
  at("language").value = language;
}

function choose(chosen) {
  language = chosen;
  if (talk) talk.choose(chosen);
  else translate();
}

function offerLanguages() {
  for (const tag of kiosk.languages) {
    const name = nameOf(tag, kiosk.languages);
    const radio = Object.assign(document.createElement("input"), { type: "radio", name: "language", value: tag });
    radio.addEventListener("change", () => choose(tag));
    const label = document.createElement("label");
    const text = Object.assign(document.createElement("span"), { textContent: name, lang: tag });
    label.append(radio, text);
    at("languages").append(label);
    at("language").append(Object.assign(document.createElement("option"), { value: tag, textContent: name, lang: tag }));
  }
  at("languages").hidden = kiosk.languages.length < 2;
  at("language").parentElement.hidden = kiosk.languages.length < 2;
  at("language").addEventListener("change", (event) => choose(event.target.value));
}

function begin(withMicrophone) {
  clearTimeout(homeward);
  context ??= new AudioContext();
  context.resume().catch(() => {});
  show("talk");
  talk = new Talk({ visit, kiosk, language, context });
  talk.addEventListener("language", ({ detail }) => { language = detail.language; translate(); });
  talk.addEventListener("over", ({ detail }) => over(detail.why));
  visit.keep({ language });
  talk.start(withMicrophone);
  at(withMicrophone ? "microphone" : "text").focus({ preventScroll: true });
}

function over(why) {
  talk.close();
  talk = null;
  visit.forget();
  ended = why;
  translate();
  show("over");
  at("over-title").focus({ preventScroll: true });
  homeward = setTimeout(home, OVER_SECONDS * 1000);
}

// The next visitor finds the page as the first one did.
function home() {
  clearTimeout(homeward);
  language = preferred();
  translate();
  show("start");
  at("begin").focus({ preventScroll: true });
}

at("begin").addEventListener("click", () => begin(true));
at("begin-silent").addEventListener("click", () => begin(false));
at("again").addEventListener("click", home);
for (const image of at("poster").children) {
  const check = () => { at("poster").hidden ||= image.complete && !image.naturalWidth; };
  image.addEventListener("error", check);
  check();
}

offerLanguages();
translate();
// Whoever loads the page again goes on where they were, for as long as the server remembers.
if (visit.before?.session) begin(Boolean(visit.before.microphone));
else show("start");
