// Shows /openapi.json without anything from outside.

const METHODS = ["get", "post", "put", "patch", "delete", "options"];

function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

const api = await (await fetch("/openapi.json")).json();
const resolve = (schema) => (schema?.$ref ? schema.$ref.slice(2).split("/").reduce((at, key) => at[key], api) : schema ?? {});

function typeOf(given) {
  const schema = resolve(given);
  if (schema.anyOf) return schema.anyOf.map(typeOf).join(" or ");
  if (schema.type === "array") return `list of ${typeOf(schema.items)}`;
  return schema.title && schema.properties ? schema.title : schema.type ?? "anything";
}

function bounds(schema) {
  const names = { minimum: "at least", maximum: "at most", maxLength: "characters at most", pattern: "like" };
  const said = Object.entries(names).filter(([key]) => key in schema).map(([key, text]) => `${text} ${schema[key]}`);
  if ("default" in schema) said.push(`default ${JSON.stringify(schema.default)}`);
  return said.join(", ");
}

function table(rows) {
  return make("table", {}, ...rows.map((cells) => make("tr", {}, ...cells.map((cell) => make("td", {}, cell)))));
}

function fields(schema) {
  const required = schema.required ?? [];
  return Object.entries(schema.properties ?? {}).map(([name, field]) => [
    make("code", { textContent: name }),
    `${typeOf(field)}${required.includes(name) ? "" : ", optional"}`,
    [field.description, bounds(field)].filter(Boolean).join("; "),
  ]);
}

function example(schema) {
  const values = { string: "…", boolean: false, integer: 0, number: 0 };
  const wanted = Object.entries(schema.properties ?? {}).filter(([name]) => (schema.required ?? []).includes(name));
  return JSON.stringify(Object.fromEntries(wanted.map(([name, field]) => [name, values[field.type] ?? null])));
}

function command(method, path, type, schema) {
  const lines = [`curl -X ${method.toUpperCase()} ${location.origin}${path}`];
  if (type) lines.push(`-H 'Content-Type: ${type}'`);
  if (type === "application/json") lines.push(`-d '${example(schema)}'`);
  else if (type) lines.push("--data-binary @offer.sdp");
  return lines.join(" \\\n  ");
}

function section(title, content) {
  return [make("h3", { textContent: title }), content];
}

function show(path, method, operation) {
  const [type, media] = Object.entries(operation.requestBody?.content ?? {})[0] ?? [];
  const schema = resolve(media?.schema);
  const body = make("div", { className: "body" });
  if (operation.parameters?.length) {
    const rows = operation.parameters.map((one) => [make("code", { textContent: one.name }), typeOf(one.schema), `in the ${one.in}`]);
    body.append(...section("Parameters", table(rows)));
  }
  if (schema.properties) body.append(...section(`Body: ${schema.description ?? schema.title}`, table(fields(schema))));
  for (const [code, answer] of Object.entries(operation.responses ?? {})) {
    const given = resolve(answer.content?.["application/json"]?.schema);
    const inner = given.type === "array" ? resolve(given.items) : given;
    if (code < 300 && inner.properties) body.append(...section(`Answer ${code}: ${typeOf(given)}`, table(fields(inner))));
  }
  const codes = Object.keys(operation.responses ?? {}).join(", ");
  body.append(...section(`Status ${codes}`, make("pre", { textContent: command(method, path, type, schema) })));
  const verb = make("span", { className: "method", textContent: method.toUpperCase() });
  verb.dataset.method = method;
  const summary = make("summary", {}, verb, make("code", { textContent: path }),
    make("span", { className: "what", textContent: operation.summary ?? "" }));
  return make("details", {}, summary, body);
}

document.getElementById("title").textContent = `${api.info.title} ${api.info.version}`;
document.getElementById("about").textContent = api.info.description ?? "";
const groups = new Map();
for (const [path, methods] of Object.entries(api.paths)) {
  for (const method of METHODS.filter((name) => name in methods)) {
    const tag = methods[method].tags?.[0] ?? "other";
    groups.set(tag, [...(groups.get(tag) ?? []), show(path, method, methods[method])]);
  }
}
for (const [tag, operations] of groups) document.getElementById("operations").append(make("h2", { textContent: tag }), ...operations);
