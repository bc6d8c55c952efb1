// The editor: two plans of one's own beside the existing one; the queue model's figures follow every move.
import { post } from "./api.js";
import { cycleOf, timeSpace } from "./diagram.js";
import { stageBars } from "./stages.js";
import { alertText, button, element, language, named, number, say, showError, t } from "./words.js";

const SLOTS = ["1", "2"];
const WAIT = 700; // ms between two looks at a place that is being opened
const clone = (plan) => structuredClone(plan);
const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);
let desk = null; // the open place with its plans stays when the room or the language changes

export function editorRoom(main, place, go) {
  let gone = false;
  if (place && (!desk || desk.place !== place.place)) { desk = null; }
  if (!place && !desk) { main.append(element("p", {}, t("choosePlace")), button(t("places"), () => go("places"), { class: "main" })); return null; }
  const view = new View(main, go);
  if (desk) { view.draw(); return () => { view.close(); }; }
  const note = element("p", { class: "state", role: "status" }, t("opening"), element("progress", {}));
  main.append(element("h2", {}, named(say(place.title))), note);
  (async function open() {
    try {
      const found = await post("open", { place: place.place });
      if (gone) { return; }
      if (found.refused) { note.replaceChildren(say(found.refused)); note.classList.add("refused"); return; }
      if (found.state === "opening") { setTimeout(open, WAIT); return; }
      desk = newDesk(found);
      main.replaceChildren();
      view.draw();
    } catch (error) { if (!gone) { note.remove(); showError(error); } }
  })();
  return () => { gone = true; view.close(); };
}

// calls once the frame with the changes was painted
function shownAt(call) {
  requestAnimationFrame(() => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => { port1.close(); call(); };
    port2.postMessage(null);
  });
}

// what is drawn of a signal depends on its stages: kept by their states
const stagesKey = (id, timing) => JSON.stringify([id, timing.stages.map((stage) => [stage.state, stage.change.map((c) => c.state)])]);
function learn(drawn, plan, signals) {
  for (const [id, signal] of Object.entries(signals)) { drawn.set(stagesKey(id, plan.intersections[id]), signal); }
}
const drawnSignal = (id, timing) => desk.drawn.get(stagesKey(id, timing)) || desk.data.signals[id];

function newDesk(data) {
  const slots = {}, drawn = new Map();
  learn(drawn, data.plan, data.signals);
  for (const slot of SLOTS) {
    if (data.own[slot]) { learn(drawn, data.own[slot].plan, data.own[slot].signals); data.own[slot] = data.own[slot].plan; }
    const plan = data.own[slot] || data.plan;
    slots[slot] = { plan: clone(plan), shown: clone(plan), past: [], future: [], figures: null, touched: Boolean(data.own[slot]) };
  }
  return { place: data.place, data, slots, drawn, slot: "1", street: 0, chosen: data.streets.length ? data.streets[0].signals[0] : Object.keys(data.signals)[0],
    existing: { plan: data.plan, figures: null }, beside: false, plans: null };
}

class View {
  constructor(main, go) {
    Object.assign(this, { main, go, want: null, busy: false, closed: false, toCommit: false, shown: {} });
    this.onKey = (event) => this.key(event);
    this.onResize = () => { clearTimeout(this.resizing); this.resizing = setTimeout(() => desk && this.drawings(), 80); };
    document.addEventListener("keydown", this.onKey);
    window.addEventListener("resize", this.onResize);
  }
  close() {
    this.closed = true;
    document.removeEventListener("keydown", this.onKey);
    window.removeEventListener("resize", this.onResize);
  }
  get own() { return desk.slots[desk.slot]; }

