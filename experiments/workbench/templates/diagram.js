// The time-space diagram of a street: time to the right, distance upwards; the bar of a signal can be dragged.
import { element, language, number, t } from "./words.js";

const CYCLES = 2, LEAST = 34; // cycles shown; px between two signals
const THICK = { G: 8, y: 5, r: 1.8 };
const drawn = new WeakMap(); // the last drawing in each box

export const cycleOf = (timing) => timing.stages.reduce((sum, stage) => sum + stage.green + stage.change.reduce((s, c) => s + c.duration, 0), 0);
const stepsOf = (timing) => timing.stages.flatMap((stage) => [[stage.state, stage.green], ...stage.change.map((c) => [c.state, c.duration])]);
const shown = (state, links) => {
  const letters = links.map((link) => state[link]);
  return letters.every((l) => l === "G" || l === "g") ? "G" : letters.some((l) => l === "r" || l === "s") ? "r" : "y";
};

// spans [start, end, letter] of one cycle from the origin of the clock, equal neighbours joined
function spans(timing, links) {
  const out = [];
  let at = timing.offset;
  for (const [state, seconds] of stepsOf(timing)) {
    const letter = shown(state, links), last = out[out.length - 1];
    if (last && last[2] === letter) { last[1] = at + seconds; } else { out.push([at, at + seconds, letter]); }
    at += seconds;
  }
  return out;
}

// keys of an arrow: seconds a signal or a handle moves, 5 with Shift; null for other keys
export function arrowSeconds(event) {
  const by = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 }[event.key];
  if (!by) { return null; }
  event.preventDefault();
  return by * (event.shiftKey ? 5 : 1);
}

// Draws anew only what differs from the last drawing in the box: a drag changes one row, its answer the bands.
export function timeSpace(box, { street, signals, plan, bands, chosen, onDrag, onDrop, onChoose, onStep }) {
  const timings = street.signals.map((id) => plan.intersections[id]);
  const common = Math.max(...timings.map(cycleOf)), end = CYCLES * common;
  const width = Math.max(box.clientWidth || 600, 300), narrow = width < 620;
  const left = narrow ? 8 : 270, right = 10, top = 12;
  const metres = [0];
  street.hops.forEach(([length]) => metres.push(metres[metres.length - 1] + length));
  const reach = metres[metres.length - 1] || 1, scale = Math.min(Math.max(52 * metres.length, 160), 520) / reach;
  const least = narrow ? 44 : LEAST, heights = [0];
  street.hops.forEach(([length], k) => heights.push(heights[k] + Math.max(length * scale, least)));
  const high = heights[heights.length - 1], base = top + (narrow ? 34 : 16) + high, height = base + 48;
  const X = (time) => left + (width - left - right) * time / end, Y = (k) => base - heights[k];
  const frame = JSON.stringify([language(), width, common, street.signals, Boolean(onDrag)]), old = drawn.get(box);
  if (old && old.frame === frame && box.contains(old.svg)) {
    const now = JSON.stringify(bands || null);
    if (now !== old.bands) { old.inner.replaceChildren(); drawBands(old.inner); old.bands = now; }
    street.signals.forEach((id, k) => {
      const key = rowKey(id, k);
      if (key === old.rows[k].key) { return; }
      const row = signalRow(id, k, old.clip);
      old.rows[k].row.replaceWith(row);
      old.rows[k] = { key, row };
    });
    return;
  }
  const svg = element("svg:svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "group",
    "aria-label": t(onDrag ? "timeSpace" : "timeSpaceFixed") });
  const clip = `clip-${Math.random().toString(36).slice(2)}`;
  svg.append(element("svg:clipPath", { id: clip }, element("svg:rect", { x: left, y: 0, width: width - left - right, height })));
  const inner = element("svg:g", { "clip-path": `url(#${clip})` });
  drawBands(inner);
  svg.append(inner);
  const step = [1, 2, 5, 10, 20, 30, 60, 120].find((s) => (width - left - right) * s / end > 48) || 300;
  for (let time = 0; time <= end + 1e-6; time += step) {
    svg.append(element("svg:line", { x1: X(time), x2: X(time), y1: base + 12, y2: base + 17, stroke: "#767676" }),
      element("svg:text", { x: X(time), y: base + 29, "text-anchor": time === 0 && narrow ? "start" : "middle", "font-size": 11, class: "faint" }, number(time)));
  }
  svg.append(element("svg:text", { x: left, y: base + 44, "font-size": 11, class: "faint" }, t("time")));
  const rows = street.signals.map((id, k) => ({ key: rowKey(id, k), row: signalRow(id, k, clip) }));
  svg.append(...rows.map((one) => one.row));
  box.replaceChildren(svg);
  drawn.set(box, { frame, svg, inner, clip, rows, bands: JSON.stringify(bands || null) });

  function drawBands(to) { if (bands && !bands.none) { bandStrips(to, bands, common, end, street, X, Y); } }
  function rowKey(id, k) { return JSON.stringify([timings[k], id === chosen]); }
  function signalRow(id, k, clip) {
    const timing = timings[k], name = signals[id].name, cycle = cycleOf(timing), y = Y(k);
    const offset = `${t("offset")} ${number(timing.offset, timing.offset % 1 ? 1 : 0)} s`;
    const row = element("svg:g", { class: `signal${id === chosen ? " chosen" : ""}${onDrag ? "" : " fixed"}`, "data-signal": id,
      tabindex: onDrag ? 0 : null, role: onDrag ? "slider" : "img", "aria-label": `${name}, ${onDrag ? t("offset") : offset}`,
      "aria-valuemin": onDrag ? 0 : null, "aria-valuemax": onDrag ? cycle : null, "aria-valuenow": onDrag ? timing.offset : null,
      "aria-valuetext": onDrag ? `${number(timing.offset)} s` : null });
    row.append(element("svg:rect", { class: "back", x: 1, y: y - (narrow ? 28 : 16), width: width - 2, height: narrow ? 40 : 32, rx: 3 }));
    const wide = (narrow ? width - 120 : left - 16) / 6.5, short = name.length > wide ? name.slice(0, Math.max(wide - 1, 4)) + "…" : name;
    row.append(element("svg:title", {}, `${name}: ${offset}`),
      element("svg:text", { class: "name", x: narrow ? 8 : 6, y: narrow ? y - 14 : y - 2, "font-size": 12 }, short),
      narrow ? element("svg:text", { x: width - 10, y: y - 14, "text-anchor": "end", "font-size": 11, class: "faint offset" }, offset)
        : element("svg:text", { x: 6, y: y + 11, "font-size": 11, class: "faint offset" }, offset));
    const bars = element("svg:g", { "clip-path": `url(#${clip})` });
    const two = street.back.length > 0;
    drawBars(bars, timing, street.links[k], cycle, y - (two ? 4.5 : 0));
    if (two) { drawBars(bars, timing, street.backLinks[k], cycle, y + 4.5); }
    row.append(bars);
    if (onDrag) { draggable(row, id, timing.offset, cycle); }
    return row;
  }
  function drawBars(to, timing, links, cycle, y) {
    for (const [from, till, letter] of spans(timing, links)) {
      for (let start = from - Math.ceil(till / cycle) * cycle; start < end; start += cycle) {
        if (start + till - from <= 0) { continue; }
        to.append(element("svg:rect", { class: letter, x: X(start).toFixed(1), width: Math.max(X(till - from) - X(0), 0).toFixed(1),
          y: y - THICK[letter] / 2, height: THICK[letter] }));
      }
    }
  }
  function draggable(row, id, offset, cycle) {
    row.addEventListener("focus", () => onChoose(id));
    row.addEventListener("keydown", (event) => {
      const by = arrowSeconds(event);
      if (by) { onStep(id, by); }
    });
    row.addEventListener("pointerdown", (event) => {
      if (event.button) { return; }
      event.preventDefault();
      drag(box, event, (dx) => onDrag(id, offset + Math.round(dx * end / (width - left - right)), cycle), onDrop, () => onChoose(id));
    });
  }
}

