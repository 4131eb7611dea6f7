"use strict";

const report = JSON.parse(document.getElementById("data").textContent);
const stats = report.statistics;
const totalTicks = stats.cycles * report.ticks_per_cycle;
const byId = (id) => document.getElementById(id);

// Text ---------------------------------------------------------------------

const PREFIXES = [[1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"], [1, ""], [1e-3, "m"], [1e-6, "µ"], [1e-9, "n"], [1e-12, "p"]];

function quantity(value, unit) {
  const [scale, prefix] = PREFIXES.find(([scale]) => Math.abs(value) >= scale) ?? [1, ""];
  return `${(value / scale).toFixed(value ? 2 : 0)} ${prefix}${unit}`;
}

const count = (value) => Math.round(value).toLocaleString("en");
const percent = (share) => `${(100 * share).toFixed(1)} %`;
const timeText = (ticks) => quantity(ticks / report.ticks_per_second, "s");

function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

// Operators ----------------------------------------------------------------

const operators = stats.operators;
const operatorByName = new Map(operators.map((op, i) => [op.name, i]));
/** From indices of the program to those of the statistics. */
const operatorOfIndex = report.operator_names.map((name) => operatorByName.get(name) ?? -1);
const nameOf = (index) => report.operator_names[index] || "(none)";
const displayName = (op) => op.name || "(none)";
// Hues a golden angle apart differ for neighbours.
const colorOf = (operator) => (operator < 0 ? "#aaa" : `hsl(${(operator * 137.5) % 360} 60% 55%)`);

let selected = -1;
const onSelect = [];

function select(operator) {
  selected = operator === selected ? -1 : operator;
  const panel = byId("selection");
  panel.hidden = selected < 0;
  if (selected >= 0) {
    const op = operators[selected];
    const waits = Object.entries(op.wait_cycles).map(([cause, cycles]) => `${cause} ${count(cycles)}`).join(", ");
    panel.replaceChildren(
      element("b", {}, displayName(op)),
      element("br"),
      `${count(op.critical_cycles)} cycles (${percent(op.critical_cycles / stats.cycles)} of the run), waited for: ${waits}`,
      element("br"),
      `${quantity(op.hbm_read_bytes + op.hbm_write_bytes, "B")} over HBM, ${quantity(op.multiply_accumulates, "MAC")}, ` +
        `${quantity(op.joules, "J")} without static power`);
  }
  onSelect.forEach((act) => act());
}

// Tables -------------------------------------------------------------------

/** Fills `table`; columns are {title, value, text, html}. A click on a title sorts by it, another one turns it round. */
function makeTable(table, columns, rows, sortedBy, onClick) {
  let column = sortedBy, descending = true;
  const head = element("tr"), body = element("tbody");
  const show = () => {
    const { value } = columns[column];
    const sign = descending ? -1 : 1;
    const order = rows.map((row, i) => i).sort((a, b) => {
      const [x, y] = [value(rows[a]), value(rows[b])];
      return x === y ? a - b : sign * (x < y ? -1 : 1);
    });
    [...head.children].forEach((th, i) =>
      th.setAttribute("aria-sort", i !== column ? "none" : descending ? "descending" : "ascending"));
    body.replaceChildren(...order.map((i) => lines[i]));
  };
  const lines = rows.map((row, i) => {
    const line = element("tr", { onclick: () => onClick?.(i) });
    for (const { value, text } of columns)
      line.append(element("td", {}, ...[text ? text(row, i) : count(value(row))].flat()));
    return line;
  });
  columns.forEach(({ title, value }, i) => {
    const button = element("button", { type: "button", onclick: () => {
      descending = i === column ? !descending : typeof value(rows[0] ?? {}) === "number";
      column = i;
      show();
    } }, title);
    head.append(element("th", { scope: "col" }, button));
  });
  table.replaceChildren(element("thead", {}, head), body);
  show();
  return lines;
}

const hbmBytes = (costs) => costs.hbm_read_bytes + costs.hbm_write_bytes;
const waitColumns = ["counter", "slot", "result", "engine"].map((cause) => ({
  title: `wait: ${cause}`, value: (costs) => costs.wait_cycles[cause] }));
const costColumns = [
  { title: "cycles", value: (costs) => costs.critical_cycles },
  { title: "share", value: (costs) => costs.critical_cycles, text: (costs) => percent(costs.critical_cycles / stats.cycles) },
  { title: "matrix", value: (costs) => costs.matrix_cycles },
  { title: "weights", value: (costs) => costs.weight_port_cycles },
  { title: "vector", value: (costs) => costs.vector_cycles },
  { title: "DMA", value: (costs) => costs.dma_cycles },
  ...waitColumns,
  { title: "HBM", value: hbmBytes, text: (costs) => quantity(hbmBytes(costs), "B") },
  { title: "MACs", value: (costs) => costs.multiply_accumulates, text: (costs) => quantity(costs.multiply_accumulates, "") },
  { title: "energy", value: (costs) => costs.joules, text: (costs) => quantity(costs.joules, "J") },
];

function makeTables() {
  const swatch = (i) => {
    const made = element("span", { className: "swatch" });
    made.style.background = colorOf(i);
    return made;
  };
  const lines = makeTable(byId("operators"),
    [{ title: "operator", value: displayName, text: (op, i) => [swatch(i), displayName(op)] }, ...costColumns],
    operators, 1, select);
  onSelect.push(() => lines.forEach((line, i) => line.classList.toggle("selected", i === selected)));
  makeTable(byId("layers"),
    [{ title: "layer", value: (layer) => layer.layer, text: ({ layer }) => (layer ? String(layer) : "none") }, ...costColumns],
    stats.layers, 1);
  makeTable(byId("engines"), [
    { title: "engine", value: (engine) => engine.name, text: (engine) => engine.name },
    { title: "busy", value: (engine) => engine.busy_cycles },
    { title: "share", value: (engine) => engine.busy_cycles, text: (engine) => percent(engine.busy_cycles / stats.cycles) },
    ...waitColumns,
    { title: "idle", value: (engine) => engine.idle_cycles },
    { title: "instructions", value: (engine) => engine.instructions },
    { title: "bytes", value: (engine) => engine.bytes, text: (engine) => quantity(engine.bytes, "B") },
  ], stats.engines, 1);
}

// Totals -------------------------------------------------------------------

function makeTotals() {
  byId("title").textContent = `${report.program} on ${report.target}`;
  const total = (name, text) =>
    byId("totals").append(element("div", {}, element("dt", {}, name), element("dd", {}, text)));
  total("latency", quantity(stats.seconds, "s"));
  total("cycles", count(stats.cycles));
  total("of the roof", percent(stats.roof.share));
  total("over HBM", quantity(stats.hbm_read_bytes + stats.hbm_write_bytes, "B"));
  total("multiplications", quantity(stats.multiply_accumulates, "MAC"));
  total("energy", quantity(stats.joules.total, "J"));
  total("mean power", quantity(stats.joules.total / stats.seconds, "W"));
}

function makeShares(parent, unit, parts) {
  const largest = Math.max(...parts.map(([, value]) => value), Number.MIN_VALUE);
  for (const [name, value] of parts) {
    const bar = element("i");
    bar.style.width = `${100 * value / largest}%`;
    parent.append(element("div", {}, element("span", {}, name), bar, element("span", {}, quantity(value, unit))));
  }
}

// Roofline -----------------------------------------------------------------

function makeRoofline() {
  const svg = byId("roofline");
  const [left, right, top, bottom] = [70, 880, 15, 375];
  const bandwidth = (stats.hbm_read_bytes + stats.hbm_write_bytes) / stats.roof.memory_seconds;
  const peak = stats.multiply_accumulates / stats.roof.compute_seconds;
  const cyclesPerSecond = report.ticks_per_second / report.ticks_per_cycle;
  const points = operators.map((op) => {
    const busiest = Math.max(op.critical_cycles, op.matrix_cycles, op.weight_port_cycles, op.vector_cycles, op.dma_cycles);
    const bytes = hbmBytes(op);
    return {
      intensity: bytes ? op.multiply_accumulates / bytes : Infinity,
      rate: busiest ? op.multiply_accumulates * cyclesPerSecond / busiest : 0,
    };
  });
  const inside = (values) => values.filter((v) => v > 0 && isFinite(v));
  const range = (values) => {
    const logs = inside(values).map(Math.log10);
    return logs.length ? [Math.floor(Math.min(...logs) - 0.3), Math.ceil(Math.max(...logs) + 0.3)] : [0, 1];
  };
  const [x0, x1] = range([...points.map((p) => p.intensity), peak / bandwidth]);
  const [y0, y1] = range([...points.map((p) => p.rate), peak]);
  const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
  const x = (intensity) => clamp(left + (Math.log10(intensity) - x0) / (x1 - x0) * (right - left), left, right);
  const y = (rate) => clamp(bottom - (Math.log10(rate) - y0) / (y1 - y0) * (bottom - top), top, bottom);

  const draw = (tag, attributes, text) => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes))
      made.setAttribute(name, value);
    if (text !== undefined)
      made.textContent = text;
    svg.append(made);
    return made;
  };
  for (let e = x0; e <= x1; ++e) {
    draw("line", { class: "grid", x1: x(10 ** e), x2: x(10 ** e), y1: top, y2: bottom });
    draw("text", { x: x(10 ** e), y: bottom + 16, "text-anchor": "middle" }, `${10 ** e}`);
  }
  for (let e = y0; e <= y1; ++e) {
    draw("line", { class: "grid", x1: left, x2: right, y1: y(10 ** e), y2: y(10 ** e) });
    draw("text", { x: left - 6, y: y(10 ** e) + 4, "text-anchor": "end" }, quantity(10 ** e, ""));
  }
  draw("text", { x: (left + right) / 2, y: 412, "text-anchor": "middle" }, "multiply-accumulates per byte of HBM");
  draw("text", { x: left, y: 10, "text-anchor": "start" }, "multiply-accumulates per second");
  if (isFinite(peak) && isFinite(bandwidth)) {
    // The slope leaves the plot below or on the left.
    const start = Math.max(10 ** x0, 10 ** y0 / bandwidth);
    draw("polyline", { class: "roof", points: [[start, start * bandwidth], [peak / bandwidth, peak], [10 ** x1, peak]]
      .map(([i, r]) => `${x(i)},${y(r)}`).join(" ") });
  }
  const circles = points.map((point, i) => {
    const circle = draw("circle", { cx: x(point.intensity), cy: y(point.rate), fill: colorOf(i),
      r: 4 + 14 * Math.sqrt(operators[i].critical_cycles / stats.cycles) });
    circle.dataset.operator = displayName(operators[i]);
    circle.addEventListener("click", () => select(i));
    hoverText(circle, () => `${displayName(operators[i])}\n${quantity(point.rate, "MAC/s")}` +
      (isFinite(point.intensity) ? `, ${point.intensity.toPrecision(3)} MAC/B` : ", no HBM traffic"));
    return circle;
  });
  onSelect.push(() => circles.forEach((circle, i) => circle.classList.toggle("selected", i === selected)));
}

