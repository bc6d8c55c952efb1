"""The rules once more, written naively and apart from the monitor: what is wrong with a record of shown states.

Plain loops over letters, no arrays, nothing shared with the code under test but the description of the signal.
"""

import itertools
from collections import defaultdict

GREEN, YELLOW = "gG", "yY"
RANK = defaultdict(int, g=1, G=2)
CLOSE = 1e-6


def violations(intersection, shown):
    """Faults in ``shown``, a list of (time, state), by the rules of docs/safety.md; [] is good."""
    rules = _Rules(intersection)
    out = []
    for _, state in shown:
        out += rules.format_faults(state)
    if out:
        return out
    runs = [_runs(shown, k) for k in range(intersection.n_links)]
    for k, links_runs in enumerate(runs):
        out += rules.link_faults(k, links_runs)
    for time, state in shown:
        for a, b in rules.foes:
            if (
                state[a] in GREEN
                and state[b] in GREEN
                and not rules.may_be_together(a, b, state[a], state[b])
            ):
                out.append(f"t={time}: {a}{state[a]} beside {b}{state[b]}")
    for b, a in rules.foes:
        out += rules.clearance_faults(b, a, shown)
    return out


def _unrolled(timing, cycles):
    out, time = [], 0.0
    for _ in range(cycles):
        for stage in timing.stages:
            out.append((time, stage.state))
            time += stage.green
            for interval in stage.change:
                out.append((time, interval.state))
                time += interval.duration
    return out


def _kind(letter):
    return "green" if letter in GREEN else "yellow" if letter in YELLOW else "red"


def _runs(shown, k):
    """[(kind, start, length or None for the first and last)] of one link."""
    out = []
    for time, state in shown:
        kind = _kind(state[k])
        if not out or out[-1][0] != kind:
            out.append((kind, time))
    return [
        (kind, start, out[i + 1][1] - start if 0 < i < len(out) - 1 else None)
        for i, (kind, start) in enumerate(out)
    ]


class _Rules:
    def __init__(self, intersection):
        self.intersection = intersection
        n = intersection.n_links
        self.foes = [(a, b) for a in range(n) for b in range(n) if intersection.foes[a, b]]
        self.base = _unrolled(intersection.program, 4)
        self.states = {state for _, state in self.base}
        self.runs = [_runs(self.base, k) for k in range(n)]
        self.crossings = {link.index for link in intersection.links if link.crossing}
        self.own = {(b, a): self._shortest(b, a) for b, a in self.foes}

    def format_faults(self, state):
        n = self.intersection.n_links
        if not isinstance(state, str) or len(state) != n:
            return [f"{state!r} has not {n} letters"]
        return [f"letter {c!r}" for k, c in enumerate(state) if c not in "rgGy" and not self._shows(k, c)]

    def _shows(self, k, letter):
        return any(state[k] == letter for state in self.states)

    def may_be_together(self, a, b, x, y):
        return any(RANK[s[a]] >= RANK[x] and RANK[s[b]] >= RANK[y] for s in self.states)

    def link_faults(self, k, runs):
        out = []
        own = self.runs[k]
        steps = {(one[0], two[0]) for one, two in itertools.pairwise(own)}
        usual = {("green", "yellow"), ("yellow", "red"), ("red", "green")}
        for one, two in itertools.pairwise(runs):
            if (one[0], two[0]) not in steps | usual:
                out.append(f"link {k} goes from {one[0]} to {two[0]} at {two[1]}")
        least = {
            "yellow": min([r[2] for r in own if r[0] == "yellow" and r[2]], default=0.0),
            "green": min(
                [r[2] for r in own if r[0] == "green" and r[2]]
                + [p.min_green for p in self.intersection.phases if p.state[k] in GREEN],
                default=0.0,
            ),
            "red": 0.0,
        }
        if not least["yellow"] and ("green", "red") not in steps:
            least["yellow"] = self.intersection.yellow
        out += [
            f"link {k}: {r} is too short" for r in runs if r[2] is not None and r[2] < least[r[0]] - CLOSE
        ]
        return out

    def _gaps(self, b, a, shown):
        """(end of b's green, next rise of a) while b stays without green, with what both show then."""
        out, ended, before = [], None, ""
        for (_, last), (time, state) in itertools.pairwise(shown):
            if last[b] in GREEN and state[b] not in GREEN:
                ended, before = time, last[b]
            if state[b] in GREEN:
                ended = None
            if ended is not None and RANK[state[a]] > RANK[last[a]]:
                out.append((ended, time, before, state[a]))
        return out

    def _shortest(self, b, a):
        gaps = self._gaps_across(b, a)
        return min(gaps, default=float("inf"))

    def _gaps_across(self, b, a):
        """As _gaps, but through later greens of b too: the plan's time from each end to the next rise."""
        changes = list(itertools.pairwise(self.base))
        ends = [t for (_, x), (t, y) in changes if x[b] in GREEN and y[b] not in GREEN]
        rises = [t for (_, x), (t, y) in changes if RANK[y[a]] > RANK[x[a]]]
        return [min(r - e for r in rises if r >= e) for e in ends if any(r >= e for r in rises)]

    def clearance_faults(self, b, a, shown):
        if b in self.crossings:
            needed = min(self.own[pair] for pair in self.foes if pair[0] == b)
            if needed == float("inf"):
                needed = self.intersection.yellow + self.intersection.all_red
        else:
            direct = any(
                x[b] in GREEN and y[b] not in GREEN + YELLOW
                for (_, x), (_, y) in zip(self.base, self.base[1:], strict=False)
            )
            yellow = min([r[2] for r in self.runs[b] if r[0] == "yellow" and r[2]], default=0.0)
            if not yellow and not direct:
                yellow = self.intersection.yellow
            needed = min(self.own[b, a], yellow + self.intersection.all_red)
        return [
            f"link {a} rises at {rise}, {rise - end} s after its foe {b} ended; {needed} s are needed"
            for end, rise, before, letter in self._gaps(b, a, shown)
            if rise - end < needed - CLOSE
            and not (b in self.crossings and self.may_be_together(b, a, before, letter))
        ]
