// Words in both languages, and small helpers to make elements. Texts from the server are {en, vi}.
const WORDS = {
  workbench: ["workbench", "bàn làm việc"],
  skip: ["To the content", "Tới nội dung"],
  footer: ["Delay and queues in the editor are those of the queue model, which ranks plans; what counts is the check in SUMO. Maps © OpenStreetMap contributors.",
    "Độ trễ và hàng chờ khi chỉnh sửa là của mô hình hàng chờ, dùng để so các phương án; kết quả cần tin là kiểm tra bằng SUMO. Bản đồ © người đóng góp OpenStreetMap."],
  places: ["Places", "Địa điểm"], editor: ["Plan", "Phương án"], results: ["Results", "Kết quả"], jobs: ["Jobs", "Công việc"],
  noToken: ["Open the address that 'denxanh serve' printed: it holds the key to this page.",
    "Hãy mở địa chỉ mà 'denxanh serve' đã in ra: trong đó có khóa của trang này."],
  edit: ["Edit the plan", "Sửa phương án"], compare: ["Compare", "So sánh"], optimize: ["Optimise", "Tối ưu hóa"], study: ["Study", "Nghiên cứu"],
  signals: ["signals", "nút đèn"], oneSignal: ["signal", "nút đèn"], ownPlace: ["imported place", "địa điểm đã nhập"], guessed: ["What was guessed", "Những điều phải đoán"],
  importMap: ["Import a map", "Nhập bản đồ"], importText: ["An OpenStreetMap extract (.osm, .osm.gz, .osm.bz2, .osm.pbf) becomes a place with signals, plans and traffic to start with.",
    "Một phần bản đồ OpenStreetMap (.osm, .osm.gz, .osm.bz2, .osm.pbf) trở thành địa điểm có đèn, phương án và lưu lượng ban đầu."],
  name: ["Name", "Tên"], file: ["File", "Tệp"], start: ["Start", "Bắt đầu"], close: ["Close", "Đóng"],
  controllers: ["Controllers; the first ticked is the baseline", "Bộ điều khiển; mục đầu tiên được chọn là mốc so sánh"],
  days: ["Days (seeds)", "Số ngày mô phỏng"], simulated: ["Simulated minutes (0: all)", "Số phút mô phỏng (0: tất cả)"],
  minutes: ["Minutes it may take", "Số phút được chạy"], only: ["May change", "Được thay đổi"],
  all: ["everything", "tất cả"], timing: ["times, not stages", "thời gian, giữ pha"], splits: ["greens only", "chỉ thời gian xanh"], offsets: ["offsets only", "chỉ lệch pha"],
  counts: ["Counts (CSV), optional", "Số liệu đếm (CSV), không bắt buộc"],
  noResults: ["There are no results yet: start a job at a place.", "Chưa có kết quả: hãy bắt đầu một công việc ở một địa điểm."],
  makeReplay: ["Make the replay", "Tạo trang phát lại"], folder: ["Folder", "Thư mục"],
  noJobs: ["No job was started yet.", "Chưa có công việc nào."],
  waiting: ["waiting", "đang chờ"], running: ["running", "đang chạy"], done: ["done", "xong"], failed: ["failed", "hỏng"],
  cancelled: ["cancelled", "đã hủy"], interrupted: ["interrupted", "bị ngắt"], cancelling: ["ending …", "đang dừng …"],
  cancel: ["Cancel", "Hủy"], again: ["Go on", "Chạy tiếp"], remove: ["Take off the list", "Bỏ khỏi danh sách"], output: ["Output", "Kết quả in ra"],
  import: ["Import", "Nhập bản đồ"], replay: ["Replay", "Phát lại"], sheet: ["Timing sheet", "Phiếu cài đặt tủ"],
  began: ["began", "bắt đầu"], after: ["after", "sau"],
  opening: ["The place is read and its model compiled; the first time on a machine this takes minutes.", "Đang đọc địa điểm và biên dịch mô hình; lần đầu trên máy này mất vài phút."],
  choosePlace: ["Choose a place to edit its plan.", "Hãy chọn địa điểm để sửa phương án."],
  street: ["Street", "Tuyến"], plan: ["Plan", "Phương án"], undo: ["Undo", "Hoàn tác"], redo: ["Redo", "Làm lại"],
  cycle: ["Cycle, s", "Chu kỳ, s"], beside: ["Side by side", "Đặt cạnh nhau"], load: ["Begin from …", "Bắt đầu từ …"],
  existing: ["existing plan", "hiện trạng"], assumed: ["assumed plan", "hiện trạng giả định"],
  check: ["Check in SUMO", "Kiểm tra bằng SUMO"], makeSheet: ["Make the sheet", "Lập phiếu cài đặt tủ"],
  delay: ["Delay in the model, s/veh", "Thời gian trễ (mô hình), s/xe"], stops: ["Stops per vehicle", "Số lần dừng mỗi xe"],
  unfinished: ["Vehicles still on their way", "Xe chưa đi hết"], queue: ["Longest queue, m", "Hàng chờ dài nhất, m"],
  up: ["Band upwards", "Dải xanh đi lên"], down: ["Band downwards", "Dải xanh đi xuống"], none: ["none", "không có"],
  overSignals: ["over", "qua"], ofCycle: ["% of the cycle", "% chu kỳ"],
  timeSpace: ["Time-space diagram: drag a signal to move its offset", "Biểu đồ thời gian – khoảng cách: kéo một nút để đổi lệch pha"],
  timeSpaceFixed: ["Time-space diagram", "Biểu đồ thời gian – khoảng cách"],
  keys: ["Arrow keys 1 s, with Shift 5 s; Ctrl+Z takes back. Distances are to scale where there is room.", "Phím mũi tên 1 s, thêm Shift 5 s; Ctrl+Z hoàn tác. Khoảng cách đúng tỷ lệ khi đủ chỗ."],
  stageBars: ["Stages: drag the end of a green", "Các pha: kéo mép cuối của đèn xanh"],
  offset: ["offset", "lệch pha"], stage: ["stage", "pha"], green: ["green, s", "xanh, s"], least: ["minimum, s", "tối thiểu, s"], serves: ["serves", "phục vụ"],
  yellow: ["yellow", "vàng"], allRed: ["all-red", "đỏ toàn phần"], change: ["change, s", "chuyển pha, s"], handle: ["end of the green of stage", "mép cuối đèn xanh pha"],
  endCycle: ["end of the cycle", "cuối chu kỳ"],
  road: ["Approach", "Hướng vào"], room: ["room, m", "chỗ chứa, m"], lost: ["veh·h lost", "xe·giờ mất"], blocked: ["times blocked ahead", "lần bị chặn phía trước"],
  signal: ["Signal", "Nút"], time: ["time, s", "thời gian, s"], noStreet: ["This place has no street with two signals: edit the stages below.", "Địa điểm này không có tuyến hai nút: hãy sửa các pha bên dưới."],
  noBand: ["no green band: no common cycle", "không có dải xanh: không cùng chu kỳ"], started: ["The job has begun: see Jobs.", "Công việc đã bắt đầu: xem mục Công việc."],
  change1: ["Change plan", "Hãy sửa phương án"], legal: ["The plan keeps all rules.", "Phương án giữ mọi quy tắc."],
  refusedHead: ["Refused: ", "Không được: "], hours: ["hours measured", "giờ được tính"], model: ["Figures of the queue model over", "Số liệu của mô hình hàng chờ trong"], vehicles: ["vehicles", "xe"],
};
const KEY = "denxanh-language";
const listeners = [];
export const language = () => document.documentElement.lang;

