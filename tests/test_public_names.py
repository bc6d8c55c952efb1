"""What each package offers is listed, sorted and there."""

import importlib
import subprocess
import sys

import pytest


def _constants_first(name: str) -> tuple[bool, str]:
    return not name.isupper(), name  # as ruff sorts __all__


@pytest.mark.parametrize(
    "package",
    ["denxanh.sim", "denxanh.networks", "denxanh.experiments.statistics", "denxanh.experiments.report"],
)
def test_the_public_list_is_sorted_and_every_name_is_there(package: str) -> None:
    module = importlib.import_module(package)
    assert list(module.__all__) == sorted(module.__all__, key=_constants_first)
    for name in module.__all__:
        assert getattr(module, name) is not None


def test_sim_names_one_home_for_each_public_name() -> None:
    from denxanh import sim

    assert sorted(sim._HOME) == sorted(sim.__all__)


@pytest.mark.parametrize("heavy", ["numpy", "simpy", "libsumo", "matplotlib", "numba", "scipy", "pyarrow"])
def test_the_command_line_starts_without_heavy_imports(heavy: str) -> None:
    code = f"import sys, denxanh.experiments.cli.app; sys.exit({heavy!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-P", "-c", code], check=False).returncode == 0
