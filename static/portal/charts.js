// Draws the charts of a page from its JSON (id "charts"): data-chart names one. Each has its table behind
// it, which stays open where nothing can be drawn, and opens again for the printer.
(() => {
  "use strict";

  const source = document.getElementById("charts");
  if (!source || !window.echarts) return;
  const all = JSON.parse(source.textContent);

  const INK = "#1b2733";
  const QUIET = "#51606f";
  const LINE = "#d5dce4";
  const TONES = { on_time: "#1a4f8b", late: "#c98a1b", filled: "#7b4ba8", missed: "#a3182a" };
  const PALETTE = [
    "#1a4f8b", "#c2410c", "#17633a", "#7b4ba8", "#a3182a", "#0f766e",
    "#8a5600", "#be185d", "#4d7c0f", "#0369a1", "#6b7280", "#a16207",
  ];
  const SYMBOLS = ["circle", "rect", "triangle", "diamond"];
  const DASHES = ["solid", "dashed", "dotted"];
  const PRINT_WIDTH = 660;
  const NARROW = 480;
  const ROW_HEIGHT = 26;
  const LEGEND_ITEM = 158;

  const common = () => ({
    animation: false,
    textStyle: { fontFamily: getComputedStyle(document.body).fontFamily, color: INK },
    aria: { enabled: true },
  });
  // On a phone the legend is paged, elsewhere (and on paper) it stands whole.
  const legend = (width) => ({
    type: width < NARROW ? "scroll" : "plain",
    top: 0,
    left: 0,
    right: 0,
    textStyle: { color: INK },
  });
  const below = (count, width) =>
    24 + 22 * (width < NARROW ? 1 : Math.ceil(count / Math.max(1, Math.floor(width / LEGEND_ITEM))));
  const tooltip = (unit) => ({
    trigger: "axis",
    renderMode: "richText",
    confine: true,
    valueFormatter: (value) => (value === null || value === undefined ? "—" : `${value}${unit}`),
  });
  const categories = (labels, more) => ({
    type: "category",
    data: labels,
    axisLine: { lineStyle: { color: QUIET } },
    axisLabel: { color: QUIET },
    ...more,
  });
  const values = (more) => ({
    type: "value",
    axisLabel: { color: QUIET },
    splitLine: { lineStyle: { color: LINE } },
    ...more,
  });

  const lines = (data, width) => ({
    ...common(),
    legend: legend(width),
    tooltip: { ...tooltip(data.unit), order: "valueAsc" },
    grid: { top: below(data.series.length, width), left: 44, right: 16, bottom: 28 },
    xAxis: categories(data.labels, { boundaryGap: false }),
    yAxis: values({ min: lowest(data.series), max: 100, axisLabel: { color: QUIET, formatter: "{value}%" } }),
    series: data.series.map((one, index) => ({
      name: one.name,
      type: "line",
      data: one.values,
      symbol: SYMBOLS[index % SYMBOLS.length],
      symbolSize: one.sum ? 0 : 6,
      z: one.sum ? 5 : 2,
      emphasis: { focus: "series" },
      itemStyle: { color: one.sum ? INK : PALETTE[index % PALETTE.length] },
      lineStyle: one.sum ? { width: 4 } : { width: 1.5, type: DASHES[Math.floor(index / SYMBOLS.length) % DASHES.length] },
    })),
  });

  // The axis begins at a full ten below the lowest figure, so that differences near 100 % can be seen.
  const lowest = (series) => {
    const found = series.flatMap((one) => one.values).filter((value) => value !== null);
    return Math.max(0, Math.floor((Math.min(100, ...found) - 1) / 10) * 10);
  };

  const bars = (data, width) => {
    const flat = width < NARROW;
    const names = categories(data.labels, {
      inverse: flat,
      axisLabel: { color: QUIET, rotate: flat ? 0 : 40, interval: 0 },
    });
    const counts = values({ minInterval: 1 });
    return {
      ...common(),
      tooltip: tooltip(data.unit),
      grid: { top: 24, left: 8, right: flat ? 40 : 8, bottom: 8, containLabel: true },
      xAxis: flat ? counts : names,
      yAxis: flat ? names : counts,
      series: [
        {
          type: "bar",
          data: data.values.map((value, index) => ({ value, itemStyle: { color: TONES[data.tones[index]] } })),
          label: { show: true, position: flat ? "right" : "top", color: INK, fontSize: 11 },
        },
      ],
    };
  };

  const ranking = (data, width) => ({
    ...common(),
    legend: legend(width),
    tooltip: tooltip(data.unit),
    grid: { top: 36, left: 8, right: 24, bottom: 8, containLabel: true },
    yAxis: categories(data.labels, {
      inverse: true,
      axisLabel: { color: INK, interval: 0, width: width < NARROW ? 110 : 240, overflow: "truncate" },
    }),
    xAxis: values({ max: 100, axisLabel: { color: QUIET, formatter: "{value}%" } }),
    series: data.series.map((one) => ({
      name: one.name,
      type: "bar",
      stack: "share",
      data: one.values,
      itemStyle: { color: TONES[one.tone] },
    })),
  });

  const OPTIONS = { lines, bars, ranking };

  const drawn = [];
  document.querySelectorAll("[data-chart]").forEach((place) => {
    const data = all[place.dataset.chart];
    place.hidden = false;
    if (data.kind === "ranking") place.style.height = `${data.labels.length * ROW_HEIGHT + 60}px`;
    const chart = window.echarts.init(place, null, { renderer: "canvas" });
    const draw = (width) => {
      chart.resize({ width: width || "auto" });
      chart.setOption(OPTIONS[data.kind](data, chart.getWidth()), true);
    };
    draw();
    const table = place.parentElement.querySelector("details");
    table.open = false;
    drawn.push({ draw, table });
  });

  let waiting = 0;
  window.addEventListener("resize", () => {
    cancelAnimationFrame(waiting);
    waiting = requestAnimationFrame(() => drawn.forEach(({ draw }) => draw()));
  });
  let wereOpen = [];
  window.addEventListener("beforeprint", () => {
    wereOpen = drawn.map(({ table }) => table.open);
    drawn.forEach(({ draw, table }) => {
      draw(PRINT_WIDTH);
      table.open = true;
    });
  });
  window.addEventListener("afterprint", () => {
    drawn.forEach(({ draw, table }, index) => {
      draw();
      table.open = wereOpen[index];
    });
  });
})();
