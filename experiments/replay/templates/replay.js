(async function () {
  const data = JSON.parse(document.getElementById("replay-data").textContent);
  const $ = (id) => document.getElementById(id);
  const say = (en, vi) => (language() === "vi" ? vi : en);
  const whole = (value) => String(Math.round(value));

  // --- the runs: bytes of docs/replay.md into typed arrays -----------------------------------------------------------
  const kindsOfArray = { Uint8Array, Int32Array };
  async function unpack(text) {
    const bytes = Uint8Array.from(atob(text.trim()), (letter) => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Response(stream).arrayBuffer();
  }
  function decode(run, buffer) {
    const parts = {};
    let at = 0;
    for (const [name, kind, size] of run.layout) {
      const type = kindsOfArray[kind];
      const bytes = size * type.BYTES_PER_ELEMENT;
      parts[name] = new type(buffer.slice(at, at + bytes));
      at += bytes;
    }
    const tracks = parts.first.length;
    const start = new Int32Array(tracks + 1);
    for (let k = 0; k < tracks; k++) { start[k + 1] = start[k] + parts.count[k]; }
    const x = new Float32Array(start[tracks]), y = new Float32Array(start[tracks]), turn = new Uint8Array(start[tracks]);
    let step = 0;
    for (let k = 0; k < tracks; k++) {
      let px = parts.x[k], py = parts.y[k], pa = parts.turn[k], row = start[k];
      x[row] = px * data.resolution; y[row] = py * data.resolution; turn[row] = pa;
      for (row++; row < start[k + 1]; row++, step++) {
        const wx = parts.dxLow[step] | (parts.dxHigh[step] << 8), wy = parts.dyLow[step] | (parts.dyHigh[step] << 8);
        px += (wx >>> 1) ^ -(wx & 1); py += (wy >>> 1) ^ -(wy & 1); pa = (pa + parts.dTurn[step]) & 255;
        x[row] = px * data.resolution; y[row] = py * data.resolution; turn[row] = pa;
      }
    }
    // tracks by blocks of frames, so that any moment is found at once
    const block = 32, blocks = Array.from({ length: Math.ceil(run.frames / block) + 1 }, () => []);
    for (let k = 0; k < tracks; k++) {
      const last = Math.floor((parts.first[k] + parts.count[k] - 1) / block);
      for (let b = Math.floor(parts.first[k] / block); b <= last && b < blocks.length; b++) { blocks[b].push(k); }
    }
    const samples = run.lanes.length ? parts.queue.length / run.lanes.length : 0;
    for (let lane = 0; lane < run.lanes.length; lane++) {
      for (let s = 1; s < samples; s++) {
        const here = lane * samples + s;
        parts.queue[here] = (parts.queue[here] + parts.queue[here - 1]) & 255;
      }
    }
    return Object.assign(run, { x, y, turn, start, block, blocks, samples, kind: parts.kind, first: parts.first,
      count: parts.count, queue: parts.queue, present: parts.present, halted: parts.halted });
  }

  // --- one clock and one view for all panes --------------------------------------------------------------------------
  const runs = data.runs;
  const begin = Math.min(...runs.map((run) => run.begin));
  const end = Math.max(...runs.map((run) => run.begin + run.step * Math.max(run.frames - 1, 0)));
  const state = { time: begin, playing: false, speed: 5, view: null, dirty: true };
  const panes = [...document.querySelectorAll(".pane")].map((section, k) => ({
    run: runs[k], scene: data.scenes[runs[k].scene], section, canvas: section.querySelector("canvas"),
    numbers: section.querySelector(".numbers"), ground: document.createElement("canvas"), key: "",
  }));
  panes.forEach((pane) => { pane.section.querySelector(".mark").style.backgroundColor = pane.run.colour; });
  const clockText = (time) => {
    const s = Math.floor(time + 1e-6);
    return [Math.floor(s / 3600), Math.floor(s / 60) % 60, s % 60].map((n, i) => (i ? String(n).padStart(2, "0") : n)).join(":");
  };

  const bounds = { x0: Infinity, y0: Infinity, x1: -Infinity, y1: -Infinity };
  for (const scene of data.scenes) {
    for (const [, , ...points] of scene.roads) {
      for (let i = 0; i < points.length; i += 2) {
        bounds.x0 = Math.min(bounds.x0, points[i]); bounds.x1 = Math.max(bounds.x1, points[i]);
        bounds.y0 = Math.min(bounds.y0, points[i + 1]); bounds.y1 = Math.max(bounds.y1, points[i + 1]);
      }
    }
  }
  const U = data.unit;
  function fit() {
    const { width, height } = size(panes[0].canvas);
    const wide = Math.max((bounds.x1 - bounds.x0) * U, 20), high = Math.max((bounds.y1 - bounds.y0) * U, 20);
    state.view = { x: (bounds.x0 + bounds.x1) / 2 * U, y: (bounds.y0 + bounds.y1) / 2 * U,
      scale: 0.94 * Math.min(width / wide, height / high) };
    state.fitted = true; state.dirty = true;
  }
  const ratio = () => Math.min(window.devicePixelRatio || 1, 2);
  const size = (canvas) => ({ width: canvas.clientWidth || 300, height: canvas.clientHeight || 200 });
  function resized(canvas) {
    const { width, height } = size(canvas), r = ratio();
    if (canvas.width !== Math.round(width * r) || canvas.height !== Math.round(height * r)) {
      canvas.width = Math.round(width * r); canvas.height = Math.round(height * r);
    }
    return { width, height, r };
  }
  const across = (pane) => (metres) => (metres - state.view.x) * state.view.scale + pane.width / 2;
  const down = (pane) => (metres) => (state.view.y - metres) * state.view.scale + pane.height / 2;

  // --- the ground: roads, names; drawn again only when the view changes ----------------------------------------------
  const SURFACE = { road: "#c6c9ce", pavement: "#e4e2dc", crossing: "#eceef0" };
  function drawGround(pane) {
    const { width, height, r } = resized(pane.canvas);
    Object.assign(pane, { width, height });
    const key = [width, height, r, state.view.x, state.view.y, state.view.scale, language()].join();
    if (pane.key === key) { return; }
    pane.key = key;
    pane.ground.width = pane.canvas.width; pane.ground.height = pane.canvas.height;
    const g = pane.ground.getContext("2d"), X = across(pane), Y = down(pane), scale = state.view.scale;
    g.setTransform(r, 0, 0, r, 0, 0);
    g.fillStyle = "#f5f5f2"; g.fillRect(0, 0, width, height);
    g.lineJoin = "round";
    g.fillStyle = SURFACE.road;
    for (const points of pane.scene.junctions) {
      g.beginPath();
      for (let i = 0; i < points.length; i += 2) { g.lineTo(X(points[i] * U), Y(points[i + 1] * U)); }
      g.closePath(); g.fill();
    }
    for (const [surface, wide, ...points] of pane.scene.roads) {
      if (surface === "crossing" && scale < 1.5) { continue; }
      g.strokeStyle = SURFACE[surface];
      g.lineWidth = Math.max(wide * U * scale + (surface === "road" ? 0.6 : 0), 1.2);
      g.beginPath();
      for (let i = 0; i < points.length; i += 2) { g.lineTo(X(points[i] * U), Y(points[i + 1] * U)); }
      g.setLineDash(surface === "crossing" ? [0.5 * scale, 0.5 * scale] : []);
      g.stroke();
    }
    if (scale >= 2.5) {  // lines between lanes: the edge of each lane on its left, where another one is
      g.strokeStyle = "#fff"; g.lineWidth = Math.max(0.12 * scale, 0.8); g.setLineDash([2 * scale, 3 * scale]);
      for (const path of pane.scene.marks) {
        g.beginPath();
        for (let i = 0; i < path.length; i += 2) { g.lineTo(X(path[i] * U), Y(path[i + 1] * U)); }
        g.stroke();
      }
    }
    g.setLineDash([]);
    names(pane, g, X, Y, scale);
  }
  // the part of a line within the window, and its length
  function visible(x0, y0, x1, y1, pane) {
    let from = 0, to = 1;
    const dx = x1 - x0, dy = y1 - y0;
    for (const [p, q] of [[-dx, x0], [dx, pane.width - x0], [-dy, y0], [dy, pane.height - y0]]) {
      if (p === 0 && q < 0) { return null; }
      if (p < 0) { from = Math.max(from, q / p); } else if (p > 0) { to = Math.min(to, q / p); }
    }
    const length = Math.hypot(dx, dy) * (to - from);
    return to > from ? [x0 + dx * from, y0 + dy * from, x0 + dx * to, y0 + dy * to, length] : null;
  }
  function names(pane, g, X, Y, scale) {
    const taken = [];
    const free = (x, y, w, h) => {
      if (x - w / 2 < 2 || x + w / 2 > pane.width - 2 || y - h / 2 < 2 || y + h / 2 > pane.height - 2) { return false; }
      if (taken.some((t) => Math.abs(t[0] - x) < (t[2] + w) / 2 + 3 && Math.abs(t[1] - y) < (t[3] + h) / 2 + 2)) { return false; }
      taken.push([x, y, w, h]);
      return true;
    };
    g.textAlign = "center"; g.textBaseline = "middle"; g.lineJoin = "round";
    for (const { at } of pane.scene.signals) { taken.push([X(at[0] * U), Y(at[1] * U), 16, 16]); }
    g.font = "12px " + getComputedStyle(document.body).fontFamily;
    for (const [name, ...ends] of pane.scene.streets) {
      const short = name.length > 34 ? name.slice(0, 33) + "…" : name;
      const wide = g.measureText(short).width, pieces = [];
      for (let i = 0; i < ends.length; i += 4) {
        const piece = visible(X(ends[i] * U), Y(ends[i + 1] * U), X(ends[i + 2] * U), Y(ends[i + 3] * U), pane);
        if (piece && piece[4] > 0.75 * wide - 20) { pieces.push(piece); }
      }
      pieces.sort((a, b) => b[4] - a[4]);
      let placed = false;
      for (const [x0, y0, x1, y1] of pieces.slice(0, 8)) {
        let angle = Math.atan2(y1 - y0, x1 - x0);
        if (Math.cos(angle) < -1e-9) { angle += Math.PI; }
        const sin = Math.sin(angle), cos = Math.cos(angle), beside = Math.min(7 * scale + 11, 48);
        const w = Math.abs(wide * cos) + 14 * Math.abs(sin), h = Math.abs(wide * sin) + 14 * Math.abs(cos);
        const spots = [[0.5, 1], [0.5, -1], [0.3, 1], [0.7, 1], [0.3, -1], [0.7, -1]].map(([part, side]) =>
          [x0 + (x1 - x0) * part + sin * beside * side, y0 + (y1 - y0) * part - cos * beside * side]);
        const found = spots.find(([x, y]) => free(x, y, w, h));
        if (!found) { continue; }
        g.save(); g.translate(...found); g.rotate(angle);
        g.lineWidth = 3; g.strokeStyle = "#f5f5f2"; g.strokeText(short, 0, 0);
        g.fillStyle = "#444"; g.fillText(short, 0, 0); g.restore();
        placed = true;
        break;
      }
      if (placed || scale > 1) { continue; }
      // too short to write along it: beyond its outer end
      const middle = X((bounds.x0 + bounds.x1) / 2 * U), tips = [];
      for (let i = 0; i < ends.length; i += 2) { tips.push([X(ends[i] * U), Y(ends[i + 1] * U)]); }
      tips.sort((a, b) => Math.abs(b[0] - middle) - Math.abs(a[0] - middle));
      const [tx, ty] = tips[0], side = tx < middle ? -1 : 1;
      if (free(tx + side * (wide / 2 + 5), ty, wide, 13)) { g.fillStyle = "#444"; g.fillText(short, tx + side * (wide / 2 + 5), ty); }
    }
    const bar = [10, 20, 50, 100, 200, 500, 1000, 2000].find((m) => m * scale > 50) || 5000;
    const y = pane.height - 12;
    g.strokeStyle = g.fillStyle = "#222"; g.lineWidth = 1.5;
    g.beginPath(); g.moveTo(12, y - 4); g.lineTo(12, y); g.lineTo(12 + bar * scale, y); g.lineTo(12 + bar * scale, y - 4); g.stroke();
    g.textAlign = "left"; g.font = "11px " + getComputedStyle(document.body).fontFamily;
    const label = bar + " m";
    g.lineWidth = 3; g.strokeStyle = "#f5f5f2"; g.strokeText(label, 18 + bar * scale, y - 3); g.fillText(label, 18 + bar * scale, y - 3);
    const north = pane.width - 18;
    g.beginPath(); g.moveTo(north, 10); g.lineTo(north - 5, 24); g.lineTo(north, 21); g.lineTo(north + 5, 24); g.closePath(); g.fill();
    g.textAlign = "center"; g.strokeText(say("N", "B"), north, 33); g.fillText(say("N", "B"), north, 33);
  }

  // --- what moves: queues, signals, vehicles -------------------------------------------------------------------------
  const LIGHT = { G: "#009e73", g: "#009e73", y: "#e69f00", Y: "#e69f00", u: "#e69f00", r: "#d55e00", s: "#d55e00" };
  function stateOf(history, time) {
    let low = 0, high = history.times.length;
    while (low < high) { const middle = (low + high) >> 1; if (history.times[middle] <= time + 1e-6) { low = middle + 1; } else { high = middle; } }
    return low ? history.states[history.shown[low - 1]] : "";
  }
  function drawQueues(pane, g, X, Y, frame) {
    const { run, scene } = pane;
    if (!run.samples) { return; }
    const sample = Math.min(Math.floor(frame / data.queuePeriod), run.samples - 1);
    g.strokeStyle = "rgba(204,60,60,0.38)"; g.lineCap = "butt";
    scene.lines.forEach((line) => {
      const lane = run.laneNumber.get(line.lane);
      let left = lane === undefined ? 0 : run.queue[lane * run.samples + sample] * data.queueUnit;
      if (!left) { return; }
      const p = line.path;
      g.lineWidth = Math.max(line.width * U * state.view.scale, 3);
      g.beginPath(); g.moveTo(X(p[0] * U), Y(p[1] * U));
      for (let i = 2; i < p.length && left > 0; i += 2) {
        const dx = (p[i] - p[i - 2]) * U, dy = (p[i + 1] - p[i - 1]) * U, length = Math.hypot(dx, dy);
        const share = length > left ? left / length : 1;
        g.lineTo(X(p[i - 2] * U + dx * share), Y(p[i - 1] * U + dy * share));
        left -= length;
      }
      g.stroke();
    });
  }
  function drawSignals(pane, g, X, Y) {
    const { run, scene } = pane, scale = state.view.scale;
    const shown = run.signals.map((history) => stateOf(history, state.time));
    g.lineCap = "butt"; g.lineWidth = Math.max(1.1 * scale, 3);
    const bars = new Map();  // a path by colour
    for (const line of scene.lines) {
      const letters = [...new Set(line.links.map((link) => shown[line.signal][link] || ""))];
      const cx = X(line.at[0] * U), cy = Y(line.at[1] * U);
      if (cx < -20 || cy < -20 || cx > pane.width + 20 || cy > pane.height + 20) { continue; }
      const [ax, ay] = line.along, half = Math.max(line.width * U * scale / 2 * 0.94, 1.6);
      letters.forEach((letter, k) => {
        const from = -half + 2 * half * k / letters.length, to = -half + 2 * half * (k + 1) / letters.length;
        if (letter === "o" && Math.floor(state.time) % 2) { return; }
        const colour = LIGHT[letter] || (letter === "o" ? LIGHT.y : "#777");
        if (!bars.has(colour)) { bars.set(colour, new Path2D()); }
        const bar = bars.get(colour);
        bar.moveTo(cx + ay * from, cy + ax * from); bar.lineTo(cx + ay * to, cy + ax * to);
      });
    }
    bars.forEach((bar, colour) => { g.strokeStyle = colour; g.stroke(bar); });
  }
  // each vehicle at a moment: kind, front (m), heading (radians), whether it stands
  function eachVehicle(run, time, call) {
    const moment = (time - run.begin) / run.step;
    if (moment < 0 || moment > run.frames) { return; }
    const frame = Math.floor(moment + 1e-9), part = moment - frame;
    for (const k of run.blocks[Math.floor(frame / run.block)] || []) {
      const i = frame - run.first[k];
      if (i < 0 || i >= run.count[k]) { continue; }
      const a = run.start[k] + i, b = i + 1 < run.count[k] ? a + 1 : a;
      const x = run.x[a] + (run.x[b] - run.x[a]) * part, y = run.y[a] + (run.y[b] - run.y[a]) * part;
      let swing = run.turn[b] - run.turn[a];
      if (swing > 128) { swing -= 256; } else if (swing < -128) { swing += 256; }
      call(run.kind[k], x, y, (run.turn[a] + swing * part) * 2 * Math.PI / data.turn, run.x[a] === run.x[b] && run.y[a] === run.y[b]);
    }
  }
  function drawVehicles(pane, g, X, Y) {
    const { run } = pane, scale = state.view.scale, paths = run.kinds.map(() => new Path2D());
    const small = scale < 1, squares = run.kinds.map(() => []);
    eachVehicle(run, state.time, (kind, x, y, heading) => {
      const px = X(x), py = Y(y);
      if (px < -30 || py < -30 || px > pane.width + 30 || py > pane.height + 30) { return; }
      const path = paths[kind], { length, width } = run.kinds[kind];
      if (small) {
        const s = Math.max(Math.sqrt(length * width) * scale, width < 1.2 ? 1.8 : 2.6);
        squares[kind].push(px - s / 2, py - s / 2, s);
        return;
      }
      const sin = Math.sin(heading), cos = Math.cos(heading);  // clockwise from north: forward is (sin, −cos) on the screen
      const wide = Math.max(width * scale, 2.4) / 2, long = Math.max(length * scale, 4), nose = long * 0.28;
      path.moveTo(px, py);
      path.lineTo(px - sin * nose + cos * wide, py + cos * nose + sin * wide);
      path.lineTo(px - sin * long + cos * wide, py + cos * long + sin * wide);
      path.lineTo(px - sin * long - cos * wide, py + cos * long - sin * wide);
      path.lineTo(px - sin * nose - cos * wide, py + cos * nose - sin * wide);
      path.closePath();
    });
    paths.forEach((path, kind) => {
      g.fillStyle = run.kinds[kind].colour;
      for (let i = 0; i < squares[kind].length; i += 3) { g.fillRect(squares[kind][i], squares[kind][i + 1], squares[kind][i + 2], squares[kind][i + 2]); }
      if (small) { return; }
      g.fill(path);
      if (scale >= 3) { g.lineWidth = 0.7; g.strokeStyle = "rgba(0,0,0,0.65)"; g.stroke(path); }
    });
  }
  function drawPane(pane) {
    drawGround(pane);
    const g = pane.canvas.getContext("2d"), X = across(pane), Y = down(pane), run = pane.run;
    g.setTransform(1, 0, 0, 1, 0, 0); g.drawImage(pane.ground, 0, 0);
    const r = ratio();
    g.setTransform(r, 0, 0, r, 0, 0);
    const frame = Math.max(0, Math.min(run.frames - 1, Math.floor((state.time - run.begin) / run.step + 1e-9)));
    drawQueues(pane, g, X, Y, frame);
    drawVehicles(pane, g, X, Y);
    drawSignals(pane, g, X, Y);
    const text = say(`${whole(run.present[frame] || 0)} vehicles on the road, ${whole(run.halted[frame] || 0)} standing`,
      `${whole(run.present[frame] || 0)} xe trên đường, ${whole(run.halted[frame] || 0)} xe đang dừng`);
    if (pane.numbers.textContent !== text) { pane.numbers.textContent = text; }
  }

  // --- chart of standing vehicles ------------------------------------------------------------------------------------
  const chart = $("chart"), LEFT = 44, RIGHT = 10, FOOT = 18, curves = document.createElement("canvas");
  let curvesKey = "";
  function drawChart() {
    const { width, height, r } = resized(chart), shown = chart.getContext("2d");
    const at = (time) => LEFT + (width - LEFT - RIGHT) * (time - begin) / Math.max(end - begin, 1e-9);
    if (curvesKey !== [width, height, r].join()) { curvesKey = [width, height, r].join(); drawCurves(width, height, r, at); }
    shown.setTransform(1, 0, 0, 1, 0, 0); shown.clearRect(0, 0, chart.width, chart.height); shown.drawImage(curves, 0, 0);
    shown.setTransform(r, 0, 0, r, 0, 0);
    shown.strokeStyle = "#222"; shown.lineWidth = 1.2; shown.beginPath(); shown.moveTo(at(state.time), 2); shown.lineTo(at(state.time), height - FOOT); shown.stroke();
  }
  function drawCurves(width, height, r, at) {
    curves.width = chart.width; curves.height = chart.height;
    const g = curves.getContext("2d");
    g.setTransform(r, 0, 0, r, 0, 0);
    const most = Math.max(1, ...runs.map((run) => run.peak));
    const up = (value) => height - FOOT - (height - FOOT - 8) * value / most;
    g.font = "11px " + getComputedStyle(document.body).fontFamily; g.fillStyle = "#595959"; g.strokeStyle = "#e3e3e3"; g.lineWidth = 1;
    g.textAlign = "right"; g.textBaseline = "middle";
    for (const value of [0, most]) {
      g.beginPath(); g.moveTo(LEFT, up(value)); g.lineTo(width - RIGHT, up(value)); g.stroke(); g.fillText(whole(value), LEFT - 6, up(value));
    }
    g.textBaseline = "alphabetic";
    const gap = [10, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200].find((s) => at(begin + s) - LEFT > 64) || 14400;
    for (let t = Math.ceil(begin / gap) * gap; t <= end; t += gap) {
      g.textAlign = at(t) > width - 40 ? "right" : "center";
      g.fillText(clockText(t), at(t), height - 4);
    }
    runs.forEach((run) => {
      g.strokeStyle = run.colour; g.lineWidth = 1.6; g.beginPath();
      const stride = Math.max(1, Math.floor(run.frames / (2 * width)));
      for (let f = 0; f < run.frames; f += stride) { g.lineTo(at(run.begin + f * run.step), up(run.halted[f])); }
      g.stroke();
    });
  }

  // --- controls ------------------------------------------------------------------------------------------------------
  function words() {
    document.title = document.querySelector("h1").textContent && [...document.querySelectorAll("h1 [lang]")].filter((e) => e.lang === language()).map((e) => e.textContent).join("") || document.title;
    for (const element of document.querySelectorAll("[data-en]")) { element.textContent = say(element.dataset.en, element.dataset.vi); }
    $("play").textContent = state.playing ? say("Pause", "Tạm dừng") : say("Play", "Phát");
    $("scrub").setAttribute("aria-label", say("Time", "Thời gian"));
    $("closer").setAttribute("aria-label", say("Zoom in", "Phóng to"));
    $("farther").setAttribute("aria-label", say("Zoom out", "Thu nhỏ"));
    const chosen = $("spot").value;
    $("spot").replaceChildren(new Option(say("choose to zoom", "chọn để phóng to"), ""));
    data.scenes[0].signals.forEach((signal, k) => $("spot").add(new Option(`${k + 1}  ${signal.name}`.slice(0, 80), String(k))));
    $("spot").value = chosen;
    const seen = new Map();
    runs.forEach((run) => run.kinds.forEach((kind) => seen.set(kind.name.en + kind.colour, kind)));
    const items = [...seen.values()].map((kind) => [kind.colour, say(kind.name.en, kind.name.vi)]);
    items.push(["rgba(204,60,60,0.45)", say("queue before a stop line", "hàng chờ trước vạch dừng")]);
    $("legend").replaceChildren(...items.map(([colour, text]) => {
      const item = document.createElement("li"), box = document.createElement("i");
      box.style.backgroundColor = colour; item.append(box, text);
      return item;
    }));
    state.dirty = true;
  }
  function seek(time) { state.time = Math.min(end, Math.max(begin, time)); state.dirty = true; }
  function play(on) {
    if (on && state.time >= end) { state.time = begin; }
    state.playing = on; state.dirty = true;
    $("play").textContent = on ? say("Pause", "Tạm dừng") : say("Play", "Phát");
  }
  function zoom(factor, x, y) {
    const { width, height } = size(panes[0].canvas), v = state.view;
    const px = x === undefined ? 0 : x - width / 2, py = y === undefined ? 0 : y - height / 2;
    const scale = Math.min(40, Math.max(0.02, v.scale * factor));
    v.x += px / v.scale - px / scale; v.y -= py / v.scale - py / scale; v.scale = scale;
    state.fitted = false; state.dirty = true;
  }
  function speed(step) { const list = $("speed"); list.selectedIndex = Math.min(list.length - 1, Math.max(0, list.selectedIndex + step)); state.speed = Number(list.value); }
  function spot(k) {
    const { width, height } = size(panes[0].canvas), at = data.scenes[0].signals[k].at;
    state.view = { x: at[0] * U, y: at[1] * U, scale: Math.min(width, height) / 110 };
    state.fitted = false; state.dirty = true;
  }
  $("play").addEventListener("click", () => play(!state.playing));
  $("scrub").min = begin; $("scrub").max = end;
  $("scrub").addEventListener("input", () => seek(Number($("scrub").value)));
  $("speed").addEventListener("change", () => { state.speed = Number($("speed").value); });
  $("spot").addEventListener("change", () => { if ($("spot").value !== "") { spot(Number($("spot").value)); } });
  $("closer").addEventListener("click", () => zoom(1.5));
  $("farther").addEventListener("click", () => zoom(1 / 1.5));
  $("whole").addEventListener("click", fit);
  const seekOnChart = (event) => seek(begin + (end - begin) * (event.offsetX - LEFT) / (chart.clientWidth - LEFT - RIGHT));
  chart.addEventListener("pointerdown", (event) => { chart.setPointerCapture(event.pointerId); seekOnChart(event); });
  chart.addEventListener("pointermove", (event) => { if (event.buttons) { seekOnChart(event); } });
  for (const { canvas } of panes) {
    const held = new Map();
    canvas.addEventListener("wheel", (event) => { event.preventDefault(); zoom(Math.exp(-event.deltaY / 400), event.offsetX, event.offsetY); }, { passive: false });
    canvas.addEventListener("pointerdown", (event) => { canvas.setPointerCapture(event.pointerId); held.set(event.pointerId, [event.offsetX, event.offsetY]); });
    canvas.addEventListener("pointermove", (event) => {
      const before = held.get(event.pointerId);
      if (!before) { return; }
      const others = [...held].filter(([id]) => id !== event.pointerId).map(([, point]) => point);
      if (others.length) {  // two fingers: zoom about the one that rests
        const [ox, oy] = others[0], was = Math.hypot(before[0] - ox, before[1] - oy), is = Math.hypot(event.offsetX - ox, event.offsetY - oy);
        if (was > 5 && is > 5) { zoom(is / was, ox, oy); }
      } else {
        state.view.x -= (event.offsetX - before[0]) / state.view.scale; state.view.y += (event.offsetY - before[1]) / state.view.scale;
        state.fitted = false; state.dirty = true;
      }
      held.set(event.pointerId, [event.offsetX, event.offsetY]);
    });
    for (const name of ["pointerup", "pointercancel"]) { canvas.addEventListener(name, (event) => held.delete(event.pointerId)); }
  }
  const keys = {
    " ": () => play(!state.playing), ArrowLeft: (e) => seek(state.time - (e.shiftKey ? 60 : 5)), ArrowRight: (e) => seek(state.time + (e.shiftKey ? 60 : 5)),
    ArrowUp: () => speed(1), ArrowDown: () => speed(-1), Home: () => seek(begin), End: () => seek(end),
    "+": () => zoom(1.3), "=": () => zoom(1.3), "-": () => zoom(1 / 1.3), 0: fit,
  };
  document.addEventListener("keydown", (event) => {
    const at = event.target;
    if (event.ctrlKey || event.altKey || event.metaKey || at.matches("select, .choice, summary") || (event.key === " " && at.matches("button"))) { return; }
    if (keys[event.key]) { event.preventDefault(); keys[event.key](event); }
  });
  for (const choice of Object.values(choices)) { choice.addEventListener("change", words); }
  new ResizeObserver(() => { if (state.fitted) { fit(); } state.dirty = true; }).observe($("panes"));

  function draw() {
    panes.forEach(drawPane);
    drawChart();
    $("clock").textContent = clockText(state.time);
    $("scrub").value = state.time;
    state.dirty = false;
  }
  let last = null;
  function tick(now) {
    if (state.playing) {
      const passed = last === null ? 0 : Math.min((now - last) / 1000, 0.25);
      seek(state.time + passed * state.speed);
      if (state.time >= end) { play(false); }
    }
    last = now;
    if (state.dirty) { draw(); }
    requestAnimationFrame(tick);
  }

  try {
    const texts = [...document.querySelectorAll("script.replay-run")].map((element) => { const text = element.textContent; element.remove(); return text; });
    for (const [k, run] of runs.entries()) {
      decode(run, await unpack(texts[k]));
      run.laneNumber = new Map(run.lanes.map((lane, i) => [lane, i]));
      run.peak = run.halted.reduce((most, value) => Math.max(most, value), 0);
    }
  } catch (error) {
    $("fault").hidden = false;
    $("fault").textContent = say("This browser cannot unpack the replay: ", "Trình duyệt này không mở được dữ liệu phát lại: ") + error;
    return;
  }
  words();
  fit();
  draw();
  requestAnimationFrame(tick);
  // for tests and other pages: the clock, the decoded positions, the time of a frame
  globalThis.denxanhReplay = {
    state, seek, play, zoom, spot, fit, draw, begin, end,
    vehicles(k, time) { const out = []; eachVehicle(runs[k], time, (...row) => out.push(row)); return out; },
    milliseconds(frames) {
      const started = performance.now();
      for (let k = 0; k < frames; k++) { seek(begin + (end - begin) * ((k + 0.5) / frames)); draw(); }
      return (performance.now() - started) / frames;
    },
  };
  document.documentElement.dataset.ready = "yes";
})();
