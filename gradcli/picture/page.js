"use strict";
// The page goes through the steps that it was written with. `forward` and `locals` stand above where
// the program's values are numbers: then other inputs give other numbers, by the same two passes.
const data = JSON.parse(document.getElementById("data").textContent);
const all = (selector) => [...document.querySelectorAll(selector)];
const one = (selector) => document.querySelector(selector);
const last = data.steps.length;
const items = all(".step");
let now = 0;

function number(x) {
  if (Number.isNaN(x)) return "nan";
  if (!Number.isFinite(x)) return x > 0 ? "inf" : "-inf";
  if (x === 0) return "0";
  const [digits, power] = x.toExponential(data.precision - 1).split("e");
  const exponent = Number(power);
  const trimmed = (text) => (text.includes(".") ? text.replace(/\.?0+$/, "") : text);
  if (exponent >= -4 && exponent < data.precision) {
    return trimmed(x.toFixed(Math.max(0, data.precision - 1 - exponent)));
  }
  const text = `${trimmed(digits)}e${exponent}`;
  return Math.abs(x) < 1e9 && Number.isInteger(x) && Number(text) === x ? String(x) : text;
}

function fill(element, lines) {
  const x = element.getAttribute("x");
  element.replaceChildren(
    ...lines.map((line, k) => {
      const span = document.createElementNS("http://www.w3.org/2000/svg", "tspan");
      span.setAttribute("x", x);
      span.setAttribute("dy", k ? "16" : "0");
      span.textContent = line;
      return span;
    }),
  );
}

// The two passes at other inputs: values, and for each line of the backward pass its numbers.
function run(inputs) {
  const v = [];
  for (const [node, value] of Object.entries(inputs)) v[node] = value;
  forward(v);
  const delta = {};
  const lines = [];
  const start = data.steps.find((step) => step.kind === "start");
  if (start) delta[start.node] = data.program.upstream;
  for (const step of data.steps) {
    if (step.kind !== "backward") continue;
    const upstream = delta[step.node];
    const local = locals[step.move](v);
    const sent = local === 0 ? 0 : upstream * local;
    const before = delta[step.to];
    delta[step.to] = before === undefined ? sent : before + sent;
    lines.push({ upstream, local, sent, before, after: delta[step.to] });
  }
  return { values: v, delta, lines };
}

function compute() {
  const inputs = {};
  let same = true;
  for (const field of all("[data-input]")) {
    const value = field.value.trim() === "" ? NaN : Number(field.value);
    field.setAttribute("aria-invalid", String(Number.isNaN(value)));
    inputs[field.dataset.input] = value;
    same = same && value === Number(field.defaultValue);
  }
  const found = run(inputs);
  const texts = {};
  found.values.forEach((value, i) => (texts[`v${i}`] = value));
  found.lines.forEach((line, k) => {
    texts[`u${k}`] = line.upstream;
    texts[`l${k}`] = line.local;
    texts[`b${k}`] = line.before;
    texts[`a${k}`] = line.after;
  });
  for (const [node, value] of Object.entries(found.delta)) texts[`g${node}`] = value;
  for (const element of all("[data-n]")) {
    const value = texts[element.dataset.n];
    if (value !== undefined) element.textContent = number(value);
  }
  for (const step of data.steps) {
    if (step.kind === "backward") step.after = [`δ = ${number(found.lines[step.move].after)}`];
  }
  for (const element of all("[data-value]")) {
    const i = element.dataset.value;
    if (found.values[i] !== undefined) fill(element, [`${data.names[i]} = ${number(found.values[i])}`]);
  }
  sentAlong(found.lines);
  document.body.classList.toggle("elsewhere", !same);
  const checked = one("#checked");
  if (checked) {
    checked.dataset.text ??= checked.textContent;
    checked.dataset.verdict ??= checked.className;
    checked.textContent = same ? checked.dataset.text : "computed in this page, without a check";
    checked.className = same ? checked.dataset.verdict : "";
  }
  show(now);
}

// What comes back along the wires of a fork.
function sentAlong(lines) {
  const waiting = {};
  data.steps.forEach((step) => {
    if (step.kind === "backward") (waiting[`${step.to}>${step.node}`] ??= []).push(lines[step.move].sent);
  });
  wires.forEach(({ key, text }) => {
    const found = waiting[key];
    if (text && found) fill(text, [found.length > 1 ? number(found.shift()) : number(found[0])]);
  });
}

const wires = all(".wire").map((path) => {
  const next = path.nextElementSibling;
  const text = next && next.classList.contains("sent") ? next : null;
  return { path, text, key: `${path.dataset.source}>${path.dataset.target}` };
});

