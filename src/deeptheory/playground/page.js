"use strict";
// State, tabs and what all three tabs share. The state is the part of the address after "#": a link to it shows the same.
const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
const DATA = JSON.parse($("#data").textContent);
const DEFAULTS = {tab: "plane", ...DATA.defaults};
const TABS = {};  // tab -> {names of its part of the state, draw}
let state = {...DEFAULTS};

const mean = values => values.reduce((a, b) => a + b, 0) / values.length;
const digits = (value, n = 2) => value.toFixed(n).replace("-", "−").replace(/^−(0\.?0*)$/, "$1");
const raised = power => String(power).replace(/./g, c => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(c)]);
const short = value => {
  if (value === 0 || (value >= 0.001 && value < 1e4)) return String(+value.toPrecision(3));
  const [front, power] = value.toExponential(1).split("e");
  return `${front}·10${raised(Number(power))}`;
};

function node(name, attributes, parent, text) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  parent?.append(made);
  return made;
}

// An empty figure as wide as it is shown, so that letters keep their size on a phone; scales are linear or logarithmic.
function figure(svg, {x, y, xTitle, yTitle, height = 0.62, xTicks, yTicks, logX, logY, left = 52, name = String}) {
  const width = Math.max(svg.parentElement.clientWidth, 280), tall = Math.round(Math.min(Math.max(width * height, 230), 470));
  svg.replaceChildren();
  svg.setAttribute("viewBox", `0 0 ${width} ${tall}`);
  const right = width - 16, top = 14, bottom = tall - 44;
  const along = ([low, high], from, to, log) => {
    const f = log ? Math.log10 : v => v;
    return v => from + (f(v) - f(low)) / (f(high) - f(low)) * (to - from);
  };
  const at = {x: along(x, left, right, logX), y: along(y, bottom, top, logY), left, right, top, bottom, svg};
  for (const v of xTicks) {
    node("line", {x1: at.x(v), x2: at.x(v), y1: top, y2: bottom, class: "grid"}, svg);
    node("text", {x: at.x(v), y: bottom + 16, class: "tick", "text-anchor": "middle"}, svg, name(v));
  }
  for (const v of yTicks) {
    node("line", {x1: left, x2: right, y1: at.y(v), y2: at.y(v), class: "grid"}, svg);
    node("text", {x: left - 6, y: at.y(v) + 4, class: "tick", "text-anchor": "end"}, svg, name(v));
  }
  node("text", {x: (left + right) / 2, y: tall - 8, class: "axis", "text-anchor": "middle"}, svg, xTitle);
  node("text", {x: 13, y: (top + bottom) / 2, class: "axis", "text-anchor": "middle", transform: `rotate(-90 13 ${(top + bottom) / 2})`}, svg, yTitle);
  return at;
}

const path = points => points.map(([x, y], k) => `${k ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");
const power = v => { const k = Math.round(Math.log10(v)); return Math.abs(k) < 4 ? String(+(10 ** k).toPrecision(3)) : `10${raised(k)}`; };
const decades = (low, high, by = 1) => {
  const out = [];
  for (let k = Math.ceil(Math.log10(low)); k <= Math.log10(high) + 1e-9; k += by) out.push(10 ** k);
  return out;
};

function readAddress() {
  const given = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
  state = {...DEFAULTS};
  for (const [key, value] of Object.entries(given)) if (Object.hasOwn(DEFAULTS, key)) state[key] = value;
  if (!Object.hasOwn(TABS, state.tab)) state.tab = DEFAULTS.tab;
  for (const part of Object.values(TABS)) part.check();
}

function writeAddress() {
  const parts = [["tab", state.tab], ...TABS[state.tab].names.map(name => [name, state[name]])];
  const address = "#" + parts.filter(([, value]) => value !== "").map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join("&");
  if (address !== location.hash) history.replaceState(null, "", address);
}

function change(values) {
  Object.assign(state, values);
  for (const part of Object.values(TABS)) part.check();
  writeAddress();
  show();
}

function show() {
  for (const button of $$("[role=tab]")) {
    const chosen = button.dataset.tab === state.tab;
    button.setAttribute("aria-selected", chosen);
    button.tabIndex = chosen ? 0 : -1;
    $("#" + button.getAttribute("aria-controls")).hidden = !chosen;
  }
  const panel = $("#panel-" + state.tab);
  for (const input of $$("input[type=radio]", panel)) input.checked = input.value === String(state[input.name]);
  const parts = TABS[state.tab].names;
  for (const item of $$(".questions li", panel)) {
    const asked = askedBy($("a", item));
    item.classList.toggle("now", parts.every(name => !(name in asked) || asked[name] === String(state[name])));
  }
  TABS[state.tab].draw();
  document.body.dataset.shown = parts.map(name => state[name]).join(" ");
}

const askedBy = link => Object.fromEntries(new URLSearchParams(link.hash.slice(1)));

function started() {
  for (const link of $$(".questions a"))  // a question changes what it names; the epoch and the held plane stay
    link.addEventListener("click", event => { event.preventDefault(); change(askedBy(link)); });
  for (const button of $$("[role=tab]")) {
    button.addEventListener("click", () => change({tab: button.dataset.tab}));
    button.addEventListener("keydown", event => {
      const all = $$("[role=tab]"), step = {ArrowRight: 1, ArrowLeft: -1}[event.key];
      if (!step) return;
      const next = all[(all.indexOf(button) + step + all.length) % all.length];
      event.preventDefault();
      change({tab: next.dataset.tab});
      next.focus();
    });
  }
  for (const input of $$(".settings input[type=radio]"))
    input.addEventListener("change", () => change({[input.name]: input.value}));
  addEventListener("hashchange", () => { readAddress(); show(); });
  let width = innerWidth;
  addEventListener("resize", () => { if (innerWidth !== width) { width = innerWidth; show(); } });
  for (const element of $$("[data-needs-script]")) element.removeAttribute("hidden");
  readAddress();
  show();
  document.body.dataset.state = "ready";
}
