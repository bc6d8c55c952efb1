"""The folder of a study: the page to decide on, timing sheets, plans for other programs, a replay, what was assumed."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

from denxanh.controllers.actuated.actuated import Actuated
from denxanh.experiments.formats.plan_source import PlanSource, open_plans
from denxanh.experiments.formats.plan_writers import written_plans
from denxanh.experiments.optimize.job.other_fidelity import fidelity_sentences
from denxanh.experiments.optimize.job.tuning_result import NEW
from denxanh.experiments.replay.choice import choose_runs
from denxanh.experiments.replay.replay_page import write_replay
from denxanh.experiments.report import Panel
from denxanh.experiments.report.comparison_report import translated_note, write_comparison
from denxanh.experiments.report.decision.benefit import ASSUMPTIONS
from denxanh.experiments.report.decision.cautions import NOBODY_WALKS
from denxanh.experiments.report.decision.conclusions import conclusions
from denxanh.experiments.report.decision.first_screen import FirstScreen
from denxanh.experiments.report.decision.names import controller_title, is_plan, place_title
from denxanh.experiments.report.decision.recommendation import gain_over_baseline
from denxanh.experiments.report.drawing.stage_diagram import approach_name
from denxanh.experiments.report.text_format import html_table
from denxanh.experiments.results.references import CONVENTIONAL
from denxanh.experiments.results.run_tables import write_runs
from denxanh.experiments.results.summary import groups
from denxanh.experiments.runs.run_row import RunRow
from denxanh.experiments.sheet.sheet_content import SheetHead, signal_sheets
from denxanh.experiments.sheet.sheet_pages import write_pages
from denxanh.experiments.sheet.sheet_workbook import write_workbook
from denxanh.experiments.study.study import StudyResult
from denxanh.experiments.study.study_state import ACTUATED, FIDELITY, RUNS
from denxanh.networks.built_in import SYNTHETIC_NOTES
from denxanh.networks.counts.counted_demand import GEH_GOOD
from denxanh.networks.place.hours import time_text
from denxanh.sim.errors import DenxanhError
from denxanh.sim.language.text import Text, number, same
from denxanh.sim.network_reader import network_of
from denxanh.sim.run.store import replacing
from denxanh.sim.scenario import Scenario

STUDY = Text("Retiming study", "Nghiên cứu điều chỉnh đèn tín hiệu")
FORMATS = ("csv", "utdf", "gmns", "geojson", "sumo")
ASSUMED, TO_INSTALL = "assumptions.md", "to-install"
PLAN_NAMES = {
    CONVENTIONAL: Text("conventional plan", "phương án thông thường"),
    NEW: Text("optimised plan", "phương án tối ưu"),
}
"""Plans by the name of their controller, as a sheet names them."""
REPLAY_RUNS = 2.5  # runs that a replay of two takes: both again, and its recording
_TURNS = {
    "through": Text("through", "đi thẳng"),
    "left": Text("left", "rẽ trái"),
    "right": Text("right", "rẽ phải"),
    "turn around": Text("U-turn", "quay đầu"),
    "all": Text("whole approach", "cả nhánh"),
}


def write_study(
    result: StudyResult, *, command: str, on_message: Callable[[str], None] = lambda text: None
) -> FirstScreen | None:
    """Write everything that goes out of a study into its folder; returns its first screen."""
    found = conclusions([result.scenario], result.rows)
    screen = found[0][1] if found else None
    skipped = list(result.skipped)
    chosen = _plan_to_install(result, screen)
    if chosen is None:
        skipped.append(
            Text(
                "there is no optimised plan, so there is no timing sheet",
                "chưa có phương án tối ưu nên chưa có phiếu cài đặt",
            )
        )
    else:
        on_message(f"6/6 timing sheets and plans for other programs ({result.clock.text()})")
        head = _sheet_head(result, screen, chosen[0])
        skipped += write_plans(result.scenario, result.place, *chosen, result.folder / TO_INSTALL, head=head)
    skipped += _write_replay(result, screen, on_message)
    recorded = screen is not None and _time_for_two_runs(result, screen)
    if not recorded:
        skipped.append(
            Text(
                "no time-space diagram, Purdue diagram and queues in metres: --time was over; the same command again "
                "makes them, or denxanh plot KIND comparison",
                "không có biểu đồ thời gian – khoảng cách, Purdue và hàng chờ (m): hết --time; chạy lại lệnh này, hoặc "
                "denxanh plot KIND comparison",
            )
        )
    assumptions = _assumptions(result, skipped)
    other = result.other if result.other is not None and result.other.rows else None
    write_comparison(
        result.folder,
        [result.scenario, *([other.scenario] if other is not None else [])],
        [*result.rows, *(other.rows if other is not None else ())],
        command=command,
        title=STUDY,
        notes=assumptions,
        panels=_counted_panel(result),
        findings=_findings(result, screen, chosen),
        others_folded=True,
        recorded=recorded,
    )
    write_runs(result.folder, result.rows)
    _write_texts(result, assumptions, command)
    return screen


def _findings(
    result: StudyResult, screen: FirstScreen | None, chosen: tuple[str, Path] | None
) -> tuple[Text, ...]:
    """What the first screen says beside the recommendation.

    What to install and with which settings, what is missing, and whether the gain holds elsewhere.
    """
    out = _to_install(result, screen, chosen)
    out += [] if result.partial is None else [result.partial.capitalised() + "."]
    if screen is not None and result.other is not None:
        out += _in_other_fidelity(result, of=[screen.recommendation.candidate])
    return tuple(out)


def _to_install(
    result: StudyResult, screen: FirstScreen | None, chosen: tuple[str, Path] | None
) -> list[Text]:
    """Which plan to-install/ has, what it gains itself, where its sheet is, and the settings of a strategy."""
    out = []
    if chosen is not None:
        name, candidate = chosen[0], screen.recommendation.candidate if screen is not None else chosen[0]
        assumed = result.scenario.plan_is_assumed
        said = Text(f"{TO_INSTALL}/ has ", f"{TO_INSTALL}/ có ") + controller_title(
            name, assumed_plan=assumed
        )
        if not is_plan(candidate):
            said += Text(", to install until there are detectors", ", để cài đặt cho đến khi có đầu dò")
        gain = gain_over_baseline(groups(result.rows)[0], name) if name != candidate and result.rows else None
        if gain is not None:
            said += ": " + gain.amount(controller_title(gain.reference, assumed_plan=assumed))
            said += " (" + gain.mark + gain.evidence() + ")"
        sheet = Text(". Timing sheet: ", ". Phiếu cài đặt: ")
        out.append(said + sheet + Text(f"{TO_INSTALL}/sheet-en.pdf.", f"{TO_INSTALL}/sheet-vi.pdf."))
    if screen is not None and screen.recommendation.candidate == ACTUATED:
        out.append(_settings(Actuated()))
    return out


def _settings(strategy: Actuated) -> Text:
    """The settings of actuated control in words, as a controller cabinet asks for them."""
    values = strategy.passage, strategy.presence, strategy.max_green, strategy.stuck
    passage, presence, longest, stuck = (number(value, 0 if value.is_integer() else 1) for value in values)
    return (
        Text("Settings of actuated: passage time ", "Thông số điều khiển theo xe: thời gian giữ xanh ")
        + passage
        + Text(" s; detection within ", " s; phát hiện xe trong ")
        + presence
        + Text(" m of the stop line; maximum green ", " m trước vạch dừng; xanh tối đa ")
        + longest
        + Text(
            " s, or that of the stage if it is shorter; minimum green as on the sheet; a vehicle that stands for ",
            " s, hoặc theo pha nếu ngắn hơn; xanh tối thiểu như trong phiếu; xe đứng yên ",
        )
        + stuck
        + Text(" s on green does not extend it; ", " s lúc xanh thì không kéo dài xanh; ")
        + (
            Text("stages without a call are left out.", "bỏ qua pha không có xe chờ.")
            if strategy.skip
            else Text("every stage is shown.", "pha nào cũng được chạy.")
        )
    )


def _sheet_head(result: StudyResult, screen: FirstScreen | None, name: str) -> SheetHead:
    """The place by its name, which plan it is, the traffic that it was made for, and what was not checked."""
    plan = PLAN_NAMES.get(name, controller_title(name, assumed_plan=result.scenario.plan_is_assumed))
    if screen is not None and not is_plan(screen.recommendation.candidate):
        plan += Text(" (until detectors exist)", " (đến khi có đầu dò)")
    scenario = result.scenario
    span = f"{time_text(scenario.begin)}–{time_text(scenario.end)}"
    if result.options.counts is not None:
        traffic = Text("counted", "đếm được") + f": {result.options.counts.name}, {span}"
    elif set(SYNTHETIC_NOTES) & set(scenario.notes):
        traffic = Text("assumed, not counted", "giả định, chưa đếm") + f", {span}"
    else:
        traffic = Text("of the scenario", "của kịch bản") + f", {span}"
    done = [row for row in result.rows if row.done]
    walked = any(row.metrics.get("walkers") for row in done)
    notes = () if walked or not done else (NOBODY_WALKS,)
    return SheetHead(
        place=place_title(scenario.name),
        plan=plan,
        facts=((Text("Traffic", "Lưu lượng"), traffic),),
        notes=notes,
    )


def _in_other_fidelity(result: StudyResult, of: Sequence[str] = ()) -> list[Text]:
    """Whether the gains of these controllers hold in the other fidelity; of all where none is given."""
    if result.other is None:
        return []

    def title(name: str) -> Text:
        return controller_title(name, assumed_plan=result.scenario.plan_is_assumed)

    sentences = fidelity_sentences(result.rows, result.other, title=title, of=of)
    return [sentence.capitalised() for sentence in sentences]


def _plan_to_install(result: StudyResult, screen: FirstScreen | None) -> tuple[str, Path] | None:
    """The plan that is recommended; beside a strategy, or without proof, the conventional one, else the new one."""
    names = (screen.recommendation.candidate,) if screen is not None else ()
    for name in (*names, CONVENTIONAL, NEW):
        if name in result.plans:
            return name, result.plans[name]
    return None


def write_plans(
    scenario: Scenario, place: str, name: str, file: Path, folder: Path, *, head: SheetHead | None = None
) -> list[Text]:
    """Write the plan in ``file``, its sheets in both languages and every format; returns what they do not hold.

    ``head`` is what the sheets say beside the plan, ``name`` that of its controller; ``place`` opens the network of
    ``scenario``. Raises InputError.
    """
    source = replace(open_plans(file, place), scenario=scenario)
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    for plan in source.files:
        shutil.copyfile(plan, folder / plan.name)
    if file.name not in {plan.name for plan in source.files}:
        shutil.copyfile(file, folder / file.name)
    _write_sheets(source, folder, head)
    said: list[Text] = []
    for name_of_format in FORMATS:
        try:
            found = written_plans(source, [name_of_format])
        except DenxanhError as error:
            said.append(Text(f"no {name_of_format}: {error}", f"không có {name_of_format}: {error}"))
            continue
        for path, text in found.texts.items():
            target = folder / "formats" / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8", newline="\n")
        said += [
            controller_title(name, assumed_plan=scenario.plan_is_assumed) + ": " + note
            for note in found.notes
        ]
    return said


def _write_sheets(source: PlanSource, folder: Path, head: SheetHead | None) -> None:
    sheets = signal_sheets(source, date=date.today().isoformat(), head=head)
    write_pages(folder / "sheet-vi.pdf", source.network, sheets, "vi")
    write_pages(folder / "sheet-en.pdf", source.network, sheets, "en")
    write_workbook(folder / "sheet-vi.xlsx", sheets, "vi")
    write_workbook(folder / "sheet-en.xlsx", sheets, "en")


def _write_replay(
    result: StudyResult, screen: FirstScreen | None, on_message: Callable[[str], None]
) -> list[Text]:
    """The replay of the existing plan beside the recommended controller; returns why there is none."""
    if screen is None:
        return []
    rows = _pair(result, screen)
    if not _time_for_two_runs(result, screen):
        return [
            Text(
                "no replay: --time was over; the same command again makes it, or denxanh replay comparison",
                "không có phát lại: hết --time; chạy lại lệnh này, hoặc denxanh replay comparison",
            )
        ]
    on_message(f"replay of day {rows[0].seed}: both runs again ({result.clock.text()})")
    try:
        chosen = choose_runs([row.folder for row in rows if row.folder is not None])
        labels = [screen.recommendation.title(row.controller) for row in rows]
        chosen = [replace(one, label=label) for one, label in zip(chosen, labels, strict=True)]
        write_replay(result.folder / "replay.html", chosen, language="vi")
    except DenxanhError as error:
        return [Text("no replay: ", "không có phát lại: ") + str(error)]
    return []


def _time_for_two_runs(result: StudyResult, screen: FirstScreen) -> bool:
    """Whether there is time to simulate both runs of the replay again."""
    rows = _pair(result, screen)
    took = sum(row.wall_s or 0.0 for row in rows) / max(len(rows), 1)
    return len(rows) > 1 and result.clock.left() >= REPLAY_RUNS * took


def _pair(result: StudyResult, screen: FirstScreen) -> list[RunRow]:
    """One day under the existing plan and the recommended controller."""
    wanted = (screen.recommendation.gains[-1].reference, screen.recommendation.candidate)
    by_name = [[row for row in result.rows if row.controller == name and row.done] for name in wanted]
    shared = set.intersection(*({row.seed for row in rows} for rows in by_name))
    return [row for rows in by_name for row in rows if shared and row.seed == min(shared)]


def _counted_panel(result: StudyResult) -> tuple[Panel, ...]:
    if not result.counted:
        return ()
    network = network_of(result.scenario)
    heads = (
        Text("Approach, from", "Nhánh, đến từ"), Text("Turn", "Hướng"), Text("Time", "Giờ"),
        Text("Counted", "Đếm được"), Text("In the model", "Trong mô hình"), same("GEH"),
    )  # fmt: skip
    rows = [
        (
            approach_name(row.approach, network),
            _TURNS.get(row.turn, same(row.turn)),
            same(f"{time_text(row.begin)}–{time_text(row.end)}"),
            number(row.counted, 0),
            number(row.modelled, 0),
            number(row.geh, 1),
        )
        for row in result.counted
    ]
    return (
        Panel(
            Text("Demand from counts", "Lưu lượng từ số liệu đếm"),
            ((html_table(heads, rows), Text("", "")),),
            _fit(result),
            wide=True,
        ),
    )


def _fit(result: StudyResult) -> Text:
    good = sum(row.geh < GEH_GOOD for row in result.counted)
    return Text(
        f"GEH below {GEH_GOOD:g}, the usual limit, in {good} of {len(result.counted)} rows.",
        f"GEH dưới {GEH_GOOD:g} (ngưỡng thường dùng) ở {good} trên {len(result.counted)} dòng.",
    )


def _made_by_textbook() -> Text:
    title = controller_title(CONVENTIONAL, assumed_plan=False).en.capitalize()
    return Text(
        f"{title}: made for this demand by textbook methods; every day has departures of its own, the same for all.",
        "Phương án thông thường: lập cho lưu lượng này theo phương pháp giáo khoa; mỗi ngày có thời điểm khởi hành "
        "riêng, như nhau cho mọi phương án.",
    )


def _assumptions(result: StudyResult, skipped: list[Text]) -> tuple[Text, ...]:
    """What the study assumed and what it left out."""
    out = []
    if result.counted:
        out.append(
            Text("Traffic: from the counts given. ", "Lưu lượng: từ số liệu đếm đã cho. ") + _fit(result)
        )
    if result.options.plan is not None:
        out.append(
            Text(
                "Existing plan: the file given, taken as what runs in the street.",
                "Phương án hiện trạng: tệp đã cho, được coi là đang chạy ngoài đường.",
            )
        )
    elif result.scenario.plan_is_assumed:
        out.append(
            Text(
                "Existing plan: assumed; give the real one with --plan.",
                "Phương án hiện trạng: giả định; hãy đưa phương án thật bằng --plan.",
            )
        )
    if CONVENTIONAL in result.plans:
        out.append(_made_by_textbook())
    out.append(
        Text(
            "Strategy actuated: every stop line has detectors that work.",
            "Điều khiển theo xe (actuated): mọi vạch dừng đều có đầu dò hoạt động tốt.",
        )
    )
    out += _in_other_fidelity(result)
    out.append(ASSUMPTIONS)
    out += [translated_note(note) for note in result.scenario.notes]
    out += [note.capitalised() + "." for note in skipped]
    return tuple(out)


def _write_texts(result: StudyResult, assumptions: tuple[Text, ...], command: str) -> None:
    check = result.check
    lines = [*check.facts, *check.plans, *(f"warning: {one.en}" for one in check.warnings), check.verdict]
    texts = {
        "check.txt": "\n".join(lines) + "\n",
        ASSUMED: "\n".join(
            [
                "# What was assumed",
                "",
                *(f"- {one.en}" for one in assumptions),
                "",
                "# Những điều được giả định",
                "",
                *(f"- {one.vi}" for one in assumptions),
                "",
            ]
        ),
        "README.md": _readme(command),
    }
    for name, text in texts.items():
        with replacing(result.folder / name) as path:
            path.write_text(text, encoding="utf-8", newline="\n")


def _readme(command: str) -> str:
    rows = [
        ("report.html", "the page to decide on, English and Vietnamese"),
        (
            "to-install/",
            "the plan, its timing sheets (vi, en; PDF, XLSX) and the same plan for other programs",
        ),
        ("replay.html", "a day under the plan of before beside the recommended one, to play"),
        (ASSUMED, "what was assumed, and what the time was too short for"),
        ("check.txt", "what the place holds, and its faults"),
        ("place/", "the place under the counted demand, where counts were given"),
        ("plan/", "the search for the optimised plan"),
        (f"{FIDELITY}/", "the runs in the place's other fidelity (lane, sublane), where it has one"),
        (f"{RUNS}/", "every run; denxanh query, verify and plot work on it"),
        ("runs.csv", "a row per run of the days on the page"),
    ]
    table = [f"| `{name}` | {what} |" for name, what in rows]
    head = ["# A retiming study", "", "| file | contents |", "|---|---|"]
    end = ["", "The same command again goes on with more days:", "", "```", command, "```", ""]
    return "\n".join([*head, *table, *end])


def summary_lines(result: StudyResult, screen: FirstScreen | None) -> list[str]:
    """The last lines of a study on the terminal."""
    out = [] if screen is None else [line.en for line in screen.three_lines()]
    days = len({row.seed for row in result.rows if row.done})
    out.append(f"days simulated: {days}")
    out += [one.en for one in _to_install(result, screen, _plan_to_install(result, screen))]
    if result.partial is not None:
        out.append(result.partial.en)
    out += [sentence.en for sentence in _in_other_fidelity(result)]
    out.append(f"page: {result.folder / 'report.html'}   what was assumed: {result.folder / ASSUMED}")
    return out
