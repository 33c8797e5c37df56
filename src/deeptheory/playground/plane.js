// The information plane of a measured setting; nothing is drawn between measured epochs.
let planes = null, playing = null;
const PLANE = ["activation", "batch", "share", "labels", "depth"];

// The form is told in packing.py.
async function unpack(text) {
  const packed = Uint8Array.from(atob(text), c => c.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  const raw = new Uint8Array(await new Response(stream).arrayBuffer());
  const size = new DataView(raw.buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(raw.subarray(4, 4 + size)));
  const body = raw.subarray(4 + size), half = body.length / 2, networks = header.protocol.networks;
  let at = 0;
  const take = (name, rows) => Array.from({length: rows}, () => {
    const out = new Float64Array(header.epochs.length);
    let whole = 0;
    for (let t = 0; t < out.length; t++, at++) {
      const folded = body[at] + 256 * body[half + at];
      whole += folded & 1 ? -(folded + 1) / 2 : folded / 2;
      out[t] = whole / header.steps[name];
    }
    return out;
  });
  const grouped = (rows, by) => Array.from({length: rows.length / by}, (_, k) => rows.slice(k * by, (k + 1) * by));
  const settings = {};
  for (const s of header.settings) {
    const planes = {};
    for (const readout of header.readouts)
      planes[readout] = {
        x: grouped(take("i_x", networks * s.layers), s.layers),
        y: grouped(take("i_y", networks * s.layers), s.layers),
        floor: take("floor", s.layers),
      };
    settings[s.key] = {...s, planes, train: take("train_accuracy", networks), test: take("test_accuracy", networks)};
  }
  return {epochs: header.epochs, protocol: header.protocol, settings};
}

const keyOf = values => PLANE.map(name => values[name]).join("-");
const layerName = (k, layers) => k === layers - 1 ? "output" : `layer ${k + 1}`;
const colorOf = (k, layers) => `var(--l${layers === 1 ? 1 : 1 + Math.round(k * 5 / (layers - 1))})`;
// How far I(X;T) decreases after its maximum, as information.fall
const decrease = row => {
  const from = row.indexOf(Math.max(...row));
  return row[from] - Math.min(...row.slice(from));
};

TABS.plane = {
  names: [...PLANE, "readout", "epoch", "hold"],
  check() {
    for (const name of [...PLANE, "readout"])
      if (!$$(`#panel-plane input[name=${name}]`).some(i => i.value === String(state[name]))) state[name] = DEFAULTS[name];
    const epochs = planes.epochs, wanted = Number(state.epoch);
    if (!epochs.includes(wanted)) state.epoch = epochs[epochs.length - 1];
    const [key, readout] = String(state.hold).split("/");
    if (!(Object.hasOwn(planes.settings, key) && planes.settings[key].planes[readout])) state.hold = "";
  },
  draw: drawPlane,
};

function drawPlane() {
  const measured = planes.settings[keyOf(state)], at = planes.epochs.indexOf(Number(state.epoch));
  grayOut();
  $("#epoch").value = at;
  $("#epoch").setAttribute("aria-valuetext", `epoch ${state.epoch}`);
  $("#epoch-now").textContent = state.epoch;
  const inputs = state.readout.startsWith("noise") ? planes.protocol.noise_inputs : DATA.inputs, most = Math.log2(inputs);
  const axes = figure($("#plane"), {
    x: [-0.2, 12.6], y: [-0.02, 1.06], xTicks: [0, 2, 4, 6, 8, 10, 12], yTicks: [0, 0.2, 0.4, 0.6, 0.8, 1],
    xTitle: "I(X;T) in bits: what the layer keeps of the input", yTitle: "I(T;Y) in bits",
  });
  const svg = axes.svg;
  node("line", {x1: axes.x(most), x2: axes.x(most), y1: axes.top, y2: axes.bottom, class: "limit"}, svg);
  node("text", {x: axes.x(most) - 5, y: axes.bottom - 6, class: "tick", "text-anchor": "end"}, svg, `every input its own: ${+most.toFixed(2)} bits`);
  if (state.hold) drawHeld(axes);
  if (!measured) {
    node("text", {x: (axes.left + axes.right) / 2, y: (axes.top + axes.bottom) / 2, class: "axis", "text-anchor": "middle"}, svg, "not measured");
    $("#plane-said").textContent = "This combination is not measured" +
      (DATA.missing.includes(keyOf(state)) ? `; ${DATA.finish}` : ", nor planned.");
    $("#plane-rows").replaceChildren();
    return;
  }
  const plane = measured.planes[state.readout], layers = measured.layers;
  const average = values => k => t => mean(values.map(network => network[k][t]));
  const x = average(plane.x), y = average(plane.y), placed = [];
  node("path", {d: path(range(layers).map(k => [axes.x(x(k)(at)), axes.y(y(k)(at))])), class: "across"}, svg);
  for (let k = 0; k < layers; k++) {
    const color = colorOf(k, layers), group = node("g", {style: `color: ${color}`, "data-layer": k + 1}, svg);
    const points = range(at + 1).map(t => [axes.x(x(k)(t)), axes.y(y(k)(t))]), [cx, cy] = points[at];
    node("path", {d: path(points), class: "trail"}, group);
    for (const [px, py] of points.slice(0, -1)) node("circle", {cx: px, cy: py, r: 2, class: "past"}, group);
    if ($("#floors").checked) {
      const fy = axes.y(plane.floor[k][at]);
      node("path", {d: `M${cx - 6} ${fy}H${cx + 6}`, class: "floor"}, group);
    }
    plane.x.forEach((network, n) => node("circle", {cx: axes.x(network[k][at]), cy: axes.y(plane.y[n][k][at]), r: 3, class: "one"}, group));
    node("circle", {cx, cy, r: 6.5, class: "mean"}, group);
  }
  const narrow = axes.right < 440, named = k => narrow ? (k === layers - 1 ? "out" : `${k + 1}`) : layerName(k, layers);
  for (let k = 0; k < layers; k++) label(svg, named(k), axes.x(x(k)(at)), axes.y(y(k)(at)), axes, placed);
  tell(measured, plane, at);
}

const range = n => Array.from({length: n}, (_, k) => k);

// Labels that would overlap go one line down, or left of their point at the right end.
function label(svg, text, cx, cy, axes, placed) {
  const end = cx > axes.right - 14 - 7 * text.length, x = end ? cx - 11 : cx + 11;
  let y = cy + 4;
  const near = other => Math.abs(other.x - x) < 8 + 7 * text.length && Math.abs(other.y - y) < 13;
  while (placed.some(near)) y += 13;
  placed.push({x, y});
  node("text", {x, y, class: "name", "text-anchor": end ? "end" : "start"}, svg, text);
}

function drawHeld(axes) {
  const [key, readout] = state.hold.split("/"), held = planes.settings[key], plane = held.planes[readout];
  const group = node("g", {class: "held"}, axes.svg), last = planes.epochs.indexOf(Number(state.epoch));
  for (let k = 0; k < held.layers; k++) {
    const points = range(last + 1).map(t => [
      axes.x(mean(plane.x.map(n => n[k][t]))), axes.y(mean(plane.y.map(n => n[k][t])))]);
    node("path", {d: path(points)}, group);
    node("circle", {cx: points[last][0], cy: points[last][1], r: 5}, group);
  }
}

// A radio button whose choice, all else as it is, was not measured cannot be chosen.
function grayOut() {
  for (const input of $$("#panel-plane .settings input[type=radio]")) {
    if (!PLANE.includes(input.name)) continue;
    const there = keyOf({...state, [input.name]: input.value}) in planes.settings;
    input.disabled = !there && !input.checked;
    input.parentElement.title = there ? "" : "not measured with the other settings as they are";
  }
  $("#hold").setAttribute("aria-pressed", state.hold !== "");
  $("#hold").textContent = state.hold ? `Let go of ${state.hold.replaceAll("-", " ").replace("/", ", ")}` : "Hold this plane for comparison";
  $("#hold").disabled = !state.hold && !(keyOf(state) in planes.settings);
}

function tell(measured, plane, at) {
  const rows = range(measured.layers).map(k => {
    const of = f => plane.x.map((_, n) => f(n)), both = (values, n = 2) =>
      `${digits(mean(values), n)} [${digits(Math.min(...values), n)}, ${digits(Math.max(...values), n)}]`;
    return [layerName(k, measured.layers), both(of(n => plane.x[n][k][at])), both(of(n => decrease(plane.x[n][k]))),
      both(of(n => plane.y[n][k][at]), 3), digits(plane.floor[k][at], 3)];
  });
  $("#plane-rows").replaceChildren(...rows.map((row, k) => {
    const tr = document.createElement("tr");
    row.forEach((text, column) => {
      const cell = document.createElement(column ? "td" : "th");
      if (!column) { cell.scope = "row"; cell.style.borderLeft = `6px solid ${colorOf(k, measured.layers)}`; }
      cell.textContent = text;
      tr.append(cell);
    });
    return tr;
  }));
  if (playing) return;
  const deep = measured.layers - 2;
  $("#plane-said").textContent = `Epoch ${state.epoch}: ${digits(100 * mean(measured.train.map(n => n[at])), 1)} % of the training patterns and ` +
    `${digits(100 * mean(measured.test.map(n => n[at])), 1)} % of the others are right. ` +
    `Layer ${deep + 1}, the last hidden one: ${rows[deep][1]} bits of the input and ${rows[deep][3]} bits of the label ` +
    `(mean and range of ${plane.x.length} networks).`;
}

function step(to) {
  state.epoch = planes.epochs[to];
  drawPlane();
}

function stop() {
  clearInterval(playing);
  playing = null;
  $("#play").textContent = "Play";
  $("#play").setAttribute("aria-pressed", "false");
  change({});
}

function play() {
  if (playing) return stop();
  const last = planes.epochs.length - 1;
  if (planes.epochs.indexOf(Number(state.epoch)) === last) step(0);
  $("#play").textContent = "Pause";
  $("#play").setAttribute("aria-pressed", "true");
  playing = setInterval(() => {
    const next = planes.epochs.indexOf(Number(state.epoch)) + 1;
    if (state.tab !== "plane" || next > last) return stop();
    step(next);
  }, matchMedia("(prefers-reduced-motion: reduce)").matches ? 600 : 220);
}

async function startPlane() {
  planes = await unpack($("#planes").textContent);
  $("#epoch").max = planes.epochs.length - 1;
  $("#epoch").addEventListener("input", event => change({epoch: planes.epochs[event.target.value]}));
  $("#play").addEventListener("click", play);
  $("#floors").addEventListener("change", drawPlane);
  $("#hold").addEventListener("click", () => change({hold: state.hold ? "" : `${keyOf(state)}/${state.readout}`}));
}
