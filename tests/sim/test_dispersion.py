"""Platoon dispersion: Robertson's numbers, and the parameters found again from passages."""

import numpy as np
import pytest

from denxanh.sim.errors import InputError
from denxanh.sim.timing.dispersion import disperse, fit_dispersion, smoothing


def test_a_platoon_of_ten_seconds():
    """T 25 s, 1 veh/s for 10 s: F 1/8 and a lag of 20 s."""
    flow = np.zeros(60)
    flow[:10] = 1.0
    seen = disperse(flow, 25.0)
    rising = [0.1250, 0.2344, 0.3301, 0.4138, 0.4871, 0.5512, 0.6073, 0.6564, 0.6993, 0.7369]
    assert smoothing(25.0) == pytest.approx(0.125)
    assert seen[:20].tolist() == [0.0] * 20
    assert seen[20:30] == pytest.approx(rising, abs=1e-4)
    assert seen[31:40] / seen[30:39] == pytest.approx([0.875] * 9)


def test_no_vehicle_is_lost_on_the_way():
    flow = np.zeros(400)
    flow[:30] = 0.5
    assert disperse(flow, 40.0).sum() == pytest.approx(15.0)


@pytest.mark.parametrize(("alpha", "beta"), [(0.35, 0.74), (0.2, 0.8)])
def test_parameters_are_found_again(alpha: float, beta: float):
    """Passages drawn at the quantiles of a dispersed profile; α and β refer to the travel time of the mean vehicle."""
    start = np.sort(np.concatenate([60 * k + np.linspace(0, 12, 400, endpoint=False) for k in range(3)]))
    flow = np.histogram(start, np.arange(0, 600))[0].astype(float)
    seen = disperse(flow, 30.0, alpha=alpha, beta=beta)
    times = np.interp(
        (np.arange(len(start)) + 0.5) / len(start), np.cumsum(seen) / seen.sum(), np.arange(1, 600)
    )
    found = fit_dispersion(start, times)
    lag = round(beta * 30.0)
    assert found.beta * found.travel_time == pytest.approx(lag, abs=1.01)
    assert 1 / (1 + found.alpha * lag) == pytest.approx(smoothing(30.0, 1.0, alpha, beta), rel=0.1)


def test_platoons_that_keep_together_have_no_dispersion():
    start = np.concatenate([60.0 * k + np.arange(0, 10, 2.0) for k in range(5)])
    found = fit_dispersion(start, start + 25.0)
    assert (found.alpha, found.beta) == (pytest.approx(0.0, abs=0.01), pytest.approx(1.0))
    assert found.rmse == pytest.approx(0.0, abs=0.01)


@pytest.mark.parametrize("seen", [[20.0], [1.0, 2.0], [20.0, 21.0, 22.0]])
def test_passages_of_other_vehicles_are_refused(seen: list[float]):
    with pytest.raises(InputError, match="two passages of each vehicle"):
        fit_dispersion([10.0, 12.0], seen)
