// The page: four rooms, two languages.
import { hasToken } from "./api.js";
import { placesRoom, resultsRoom, jobsRoom } from "./rooms.js";
import { editorRoom } from "./editor.js";
import { alertText, button, element, firstLanguage, onLanguage, setLanguage, t } from "./words.js";

const ROOMS = { places: placesRoom, editor: editorRoom, results: resultsRoom, jobs: jobsRoom };
const main = document.getElementById("main");
let current = { room: "places", about: null }, leave = null;

export function go(room, about = null) {
  current = { room, about };
  show();
  main.focus({ preventScroll: true });
}

function show() {
  alertText("");
  if (leave) { leave(); leave = null; }
  const rooms = Object.keys(ROOMS).map((name) =>
    button(t(name), () => go(name), { "aria-current": current.room === name ? "page" : null }));
  document.getElementById("rooms").replaceChildren(...rooms);
  main.replaceChildren();
  if (!hasToken()) { main.append(element("p", {}, t("noToken"))); return; }
  leave = ROOMS[current.room](main, current.about, go) || null;
}

document.getElementById("language-en").addEventListener("click", () => setLanguage("en"));
document.getElementById("language-vi").addEventListener("click", () => setLanguage("vi"));
onLanguage(show);
setLanguage(firstLanguage());
