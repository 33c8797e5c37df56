// One neuron and the product gate: tables of exact or certified numbers, a slider that stops at their rows only.
const nearest = (values, wanted) => values.reduce((best, v, k) => Math.abs(Math.log(v / wanted)) < Math.abs(Math.log(values[best] / wanted)) ? k : best, 0);
const TITLES = {relu: "ReLU"};
const FUNCTIONS = {
  tanh: Math.tanh,
  relu: z => Math.max(z, 0),
  softplus: z => Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z))),
  linear: z => z,
};

function checked(names, slider, values, key) {
  for (const name of names)
    if (!$$(`input[name=${name}]`).some(i => i.value === String(state[name]))) state[name] = DEFAULTS[name];
  const wanted = Number(state[key]);
  state[key] = values[nearest(values, wanted > 0 ? wanted : Number(DEFAULTS[key]))];
  $(slider).max = values.length - 1;
  $(slider).value = values.indexOf(state[key]);
}

TABS.neuron = {
  names: ["unit", "look", "w"],
  check() { checked(["unit", "look"], "#weight", DATA.neuron.w, "w"); },
  draw() {
    const {w, bits, points} = DATA.neuron, at = w.indexOf(state.w), noisy = state.look.startsWith("noise");
    const top = Math.max(...Object.keys(bits).map(name => Math.max(...bits[name][state.look])));
    const axes = figure($("#neuron"), {
      x: [w[0], w[w.length - 1]], y: [0, top * 1.06], logX: true, xTicks: decades(0.1, 1000), name: v => +v.toPrecision(3),
      yTicks: top > 8 ? [0, 4, 8, 12, 16] : top > 2.5 ? [0, 1, 2, 4, 6, 8].filter(v => v <= top * 1.05) : [0, 0.5, 1, 1.5, 2],
      xTitle: "weight w", yTitle: "I(X;T) in bits",
    });
    for (const [name, values] of Object.entries(bits)) {
      const own = name === state.unit;
      const line = values[state.look].map((v, k) => [axes.x(w[k]), axes.y(v)]);
      node("path", {d: path(line), class: own ? "curve own" : "curve"}, axes.svg);
      const place = {tanh: 105, relu: 88, softplus: 60, linear: 75}[name];
      node("text", {x: line[place][0], y: line[place][1] - 7, class: own ? "name" : "tick", "text-anchor": "end"}, axes.svg, TITLES[name] ?? name);
    }
    const now = bits[state.unit][state.look][at];
    node("circle", {cx: axes.x(state.w), cy: axes.y(now), r: 7, class: "mean accent"}, axes.svg);
    drawUnit(noisy ? points : null);
    $("#weight").setAttribute("aria-valuetext", `w = ${short(state.w)}`);
    $("#weight-now").textContent = short(state.w);
    const limit = noisy ? `The ${points.length} inputs hold ${Math.log2(points.length)}.` : "x itself holds infinitely many.";
    $("#neuron-said").textContent = `At w = ${short(state.w)} the ${TITLES[state.unit] ?? state.unit} unit keeps ${digits(now)} bits of x. ${limit}`;
  },
};

// f(w x) over x, and where T can be told apart: the cells' edges, or the noise around each input.
function drawUnit(points) {
  const f = FUNCTIONS[state.unit], outs = x => f(state.w * x), [kind, size] = state.look.split("-");
  const bounded = state.unit === "tanh", reach = 3.5, high = bounded ? 1.1 : Math.max(outs(reach), 0.2) * 1.08;
  const low = bounded ? -1.1 : state.unit === "linear" ? -high : -0.08 * high;
  const axes = figure($("#unit-drawing"), {
    x: [-reach, reach], y: [low, high], xTicks: [-3, -1, 1, 3], yTicks: [low < -0.5 * high ? -high / 1.1 : 0, 0, high / 1.1], name: short2,
    xTitle: "x", yTitle: "f(w x)", height: 0.45,
  });
  if (kind === "bins") {
    const cell = 2 / Number(size), count = (high - low) / cell;
    if (count <= 220)
      for (let k = Math.ceil(low / cell); k <= high / cell; k++)
        node("line", {x1: axes.left, x2: axes.right, y1: axes.y(k * cell), y2: axes.y(k * cell), class: "edge"}, axes.svg);
    $("#unit-caption").textContent = count <= 220
      ? `f(w x) for x within 3.5 standard deviations of its mean; across, the edges of cells as wide as those that cut [−1, 1] into ${size}.`
      : `f(w x) for x within 3.5 standard deviations; the ${Math.round(count)} cells would be too fine to draw.`;
  } else {
    for (const x of points) {
      const y = outs(x), half = 2 * Number(size), a = axes.y(Math.min(y + half, high)), b = axes.y(Math.max(y - half, low));
      node("rect", {x: axes.left, width: axes.right - axes.left, y: a, height: Math.max(b - a, 1), class: "band"}, axes.svg);
      node("circle", {cx: axes.x(x), cy: axes.y(y), r: 5, class: "mean accent"}, axes.svg);
    }
    $("#unit-caption").textContent = `The unit's output at its ${points.length} inputs, each with two standard deviations of the noise on both sides.`;
  }
  const line = range(281).map(k => -reach + 2 * reach * k / 280).map(x => [axes.x(x), axes.y(Math.min(Math.max(outs(x), low), high))]);
  node("path", {d: path(line), class: "curve own"}, axes.svg);
}

