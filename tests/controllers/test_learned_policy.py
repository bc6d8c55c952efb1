"""Trained networks as controllers: files, inference, and the same choices as in an environment."""

from __future__ import annotations

import json
import struct
from dataclasses import replace

import numpy as np
import pytest

import denxanh as dx
from denxanh.controllers.learned.features import FEATURES, features_of, size_of, vector
from denxanh.controllers.learned.inference import Chain, score_phases
from denxanh.controllers.learned.onnx_file import read_onnx
from denxanh.controllers.learned.safetensors_file import read_safetensors, write_safetensors
from denxanh.experiments.specification.objects import name_of
from denxanh.sim.network_reader import load_network
from denxanh.sim.observation import Observation, Vehicles

LONGEST_QUEUE = {"phi.0.weight": [[1.0]], "rho.0.weight": [[1.0, 0.0, -0.5, 0.0]]}


def policy_file(folder, name="agent.safetensors", **more):
    file = folder / name
    dx.Policy.save(file, LONGEST_QUEUE, **{"observe": "queue", "kind": "equivariant", **more})
    return file


def test_safetensors_are_read_as_written(tmp_path):
    rng = np.random.default_rng(1)
    given = {"0.weight": rng.random((3, 4), dtype=np.float32), "0.bias": rng.random(3, dtype=np.float32)}
    write_safetensors(tmp_path / "a.safetensors", given, {"kind": "mlp"})
    tensors, metadata = read_safetensors(tmp_path / "a.safetensors")
    assert metadata == {"kind": "mlp"}
    assert all(np.array_equal(given[name], tensors[name]) for name in given)


def test_half_precision_is_read(tmp_path):
    body = np.array([[0.5, -2.0]], dtype="<f2").tobytes()
    header = json.dumps({"0.weight": {"dtype": "F16", "shape": [1, 2], "data_offsets": [0, 4]}}).encode()
    (tmp_path / "a.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + body)
    assert read_safetensors(tmp_path / "a.safetensors")[0]["0.weight"].tolist() == [[0.5, -2.0]]


@pytest.mark.parametrize(
    "content",
    [b"", b"\x80\x04cos\nsystem\n", (2**63).to_bytes(8, "little") + b"{}", b"\x02" + bytes(7) + b"[]",
     b"\x02" + bytes(7) + b"{}",
     (lambda h: len(h).to_bytes(8, "little") + h)(b'{"0.weight":{"dtype":"F32","shape":[9],"data_offsets":[0,36]}}')],
    ids=["empty", "a pickle", "a length beyond all", "a list", "no tensors", "cut off"],
)  # fmt: skip
def test_a_damaged_file_gets_one_sentence(tmp_path, content):
    (tmp_path / "a.safetensors").write_bytes(content)
    with pytest.raises(dx.InputError, match=r"a\.safetensors"):
        dx.Policy.load(tmp_path / "a.safetensors")


@pytest.mark.parametrize("name", ["agent.pkl", "agent.pt", "agent"])
def test_a_pickle_is_never_read(tmp_path, name):
    (tmp_path / name).write_bytes(b"\x80\x04.")
    with pytest.raises(dx.InputError, match=r"give a \.safetensors or \.onnx file"):
        dx.Policy.load(tmp_path / name)


def test_a_missing_file_is_said(tmp_path):
    with pytest.raises(dx.InputError, match="cannot be read"):
        dx.Policy.load(tmp_path / "none.safetensors")


def message(*fields):
    """A protobuf message of (number, value) fields."""
    out = b""
    for number, value in fields:
        if isinstance(value, int):
            out += varint(number << 3) + varint(value)
        else:
            data = value.encode() if isinstance(value, str) else value
            out += varint(number << 3 | 2) + varint(len(data)) + data
    return out


def varint(value):
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def onnx_tensor(name, array):
    array = np.asarray(array, dtype="<f4")
    return message(*((1, n) for n in array.shape), (2, 1), (8, name), (9, array.tobytes()))


def onnx_model(*operations, metadata=()):
    """A chain: ("Gemm", W, b), ("MatMul", W), ("Add", b), ("Tanh",)."""
    nodes, tensors = [], []
    for k, (operation, *arrays) in enumerate(operations):
        names = [f"t{k}.{n}" for n in range(len(arrays))]
        tensors += [(5, onnx_tensor(name, a)) for name, a in zip(names, arrays, strict=True)]
        more = [(5, message((1, "transB"), (3, 1)))] if operation == "Gemm" else []
        nodes.append(
            (1, message((1, f"x{k}"), *((1, n) for n in names), (2, f"x{k + 1}"), (4, operation), *more))
        )
    extra = [(14, message((1, key), (2, value))) for key, value in metadata]
    return message((1, 9), (7, message(*nodes, *tensors)), *extra)


def test_an_onnx_chain_is_read(tmp_path):
    rng = np.random.default_rng(2)
    first, bias, second, last = (rng.random(s, dtype=np.float32) for s in ((5, 3), 5, (5, 2), 2))
    file = tmp_path / "a.onnx"
    file.write_bytes(
        onnx_model(
            ("Gemm", first, bias), ("Relu",), ("MatMul", second), ("Add", last), metadata=[("step", "10")]
        )
    )
    tensors, metadata = read_onnx(file)
    assert metadata == {"step": "10", "activation": "relu"}
    x = rng.random(3, dtype=np.float32)
    chain = Chain((tensors["0.weight"], tensors["1.weight"]), (tensors["0.bias"], tensors["1.bias"]), "relu")
    np.testing.assert_allclose(chain(x), np.maximum(first @ x + bias, 0) @ second + last, rtol=1e-5)


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff\xff\xff", onnx_model(("Conv", [[1.0]])), onnx_model(("Tanh",)), struct.pack("<q", -1),
     onnx_model(("Gemm", [[1.0]], [0.0]))[:-5]],
    ids=["empty", "no protobuf", "another operation", "no layer", "a number", "cut off"],
)  # fmt: skip
def test_an_onnx_file_that_is_no_chain_gets_one_sentence(tmp_path, content):
    (tmp_path / "a.onnx").write_bytes(content)
    with pytest.raises(dx.InputError, match=r"a\.onnx"):
        dx.Policy.load(tmp_path / "a.onnx")


