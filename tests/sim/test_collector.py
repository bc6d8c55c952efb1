"""The collector of cyclic garbage is paused while a network is read, and goes on as before after it."""

import gc
from pathlib import Path

import pytest

from denxanh.sim.errors import InputError
from denxanh.sim.input.collector import RARELY, collect_rarely, paused_collector
from denxanh.sim.network_reader import load_network


def test_the_collector_is_off_inside_and_on_after_it() -> None:
    with paused_collector():
        with paused_collector():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()


def test_who_has_switched_it_off_keeps_it_off() -> None:
    gc.disable()
    try:
        with paused_collector():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_a_network_that_is_refused_leaves_the_collector_on(tmp_path: Path) -> None:
    net = tmp_path / "bad.net.xml"
    net.write_text("<net><edge/></net>")
    with pytest.raises(InputError):
        load_network(net)
    assert gc.isenabled()


def test_the_process_of_a_run_searches_rarely() -> None:
    before = gc.get_threshold()
    try:
        collect_rarely()
        assert gc.get_threshold() == (RARELY, *before[1:])
    finally:
        gc.set_threshold(*before)