export function setLanguage(wanted) {
  document.documentElement.lang = wanted;
  try { localStorage.setItem(KEY, wanted); } catch { /* not kept */ }
  for (const element of document.querySelectorAll("[data-words]")) { element.textContent = t(element.dataset.words); }
  for (const one of ["en", "vi"]) { document.getElementById(`language-${one}`).setAttribute("aria-pressed", String(one === wanted)); }
  document.title = `denxanh ${t("workbench")}`;
  listeners.forEach((call) => call());
}
export function firstLanguage() {
  let kept = null;
  try { kept = localStorage.getItem(KEY); } catch { /* none */ }
  return kept === "vi" || kept === "en" ? kept : navigator.language.startsWith("vi") ? "vi" : "en";
}
export const onLanguage = (call) => listeners.push(call);
export const t = (key) => (WORDS[key] ? WORDS[key][language() === "vi" ? 1 : 0] : key);
export const say = (text) => (text ? text[language()] : "");

export function number(value, places = 0) {
  if (value === null || value === undefined || !Number.isFinite(value)) { return "–"; }
  const text = Math.abs(value).toFixed(places);
  return (value < 0 && Number(text) !== 0 ? "−" : "") + (language() === "vi" ? text.replace(".", ",") : text);
}

// element("button", { type: "button", onclick: … }, "text", child)
export function element(name, attributes = {}, ...children) {
  const made = name.startsWith("svg:") ? document.createElementNS("http://www.w3.org/2000/svg", name.slice(4)) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) { continue; }
    if (key.startsWith("on")) { made.addEventListener(key.slice(2), value); } else { made.setAttribute(key, value === true ? "" : value); }
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}
export const button = (words, onclick, attributes = {}) => element("button", { type: "button", onclick, ...attributes }, words);
// a name that a person gave, whatever its direction of writing
export const named = (text) => element("bdi", {}, text);
export function alertText(text) { document.getElementById("alert").textContent = text; }
export function showError(error) {
  alertText(error && error.reason ? say(error.reason) : String(error));
}