def test_the_order_of_approaches_and_phases_does_not_matter():
    rng = np.random.default_rng(3)
    phi = Chain(
        (rng.normal(size=(4, 3)), rng.normal(size=(4, 4))), (rng.normal(size=4), rng.normal(size=4)), "tanh"
    )
    rho = Chain((rng.normal(size=(1, 10)),), (rng.normal(size=1),), "tanh")
    approaches, now = rng.random((5, 3)), rng.random((3, 2))
    greens = (rng.random((3, 5)) < 0.5).astype(np.float32)
    scores = score_phases(phi, rho, approaches, greens, now)
    a, p = rng.permutation(5), rng.permutation(3)
    turned = score_phases(phi, rho, approaches[a], greens[p][:, a], now[p])
    np.testing.assert_allclose(turned, scores[p], rtol=1e-5)
    assert not np.allclose(scores[0], scores[1:])


def test_a_network_of_another_size_is_refused(tmp_path, tiny_place):
    network = load_network(tiny_place.net)
    policy = dx.Policy.save(tmp_path / "a.safetensors", {"0.weight": np.zeros((2, 3))}, observe="queue")
    with pytest.raises(dx.InputError, match="does not fit 'A0', which has"):
        policy.start(network)
    policy = dx.Policy.save(
        tmp_path / "b.safetensors", {**LONGEST_QUEUE}, observe="queue+count", kind="equivariant"
    )
    with pytest.raises(dx.InputError, match="there are 2 features by approach"):
        policy.start(network)