function hoverText(target, textAt) {
  const tooltip = byId("tooltip");
  target.addEventListener("mousemove", (event) => {
    const text = textAt(event);
    tooltip.hidden = !text;
    tooltip.textContent = text ?? "";
    tooltip.style.left = `${Math.min(event.clientX + 14, innerWidth - tooltip.offsetWidth - 8)}px`;
    tooltip.style.top = `${Math.min(event.clientY + 14, innerHeight - tooltip.offsetHeight - 8)}px`;
  });
  target.addEventListener("mouseleave", () => { tooltip.hidden = true; });
}

// Timeline -----------------------------------------------------------------

/** What all lanes show: from `start` to `end`, in ticks. */
const view = { start: 0, end: totalTicks };
const lanes = [];

function setView(start, end) {
  const length = Math.min(totalTicks, Math.max(4 * report.ticks_per_cycle, end - start));
  view.start = Math.min(Math.max(0, start), totalTicks - length);
  view.end = view.start + length;
  byId("range").value = `${timeText(view.start)} to ${timeText(view.end)}`;
  draw();
}

/** Shows `factor` times as much, with the moment at `share` of the width in its place. */
function zoom(factor, share = 0.5) {
  const at = view.start + share * (view.end - view.start);
  const length = Math.min(totalTicks, (view.end - view.start) * factor);
  setView(at - share * length, at + (1 - share) * length);
}

