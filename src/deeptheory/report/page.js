"use strict";
(() => {
  const unpack = async (text) => {
    const bytes = Uint8Array.from(atob(text.trim()), (c) => c.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Response(stream).text();
  };
  const held = (link) => unpack(link.href.slice(link.href.indexOf(",") + 1));
  let library = null;
  const plotly = () => {
    library ??= unpack(document.getElementById("library").textContent).then((text) => {
      const script = document.createElement("script");
      script.textContent = text; // its hash stands in the policy
      document.head.append(script);
      return window.Plotly;
    });
    return library;
  };
  const touch = window.matchMedia("(pointer: coarse)").matches;
  const animate = { mode: "immediate", frame: { duration: 0, redraw: false }, transition: { duration: 0 } };
  const options = { responsive: true, displaylogo: false, showSendToCloud: false, modeBarButtonsToRemove: ["sendChartToCloud"] };

  const draw = (plot) => { plot.drawing ??= drawn(plot); return plot.drawing; };
  const drawn = async (plot) => {
    plot.dataset.state = "drawing";
    const name = plot.dataset.figure, live = plot.querySelector(".live"), still = plot.querySelector(".still");
    try {
      const height = Math.max(still.clientHeight, 260);
      const [Plotly, text] = await Promise.all([plotly(), held(document.getElementById(`data-${name}`))]);
      const figure = JSON.parse(text), layout = figure.layout, frames = figure.frames || [];
      delete layout.sliders; // the page has its own, which a keyboard and a phone can use
      layout.annotations = (layout.annotations || []).filter((a) => a.text.length <= 90); // the longer stand below it
      Object.assign(layout, { autosize: true, height });
      if (touch) layout.dragmode = false; // a finger scrolls the page
      if (plot.clientWidth < 600) layout.legend = { ...layout.legend, orientation: "h", y: -0.25 };
      live.style.height = `${height}px`;
      plot.dataset.state = "drawn";
      await Plotly.newPlot(live, figure.data, layout, options);
      if (frames.length) await Plotly.addFrames(live, frames);
      return { Plotly, live, frames };
    } catch (error) {
      plot.dataset.state = "failed";
      const said = document.createElement("p");
      said.textContent = `The interactive figure could not be drawn (${error.message}); the static one is above.`;
      plot.append(said);
      return null;
    }
  };

  const steer = (plot, box) => {
    const [input, output, button] = ["input", "output", "button"].map((tag) => box.querySelector(tag));
    const show = async () => {
      const found = await draw(plot);
      if (!found) return;
      const name = found.frames[input.valueAsNumber].name;
      output.textContent = name;
      input.setAttribute("aria-valuetext", `epoch ${name}`);
      await found.Plotly.animate(found.live, [name], animate);
      plot.dataset.frame = name;
    };
    let playing = 0;
    const stop = () => { clearInterval(playing); playing = 0; button.textContent = "▶"; button.setAttribute("aria-label", "Play"); };
    const play = () => {
      if (input.valueAsNumber >= Number(input.max)) input.value = 0;
      button.textContent = "⏸";
      button.setAttribute("aria-label", "Pause");
      playing = setInterval(() => {
        if (input.valueAsNumber >= Number(input.max)) return stop();
        input.value = input.valueAsNumber + 1;
        show();
      }, 160);
    };
    input.addEventListener("input", () => { stop(); show(); });
    button.addEventListener("click", () => (playing ? stop() : draw(plot).then(play)));
    box.hidden = false;
    return show;
  };

  document.querySelectorAll(".plot").forEach((plot) => {
    const name = plot.dataset.figure, box = document.querySelector(`.slider[data-for="${CSS.escape(name)}"]`);
    const show = box ? steer(plot, box) : () => draw(plot);
    const files = plot.parentElement.querySelector(".files"), button = document.createElement("button");
    Object.assign(button, { type: "button", className: "explore", textContent: "Numbers and zoom" });
    button.setAttribute("aria-label", `Numbers and zoom: ${plot.parentElement.querySelector("figcaption").textContent}`);
    button.addEventListener("click", () => show().then(() => button.remove()));
    files.prepend(button);
    if (!touch) plot.addEventListener("pointerenter", () => show().then(() => button.remove()), { once: true });
  });

  // links to packed files: unpacked when they are asked for
  document.querySelectorAll("a[data-packed]").forEach((link) => {
    link.addEventListener("click", async (event) => {
      event.preventDefault();
      const url = URL.createObjectURL(new Blob([await held(link)]));
      const plain = document.createElement("a");
      Object.assign(plain, { href: url, download: link.dataset.packed });
      plain.click();
      setTimeout(() => URL.revokeObjectURL(url), 10000);
    });
  });

  const table = document.getElementById("claims");
  if (table) {
    const body = table.tBodies[0], rows = [...body.rows];
    const box = document.createElement("p");
    box.className = "filter";
    box.innerHTML = '<label>Verdict <select aria-label="Verdict"><option value="">all</option></select></label> <label>Text <input type="search" aria-label="Text"></label> <output></output>';
    const select = box.querySelector("select"), input = box.querySelector("input"), output = box.querySelector("output");
    [...new Set(rows.map((r) => r.dataset.verdict))].forEach((v) => select.add(new Option(v, v)));
    const filter = () => {
      const wanted = input.value.trim().toLowerCase();
      rows.forEach((r) => { r.hidden = (select.value && r.dataset.verdict !== select.value) || !r.textContent.toLowerCase().includes(wanted); });
      output.textContent = `${rows.filter((r) => !r.hidden).length} of ${rows.length}`;
    };
    box.addEventListener("input", filter);
    filter();
    table.parentElement.before(box);
    const value = (row, k) => {
      const cell = row.cells[k];
      return "value" in cell.dataset ? (cell.dataset.value === "" ? NaN : Number(cell.dataset.value.replace("inf", "Infinity"))) : cell.textContent.trim().toLowerCase();
    };
    [...table.tHead.rows[0].cells].forEach((head, k) => {
      const button = document.createElement("button");
      button.type = "button";
      const plain = document.createElement("span"); // on paper
      plain.className = "plain";
      plain.textContent = button.textContent = head.textContent;
      head.replaceChildren(button, plain);
      button.addEventListener("click", () => {
        const up = head.getAttribute("aria-sort") !== "ascending";
        [...head.parentElement.cells].forEach((c) => c.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", up ? "ascending" : "descending");
        const order = (a, b) => (typeof a === "string" ? a.localeCompare(b) : Number.isNaN(a) - Number.isNaN(b) || (up ? 1 : -1) * (a - b));
        const found = rows.map((r) => [value(r, k), r]).sort(([a], [b]) => (typeof a === "string" && !up ? order(b, a) : order(a, b)));
        body.append(...found.map(([, r]) => r));
      });
    });
  }
  const asked = () => { const d = document.getElementById(decodeURIComponent(location.hash.slice(1)))?.closest("details"); if (d) d.open = true; };
  window.addEventListener("hashchange", asked);
  asked();
})();