function show(step) {
  now = Math.max(0, Math.min(last, step));
  const current = data.steps[now - 1];
  const values = new Set();
  const deltas = {};
  const sent = new Set();
  data.steps.slice(0, now).forEach((done) => {
    if (done.kind === "forward") values.add(String(done.node));
    if (done.kind === "start") deltas[done.node] = done.after;
    if (done.kind === "backward") {
      deltas[done.to] = done.after;
      sent.add(`${done.to}>${done.node}`);
    }
  });
  const forwards = data.steps.some((found) => found.kind === "forward");
  for (const element of all("[data-value]")) {
    const node = element.closest(".node");
    const seen = !forwards || node.classList.contains("input") || values.has(element.dataset.value);
    element.classList.toggle("later-part", !seen);
  }
  for (const element of all("[data-delta]")) {
    const lines = deltas[element.dataset.delta];
    element.classList.toggle("later-part", !lines);
    if (lines) fill(element, lines);
  }
  for (const { path, text, key } of wires) {
    const [source, target] = key.split(">");
    const isForward = current?.kind === "forward" && target === String(current.node);
    const isBackward = current?.kind === "backward" && key === `${current.to}>${current.node}`;
    path.classList.toggle("now", isForward || isBackward);
    path.classList.toggle("forward", isForward);
    text?.classList.toggle("later-part", !sent.has(key));
  }
  for (const node of all(".node")) {
    node.classList.toggle("now", current !== undefined && node.dataset.node === String(current.node));
    node.classList.toggle("near", current?.kind === "backward" && node.dataset.node === String(current.to));
  }
  items.forEach((item, k) => {
    item.classList.toggle("now", k === now - 1);
    item.classList.toggle("later", k >= now);
    if (k === now - 1) item.setAttribute("aria-current", "step");
    else item.removeAttribute("aria-current");
  });
  document.body.classList.toggle("unfinished", now < last);
  one("#slider").value = now;
  one("#place").textContent = now === 0 ? `${last} steps` : `step ${now} of ${last}`;
  say(current);
  follow();
}

function say(current) {
  const place = one("#now");
  if (!current) {
    place.textContent = "Press → or ▶ for the first step. Click an operation to go to it.";
    return;
  }
  const item = items[now - 1];
  const parts = [".formula code", ".numbers", ".words"].map((part) => item.querySelector(part).cloneNode(true));
  const line = document.createElement("div");
  line.append(parts[0], " ", ...parts[1].childNodes);
  line.querySelectorAll("br").forEach((part) => part.replaceWith(" "));
  line.querySelectorAll("[data-n]").forEach((part) => part.removeAttribute("data-n"));
  if (current.kind === "backward") {
    const before = data.steps
      .slice(0, now - 1)
      .filter((step) => step.kind === "backward" && step.to === current.to)
      .pop();
    const name = data.names[current.to];
    const was = before ? before.after.join(" ").replace(/^δ = /, "") : "empty";
    const is = current.after.join(" ").replace(/^δ = /, "");
    const accumulator = document.createElement("div");
    accumulator.className = "accumulator";
    accumulator.textContent = `accumulator δ of ${name}: ${was} → ${is}`;
    place.replaceChildren(line, accumulator, parts[2]);
  } else {
    place.replaceChildren(line, parts[2]);
  }
}

function follow() {
  const node = one(".node.now");
  const figure = one("#picture");
  if (node && figure.scrollWidth + figure.scrollHeight > figure.clientWidth + figure.clientHeight) {
    const inside = node.getBoundingClientRect();
    const frame = figure.getBoundingClientRect();
    figure.scrollBy(
      inside.left + inside.width / 2 - frame.left - frame.width / 2,
      inside.top + inside.height / 2 - frame.top - frame.height / 2,
    );
  }
  const item = items[now - 1];
  for (const list of [one("#listing"), ...all(".pass")]) {
    if (now === 0) list.scrollTo(0, 0);
    if (!item || !list.contains(item) || list.scrollHeight <= list.clientHeight) continue;
    const place = item.getBoundingClientRect();
    const frame = list.getBoundingClientRect();
    if (place.top < frame.top + 30 || place.bottom > frame.bottom) {
      list.scrollBy(0, place.top - frame.top - frame.height / 3);
    }
  }
}

function go(where) {
  const places = { first: 0, back: now - 1, next: now + 1, last };
  show(places[where]);
}

document.addEventListener("keydown", (event) => {
  if (event.altKey || event.ctrlKey || event.metaKey || event.target.matches("input")) return;
  const where = { ArrowRight: "next", ArrowLeft: "back", Home: "first", End: "last" }[event.key];
  if (where) {
    event.preventDefault();
    go(where);
  } else if ((event.key === "Enter" || event.key === " ") && event.target.closest(".node[role]")) {
    event.preventDefault();
    event.target.closest(".node").dispatchEvent(new MouseEvent("click", { bubbles: true }));
  }
});
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-go]");
  if (button) return go(button.dataset.go);
  const item = event.target.closest(".step");
  if (item) {
    event.preventDefault();
    return show(items.indexOf(item) + 1);
  }
  const node = event.target.closest(".node[role]");
  if (node) {
    // The node's own step; clicked again, its first line of the backward pass.
    const places = data.steps.flatMap((step, k) => (String(step.node) === node.dataset.node ? [k + 1] : []));
    const further = places.find((place) => place > now);
    show(places.includes(now) && further ? further : places[0]);
  }
});
one("#slider").max = last;
one("#slider").addEventListener("input", (event) => show(Number(event.target.value)));
const form = one("#inputs");
if (form) {
  form.addEventListener("input", compute);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(compute));
}
one("#controls").hidden = false;
one("#now").hidden = false;
document.body.classList.add("live");
// An address that ends in #step-9 opens the page at that step.
function showAddress() {
  show(Number(/^#step-(\d+)$/.exec(location.hash)?.[1] ?? now));
}
window.addEventListener("hashchange", showAddress);
showAddress();
