"use strict";
(() => {
  const unpack = async (id) => {
    const text = document.getElementById(id).textContent.trim();
    const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Response(stream).text();
  };
  let library = null;
  const plotly = () => {
    library ??= unpack("library").then((text) => {
      const script = document.createElement("script");
      script.textContent = text; // its hash stands in the policy
      document.head.append(script);
      return window.Plotly;
    });
    return library;
  };
  const animate = { mode: "immediate", frame: { duration: 0, redraw: false }, transition: { duration: 0 } };

  const steer = (Plotly, plot, frames) => {
    const box = document.querySelector(`.slider[data-for="${plot.dataset.plate}"]`);
    if (!box) return;
    const [input, output, button] = ["input", "output", "button"].map((tag) => box.querySelector(tag));
    const show = () => {
      const name = frames[input.valueAsNumber].name;
      output.textContent = name;
      input.setAttribute("aria-valuetext", `epoch ${name}`);
      return Plotly.animate(plot, [name], animate).then(() => { plot.dataset.frame = name; });
    };
    let playing = 0;
    const stop = () => { clearInterval(playing); playing = 0; button.textContent = "▶"; button.setAttribute("aria-label", "Play"); };
    const play = () => {
      if (input.valueAsNumber >= frames.length - 1) input.value = 0;
      button.textContent = "⏸";
      button.setAttribute("aria-label", "Pause");
      playing = setInterval(() => {
        if (input.valueAsNumber >= frames.length - 1) return stop();
        input.value = input.valueAsNumber + 1;
        show();
      }, 160);
    };
    input.addEventListener("input", () => { stop(); show(); });
    button.addEventListener("click", () => (playing ? stop() : play()));
    box.hidden = false;
    return show();
  };

  const draw = async (plot) => {
    if (plot.dataset.state) return;
    plot.dataset.state = "drawing";
    try {
      const [Plotly, text] = await Promise.all([plotly(), unpack(`data-${plot.dataset.plate}`)]);
      const figure = JSON.parse(text);
      const frames = figure.frames || [];
      delete figure.layout.sliders; // the page has its own, which a keyboard and a phone can use
      figure.layout.autosize = true;
      if (plot.clientWidth < 600) figure.layout.legend = { ...figure.layout.legend, orientation: "h", y: -0.25 };
      await Plotly.newPlot(plot, figure.data, figure.layout, { responsive: true, displaylogo: false, showSendToCloud: false, modeBarButtonsToRemove: ["sendChartToCloud"] });
      if (frames.length) {
        await Plotly.addFrames(plot, frames);
        await steer(Plotly, plot, frames);
      }
      plot.dataset.state = "drawn";
    } catch (error) {
      plot.dataset.state = "failed";
      plot.textContent = `This figure could not be drawn (${error.message}); its numbers are in figures/${plot.dataset.plate}.csv.`;
    }
  };

  const plots = [...document.querySelectorAll(".plot")];
  const watcher = new IntersectionObserver(
    (seen) => seen.filter((s) => s.isIntersecting).forEach((s) => draw(s.target)),
    { rootMargin: "300px" },
  );
  plots.forEach((plot) => watcher.observe(plot));
  // a print cannot wait for a figure to be drawn: the rest is drawn while nobody scrolls
  const idle = window.requestIdleCallback || ((then) => setTimeout(then, 200));
  const next = () => {
    const plot = plots.find((p) => !p.dataset.state);
    if (plot) draw(plot).then(() => idle(next));
  };
  window.addEventListener("load", () => idle(next));
  window.addEventListener("beforeprint", () => plots.forEach(draw));
})();
