// A small sheet of cells for the numbers of a chart or the rows of a table. Sheets can be pasted in from elsewhere.

import { h } from "/assets/console-dom.js";

// `rows` of text, the first is the head; `change(rows)` is told of every edit.
export class Sheet {
  constructor({ rows, corner, label, change }) {
    this.rows = rows.map((row) => [...row]);
    this.corner = corner;
    this.label = label;
    this.change = change;
    this.element = h("div", { class: "sheet", role: "group", "aria-label": label });
    this.draw();
  }

  draw() {
    const table = h("table", {}, this.rows.map((row, y) => h("tr", {}, row.map((cell, x) => this.cell(cell, x, y)), this.end(y))));
    const add = (text, act) => h("button", { class: "small", type: "button", text, onclick: act });
    this.element.replaceChildren(h("div", { class: "scroll" }, table), h("div", { class: "acts" },
      add("+ Row", () => this.edit(() => this.rows.push(this.rows[0].map(() => "")))),
      add("+ Column", () => this.edit(() => this.rows.forEach((row) => row.push("")))),
      this.rows[0].length > 2 && add("− Column", () => this.edit(() => this.rows.forEach((row) => row.pop())))));
  }

  cell(value, x, y) {
    const name = y === 0 ? (x === 0 ? this.corner : `Name of column ${x + 1}`) : `${this.rows[0][x] || `Column ${x + 1}`}, row ${y}`;
    const input = h("input", { type: "text", value, "aria-label": name, autocomplete: "off", placeholder: y === 0 && x === 0 ? this.corner : "" });
    input.addEventListener("input", () => { this.rows[y][x] = input.value; this.change(this.rows); });
    input.addEventListener("keydown", (event) => this.pressed(event, x, y));
    input.addEventListener("paste", (event) => this.paste(event, x, y));
    return h(y === 0 ? "th" : "td", {}, input);
  }

  end(y) {
    if (y === 0) return h("td", {});
    return h("td", {}, h("button", {
      class: "small", type: "button", text: "×", "aria-label": `Take row ${y} out`,
      onclick: () => this.edit(() => this.rows.splice(y, 1)),
    }));
  }

  edit(act) {
    act();
    if (this.rows.length < 2) this.rows.push(this.rows[0].map(() => ""));
    this.change(this.rows);
    this.draw();
  }

  focus(x, y) {
    this.element.querySelectorAll("tr")[y]?.querySelectorAll("input")[x]?.focus();
  }

  pressed(event, x, y) {
    const step = { ArrowUp: -1, ArrowDown: 1, Enter: 1 }[event.key];
    if (!step) return;
    event.preventDefault();
    if (event.key === "Enter" && y === this.rows.length - 1) this.edit(() => this.rows.push(this.rows[0].map(() => "")));
    this.focus(x, y + step);
  }

  paste(event, x, y) {
    const lines = event.clipboardData.getData("text").replace(/\r/g, "").replace(/\n$/, "").split("\n");
    const cells = lines.map((line) => line.split("\t"));
    if (cells.length === 1 && cells[0].length === 1) return;
    event.preventDefault();
    this.edit(() => {
      cells.forEach((row, down) => row.forEach((value, right) => {
        while (this.rows.length <= y + down) this.rows.push(this.rows[0].map(() => ""));
        while (this.rows[0].length <= x + right) this.rows.forEach((one) => one.push(""));
        this.rows[y + down][x + right] = value;
      }));
    });
    this.focus(x, y);
  }
}

const number = (text) => {
  const cleaned = text.trim().replace(/,(?=\d{3}\b)/g, "");
  if (cleaned === "") return null;
  return Number.isFinite(Number(cleaned)) ? Number(cleaned) : text;
};
const written = (value) => (value === null || value === undefined ? "" : String(value));

// A chart's numbers as a sheet and back; a chart of one nameless row keeps its `values`.
export function chartRows(chart) {
  const series = chart.series ?? { "": chart.values ?? [] };
  const names = Object.keys(series);
  const labels = chart.labels ?? [];
  return [["", ...names], ...labels.map((label, at) => [written(label), ...names.map((name) => written(series[name]?.[at]))])];
}

export function chartFrom(rows) {
  const [head, ...body] = rows;
  const filled = body.filter((row) => row.some((cell) => cell.trim() !== ""));
  const labels = filled.map((row) => row[0]);
  const columns = head.slice(1);
  const values = columns.map((_, at) => filled.map((row) => number(row[at + 1] ?? "")));
  if (columns.length === 1 && !columns[0].trim()) return { labels, values: values[0] };
  return { labels, series: Object.fromEntries(columns.map((name, at) => [name.trim() || `Row ${at + 1}`, values[at]])) };
}

export const tableRows = (table) => [(table.columns ?? ["", ""]).map(written), ...(table.rows ?? [["", ""]]).map((row) => row.map(written))];
export const tableFrom = ([columns, ...rows]) => ({ columns, rows: rows.filter((row) => row.some((cell) => cell.trim() !== "")) });