const short2 = v => Math.abs(v) < 1e-9 ? "0" : (v < 0 ? "−" : "") + short(Math.abs(v));

TABS.gate = {
  names: ["gate", "dtype", "scale"],
  check() { checked(["gate", "dtype"], "#scale", DATA.gate.scale, "scale"); },
  draw() {
    const {scale, gates} = DATA.gate, gate = gates[state.gate][state.dtype], at = scale.indexOf(state.scale);
    const low = 1e-18, high = 1e9, shown = v => Math.max(v, low);
    const axes = figure($("#gate"), {
      x: [scale[0], scale[scale.length - 1]], y: [low, high], logX: true, logY: true, name: power,
      xTicks: decades(scale[0], scale[scale.length - 1], 2), yTicks: decades(low, high, 3),
      xTitle: "scale λ of the inner weights", yTitle: "error on [−1, 1]²", left: 66,
    });
    for (const [kind, title] of [["truncation", "truncation"], ["rounding", "rounding"]]) {
      const line = gate[kind].map((v, k) => [axes.x(scale[k]), axes.y(shown(v))]);
      node("path", {d: path(line), class: `curve ${kind}`}, axes.svg);
      const [px, py] = line[Math.round(scale.length * (kind === "rounding" ? 0.2 : 0.4))];
      node("text", {x: px + 8, y: py + (kind === "rounding" ? -6 : 16), class: "name"}, axes.svg, title);
    }
    gate.found.forEach((v, k) => { if (v > 0) node("circle", {cx: axes.x(scale[k]), cy: axes.y(shown(v)), r: 2.5, class: "dot"}, axes.svg); });
    node("line", {x1: axes.x(gate.auto), x2: axes.x(gate.auto), y1: axes.top, y2: axes.bottom, class: "limit"}, axes.svg);
    node("text", {x: axes.x(gate.auto) - 5, y: axes.bottom - 6, class: "tick", "text-anchor": "end"}, axes.svg, "chosen by the package");
    node("circle", {cx: axes.x(state.scale), cy: axes.y(shown(gate.found[at] || low)), r: 7, class: "mean accent"}, axes.svg);
    $("#scale").setAttribute("aria-valuetext", `scale ${short(state.scale)}`);
    $("#scale-now").textContent = short(state.scale);
    $("#gate-said").textContent = `At scale ${short(state.scale)} the gate of ${gate.neurons} ${state.gate} neurons (${state.dtype}) errs by up to ${short(gate.found[at])} ` +
      `on 41 × 41 inputs; the certificate allows ${short(gate.truncation[at])} for truncation and ${short(gate.rounding[at])} for rounding. ` +
      `The package would choose ${short(gate.auto)}, within ${short(gate.total)}.`;
  },
};

async function start() {
  try {
    await startPlane();
    for (const [slider, key, values] of [["#weight", "w", DATA.neuron.w], ["#scale", "scale", DATA.gate.scale]])
      $(slider).addEventListener("input", event => change({[key]: values[event.target.value]}));
    started();
  } catch (error) {
    document.body.dataset.state = "failed";
    $("#failed").hidden = false;
    $("#failed").textContent += ` (${error.message})`;
  }
}
start();