let drawing = false;

function draw() {
  if (drawing)
    return;
  drawing = true;
  requestAnimationFrame(() => {
    drawing = false;
    for (const { canvas, height, paint } of lanes) {
      const width = canvas.clientWidth, scale = devicePixelRatio;
      canvas.width = width * scale;
      canvas.height = height * scale;
      const context = canvas.getContext("2d");
      context.scale(scale, scale);
      context.clearRect(0, 0, width, height);
      paint(context, width, height);
    }
  });
}

/** A canvas over the time of the run. `operatorAt` and `textAt` are asked about a moment and a share of the height. */
function addLane(name, height, paint, operatorAt, textAt) {
  const canvas = element("canvas");
  canvas.style.height = `${height}px`;
  canvas.dataset.lane = name;
  byId("lanes").append(element("div", { className: "lane" }, element("span", {}, name), canvas));
  lanes.push({ canvas, height, paint });
  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    const within = (value) => Math.min(0.9999, Math.max(0, value));
    const share = within((event.clientX - box.left) / box.width);
    return [view.start + share * (view.end - view.start), within((event.clientY - box.top) / box.height), share];
  };
  hoverText(canvas, (event) => textAt(...place(event)));
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    zoom(event.deltaY < 0 ? 0.8 : 1.25, place(event)[2]);
  }, { passive: false });
  canvas.addEventListener("pointerdown", (down) => {
    const { start, end } = view;
    let moved = false;
    canvas.setPointerCapture(down.pointerId);
    canvas.onpointermove = (move) => {
      const pixels = move.clientX - down.clientX;
      moved ||= Math.abs(pixels) > 3;
      const ticks = pixels / canvas.clientWidth * (end - start);
      if (moved)
        setView(start - ticks, end - ticks);
    };
    canvas.onpointerup = (up) => {
      canvas.onpointermove = canvas.onpointerup = null;
      const operator = moved ? -1 : operatorAt(...place(up));
      if (operator >= 0)
        select(operator);
    };
  });
}

