"""Scenario: a network, its traffic and the time to simulate. Paths and numbers only; nothing is read here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from denxanh.sim.text_values import TRUE

ASSUMED = "assumed"
"""Source of a signal plan that nobody has seen in the street."""
CONFIRMED = "confirmed by the user"
"""Source of a signal plan that the user says is the one in the street."""

SIMULATION_OPTIONS = frozenset(
    """
    step-method.ballistic extrapolate-departpos lateral-resolution route-steps no-internal-links
    ignore-junction-blocker ignore-route-errors ignore-accidents collision.action intermodal-collision.action
    collision.stoptime intermodal-collision.stoptime collision.check-junctions collision.check-junctions.mingap
    collision.mingap-factor keep-after-arrival max-num-vehicles max-num-persons max-num-teleports scale
    scale-suffix time-to-teleport time-to-teleport.highways time-to-teleport.highways.min-speed
    time-to-teleport.disconnected time-to-teleport.remove time-to-teleport.remove-constraint
    time-to-teleport.ride time-to-teleport.bidi time-to-teleport.railsignal-deadlock waiting-time-memory
    startup-wait-threshold max-depart-delay sloppy-insert eager-insert emergency-insert insertion-checks
    random-depart-offset lanechange.duration lanechange.overtake-right tls.all-off tls.actuated.jam-threshold
    tls.actuated.detector-length tls.delay_based.detector-range tls.yellow.min-decel railsignal-moving-block
    railsignal.moving-block.default-classes railsignal.moving-block.max-dist railsignal.max-block-length
    railsignal.default-classes slope-centered time-to-impatience default.departspeed default.departlane
    default.action-step-length default.carfollowmodel default.speeddev default.emergencydecel
    emergencydecel.warning-threshold parking.maneuver use-stop-ended use-stop-started junction-taz
    pedestrian.model pedestrian.timegap-crossing ride.stop-tolerance mapmatch.distance mapmatch.junctions
    mapmatch.taz weights.turnaround-penalty weights.reversal-penalty weights.random-factor
    weights.random-factor.dynamic weights.minor-penalty weights.tls-penalty weights.priority-factor
    weights.separate-turns routing-algorithm persontrip.walkfactor persontrip.walk-opposite-factor
    persontrip.transfer.car-walk persontrip.transfer.taxi-walk persontrip.transfer.walk-taxi
    persontrip.default.group persontrip.taxi.waiting-time railway.max-train-length
    """.split()
)
"""SUMO options that change the simulated traffic; they are taken from a user's configuration."""

SIMULATION_PREFIXES = (
    "device.rerouting.",
    "person-device.rerouting.",
    "pedestrian.striping.",
    "device.taxi.dispatch-algorithm",
    "device.taxi.dispatch-period",
    "device.taxi.idle-algorithm",
    "device.glosa.",
    "device.bluelight.",
    "device.driverstate.",
)


@dataclass(frozen=True)
class Scenario:
    """What is simulated. ``options`` are SUMO options from SIMULATION_OPTIONS; times are s."""

    name: str
    net: Path
    routes: tuple[Path, ...]
    additional: tuple[Path, ...] = ()
    begin: float = 0.0
    end: float = 3600.0
    step: float = 1.0
    options: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()  # for the user: what was ignored or assumed while reading
    plan_source: str = ""  # of the signal programs: ASSUMED, or a reference; "" unknown
    riders: Mapping[str, float] = field(default_factory=dict)  # of two-wheelers (denxanh.sim.sumo.riders)

    @property
    def plan_is_assumed(self) -> bool:
        """Whether no source is known that has seen the signal programs in the street."""
        return self.plan_source in ("", ASSUMED)

    @property
    def signals_off(self) -> bool:
        """Whether SUMO switches every signal off, so that none of its programs runs (``tls.all-off``)."""
        return self.options.get("tls.all-off", "false").lower() in TRUE

    @property
    def sublane(self) -> bool:
        """Whether vehicles ride side by side in a lane, SUMO's sublane model (``lateral-resolution``)."""
        return float(self.options.get("lateral-resolution", "0")) > 0

    def inputs(self) -> tuple[Path, ...]:
        """All files that determine the traffic."""
        return (self.net, *self.routes, *self.additional)

    def to_json(self) -> dict[str, Any]:
        """Plain values; paths as text."""
        data = asdict(self)
        data["net"] = str(self.net)
        data["routes"] = [str(path) for path in self.routes]
        data["additional"] = [str(path) for path in self.additional]
        data["options"] = dict(self.options)
        data["notes"] = list(self.notes)
        data["riders"] = dict(self.riders)
        return data

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Scenario:
        """The inverse of ``to_json``."""
        return Scenario(
            name=data["name"],
            net=Path(data["net"]),
            routes=tuple(Path(path) for path in data["routes"]),
            additional=tuple(Path(path) for path in data["additional"]),
            begin=data["begin"],
            end=data["end"],
            step=data["step"],
            options=dict(data["options"]),
            notes=tuple(data["notes"]),
            plan_source=data.get("plan_source", ""),
            riders=dict(data.get("riders", {})),
        )


def is_simulation_option(name: str) -> bool:
    """Whether a SUMO option changes the traffic and nothing else (no output, file or socket)."""
    if name.endswith((".file", ".output", "-output", ".input-file", "-file", ".explicit", ".threads")):
        return name.endswith(".explicit") and name.startswith(SIMULATION_PREFIXES)
    return name in SIMULATION_OPTIONS or name.startswith(SIMULATION_PREFIXES)
