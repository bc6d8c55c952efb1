"""Sentences on an optimisation beside the conventional plan: the result, what its gains mean, whether they hold."""

from __future__ import annotations

from denxanh.experiments.optimize.job.other_fidelity import fidelity_sentences
from denxanh.experiments.optimize.job.tuning_options import TuningOptions
from denxanh.experiments.optimize.job.tuning_result import TuningResult
from denxanh.experiments.results.gains import MEANING
from denxanh.sim.language.text import Text


def baseline_notes(result: TuningResult, options: TuningOptions) -> list[Text]:
    """What the result is where it is not a plan found, the meaning of the intervals, and the other fidelity."""
    out = []
    several = len(result.variants) > 1
    for variant in result.variants:
        name = f"{variant.name}: " if several else ""
        if variant.is_conventional:
            out.append(
                Text(
                    f"{name}the plan found is no better than the conventional plan on held-out seeds and days, so the "
                    "conventional plan is the result; the plan found is in held-out/plans.",
                    f"{name}phương án tìm được không tốt hơn phương án thông thường (conventional) trên các lần mô "
                    "phỏng và ngày kiểm chứng, nên phương án thông thường là kết quả; phương án tìm được nằm trong "
                    "held-out/plans.",
                )
                if variant.found is not None and variant.found.timings
                else Text(
                    f"{name}the search found no plan better than the existing one, but the "
                    "conventional plan is better on "
                    "held-out seeds and days, so it is the result.",
                    f"{name}quá trình tìm kiếm không có phương án nào tốt hơn phương án hiện có, "
                    "nhưng phương án thông thường "
                    "(conventional) tốt hơn trên các lần mô phỏng và ngày kiểm chứng, nên nó là kết quả.",
                )
            )
    if result.baseline.file is None and result.baseline.reason:
        out.append(
            Text(
                f"There is no conventional plan to compare with: {result.baseline.reason}.",
                f"Không có phương án thông thường để so sánh: {result.baseline.reason}.",
            )
        )
    elif result.baseline.file is not None and not result.baseline.usable and options.pareto is None:
        out.append(
            Text(
                "The conventional plan changes what was to stay as it is: it is a baseline here, and "
                "cannot be the result.",
                "Phương án thông thường thay đổi những phần phải giữ nguyên: ở đây chỉ dùng để so "
                "sánh, không thể là kết quả.",
            )
        )
    if result.rows:
        out.append(MEANING)
    if result.other_fidelity is not None:
        out += fidelity_sentences(result.rows, result.other_fidelity)
    return out
