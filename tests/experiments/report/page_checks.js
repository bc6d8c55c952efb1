// What is seen of a page: texts that cover each other, and texts with less contrast than WCAG's level AA.
const seen = (e) => {
  const r = e.getBoundingClientRect();
  return r.width > 0 && r.height > 0 && e.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true });
};
const shared = (a, b) => [
  Math.min(a.right, b.right) - Math.max(a.left, b.left), Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top),
];
const pairs = (list) => list.flatMap((a, i) => list.slice(i + 1).map((b) => [a, b]));

const overlaps = () => {
  const found = [];
  for (const svg of document.querySelectorAll("svg")) {
    const texts = [...svg.querySelectorAll("text")].filter((e) => seen(e) && !e.getAttribute("transform"));
    for (const [a, b] of pairs(texts)) {
      const [wide, high] = shared(a.getBoundingClientRect(), b.getBoundingClientRect());
      if (wide > 2 && high > 4) { found.push(`${a.textContent} / ${b.textContent}`); }
    }
  }
  const blocks = document.querySelectorAll(".tile, .advice, .cautions, .where, .losers, .about, .table, summary");
  for (const [a, b] of pairs([...blocks].filter(seen))) {
    const [wide, high] = shared(a.getBoundingClientRect(), b.getBoundingClientRect());
    if (!a.contains(b) && !b.contains(a) && wide > 1 && high > 1) { found.push(`${a.className} / ${b.className}`); }
  }
  return found;
};

const channel = (v) => (v / 255 <= 0.03928 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4);
const parts = (colour) => colour.match(/[\d.]+/g).map(Number);
const light = (colour) => {
  const [r, g, b] = parts(colour);
  return 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
};
const behind = (e) => {
  for (; e; e = e.parentElement) {
    const colour = getComputedStyle(e).backgroundColor, p = parts(colour);
    if (p.length < 4 || p[3] > 0) { return colour; }
  }
  return "rgb(255, 255, 255)";
};
const lowContrast = () => {
  const found = new Set();
  for (const e of document.querySelectorAll("body *:not(svg):not(svg *):not(script):not(style)")) {
    const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    if (!own || !seen(e)) { continue; }
    const s = getComputedStyle(e), size = parseFloat(s.fontSize), bold = parseInt(s.fontWeight) >= 700;
    const a = light(s.color), b = light(behind(e));
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    const large = size >= 24 || (bold && size >= 18.66);
    if (ratio < (large ? 3 : 4.5)) { found.add(`${e.tagName} ${e.className} ${ratio.toFixed(2)}`); }
  }
  return [...found];
};
