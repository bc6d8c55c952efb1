// Requests to the server. The token came in the fragment of the address; it is kept for this tab and goes into a header.
const KEY = "denxanh-token";
const given = new URLSearchParams(location.hash.slice(1)).get("token");
if (given) {
  sessionStorage.setItem(KEY, given);
  history.replaceState(null, "", location.pathname);
}
let files = "";

export const hasToken = () => Boolean(sessionStorage.getItem(KEY));

export class Refused extends Error {
  constructor(reason, status) { super(reason.en); this.reason = reason; this.status = status; }
}

async function send(path, body, type) {
  let answer;
  try {
    answer = await fetch(path, { method: "POST", body,
      headers: { "Authorization": `Bearer ${sessionStorage.getItem(KEY)}`, "Content-Type": type } });
  } catch {
    throw new Refused({ en: "The server does not answer: start 'denxanh serve' again. Jobs go on without it.",
      vi: "Máy chủ không trả lời: hãy chạy lại 'denxanh serve'. Các công việc vẫn tiếp tục." }, 0);
  }
  let data = {};
  try { data = await answer.json(); } catch { /* no JSON: the status says it */ }
  if (!answer.ok) {
    throw new Refused(data.refused || { en: `The server answers ${answer.status}.`, vi: `Máy chủ trả lời ${answer.status}.` }, answer.status);
  }
  return data;
}

export const post = (name, form = {}) => send(`/api/${name}`, JSON.stringify(form), "application/json");

export function upload(kind, file, name = "") {
  const query = new URLSearchParams({ name, file: file.name });
  return send(`/api/upload/${kind}?${query}`, file, "application/octet-stream");
}

// address of a file of results, which opens in a tab of its own
export async function fileAddress(address) {
  if (!files) { files = (await post("key")).files; }
  return files + address;
}