// follow a pointer until it is lifted; moves are px of the drawing. The drawing may be made anew meanwhile.
export function drag(box, down, move, drop, click) {
  const factor = () => { const svg = box.querySelector("svg"); return svg ? svg.viewBox.baseVal.width / svg.getBoundingClientRect().width : 1; };
  let moved = false;
  const moving = (event) => {
    if (event.pointerId !== down.pointerId) { return; }
    const dx = (event.clientX - down.clientX) * factor();
    if (!moved && Math.abs(dx) < 2) { return; }
    moved = true;
    move(dx);
  };
  const ending = (event) => {
    if (event.pointerId !== down.pointerId) { return; }
    window.removeEventListener("pointermove", moving);
    window.removeEventListener("pointerup", ending);
    window.removeEventListener("pointercancel", ending);
    if (moved) { drop(); } else if (click) { click(); }
  };
  window.addEventListener("pointermove", moving);
  window.addEventListener("pointerup", ending);
  window.addEventListener("pointercancel", ending);
}

function bandStrips(to, bands, cycle, end, street, X, Y) {
  for (const [way, back] of [["up", false], ["down", true]]) {
    const found = bands[way];
    if (!found) { continue; }
    const order = street.signals.map((_, k) => k);
    const strip = (band, rows, kind) => {
      const last = band.arrivals[band.arrivals.length - 1];
      for (let start = band.start - Math.ceil((band.start + band.width + last) / cycle) * cycle; start < end; start += cycle) {
        const early = rows.map((row, i) => [X(start + band.arrivals[i]), Y(row)]);
        const late = rows.map((row, i) => [X(start + band.width + band.arrivals[i]), Y(row)]).reverse();
        to.append(element("svg:path", { class: `${way} ${kind}`, d: "M" + [...early, ...late].map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join("L") + "Z" }));
      }
    };
    if (found.through) { strip(found.through, back ? [...order].reverse() : order, "through"); continue; }
    found.between.forEach((band, k) => { if (band) { strip(band, back ? [k + 1, k] : [k, k + 1], "between"); } });
    if (found.longest) {
      const rows = order.slice(found.longest.first, found.longest.first + found.longest.signals);
      strip(found.longest, back ? rows.reverse() : rows, "longest");
    }
  }
}