  // --- the room -------------------------------------------------------------------------------------------------------
  draw() {
    const { data } = desk;
    const tab = (slot) => button(`${t("plan")} ${slot}`, () => { desk.slot = slot; this.refresh(); }, { "data-slot": slot });
    this.tabs = SLOTS.map(tab);
    this.undoButton = button(t("undo"), () => this.undo(), { id: "undo" });
    this.redoButton = button(t("redo"), () => this.redo(), { id: "redo" });
    this.cycle = element("input", { type: "number", min: 20, max: 400, step: 1, id: "cycle", onchange: () => this.setCycle(this.cycle.valueAsNumber) });
    this.besideButton = button(t("beside"), () => { desk.beside = !desk.beside; this.refresh(); }, { id: "beside" });
    this.loadSelect = element("select", { id: "load", onchange: () => this.load(), onfocus: () => this.findPlans() });
    const streets = element("select", { id: "street", onchange: (event) => { desk.street = Number(event.target.value); desk.chosen = data.streets[desk.street].signals[0]; this.everything(); } },
      ...data.streets.map((street, k) => element("option", { value: k, selected: k === desk.street }, `${street.name} (${street.signals.length})`)));
    this.state = element("p", { class: "state", role: "status", id: "state" });
    this.figures = element("div", { class: "scroll" });
    this.spaces = { now: element("div", { class: "space" }), other: element("div", { class: "space" }) };
    this.besideTitle = element("h3");
    this.otherPart = element("div", {}, this.besideTitle, this.spaces.other);
    this.pair = element("div", { class: "beside" }, element("div", {}, this.spaceTitle = element("h3"), this.spaces.now), this.otherPart);
    this.bars = element("div");
    this.stageTitle = element("h3");
    this.table = element("div", { class: "scroll" });
    this.roads = element("div", { class: "scroll" });
    this.signalSelect = element("select", { id: "signal", onchange: (event) => this.choose(event.target.value) },
      ...Object.entries(data.signals).map(([id, signal]) => element("option", { value: id }, signal.name)));
    this.main.append(
      element("h2", {}, named(say(data.title))),
      element("div", { class: "tools" }, ...this.tabs, this.undoButton, this.redoButton, element("label", {}, t("cycle"), this.cycle), this.besideButton, this.loadSelect,
        button(t("check"), () => this.start("check"), { id: "check" }), button(t("makeSheet"), () => this.start("sheet"), { id: "sheet" })),
      this.state, this.figures,
      data.streets.length ? element("div", { class: "tools" }, element("label", {}, t("street"), streets)) : element("p", {}, t("noStreet")),
      this.pair, element("p", { class: "quiet" }, t("keys")),
      element("div", { class: "tools" }, element("label", {}, t("signal"), this.signalSelect)),
      element("div", { class: "split" }, element("div", {}, this.stageTitle, this.bars, this.table), element("div", {}, this.roads)));
    this.everything();
  }
  async everything() { // figures of all three plans for the street that is shown, the plan in hand first
    this.refresh();
    const street = desk.street, other = SLOTS.filter((slot) => slot !== desk.slot);
    for (const slot of [desk.slot, "existing", ...other]) {
      const one = slot === "existing" ? desk.existing : desk.slots[slot];
      const figures = await this.ask(one.plan, street);
      if (!figures) { return; }
      if (!figures.refused) { one.figures = figures; }
      this.refresh();
    }
  }
  async ask(plan, street = desk.street) { // figures of a plan, or null where they are not wanted any more
    for (let tries = 0; tries < 50; tries++) {
      try {
        const found = await post("evaluate", { place: desk.place, plan, street });
        if (this.closed || street !== desk.street) { return null; }
        if (!found.superseded) { return found; }
        await new Promise((later) => setTimeout(later, 60));
      } catch (error) { if (!this.closed) { showError(error); } return null; }
    }
    return null;
  }
  refresh() {
    if (this.closed) { return; }
    this.texts();
    this.drawings();
  }
  texts() {
    const { data, slot } = desk, own = this.own;
    this.tabs.forEach((tab) => tab.setAttribute("aria-pressed", String(tab.dataset.slot === slot)));
    this.besideButton.setAttribute("aria-pressed", String(desk.beside));
    this.undoButton.disabled = !own.past.length;
    this.undoButton.dataset.steps = own.past.length;
    this.redoButton.disabled = !own.future.length;
    this.signalSelect.value = desk.chosen;
    if (document.activeElement !== this.cycle) { this.cycle.value = Math.max(...this.together().map((id) => cycleOf(own.shown.intersections[id]))); }
    const options = [["", t("load")], ["existing", t(data.assumed ? "assumed" : "existing")], ["other", `${t("plan")} ${slot === "1" ? "2" : "1"}`],
      ...(desk.plans || []).map((one, k) => [String(k), one.name])];
    if (this.fresh("load", options)) {
      this.loadSelect.replaceChildren(...options.map(([value, text]) => element("option", { value }, text.length > 60 ? "…" + text.slice(-59) : text)));
    }
    this.figureTable();
    this.roadTable();
    this.stageTable();
  }
  // whether a part must be made anew, because what it shows has changed since the last time
  fresh(part, shown) {
    const now = JSON.stringify([language(), shown]), changed = this.shown[part] !== now;
    this.shown[part] = now;
    return changed;
  }
  drawings() {
    const { data } = desk, street = data.streets[desk.street], own = this.own, other = desk.slots[desk.slot === "1" ? "2" : "1"];
    const focus = document.activeElement && document.activeElement.closest("[data-signal], [data-stage]");
    const key = focus && (focus.dataset.signal !== undefined ? `.signal[data-signal="${CSS.escape(focus.dataset.signal)}"]` : `.handle[data-stage="${focus.dataset.stage}"]`);
    this.pair.classList.toggle("two", desk.beside);
    this.pair.hidden = !street;
    this.otherPart.hidden = !desk.beside;
    if (street) {
      this.spaceTitle.textContent = `${t("timeSpace")} (${t("plan")} ${desk.slot})`;
      timeSpace(this.spaces.now, { street, signals: data.signals, plan: own.shown, bands: own.figures && own.figures.bands, chosen: desk.chosen,
        onDrag: (id, offset, cycle) => this.try((plan) => { plan.intersections[id].offset = ((offset % cycle) + cycle) % cycle; }),
        onDrop: () => this.commit(), onChoose: (id) => this.choose(id),
        onStep: (id, by) => { this.try((plan) => { const one = plan.intersections[id], c = cycleOf(one); one.offset = (((one.offset + by) % c) + c) % c; }); this.commit(); } });
      if (desk.beside) {
        this.besideTitle.textContent = `${t("timeSpaceFixed")} (${t("plan")} ${desk.slot === "1" ? "2" : "1"})`;
        timeSpace(this.spaces.other, { street, signals: data.signals, plan: other.plan, bands: other.figures && other.figures.bands, chosen: desk.chosen });
      }
    }
    const timing = own.shown.intersections[desk.chosen], signal = drawnSignal(desk.chosen, timing);
    this.stageTitle.textContent = `${t("stageBars")} (${t("plan")} ${desk.slot})`;
    const before = timing.stages.map((stage) => stage.green);
    const move = (base, k, by) => (plan) => {
      const stages = plan.intersections[desk.chosen].stages;
      stages.forEach((stage, i) => { stage.green = base[i]; });
      stages[k].green = base[k] + by;
      if (k < stages.length - 1) { stages[k + 1].green = base[k + 1] - by; }
    };
    stageBars(this.bars, { signal, timing, onDrag: (k, by) => this.try(move(before, k, by)), onDrop: () => this.commit(),
      onStep: (k, by) => { this.try(move(this.own.shown.intersections[desk.chosen].stages.map((s) => s.green), k, by)); this.commit(); } });
    if (key) { const again = this.main.querySelector(key); if (again && again !== document.activeElement) { this.quiet = true; again.focus({ preventScroll: true }); this.quiet = false; } }
  }
  choose(id) {
    if (this.quiet || desk.chosen === id) { return; }
    desk.chosen = id;
    this.refresh();
  }

