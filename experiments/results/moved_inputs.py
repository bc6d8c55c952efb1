"""Manifests and labels of runs whose input files were moved since, as by ``denxanh pack``: the same but for paths."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from denxanh.experiments.runs.relocation import change_parameters, change_paths
from denxanh.experiments.specification.run_specification import RunSpecification, controller_label
from denxanh.experiments.specification.sources import content_hash


def without_places(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """A manifest with the hashes of its inputs instead of their paths, which change when results are moved.

    The notes of its scenario are left out: a scenario that is read again may have others. Files of the controller have
    no hash there; their content counts in the run's identity.
    """
    hashes = manifest["inputs_sha256"]
    return {
        **manifest,
        "inputs_sha256": sorted(hashes.values()),
        "scenario": {
            **change_paths(manifest["scenario"], lambda path: hashes.get(path, path)),
            "notes": [],
        },
        "parameters": change_parameters(
            manifest["parameters"], lambda value: "file" if Path(value).is_absolute() else value
        ),
    }


def is_scenario(manifest: Mapping[str, Any], scenario: Mapping[str, Any]) -> bool:
    """Whether a manifest is of this scenario, whose files may have been moved since and read with other notes."""
    told = manifest["scenario"]
    pairs = [(told["net"], scenario["net"]), *zip(told["routes"], scenario["routes"], strict=True)]
    same = all(then == now or _is_moved(then, Path(now), manifest) for then, now in pairs)
    paths = {
        name: told[name] for name in ("net", "routes", "additional", "notes")
    }  # additional: with the controller's
    return same and told == {**scenario, **paths}


def _is_moved(then: str, now: Path, manifest: Mapping[str, Any]) -> bool:
    """Whether ``now`` may be the input that was at ``then``; another content is reported as a changed input."""
    known = manifest["inputs_sha256"]
    return then in known and (
        not now.is_file() or content_hash(now) == known[then] or content_hash(now) not in known.values()
    )


def is_label(label: str, run: RunSpecification) -> bool:
    """Whether a label is that of ``run``, but for the folders of its controller's files.

    ``denxanh pack`` writes "-" in the place of some characters of their names.
    """
    if label == run.label:
        return True
    parameters = change_parameters(run.parameters, _marked)
    parts = controller_label(run.controller, parameters, run.sensing).split("\0")
    for k, part in enumerate(parts):
        parts[k] = re.escape(part)
        if k % 2:  # the name of a file, below any folder
            parts[k] = r"(?:.*[/\\])?" + parts[k].replace(r"\-", ".")
    return re.fullmatch("".join(parts), label) is not None


def _marked(value: str) -> str:
    path = Path(value)
    return f"\0{path.name}\0" if path.is_absolute() else value