def test_it_is_identified_by_the_content_of_its_file(tmp_path):
    first = name_of(dx.Policy.load(policy_file(tmp_path, "a.safetensors")))
    assert first[0] == "policy"
    from denxanh.experiments.specification.identity import controller_digest

    digests = []
    for weight in (0.5, 0.5, 0.7):
        dx.Policy.save(
            tmp_path / "b.safetensors",
            {**LONGEST_QUEUE, "rho.0.weight": [[1.0, 0.0, -weight, 0.0]]},
            observe="queue",
            kind="equivariant",
        )
        digests.append(controller_digest("policy", {"file": str(tmp_path / "b.safetensors")}))
    assert digests[0] == digests[1] != digests[2]


def test_every_feature_has_the_size_that_it_says(tiny_place):
    network = load_network(tiny_place.net)
    place = network.intersections["A0"]
    one = np.ones(2)
    vehicles = Vehicles(
        np.array([0, 1]), np.array([-1, 1]), one, np.array([0.0, 5.0]), np.array([4.0, 0.0]), one
    )
    empty = np.zeros(len(place.exits))
    seen = Observation(place, 0.0, 1, 7.0, vehicles, empty, empty, empty)
    for feature in FEATURES.values():
        value = feature.compute(seen)
        assert value.shape == (feature.size(place),), feature.name
        assert (value >= feature.low).all(), feature.name
        assert (value <= feature.high).all(), feature.name
        if feature.by_approach:
            assert feature.size(place) == len(place.approaches)
    chosen = features_of("phase+elapsed+queue+wait")
    expected = [0, 1, 7, 1, 0, 4, 0]
    phases, approaches = len(place.phases), len(place.approaches)
    assert size_of(chosen, place) == phases + 1 + 2 * approaches
    got, after = vector(chosen, seen), phases + 1 + approaches
    assert got[[0, 1, phases, phases + 1, phases + 2, after, after + 1]].tolist() == expected


def test_it_chooses_in_a_run_as_in_its_environment(tmp_path, tiny_place):
    """The delay of the run is that of an episode whose actions are the network's."""
    pytest.importorskip("pettingzoo")
    policy = dx.Policy.load(policy_file(tmp_path))
    env = dx.parallel_env(tiny_place.config, backend="sumo", duration=149, observe="queue")
    seen, infos = env.reset(seed=1)
    from denxanh.controllers.greens import green_approaches

    greens = {name: green_approaches(env.network.intersections[name]) for name in env.agents}
    shown = dict.fromkeys(env.agents, 0)
    while env.agents:
        actions = {}
        for name in env.agents:
            mask = infos[name]["action_mask"]
            if infos[name]["asks"]:
                scores = greens[name] @ seen[name]
                scores[shown[name]] -= 0.5
                shown[name] = int(np.argmax(np.where(mask, scores, -np.inf)))
            actions[name] = shown[name]
        seen, _, _, _, infos = env.step(actions)
    delay = env.delay()
    env.close()
    result = dx.run(dx.open_scenario(tiny_place.config, end=149), policy, seed=1, warm_up=0)
    assert result.metrics["delay_s"] == pytest.approx(delay.seconds / delay.vehicles, abs=0.05)


def test_it_is_compared_as_any_other(tmp_path, tiny_place, here):
    file = policy_file(tmp_path)
    ended = here(
        "compare", tiny_place.config, "-c", "program", "-c", f"policy:file={file}", "--end", "120", "--seeds", "1",
        "--out", tmp_path / "out",
    )  # fmt: skip
    assert ended.status == 0, ended.stderr
    assert "policy" in (tmp_path / "out" / "report.html").read_text("utf-8")


def test_the_network_that_comes_along_is_the_last_line_of_its_log(tmp_path):
    """``general`` is small, is what the script wrote, and is named without a path."""
    policy = dx.Policy.load("general")
    (file,) = policy.files()
    assert file.stat().st_size < 300_000
    last = json.loads(file.with_suffix(".jsonl").read_text("utf-8").splitlines()[-1])
    tensors, metadata = read_safetensors(file)
    weights = [*last["weights"].values(), *last.get("hidden", [])]
    np.testing.assert_allclose(
        tensors["2.weight"][0, : len(last["weights"])], weights[: len(last["weights"])], rtol=1e-6
    )
    assert float(metadata["step"]) == last["arguments"]["step"]
    assert policy == dx.Policy("general")


