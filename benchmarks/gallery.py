r"""The pictures of README and docs, drawn from the results of real runs.

    denxanh compare ha-noi/pho-hue -c program -c conventional -c actuated -c max-pressure:interval=20 -c predictive \
        -c predictive:futures=0 --seeds 5 --out pho-hue
    python benchmarks/gallery.py pho-hue docs/gallery/pho-hue-delay.png --without predictive:futures=0

The picture shows the delay of every run and, for each controller, the mean with its 95 % interval over the seeds.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np

from denxanh.experiments import load
from denxanh.experiments.statistics.intervals import t_interval

COLOURS = ("#6b7280", "#15803d", "#1d4ed8", "#b45309", "#7c3aed")


def draw(folder: Path, target: Path, title: str, without: list[str]) -> None:
    """Write the picture of a comparison's folder, but for the controllers ``without``, to ``target``."""
    runs = load(folder).runs
    labels = [label for label in dict.fromkeys(map(str, runs["controller"])) if label not in without]
    figure, axes = plt.subplots(figsize=(7.6, 0.75 * len(labels) + 1.5), dpi=110)
    for row, label in enumerate(labels):
        delay = np.array([d for d, c in zip(runs["delay_s"], runs["controller"], strict=True) if c == label])
        found = t_interval(delay, 0.95)
        mean, half = float(delay.mean()), found.half_width if found else 0.0
        colour = COLOURS[row % len(COLOURS)]
        axes.barh(row, mean, height=0.55, color=colour, alpha=0.25)
        axes.errorbar(mean, row, xerr=half, color=colour, fmt="s", markersize=6, capsize=5, lw=1.8)
        axes.scatter(delay, np.full(len(delay), row + 0.2), s=12, color=colour, alpha=0.8)
        axes.annotate(
            f"{mean:.0f} s", (mean + half, row), xytext=(8, -4), textcoords="offset points", color=colour
        )
    axes.set_yticks(range(len(labels)), labels)
    axes.invert_yaxis()
    axes.set_xlim(left=0)
    axes.margins(x=0.12)
    axes.set_xlabel("delay per vehicle, s (mean and 95 % interval over days; dots: single runs)")
    figure.suptitle(title, x=0.01, ha="left", fontsize=11)
    axes.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(target, metadata={"Software": None})


def main() -> None:
    """Read the arguments and draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="results of denxanh compare")
    parser.add_argument("target", type=Path, help="the PNG to write")
    parser.add_argument("--title", default="Phố Huế, Hà Nội: ten signals, the peak hour, synthetic demand")
    parser.add_argument("--without", nargs="*", default=[], help="controllers that are left out")
    draw(**vars(parser.parse_args()))


if __name__ == "__main__":
    main()
