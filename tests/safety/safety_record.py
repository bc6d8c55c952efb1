"""A judge of recorded signal states that knows the net file alone: neither our phases nor our monitor.

It reads conflicts, programs and connections from the XML, and says which foes were green together as the program never
shows them, and which turned green sooner after a foe than the program itself lets them. Nothing of denxanh is imported.
"""

import gzip
import itertools
import math
from collections import defaultdict
from dataclasses import dataclass
from xml.etree import ElementTree

RANK = defaultdict(int, g=1, G=2)
WALKING = 1.07  # m/s, MUTCD 2009, 4E.06
CLOSE = 1e-6


@dataclass(frozen=True)
class Verdict:
    """What was looked at in a record of signals, and what is wrong with it; no faults is good."""

    faults: list  # texts
    changes: dict  # of state, {signal: number}
    clearances: int  # times from the end of a green to the next rise of a foe
    pairs: set  # (signal, link, foe) of these times


def rules(net):
    """{signal: Signal} of a net file."""
    return {name: Signal(**read) for name, read in read_signals(net).items()}


def judge(signals, records):
    """The Verdict on ``records``, {signal: [(time, state)]}, by the ``rules`` of their net."""
    faults, changes, clearances, pairs = [], {}, 0, set()
    for name, shown in records.items():
        faults += [f"{name}: {fault}" for fault in signals[name].faults(shown)]
        changes[name] = sum(a != b for (_, a), (_, b) in itertools.pairwise(shown))
        measured = [(name, a, b) for a, b, _, _ in signals[name].clearances(shown)]
        clearances += len(measured)
        pairs |= set(measured)
    return Verdict(faults, changes, clearances, pairs)


def faults(net, records):
    """What is wrong with ``records``, {signal: [(time, state)]}, by the net file ``net``; [] is good."""
    return judge(rules(net), records).faults


def read_signals(net):
    """{signal: what Signal takes} of a net file; of several programs of a signal the last, as in SUMO."""
    content = net.read_bytes()
    root = ElementTree.fromstring(gzip.decompress(content) if net.suffix == ".gz" else content)
    programs = {
        logic.get("id"): [(row.get("state"), float(row.get("duration"))) for row in logic.iter("phase")]
        for logic in root.iter("tlLogic")
    }
    onward = {
        f"{c.get('from')}_{c.get('fromLane')}": c.get("via") for c in root.iter("connection") if c.get("via")
    }
    lengths = {lane.get("id"): float(lane.get("length")) for lane in root.iter("lane")}
    places = {}  # (junction, row of its table) by internal lane
    tables = {}
    for junction in (j for j in root.iter("junction") if j.get("type") != "internal"):
        for number, lane in enumerate((junction.get("intLanes") or "").split()):
            places.setdefault(lane, (junction.get("id"), number))
        tables[junction.get("id")] = {
            int(row.get("index")): row.get("foes")[::-1] for row in junction.iter("request")
        }
    found = {
        name: {"rows": rows, "foes": set(), "walks": {}, "apart": set()} for name, rows in programs.items()
    }
    at = defaultdict(list)  # (link, place) by signal
    for c in root.iter("connection"):
        if c.get("tl") not in found:
            continue
        ends = (f"{c.get('from')}_{c.get('fromLane')}", f"{c.get('to')}_{c.get('toLane')}")
        walk = [lane for lane in ends if lane.startswith(":") and "_c" in lane]
        lane = walk[0] if walk else c.get("via")
        while lane not in places and lane in onward:  # a way over the junction in several pieces
            lane = onward[lane]
        link = int(c.get("linkIndex"))
        if walk:
            found[c.get("tl")]["walks"][link] = lengths[walk[0]]
        if lane in places:
            at[c.get("tl")].append((link, *places[lane]))
    for name, links in at.items():
        for (a, junction, i), (b, other, j) in itertools.product(links, repeat=2):
            if junction == other and a != b and tables[junction].get(i, "")[j : j + 1] == "1":
                found[name]["foes"] |= {(a, b), (b, a)}
        crossed = defaultdict(set)
        for link, junction, _ in links:
            crossed[link].add(junction)
        found[name]["apart"] = {
            (a, b) for a, b in itertools.combinations(sorted(crossed), 2) if len(crossed[a] | crossed[b]) > 1
        }
    return found


