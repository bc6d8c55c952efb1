"""The cache of built places: whole or not at all, whoever is first."""

from pathlib import Path

import pytest

from denxanh.networks.build import cache


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DENXANH_CACHE", str(tmp_path))
    return tmp_path


def test_a_folder_is_made_once(here: Path) -> None:
    calls: list[Path] = []

    def make(folder: Path) -> None:
        calls.append(folder)
        (folder / "a").write_text("1")

    assert cache.get("x", make) == cache.get("x", make) == here / "x"
    assert len(calls) == 1


def test_a_failed_build_leaves_nothing(here: Path) -> None:
    def make(folder: Path) -> None:
        (folder / "half").write_text("1")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        cache.get("x", make)
    assert list(here.iterdir()) == []


def test_the_slower_of_two_builders_takes_the_folder_of_the_faster(here: Path) -> None:
    def fast(folder: Path) -> None:
        (folder / "who").write_text("fast")

    def slow(folder: Path) -> None:
        cache.get("x", fast)
        (folder / "who").write_text("slow")

    assert (cache.get("x", slow) / "who").read_text() == "fast"
    assert [p.name for p in here.iterdir()] == ["x"]


def test_the_hash_depends_on_where_one_part_ends() -> None:
    assert cache.digest(["ab", "c"]) != cache.digest(["a", "bc"])
