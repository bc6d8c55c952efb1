// The stages of one signal over its cycle: a row by signal group, and handles at the end of each green.
import { arrowSeconds, cycleOf, drag } from "./diagram.js";
import { element, language, number, say, t } from "./words.js";

const THICK = { G: 10, g: 5, y: 7, Y: 7, u: 7, o: 7 };
const drawn = new WeakMap(); // what was drawn last in each box
const letterClass = (letter) => (letter === "G" || letter === "g" ? "G" : "yYuo".includes(letter) ? "y" : "r");

export function stageBars(box, { signal, timing, onDrag, onDrop, onStep }) {
  const width = Math.max(box.clientWidth || 600, 300), narrow = width < 620;
  const shown = JSON.stringify([language(), width, signal, timing.stages]); // the offset shifts nothing here
  if (drawn.get(box) === shown && box.firstChild) { return; }
  drawn.set(box, shown);
  const left = narrow ? 8 : 240, right = 16, rowHigh = narrow ? 34 : 24, top = 46;
  const cycle = cycleOf(timing), height = top + rowHigh * signal.groups.length + 34;
  const X = (time) => left + (width - left - right) * time / cycle, perSecond = (width - left - right) / cycle;
  const svg = element("svg:svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "group", "aria-label": `${t("stageBars")}: ${signal.name}` });
  const ends = [];
  let at = 0;
  timing.stages.forEach((stage, k) => {
    const a = X(at), b = X(at + stage.green), changed = stage.change.reduce((s, c) => s + c.duration, 0);
    const label = b - a > 46 ? `${k + 1}: ${number(stage.green, stage.green % 1 ? 1 : 0)} s` : `${k + 1}`;
    svg.append(element("svg:rect", { class: "stage", x: a, y: 8, width: Math.max(b - a, 0), height: 26 }, element("svg:title", {}, `${t("stage")} ${k + 1}: ${say(signal.stages[k])}`)),
      element("svg:rect", { class: "change", x: b, y: 8, width: X(at + stage.green + changed) - b, height: 26 }),
      element("svg:text", { x: (a + b) / 2, y: 26, "text-anchor": "middle", "font-size": 12, "pointer-events": "none" }, label),
      element("svg:line", { x1: a, x2: a, y1: 34, y2: height - 28, stroke: "#bbb", "stroke-dasharray": "3 3" }));
    at += stage.green;
    ends.push(k < timing.stages.length - 1 ? at : at + changed);
    at += changed;
  });
  signal.groups.forEach((group, k) => {
    const y = top + (k + 0.7) * rowHigh;
    const name = say(group.name), room = (narrow ? width - 16 : left - 16) / 6.6;
    svg.append(element("svg:text", { x: narrow ? 8 : left - 8, y: narrow ? y - 10 : y + 4, "text-anchor": narrow ? "start" : "end", "font-size": 12 },
      name.length > room ? name.slice(0, Math.max(room - 1, 4)) + "…" : name));
    let time = 0;
    for (const stage of timing.stages) {
      for (const [state, seconds] of [[stage.state, stage.green], ...stage.change.map((c) => [c.state, c.duration])]) {
        const letter = state[group.link], thick = THICK[letter] || 1.8;
        svg.append(element("svg:rect", { class: letterClass(letter), x: X(time).toFixed(1), width: Math.max(seconds * perSecond + 0.2, 0).toFixed(1), y: y - thick / 2, height: thick }));
        time += seconds;
      }
    }
  });
  const step = [1, 2, 5, 10, 20, 30, 60].find((s) => perSecond * s > 42) || 120;
  for (let time = 0; time <= cycle + 1e-6; time += step) {
    svg.append(element("svg:text", { x: X(time), y: height - 12, "text-anchor": "middle", "font-size": 11, class: "faint" }, number(time)));
  }
  ends.forEach((time, k) => svg.append(handle(time, k)));
  box.replaceChildren(svg);

  function handle(time, k) {
    const last = k === ends.length - 1, green = timing.stages[k].green;
    const one = element("svg:g", { class: "handle", tabindex: 0, role: "slider", "data-stage": k,
      "aria-label": `${signal.name}: ${last ? t("endCycle") : `${t("handle")} ${k + 1}`}`,
      "aria-valuemin": signal.minimum[k], "aria-valuemax": cycle, "aria-valuenow": last ? cycle : green, "aria-valuetext": `${number(last ? cycle : green)} s` });
    one.append(element("svg:rect", { class: "reach", x: X(time) - 14, y: 0, width: 28, height: 42 }),
      element("svg:rect", { class: "grip", x: X(time) - 3, y: 4, width: 6, height: 34, rx: 2 }));
    one.addEventListener("keydown", (event) => {
      const by = arrowSeconds(event);
      if (by) { onStep(k, by); }
    });
    one.addEventListener("pointerdown", (event) => {
      if (event.button) { return; }
      event.preventDefault();
      one.focus({ preventScroll: true });
      drag(box, event, (dx) => onDrag(k, Math.round(dx / perSecond)), onDrop);
    });
    return one;
  }
}