  // --- moves: shown at once, kept if the server finds them legal -------------------------------------------------------
  try(change) {
    const plan = clone(this.own.shown);
    change(plan);
    if (same(plan, this.own.shown)) { return; }
    this.own.shown = plan;
    this.want = { slot: desk.slot, plan, at: performance.now() };
    this.drawings();
    this.loop();
  }
  async loop() {
    if (this.busy) { return; }
    this.busy = true;
    while (this.want && !this.closed) {
      const { slot, plan, at } = this.want, own = desk.slots[slot], street = desk.street;
      this.want = null;
      try {
        const found = await post("evaluate", { place: desk.place, plan, street });
        if (found.superseded) { this.want = this.want || { slot, plan, at }; continue; }
        if (found.refused) {
          if (!this.want) { own.shown = clone(own.plan); }
          this.tell(found.refused);
        } else {
          own.plan = plan;
          own.touched = true;
          own.figures = found;
          this.tell(null);
        }
        this.refresh();
        performance.measure("denxanh:edit", { start: at, end: performance.now() });
        shownAt(() => performance.measure("denxanh:shown", { start: at, end: performance.now() }));
      } catch (error) {
        own.shown = clone(own.plan);
        this.refresh();
        if (error.reason) { this.tell(error.reason); } else { showError(error); }
      }
    }
    this.busy = false;
    if (this.toCommit) { this.toCommit = false; this.commit(); }
  }
  commit() { // the end of a move: one step of undo
    if (this.busy) { this.toCommit = true; return; }
    for (const [slot, own] of Object.entries(desk.slots)) {
      const last = own.committed || desk.data.own[slot] || desk.data.plan;
      if (same(last, own.plan)) { continue; }
      own.past.push(last);
      if (own.past.length > 200) { own.past.shift(); }
      own.future = [];
      own.committed = clone(own.plan);
      this.keep(slot);
    }
    this.texts();
  }
  async keep(slot) {
    const own = desk.slots[slot];
    try { await post("keep", { place: desk.place, slot, plan: own.plan }); } catch (error) { showError(error); }
  }
  turn(from, to) {
    const own = this.own;
    if (!from.length || this.busy) { return; }
    to.push(clone(own.plan));
    own.plan = from.pop();
    own.shown = clone(own.plan);
    own.committed = clone(own.plan);
    this.tell(null);
    this.refresh();
    this.ask(own.plan).then((figures) => { if (figures && !figures.refused) { own.figures = figures; this.refresh(); } });
    this.keep(desk.slot);
  }
  undo() { this.turn(this.own.past, this.own.future); }
  redo() { this.turn(this.own.future, this.own.past); }
  key(event) {
    if (!(event.ctrlKey || event.metaKey) || !desk || event.target.matches("input[type=text]")) { return; }
    const letter = event.key.toLowerCase();
    if (letter === "z" && !event.shiftKey) { event.preventDefault(); this.undo(); }
    if (letter === "y" || (letter === "z" && event.shiftKey)) { event.preventDefault(); this.redo(); }
  }
  // signals whose cycles belong together: of streets that share signals and have a common cycle
  together() {
    const found = new Set([desk.chosen]), plan = this.own.shown.intersections;
    for (let more = true; more;) {
      more = false;
      for (const street of desk.data.streets) {
        const cycles = street.signals.map((id) => cycleOf(plan[id])), longest = Math.max(...cycles);
        if (!cycles.every((c) => Math.abs(longest / c - Math.round(longest / c)) < 1e-6) || !street.signals.some((id) => found.has(id))) { continue; }
        for (const id of street.signals) { if (!found.has(id)) { found.add(id); more = true; } }
      }
    }
    return [...found];
  }
  async setCycle(cycle) {
    try {
      const found = await post("cycle", { place: desk.place, plan: this.own.plan, cycle, signals: this.together() });
      if (found.refused) { this.tell(found.refused); this.cycle.blur(); this.refresh(); return; }
      this.try((plan) => { plan.intersections = found.plan.intersections; });
      this.commit();
    } catch (error) { if (error.reason) { this.tell(error.reason); } else { showError(error); } this.refresh(); }
  }
  async findPlans() {
    if (desk.plans) { return; }
    desk.plans = [];
    try {
      const found = (await post("plans", { place: desk.place })).plans;
      found.forEach((one) => learn(desk.drawn, one.plan, one.signals));
      desk.plans = found;
      this.texts();
    } catch (error) { showError(error); }
  }
  load() {
    const value = this.loadSelect.value, other = desk.slots[desk.slot === "1" ? "2" : "1"];
    const plan = value === "existing" ? desk.data.plan : value === "other" ? other.plan : value === "" ? null : desk.plans[Number(value)].plan;
    this.loadSelect.value = ""; // the same one may be chosen again
    if (!plan) { return; }
    this.try((own) => { own.intersections = clone(plan.intersections); });
    this.commit();
  }
  async start(kind) {
    alertText("");
    for (const slot of SLOTS) { if (desk.slots[slot].touched || slot === desk.slot) { await this.keep(slot); } }
    try { await post("start", { kind, place: desk.place, slot: desk.slot, seeds: 5 }); this.go("jobs"); } catch (error) { showError(error); }
  }

