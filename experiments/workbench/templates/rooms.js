// Places, results and jobs.
import { fileAddress, post, upload } from "./api.js";
import { alertText, button, element, named, number, say, showError, t } from "./words.js";

const PERIOD = 1000; // ms between two looks at the jobs
const labelled = (key, input) => element("label", {}, t(key), input);
const whole = (value, least, most) => element("input", { type: "number", value, min: least, max: most, step: 1, required: true });

async function begin(form, go) {
  try { await post("start", form); go("jobs"); } catch (error) { showError(error); }
}

export function placesRoom(main, about, go) {
  const list = element("ul", { class: "cards" }), panel = element("div");
  let controllers = [], gone = false;
  main.append(element("h2", {}, t("places")), list, panel, importForm(go));
  post("lists").then((found) => {
    if (gone) { return; }
    controllers = found.controllers;
    list.replaceChildren(...found.places.map((place) => card(place)));
  }).catch(showError);

  function card(place) {
    const open = (kind) => { panel.replaceChildren(jobForm(kind, place, controllers, go)); panel.querySelector("input, select").focus(); };
    const about = place.own ? t("ownPlace") : `${place.signals} ${t(place.signals === 1 ? "oneSignal" : "signals")} · ${place.place}`;
    const tools = element("div", { class: "actions" },
      button(t("edit"), () => go("editor", place), { class: "main" }),
      ...["compare", "optimize", "study"].map((kind) => button(t(kind), () => open(kind))));
    const one = element("li", { class: "card" }, element("h3", {}, named(say(place.title))), element("div", { class: "quiet" }, about), tools);
    if (place.guessed) { fileLink(place.guessed, t("guessed")).then((link) => one.append(link)); }
    return one;
  }
  return () => { gone = true; };
}

async function fileLink(address, name) {
  return element("a", { href: await fileAddress(address), target: "_blank", rel: "noopener noreferrer" }, name);
}

function jobForm(kind, place, controllers, go) {
  const simulated = whole(0, 0, 1440), seeds = whole(5, 1, 1000), minutes = whole(kind === "study" ? 20 : 5, 1, 1440);
  const only = element("select", {}, ...["all", "timing", "splits", "offsets"].map((one) => element("option", { value: one }, t(one))));
  const counts = element("input", { type: "file", accept: ".csv" });
  const ticks = controllers.map(({ name, text }) =>
    element("label", { title: text }, element("input", { type: "checkbox", value: name, checked: ["program", "actuated"].includes(name) }), name));
  ticks.sort((a, b) => (b.textContent === "program") - (a.textContent === "program"));
  const rows = {
    compare: [element("fieldset", {}, element("legend", {}, t("controllers")), ...ticks),
      element("div", { class: "row" }, labelled("days", seeds), labelled("simulated", simulated))],
    optimize: [element("div", { class: "row" }, labelled("minutes", minutes), labelled("only", only), labelled("simulated", simulated))],
    study: [element("div", { class: "row" }, labelled("minutes", minutes), labelled("counts", counts))],
  }[kind];
  const submit = async (event) => {
    event.preventDefault();
    alertText("");
    const form = { kind, place: place.place };
    try {
      if (kind === "compare") {
        form.controllers = ticks.map((one) => one.querySelector("input")).filter((one) => one.checked).map((one) => one.value);
        form.seeds = seeds.valueAsNumber; form.simulated = simulated.valueAsNumber;
      } else if (kind === "optimize") {
        form.minutes = minutes.valueAsNumber; form.only = only.value; form.simulated = simulated.valueAsNumber;
      } else {
        form.minutes = minutes.valueAsNumber;
        if (counts.files.length) { form.counts = (await upload("counts", counts.files[0])).counts; }
      }
      await begin(form, go);
    } catch (error) { showError(error); }
  };
  return element("form", { class: "panel", onsubmit: submit }, element("h3", {}, `${t(kind)}: `, named(say(place.title))), ...rows,
    element("div", { class: "actions" }, element("button", { class: "main", type: "submit" }, t("start")),
      button(t("close"), (event) => event.target.closest("form").remove())));
}

function importForm(go) {
  const name = element("input", { type: "text", required: true, maxlength: 80, dir: "auto" });
  const file = element("input", { type: "file", required: true, accept: ".osm,.gz,.bz2,.pbf" });
  const submit = async (event) => {
    event.preventDefault();
    alertText("");
    try { await upload("map", file.files[0], name.value); go("jobs"); } catch (error) { showError(error); }
  };
  return element("section", {}, element("h2", {}, t("importMap")), element("p", { class: "quiet" }, t("importText")),
    element("form", { class: "panel", onsubmit: submit }, element("div", { class: "row" }, labelled("name", name), labelled("file", file),
      element("button", { class: "main", type: "submit" }, t("start")))));
}

