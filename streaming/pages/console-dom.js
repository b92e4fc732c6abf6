// Making elements, and words for times and numbers.

export const at = (id) => document.getElementById(id);

// h("button", {class: "button", text: "Go", onclick: ..., "aria-label": ...}, ...children)
export function h(name, values = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(values)) {
    if (value === undefined || value === null || value === false) continue;
    if (key === "text") made.textContent = value;
    else if (key === "class") made.className = value;
    else if (key === "data") Object.assign(made.dataset, value);
    else if (key in made && key !== "list" && !key.startsWith("aria")) made[key] = value;
    else made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.flat().filter((child) => child !== undefined && child !== null && child !== false));
  return made;
}

// Set what is shown only where it differs, so that nothing is drawn anew each second.
export function put(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function clock(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  const minutes = Math.floor(whole / 60);
  const rest = String(whole % 60).padStart(2, "0");
  return minutes < 60 ? `${minutes}:${rest}` : `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}:${rest}`;
}

export const timeOfDay = (date) => date.toLocaleTimeString("en-GB");

export function bits(rate) {
  return rate >= 1e6 ? `${(rate / 1e6).toFixed(1)} Mbit/s` : `${Math.round(rate / 1e3)} kbit/s`;
}

// The text of a value that may be there in several languages.
export const plain = (value, language) =>
  value && typeof value === "object" && !Array.isArray(value) ? value[language] ?? Object.values(value)[0] ?? "" : value ?? "";

export const unmarked = (text) => String(text).replace(/<[^>]*>/g, "").replace(/\[\s*(mood|gesture)\s*[:：][^\]]*\]/gi, "").replace(/\s+/g, " ").trim();
