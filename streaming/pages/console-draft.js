// The operator's copy of a rundown: changed here, kept in the browser, and put on the server when they say so.

const CHECK_AFTER = 600;
const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);
const copy = (value) => structuredClone(value);
const byId = (rundown) => new Map((rundown.segments ?? []).map((segment) => [segment.id, segment]));

// What `other` has done to `base`: [{kind: "added" | "removed" | "changed" | "moved", id, keys}]; an id of "" is the rundown's head.
export function changes(base, other) {
  const found = [];
  const heads = new Set([...Object.keys(base), ...Object.keys(other)]);
  heads.delete("segments");
  const head = [...heads].filter((key) => !same(base[key], other[key]));
  if (head.length) found.push({ kind: "changed", id: "", keys: head });
  const before = byId(base);
  const after = byId(other);
  for (const [id, segment] of after) {
    const old = before.get(id);
    if (!old) found.push({ kind: "added", id, keys: [], segment });
    else {
      const keys = [...new Set([...Object.keys(old), ...Object.keys(segment)])].filter((key) => !same(old[key], segment[key]));
      if (keys.length) found.push({ kind: "changed", id, keys, segment });
    }
  }
  for (const [id, segment] of before) if (!after.has(id)) found.push({ kind: "removed", id, keys: [], segment });
  const kept = (map, inside) => [...map.keys()].filter((id) => inside.has(id));
  if (!same(kept(before, after), kept(after, before))) found.push({ kind: "moved", id: "", keys: ["segments"] });
  return found;
}

// Key by key: what I changed is mine, all else is theirs. `clashes` are keys that both changed, each in their own way.
function mergedFields(base, mine, theirs, id, clashes) {
  const merged = {};
  for (const key of new Set([...Object.keys(theirs), ...Object.keys(mine)])) {
    if (key === "segments") continue;
    const own = !same(base?.[key], mine[key]);
    if (own && !same(base?.[key], theirs[key]) && !same(mine[key], theirs[key])) clashes.push({ id, key });
    const value = own ? mine[key] : theirs[key];
    if (value !== undefined) merged[key] = value;
  }
  return merged;
}

// Both edits of one rundown in one: {document, clashes}. Nothing that somebody wrote is lost.
export function merge(base, mine, theirs) {
  const clashes = [];
  const [before, own, other] = [byId(base), byId(mine), byId(theirs)];
  const segments = new Map();
  for (const id of new Set([...own.keys(), ...other.keys()])) {
    const [was, my, their] = [before.get(id), own.get(id), other.get(id)];
    if (my && their) segments.set(id, mergedFields(was, my, their, id, clashes));
    else if (!was) segments.set(id, my ?? their);
    else if (my && !same(was, my)) segments.set(id, my), clashes.push({ id, key: "removed" });
    else if (their && !same(was, their)) segments.set(id, their), clashes.push({ id, key: "removed" });
  }
  const moved = changes(base, mine).some(({ kind }) => kind === "moved");
  const [first, second] = moved ? [own, other] : [other, own];
  const order = [...first.keys()].filter((id) => segments.has(id));
  let last = -1;
  for (const id of second.keys()) {
    if (!segments.has(id)) continue;
    const place = order.indexOf(id);
    if (place < 0) order.splice(++last, 0, id);
    else last = place;
  }
  const head = mergedFields(base, mine, theirs, "", clashes);
  return { document: { ...head, segments: order.map((id) => segments.get(id)) }, clashes };
}

// Events: "change" (here), "replace" (all of it is new), "behind" (the server's has changed meanwhile), "problems".
export class Draft extends EventTarget {
  // `check` gives the problems of a document.
  constructor(name, check) {
    super();
    this.key = `rundown ${name}`;
    this.check = check;
    this.problems = [];
    this.document = undefined;
    this.undone = [];
  }

  get dirty() {
    return this.document !== undefined && !same(this.document, this.base);
  }

  get segments() {
    return this.document?.segments ?? [];
  }

  // What the server has now.
  take(version, document) {
    if (this.document === undefined) this.restore(version, document);
    else if (!this.dirty || same(this.document, document)) this.accept(version, document);
    else if (same(this.base, document)) this.version = version; // something else has changed, not the text
    else {
      this.theirs = { version, document };
      this.tell("behind");
    }
  }

  accept(version, document) {
    const changed = !same(this.document, document);
    this.version = version;
    this.base = document;
    this.document = copy(document);
    this.theirs = undefined;
    this.keep();
    if (changed) this.tell("replace");
    this.tell("change");
    if (changed) this.look();
  }

  restore(version, document) {
    let kept;
    try { kept = JSON.parse(localStorage.getItem(this.key)); } catch { /* nothing that can be read */ }
    if (!kept || same(kept.document, document)) return this.accept(version, document);
    Object.assign(this, { version: kept.version, base: kept.base, document: kept.document });
    if (same(kept.base, document)) this.version = version;
    else this.theirs = { version, document };
    this.tell("replace");
    this.tell(this.theirs ? "behind" : "change");
    this.look();
  }

  // Change the document by `edit`; it is kept at once.
  change(edit) {
    this.undone.push(JSON.stringify(this.document));
    if (this.undone.length > 50) this.undone.shift();
    edit(this.document);
    this.keep();
    this.tell("change");
    this.look();
  }

  replace(document) {
    this.change(() => { this.document = copy(document); });
    this.tell("replace");
  }

  undo() {
    const before = this.undone.pop();
    if (before === undefined) return false;
    this.document = JSON.parse(before);
    this.keep();
    this.tell("replace");
    this.tell("change");
    this.look();
    return true;
  }

  discard() {
    const { version, document } = this.theirs ?? { version: this.version, document: this.base };
    this.undone.push(JSON.stringify(this.document));
    this.document = copy(document);
    this.accept(version, document);
    this.tell("replace");
    this.look();
  }

  // Put theirs under mine: what is left is mine to apply.
  rebase() {
    const { version, document } = this.theirs;
    const { document: merged, clashes } = merge(this.base, this.document, document);
    this.undone.push(JSON.stringify(this.document));
    Object.assign(this, { version, base: document, document: merged, theirs: undefined });
    this.keep();
    this.tell("replace");
    this.tell("change");
    this.look();
    return clashes;
  }

  keep() {
    try {
      if (!this.dirty) localStorage.removeItem(this.key);
      else localStorage.setItem(this.key, JSON.stringify({ version: this.version, base: this.base, document: this.document }));
    } catch { /* a full or private store: the page still has it */ }
  }

  look() {
    clearTimeout(this.looking);
    this.looking = setTimeout(async () => {
      const document = JSON.stringify(this.document);
      const problems = await this.check(this.document).catch(() => undefined);
      if (problems && document === JSON.stringify(this.document)) this.show(problems);
    }, CHECK_AFTER);
  }

  show(problems) {
    if (same(problems, this.problems)) return;
    this.problems = problems;
    this.tell("problems");
  }

  tell(what) {
    this.dispatchEvent(new Event(what));
  }
}

export function newId(segments) {
  const taken = new Set(segments.map((segment) => segment.id));
  for (;;) {
    const id = `s-${Math.random().toString(36).slice(2, 8)}`;
    if (!taken.has(id)) return id;
  }
}