export function resultsRoom(main, about, go) {
  const list = element("ul", { class: "cards" });
  let gone = false;
  main.append(element("h2", {}, t("results")), list);
  post("lists").then(async (found) => {
    await fileAddress("");
    if (gone) { return; }
    if (!found.results.length) { list.replaceWith(element("p", {}, t("noResults"))); return; }
    list.replaceChildren(...await Promise.all(found.results.map((one) => resultCard(one, go))));
  }).catch(showError);
  return () => { gone = true; };
}

async function resultCard(result, go) {
  const links = await Promise.all(result.files.map(async (file) => element("li", {}, await fileLink(file.address, named(file.name)))));
  const main = links.slice(0, 4), rest = links.slice(4);
  return element("li", { class: "card" }, element("h3", {}, named(result.name)),
    element("div", { class: "quiet" }, `${say(result.kind)} · ${new Date(result.changed * 1000).toLocaleString(document.documentElement.lang)}`),
    element("ul", {}, ...main),
    rest.length ? element("details", {}, element("summary", {}, `+ ${rest.length}`), element("ul", {}, ...rest)) : null,
    result.replay ? element("div", { class: "actions" }, button(t("makeReplay"), () => begin({ kind: "replay", folder: result.folder }, go))) : null);
}

export function jobsRoom(main) {
  const list = element("ul", { class: "cards", "aria-live": "polite" });
  const cards = new Map();
  let timer = 0, gone = false;
  main.append(element("h2", {}, t("jobs")), list);
  async function look() {
    try {
      const { jobs } = await post("jobs");
      if (gone) { return; }
      await fileAddress("");
      const ids = new Set(jobs.map((job) => job.id));
      for (const [id, one] of cards) { if (!ids.has(id)) { one.element.remove(); cards.delete(id); } }
      for (const [place, job] of jobs.entries()) {
        const key = JSON.stringify([job.state, job.cancelling, job.output, job.files]);
        const known = cards.get(job.id);
        if (known && known.key === key) { continue; }
        const made = await jobCard(job, look, known ? known.element : null);
        if (gone) { return; }
        if (known) { known.element.replaceWith(made); } else { list.insertBefore(made, list.children[place] || null); }
        cards.set(job.id, { key, element: made });
      }
      alertText("");
      let none = list.parentElement.querySelector(".none");
      if (jobs.length && none) { none.remove(); }
      if (!jobs.length && !none) { list.after(element("p", { class: "none" }, t("noJobs"))); }
    } catch (error) { if (!gone) { showError(error); } }
    clearTimeout(timer);
    if (!gone) { timer = setTimeout(look, PERIOD); }
  }
  look();
  return () => { gone = true; clearTimeout(timer); };
}

async function jobCard(job, look, before) {
  const act = (name) => async () => { try { await post(name, { id: job.id }); look(); } catch (error) { showError(error); } };
  const over = !["waiting", "running"].includes(job.state);
  const share = job.progress && job.progress[1] ? job.progress : null;
  const links = await Promise.all(job.files.map(async (file) => element("li", {}, await fileLink(file.address, file.name))));
  const open = before ? before.querySelector("details").open : false;
  const output = element("pre", { tabindex: 0 }, job.command.join("\n") + "\n\n" + job.output);
  const last = job.output.trim().split("\n").pop();
  return element("li", { class: "card job", "data-id": job.id, "data-state": job.state },
    element("h3", {}, `${t(job.kind)}: `, named(job.title)),
    element("div", {}, element("span", { class: `badge ${job.state}` }, t(job.cancelling && !over ? "cancelling" : job.state)), " ",
      element("span", { class: "quiet" }, times(job))),
    share && !over ? element("progress", { max: share[1], value: share[0], "aria-label": t("running") }) : null,
    element("div", { class: "quiet", dir: "auto" }, last),
    links.length ? element("ul", {}, ...links) : null,
    element("details", { open }, element("summary", {}, t("output")), output),
    element("div", { class: "actions" },
      over ? null : button(t("cancel"), act("cancel"), { disabled: job.cancelling }),
      ["cancelled", "interrupted", "failed"].includes(job.state) ? button(t("again"), act("again")) : null,
      over ? button(t("remove"), act("remove")) : null));
}

function times(job) {
  const begin = job.started || job.asked;
  const at = new Date(begin * 1000).toLocaleTimeString(document.documentElement.lang);
  if (!job.ended) { return `${t("began")} ${at}`; }
  const took = Math.max(0, job.ended - begin);
  return `${t("began")} ${at}, ${t("after")} ${took < 90 ? number(took) + " s" : number(took / 60) + " min"}`;
}