/** The bars of a track, as columns of numbers. */
function unpack(flat) {
  const length = flat.length / 6;
  const bars = { length, start: new Float64Array(length), end: new Float64Array(length), busy: new Float64Array(length),
    index: new Uint32Array(length), layer: new Uint32Array(length), count: new Uint32Array(length) };
  for (let i = 0, at = 0; i < length; ++i) {
    at += flat[6 * i];
    bars.start[i] = at;
    bars.end[i] = at + flat[6 * i + 1];
    bars.busy[i] = flat[6 * i + 2];
    bars.index[i] = flat[6 * i + 3];
    bars.layer[i] = flat[6 * i + 4];
    bars.count[i] = flat[6 * i + 5];
  }
  return bars;
}

/** The first bar that ends after `time`. */
function firstAfter(bars, time) {
  let low = 0, high = bars.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (bars.end[middle] > time)
      high = middle;
    else
      low = middle + 1;
  }
  return low;
}

function addTrack(track) {
  const bars = unpack(track.bars);
  const paint = (context, width, height) => {
    const pixels = width / (view.end - view.start);
    let drawnTo = -1;
    for (let i = firstAfter(bars, view.start); i < bars.length && bars.start[i] < view.end; ++i) {
      const from = (bars.start[i] - view.start) * pixels, to = (bars.end[i] - view.start) * pixels;
      if (to < drawnTo + 0.5)
        continue;
      const operator = operatorOfIndex[bars.index[i]] ?? -1;
      context.globalAlpha = selected < 0 || operator === selected ? 1 : 0.2;
      context.fillStyle = colorOf(operator);
      context.fillRect(from, 2, Math.max(0.5, to - from - (to - from > 4 ? 0.5 : 0)), height - 4);
      drawnTo = to;
    }
  };
  const barAt = (time) => {
    // As near as a mouse can tell.
    const near = (view.end - view.start) / 2000;
    const i = firstAfter(bars, time - near);
    return i < bars.length && bars.start[i] <= time + near ? i : -1;
  };
  addLane(track.name, 24, paint,
    (time) => {
      const i = barAt(time);
      return i < 0 ? -1 : operatorOfIndex[bars.index[i]] ?? -1;
    },
    (time) => {
      const i = barAt(time);
      if (i < 0)
        return null;
      const layer = bars.layer[i] ? `, layer ${bars.layer[i]}` : "";
      const merged = bars.count[i] > 1
        ? `\n${bars.count[i]} slices, busy ${percent(bars.busy[i] / (bars.end[i] - bars.start[i]))}` : "";
      return `${nameOf(bars.index[i])}${layer}\nat ${timeText(bars.start[i])} for ${timeText(bars.end[i] - bars.start[i])}${merged}`;
    });
}

