"""Options of environments that there are not, or that mean nothing, get one sentence."""

from __future__ import annotations

import pytest

import denxanh as dx


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"backend": "moss"}, "there is no backend 'moss'"),
        ({"step": 0.5}, "invalid step: 0.5"),
        ({"duration": -1}, "invalid duration"),
        ({"observe": "phase+quueue"}, "there is no feature 'quueue'"),
        ({"reward": "preasure"}, "there is no reward 'preasure'; did you mean 'pressure'?"),
        ({"demand": (1.2, 0.8)}, "invalid demand"),
        ({"demand": 0}, "invalid demand"),
        ({"days": -1}, "invalid days"),
        ({"signals": ["Z9"]}, "there is no signal 'Z9'"),
        ({"signals": []}, "no signal is named"),
        ({"sensing": "x-ray"}, "there is no sensing 'x-ray'"),
        ({"safety": "min_green=-1"}, "min_green"),
        ({"action": "jump"}, "there is no action 'jump'"),
        ({"backend": "model", "events": [{"kind": "rain", "begin": 0, "end": 9}]}, "events cannot happen"),
    ],
)
def test_bad_options_get_one_sentence(place, options, message):
    with pytest.raises(dx.InputError) as caught:
        dx.parallel_env(place("tiny"), **options)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_one_signal_is_named_where_there_are_several(place):
    with pytest.raises(dx.InputError, match="there are 2 signals: A0, B0"):
        dx.env(place("tiny"), backend="model")


MAKERS = {
    "env": lambda **o: dx.env("ha-noi/pho-hue", **o),
    "parallel_env": lambda **o: dx.parallel_env("ha-noi/pho-hue", **o),
    "vector_env": lambda **o: dx.vector_env("ha-noi/pho-hue", num_envs=2, **o),
    "run": lambda **o: dx.run("ha-noi/pho-hue", "program", **o),
    "compare": lambda **o: dx.compare("ha-noi/pho-hue", ["program"], **o),
    "optimize": lambda **o: dx.optimize("ha-noi/pho-hue", **o),
}


@pytest.mark.parametrize(
    ("function", "option", "meant"),
    [
        ("env", "bckend", "backend"),
        ("env", "signl", "signal"),
        ("parallel_env", "bckend", "backend"),
        ("vector_env", "obseve", "observe"),
        ("vector_env", "treads", "threads"),
        ("run", "sed", "seed"),
        ("run", "warmup", "warm_up"),
        ("compare", "seds", "seeds"),
        ("optimize", "job", "jobs"),
    ],
)
def test_an_option_that_there_is_not_gets_the_name_that_was_meant(function, option, meant):
    with pytest.raises(dx.InputError, match=f"there is no option '{option}'; did you mean '{meant}'"):
        MAKERS[function](**{option: "sumo"})
