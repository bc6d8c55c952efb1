(function () {
  // The browser's own tips are slow and show both languages: take them over.
  const box = document.createElement("div");
  box.className = "tip";
  box.hidden = true;
  document.body.append(box);
  for (const title of document.querySelectorAll("svg title")) {
    title.parentNode.dataset.tip = title.textContent;
    title.remove();
  }
  document.addEventListener("pointermove", (event) => {
    const mark = event.target.closest ? event.target.closest("[data-tip]") : null;
    box.hidden = !mark;
    if (!mark) { return; }
    const lines = mark.dataset.tip.split("\n");
    box.textContent = lines[language() === "vi" ? lines.length - 1 : 0];
    const right = innerWidth - box.offsetWidth - 8;
    box.style.left = Math.max(4, Math.min(event.clientX + 12, right)) + "px";
    const below = event.clientY + 16;
    box.style.top = (below + box.offsetHeight > innerHeight ? event.clientY - box.offsetHeight - 8 : below) + "px";
  });
  const heading = JSON.parse(document.getElementById("denxanh-data").textContent).heading;
  const rename = () => { document.title = heading[language()]; };
  for (const choice of Object.values(choices)) { choice.addEventListener("change", rename); }
  rename();
  for (const section of document.querySelectorAll("details:not(.working)")) {
    addEventListener("beforeprint", () => { section.open = true; });
  }
  document.documentElement.dataset.ready = "yes";
})();