def standing(signal, rows, *, phase=0, elapsed=30.0):
    """An observation of vehicles that stand at the stop lines, (approach, link) in the order of their lanes."""
    approach, link = (np.array(column) for column in zip(*sorted(rows, key=lambda row: row[0]), strict=True))
    near, still = 7.5 * np.arange(1.0, len(rows) + 1), np.zeros(len(rows))
    vehicles = Vehicles(approach, link, near, still, near, np.full(len(rows), 7.5))
    empty = np.zeros(len(signal.exits))
    return Observation(signal, 0.0, phase, elapsed, vehicles, empty, empty, empty)


def test_the_network_that_comes_along_serves_the_phase_with_more_near_vehicles(resco):
    """On a signal of another shape than any it was trained on, and whatever the order of its approaches."""
    network = load_network(resco("cologne1").with_name("cologne1.net.xml"))
    policy = dx.Policy.load("general").start(network)
    (signal,) = network.intersections.values()
    for phase in range(1, len(signal.phases)):
        rows = [
            (number, link)
            for number, approach in enumerate(signal.approaches)
            for link in approach.links
            if signal.phases[phase].state[link] == "G" and not signal.phases[0].serves(link)
            for _ in range(4)
        ]
        if rows:
            chosen = signal.phases[policy[signal.id](standing(signal, rows)).phase]
            assert any(chosen.serves(link) for _, link in rows), phase


def test_a_turn_behind_a_vehicle_at_red_does_not_keep_its_phase(resco):
    """The first ``general`` kept it while everybody waited: 44.6 s/veh on cologne3, where max-pressure has 18.7."""
    network = load_network(resco("cologne3").with_name("cologne3.net.xml"))
    policy = dx.Policy.load("general").start(network)
    tried = 0
    for signal in network.intersections.values():
        for number, approach in enumerate(signal.approaches):
            for phase, one in enumerate(signal.phases):
                green = [link for link in approach.links if one.serves(link)]
                red = [link for link in approach.links if not one.serves(link)]
                if green and red:
                    seen = standing(signal, [(number, red[0]), *[(number, green[0])] * 5], phase=phase)
                    assert signal.phases[policy[signal.id](seen).phase].serves(red[0]), (signal.id, phase)
                    tried += 1
    assert tried > 5


def test_a_network_by_phase_scores_each_phase_by_what_it_serves(tmp_path, tiny_place):
    weights = {"0.weight": [[1.0, 0.5, 0.0, 2.0, 0.0]]}
    observe = "served_near+served_queue+change"
    policy = dx.Policy.save(tmp_path / "a.safetensors", weights, observe=observe, kind="by-phase")
    network = load_network(tiny_place.net)
    place = network.intersections["A0"]
    decide = policy.start(network)["A0"]
    served = [
        k for k in range(place.n_links) if place.phases[1].state[k] == "G" and not place.phases[0].serves(k)
    ]
    number = next(n for n, approach in enumerate(place.approaches) if served[0] in approach.links)
    assert decide(standing(place, [(number, served[0])] * 4)).phase == 1


@pytest.mark.parametrize(
    ("observe", "tensors", "message"),
    [
        ("queue", {"0.weight": [[1.0, 0.0, 0.0]]}, "'queue' is not a feature by phase"),
        ("served_near", {"0.weight": [[1.0]]}, "takes 1 values and gives 1"),
        ("served_near", {"phi.0.weight": [[1.0]]}, "has one chain"),
    ],
)
def test_a_network_by_phase_that_does_not_fit_is_refused(tmp_path, tiny_place, observe, tensors, message):
    with pytest.raises(dx.InputError, match=message):
        dx.Policy.save(tmp_path / "a.safetensors", tensors, observe=observe, kind="by-phase").start(
            load_network(tiny_place.net)
        )