  // --- words and numbers -----------------------------------------------------------------------------------------------
  tell(reason) { this.reason = reason; this.stateLine(); }
  stateLine() {
    const figures = this.own.figures, base = desk.existing.figures;
    this.state.classList.toggle("refused", Boolean(this.reason));
    if (this.reason) { this.state.textContent = t("refusedHead") + say(this.reason); return; }
    const { data } = desk;
    const change = figures && base ? ` (${this.percent(figures.delay, base.delay)})` : "";
    this.state.textContent = figures ? `${t("delay")}: ${number(figures.delay, 1)}${change}. ${t("legal")} ${t("model")} ${number(data.hours, 1)} h, ${number(data.vehicles)} ${t("vehicles")}.` : "…";
  }
  percent(now, before) {
    const change = 100 * (now - before) / before;
    return `${change > 0 ? "+" : ""}${number(change, 1)} %`;
  }
  figureTable() {
    this.stateLine();
    const plans = [["existing", t(desk.data.assumed ? "assumed" : "existing"), desk.existing.figures],
      ...SLOTS.map((slot) => [slot, `${t("plan")} ${slot}`, desk.slots[slot].figures])];
    const base = desk.existing.figures, street = desk.data.streets[desk.street];
    const longest = (figures) => Math.max(0, ...Object.values(figures.roads).flat().map((road) => road.queue));
    const band = (way) => (figures) => {
      if (!figures.bands || figures.bands.none) { return figures.bands ? t("noBand") : "–"; }
      const found = figures.bands[way];
      if (!found) { return "–"; }
      if (found.through) { return `${number(found.through.width, 0)} s, ${number(100 * found.through.share, 0)} ${t("ofCycle")}`; }
      return found.longest ? `${t("none")}; ${number(found.longest.width, 0)} s ${t("overSignals")} ${found.longest.signals} ${t("signals")}` : t("none");
    };
    const rows = [["delay", (f) => number(f.delay, 1), (f) => f.delay], ["stops", (f) => number(f.stops, 2), (f) => f.stops],
      ["unfinished", (f) => number(f.unfinished), (f) => f.unfinished], ["queue", (f) => number(longest(f)), longest]];
    if (street) { rows.push(["up", band("up"), null]); if (street.back.length) { rows.push(["down", band("down"), null]); } }
    const cell = ([name, , figures], [key, text, value]) => {
      const one = element("td", { class: `number${name === desk.slot ? " now" : ""}`, "data-figure": `${key}-${name}` });
      if (!figures) { one.textContent = "…"; return one; }
      one.textContent = text(figures);
      if (value && base && name !== "existing" && value(base) && value(figures) !== value(base)) {
        one.append(" ", element("span", { class: value(figures) < value(base) ? "better" : "worse" }, this.percent(value(figures), value(base))));
      }
      return one;
    };
    this.figures.replaceChildren(element("table", { class: "figures" },
      element("thead", {}, element("tr", {}, element("th", {}), ...plans.map(([, title]) => element("th", { class: "number", scope: "col" }, title)))),
      element("tbody", {}, ...rows.map((row) => element("tr", {}, element("th", { scope: "row" }, t(row[0])), ...plans.map((plan) => cell(plan, row)))))));
  }
  roadTable() {
    const signal = desk.data.signals[desk.chosen], now = this.own.figures, base = desk.existing.figures;
    const value = (figures, k, key, places) => (figures ? number(figures.roads[desk.chosen][k][key], places) : "…");
    const both = (k, key, places) => element("td", { class: "number" }, `${value(base, k, key, places)} → ${value(now, k, key, places)}`);
    this.roads.replaceChildren(element("h3", {}, named(signal.name)), element("table", {},
      element("thead", {}, element("tr", {}, ...["road", "room", "queue", "lost", "blocked"].map((key, k) => element("th", { class: k ? "number" : "", scope: "col" }, t(key))))),
      element("tbody", {}, ...signal.roads.map((road, k) => element("tr", {}, element("th", { scope: "row" }, say(road.name)), element("td", { class: "number" }, number(road.room)),
        both(k, "queue", 0), both(k, "lost", 1), both(k, "blocked", 0))))));
  }
  stageTable() {
    const timing = this.own.shown.intersections[desk.chosen], signal = drawnSignal(desk.chosen, timing);
    if (this.table.contains(document.activeElement) && document.activeElement.matches("input") && !this.reason) { this.tableValues(timing); return; }
    const field = (value, set, label) => element("input", { type: "number", value, min: 0, step: 1, "aria-label": label,
      onchange: (event) => { const wanted = event.target.valueAsNumber; if (Number.isFinite(wanted)) { this.try((plan) => set(plan.intersections[desk.chosen], wanted)); this.commit(); } } });
    this.table.replaceChildren(element("table", { class: "stages" },
      element("thead", {}, element("tr", {}, ...["stage", "green", "least", "change", "serves"].map((key) => element("th", { scope: "col" }, t(key))))),
      element("tbody", {}, ...timing.stages.map((stage, k) => element("tr", {}, element("th", { scope: "row" }, String(k + 1)),
        element("td", {}, field(stage.green, (one, wanted) => { one.stages[k].green = wanted; }, `${t("stage")} ${k + 1}, ${t("green")}`)),
        element("td", { class: "number" }, number(signal.minimum[k])),
        element("td", {}, ...stage.change.map((change, c) => field(change.duration, (one, wanted) => { one.stages[k].change[c].duration = wanted; },
          `${t("stage")} ${k + 1}, ${/[yY]/.test(change.state) ? t("yellow") : t("allRed")}`))),
        element("td", { class: "quiet" }, say(signal.stages[k])))))));
  }
  tableValues(timing) {
    const values = timing.stages.flatMap((stage) => [stage.green, ...stage.change.map((c) => c.duration)]);
    [...this.table.querySelectorAll("input")].forEach((input, k) => { if (input !== document.activeElement) { input.value = values[k]; } });
  }
}