class Signal:
    """Rules of one signal: ``rows`` of its program (state, s), ``foes`` of links, ``walks`` across in m by link.

    ``apart`` are pairs of links over different junctions of a joined signal: the net does not say whether they meet.
    """

    def __init__(self, rows, foes, walks, apart=()):
        self.rows, self.foes, self.walks = rows, foes, walks
        self.states = [state for state, _ in rows]
        self.strangers = {(a, b) for a, b in apart if not self.together(a, b, "g", "g")}
        links = range(len(self.states[0]))
        self.sometimes_red = [any(not RANK[state[k]] for state in self.states) for k in links]
        begins = list(itertools.accumulate([s for _, s in rows * 3], initial=0.0))
        self.base = list(zip(begins, self.states * 3, strict=False))
        direct = {pair: self.shortest(*pair, direct=True) for pair in foes}
        usual = min((gap for gap in direct.values() if gap > 0.0), default=0.0)
        self.needed = {
            (a, b): direct[a, b] if direct[a, b] < math.inf else min(self.shortest(a, b), usual)
            for a, b in foes
        }
        waits = {(a, b): self.wait(a, b) for a, b in sorted(foes)}
        self.waits = {pair: seconds for pair, seconds in waits.items() if seconds is not None}

    def shortest(self, a, b, *, direct=False):
        """The program's shortest s from an end of a to the next rise of b.

        ``direct``: inf where it always serves somebody else in between.
        """
        gaps = list(self.gaps(a, b, self.base))
        if direct and all(self.serves_between(end, start) for end, start in gaps):
            return math.inf
        return min((start - end for end, start in gaps), default=math.inf)

    def serves_between(self, end, start):
        """Whether a link that is red at times turns green after ``end`` and loses that again up to ``start``."""
        within = [(t, state) for t, state in self.base if end - CLOSE <= t <= start + CLOSE]
        before = [state for t, state in self.base if t < end - CLOSE]
        states = before[-1:] + [state for _, state in within]
        for k in (k for k, red in enumerate(self.sometimes_red) if red):
            ranks = [RANK[state[k]] for state in states]
            rise = next((i for i in range(1, len(ranks)) if ranks[i] > ranks[i - 1]), None)
            if rise is not None and any(y < x for x, y in itertools.pairwise(ranks[rise:])):
                return True
        return False

    def gaps(self, a, b, shown):
        """(end of a's green, the next rise of b) while a stays without green."""
        ended = None
        for (_, last), (time, state) in itertools.pairwise(shown):
            if RANK[last[a]] and not RANK[state[a]]:
                ended = time
            if RANK[state[a]]:
                ended = None
            if ended is not None and RANK[state[b]] > RANK[last[b]]:
                yield ended, time

    def together(self, a, b, x, y):
        """Whether the program shows a and b with at least these letters at once."""
        return any(RANK[s[a]] >= RANK[x] and RANK[s[b]] >= RANK[y] for s in self.states)

    def faults(self, shown):
        """All that is wrong with [(time, state)]."""
        out = []
        for time, state in shown:
            out += [
                f"t={time:g}: foes {a}{state[a]} and {b}{state[b]} are green together"
                for a, b in self.foes
                if a < b and RANK[state[a]] and RANK[state[b]] and not self.together(a, b, state[a], state[b])
            ]
            out += [
                f"t={time:g}: {a}{state[a]} and {b}{state[b]} of different junctions are green together"
                for a, b in self.strangers
                if RANK[state[a]] and RANK[state[b]]
            ]
        letters = dict(shown)
        out += [
            f"t={start:g}: {b}{letters[start][b]} rises {start - end:g} s after {a}, "
            f"the program's own is {self.waits[a, b]:g} s"
            for a, b, end, start in self.clearances(shown)
            if start - end < self.waits[a, b] - CLOSE
        ]
        return out

    def clearances(self, shown):
        """(a, b, end of a's green, the next rise of b) of every foe b that has to wait for a."""
        for a, b in self.waits:
            yield from ((a, b, end, start) for end, start in self.gaps(a, b, shown))

    def wait(self, a, b):
        """s from an end of a to a rise of b; None of those who need not wait."""
        if a not in self.walks:
            return self.needed[a, b]
        if any(self.together(a, b, "g", letter) for letter in "gG"):
            return None  # who may drive while people walk may also start while they clear
        shortest = min(gap for (walk, _), gap in self.needed.items() if walk == a)
        return min(
            shortest, math.ceil(self.walks[a] / WALKING)
        )  # the way across is the same before every foe