function addSeries(name, values, unit) {
  const width = report.series.width_ticks;
  const largest = Math.max(...values, Number.MIN_VALUE);
  addLane(name, 40, (context, pixels, height) => {
    const scale = pixels / (view.end - view.start);
    context.fillStyle = "#4c7fd0";
    const last = Math.min(values.length, Math.ceil(view.end / width));
    for (let i = Math.floor(view.start / width); i < last; ++i) {
      const high = values[i] / largest * (height - 3);
      context.fillRect((i * width - view.start) * scale, height - high, Math.max(0.5, width * scale), high);
    }
  }, () => -1, (time) => {
    const value = values[Math.floor(time / width)] ?? 0;
    return `${name} at ${timeText(time)}: ${value.toPrecision(4)} ${unit} (at most ${largest.toPrecision(4)})`;
  });
}

function addScratchpad() {
  const { block_bytes: blockBytes, column_ticks: columnTicks, rows } = report.scratchpad;
  const cells = rows.map((runs) => {
    const row = [];
    for (let i = 0; i < runs.length; i += 2)
      row.push(...Array(runs[i]).fill(runs[i + 1] - 1));
    return row;
  });
  const at = (time, share) =>
    cells[Math.min(rows.length - 1, Math.floor(share * rows.length))]?.[Math.floor(time / columnTicks)] ?? -1;
  const paint = (context, width, height) => {
    const scale = width / (view.end - view.start), high = height / rows.length;
    rows.forEach((runs, row) => {
      for (let i = 0, column = 0; i < runs.length; column += runs[i], i += 2) {
        const from = column * columnTicks, to = (column + runs[i]) * columnTicks;
        if (!runs[i + 1] || to < view.start || from > view.end)
          continue;
        const operator = operatorOfIndex[runs[i + 1] - 1] ?? -1;
        context.globalAlpha = selected < 0 || operator === selected ? 1 : 0.2;
        context.fillStyle = colorOf(operator);
        context.fillRect((from - view.start) * scale, row * high, Math.max(0.5, (to - from) * scale), high + 0.3);
      }
    });
  };
  addLane("scratchpad", 256, paint,
    (time, share) => {
      const index = at(time, share);
      return index < 0 ? -1 : operatorOfIndex[index] ?? -1;
    },
    (time, share) => {
      const index = at(time, share);
      const address = Math.floor(share * rows.length) * blockBytes;
      return `scratchpad bytes ${count(address)} to ${count(address + blockBytes)} at ${timeText(time)}: ` +
        (index < 0 ? "free" : nameOf(index));
    });
}

function makeTimeline() {
  report.tracks.forEach(addTrack);
  const { hbm_gigabytes_per_second: read, hbm_write_gigabytes_per_second: write, watts } = report.series;
  const both = Array.from({ length: Math.max(read.length, write.length) }, (_, i) => (read[i] ?? 0) + (write[i] ?? 0));
  addSeries("HBM", both, "GB/s");
  addSeries("power", watts, "W");
  addScratchpad();
  onSelect.push(draw);
  byId("zoom-in").onclick = () => zoom(0.5);
  byId("zoom-out").onclick = () => zoom(2);
  byId("zoom-all").onclick = () => setView(0, totalTicks);
  byId("lanes").addEventListener("keydown", (event) => {
    const step = (view.end - view.start) / 5;
    const act = { "+": () => zoom(0.5), "-": () => zoom(2), 0: () => setView(0, totalTicks),
      ArrowLeft: () => setView(view.start - step, view.end - step),
      ArrowRight: () => setView(view.start + step, view.end + step) }[event.key];
    if (act) {
      event.preventDefault();
      act();
    }
  });
  byId("merged").textContent = report.merged_gap_ticks
    ? `Slices of an operator that are less than ${timeText(report.merged_gap_ticks)} apart are one bar.` : "";
  addEventListener("resize", draw);
  setView(0, totalTicks);
}

makeTotals();
makeTimeline();
makeTables();
makeRoofline();
const { total: _, ...joules } = stats.joules;
makeShares(byId("joules"), "J", Object.entries(joules));
makeShares(byId("bytes"), "B", [["HBM read", stats.hbm_read_bytes], ["HBM write", stats.hbm_write_bytes],
  ["local copy", stats.local_copy_bytes], ["instructions", stats.instruction_fetch_bytes]]);