def test_a_red_that_is_too_long_ends_where_the_file_says_so(tmp_path, tiny_place):
    """A network that never leaves its phase, with and without ``longest_red``."""
    network = load_network(tiny_place.net)
    place = network.intersections["A0"]
    link = next(
        k for k in range(place.n_links) if place.phases[1].serves(k) and not place.phases[0].serves(k)
    )
    number = next(n for n, approach in enumerate(place.approaches) if link in approach.links)
    long = np.array([900.0])
    vehicles = Vehicles(np.array([number]), np.array([link]), np.ones(1), np.zeros(1), long, np.full(1, 7.5))
    red = np.where([phase_link == link for phase_link in range(place.n_links)], 900.0, 0.0)
    seen = Observation(place, 900.0, 0, 900.0, vehicles, red=red)
    chosen = []
    for name, bound in (("a", 0.0), ("b", 1.5)):
        policy = dx.Policy.save(
            tmp_path / f"{name}.safetensors", {"0.weight": [[0.0, 1.0, 0.0]]}, observe="served_near",
            kind="by-phase", longest_red=bound,
        )  # fmt: skip
        chosen.append(policy.start(network)["A0"](seen).phase)
    assert chosen == [0, 1]
    assert read_safetensors(tmp_path / "b.safetensors")[1]["longest_red"] == "1.5"
    with pytest.raises(dx.InputError, match="its longest_red is -1"):
        dx.Policy.save(tmp_path / "c.safetensors", {"0.weight": [[1.0]]}, kind="by-phase", longest_red=-1.0)


def queued(crossing, reach, range_m, space, count=1000):
    """The street of ``crossing`` with so many halted vehicles of ``space`` m, as far as they are seen."""
    street = crossing.intersections["J0"]
    first = replace(street.approaches[0], reach=reach)
    street = replace(street, approaches=(first, *street.approaches[1:]))
    distance = np.arange(count) * space + 1.0
    distance = distance[distance <= min(reach, range_m)]
    n = len(distance)
    lane = np.zeros(n, dtype=np.int64)
    vehicles = Vehicles(lane, lane, distance, np.zeros(n), np.zeros(n), np.full(n, space))
    return Observation(street, 0.0, 0, 0.0, vehicles, range_m=range_m), n


@pytest.mark.parametrize("name", ["density", "queue_density"])
@pytest.mark.parametrize(
    ("reach", "range_m"), [(900.0, 200.0), (200.0, 200.0), (40.0, 200.0), (300.0, np.inf)]
)
@pytest.mark.parametrize("space", [7.5, 3.0, 14.5])  # cars, motorbikes, buses: length and minimum gap
def test_a_full_lane_has_a_density_of_1_and_half_a_queue_half_of_it(crossing, name, reach, range_m, space):
    seen, count = queued(crossing, reach, range_m, space)
    assert vector(features_of(name), seen)[0] == pytest.approx(1.0, abs=space / min(reach, range_m))
    seen, half = queued(crossing, reach, range_m, space, count // 2)
    assert vector(features_of(name), seen)[0] == pytest.approx(half * space / min(reach, range_m))


def test_a_moving_vehicle_is_in_the_density_and_not_in_that_of_the_queue(crossing):
    seen, _ = queued(crossing, 100.0, 200.0, 7.5, 10)
    moving = replace(seen, vehicles=replace(seen.vehicles, speed=np.full(10, 5.0)))
    assert vector(features_of("density"), moving)[0] == pytest.approx(0.75)
    assert vector(features_of("queue_density"), moving)[0] == 0.0


def test_the_sensing_says_how_far_it_sees(tiny_place):
    """What ``density`` is taken over: of each sensing the length on which it sees vehicles."""
    env = dx.parallel_env(
        tiny_place.config, backend="model", duration=20, sensing="ideal:range_m=50", observe=_range
    )
    observations, _ = env.reset(seed=1)
    assert observations["A0"].tolist() == [50.0]


def _range(seen):
    return np.array([seen.range_m if np.isfinite(seen.range_m) else 0.0])
