"""Places with the signal programs that are easily misread, made with netconvert for these tests."""

import re
from xml.etree import ElementTree

from safety_record import read_signals

T_ROADS = (("W", "C", 3), ("C", "W", 3), ("E", "C", 3), ("C", "E", 3), ("S", "C", 2), ("C", "S", 2))

# Links of a T: 0, 1 through and 2 left from the east; 3, 4 right and 5 left from the south; 6 right, 7, 8 through
# from the west. Links 3 to 5 cross or merge with 0 to 2, 7 and 8; link 6 meets nobody.
PROGRAMS = {
    "free": (  # a right turn that is never red
        *(("GGgrrrGGG", 30), ("yyyrrrGyy", 3), ("rrrrrrGrr", 3)),
        *(("rrrGGGGrr", 20), ("rrryyyGrr", 3), ("rrrrrrGrr", 3)),
    ),
    "switching": (  # the same, with less right of way beside the main road
        *(("GGgrrrgGG", 30), ("yyyrrrgyy", 3), ("rrrrrrGrr", 3)),
        *(("rrrGGGgrr", 20), ("rrryyygrr", 3), ("rrrrrrGrr", 3)),
    ),
    "stretch": (  # 22 s for a stretch of one lane
        *(("GGgrrrGGG", 30), ("yyyrrrGyy", 3), ("rrrrrrGrr", 22)),
        *(("rrrGGGGrr", 20), ("rrryyyGrr", 3), ("rrrrrrGrr", 22)),
    ),
    "going-on": (  # a left turn that leads; then the through traffic from the east goes on while the other clears
        *(("GGGrrrGrr", 12), ("GGyrrrGrr", 3), ("GGrrrrGrr", 2), ("GGrrrrGGG", 25), ("GGrrrrGyy", 3)),
        *(
            ("GGrrrrGrr", 12),
            ("yyrrrrGrr", 3),
            ("rrrrrrGrr", 2),
            ("rrrGGGGrr", 20),
            ("rrryyyGrr", 3),
            ("rrrrrrGrr", 2),
        ),
    ),
    "early": (  # the right turn from the south starts while the main road clears
        *(("GGgrrrGGG", 30), ("yyyrrrGyy", 3), ("rrrGrrGrr", 4)),
        *(("rrrGGGGrr", 20), ("rrryyyGrr", 3), ("rrrrrrGrr", 2)),
    ),
    "arrow": (  # a flashing arrow
        *(("GGgrrryGG", 30), ("yyyrrryyy", 3), ("rrrrrryrr", 2)),
        *(("rrrGGGyrr", 20), ("rrryyyyrr", 3), ("rrrrrryrr", 2)),
    ),
}
APART = 1500.0  # m between the places of a net


def build(folder, sumo_tool, *, lefthand=False):
    """A net of several unconnected signals with ``PROGRAMS``, a joined signal and one of netconvert's; a .sumocfg."""
    nodes, edges, flows = [], [], []
    for k, kind in enumerate(PROGRAMS):
        at = {"C": (0, 0), "W": (-300, 0), "E": (300, 0), "S": (0, -300)}
        _place(kind, at, T_ROADS, ("C",), (APART * k, 0.0), nodes, edges)
        flows += [(f"{kind}-{a}C", f"{kind}-C{b}", period) for a, b, period in (
            ("W", "E", 5), ("E", "W", 5), ("S", "W", 9), ("S", "E", 12), ("W", "S", 20), ("E", "S", 15),
        )]  # fmt: skip
    at = {"J": (0, 0), "K": (25, 0), "W": (-300, 0), "E": (325, 0), "N": (25, 300), "S": (0, -300)}
    roads = [(a, b, 2) for pair in ("WJ", "JK", "KE", "NK", "SJ") for a, b in (pair, pair[::-1])]
    _place("joined", at, roads, ("J", "K"), (0.0, APART), nodes, edges)
    flows += [("joined-WJ", "joined-KE", 5), ("joined-EK", "joined-JW", 5), ("joined-NK", "joined-JS", 9)]
    flows += [("joined-SJ", "joined-KN", 9), ("joined-SJ", "joined-KE", 15), ("joined-NK", "joined-JW", 15)]
    at = {"C": (0, 0), "W": (-300, 0), "E": (300, 0), "N": (0, 300), "S": (0, -300)}
    roads = [(a, b, 2) for side in "WENS" for a, b in ((side, "C"), ("C", side))]
    _place("cross", at, roads, ("C",), (APART, APART), nodes, edges)
    flows += [(f"cross-{a}C", f"cross-C{b}", 9) for a in "WENS" for b in "WENS" if a != b]
    (folder / "n.nod.xml").write_text(f"<nodes>{''.join(nodes)}</nodes>")
    (folder / "n.edg.xml").write_text(f"<edges>{''.join(edges)}</edges>")
    net = sumo_tool(
        "netconvert",
        folder / "n.net.xml",
        *("--node-files", "n.nod.xml", "--edge-files", "n.edg.xml", "--no-turnarounds", "true"),
        *("--tls.allred.time", "2", "--lefthand", str(lefthand).lower()),
    )
    if lefthand:  # the letters above are those of right-hand traffic
        _free_and_stretch(net)
    else:
        net.write_text(_with_programs(net.read_text()))
    urgent = [("bus", "free-WC", "free-CE", 45), ("emergency", "free-SC", "free-CW", 90)]
    urgent += [("bus", "joined-WJ", "joined-KE", 60), ("emergency", "cross-NC", "cross-CE", 80)]
    kinds = "".join(f'<vType id="{kind}" vClass="{kind}"/>' for kind in ("bus", "emergency"))
    special = "".join(
        f'<flow id="{kind}-{a}" type="{kind}" from="{a}" to="{b}" begin="0" end="900" period="{period}"/>'
        for kind, a, b, period in urgent
    )
    (folder / "n.rou.xml").write_text("<routes>" + kinds + special + "".join(
        f'<flow id="{k}" from="{a}" to="{b}" begin="0" end="900" period="{period}"/>'
        for k, (a, b, period) in enumerate(flows)
    ) + "</routes>")  # fmt: skip
    config = folder / "n.sumocfg"
    config.write_text(
        '<configuration><net-file value="n.net.xml"/><route-files value="n.rou.xml"/><end value="900"/></configuration>'
    )
    return net, config


def _place(name, at, roads, signal, origin, nodes, edges):
    """Add the nodes and edges of one place; ``signal`` are the nodes under its one signal."""
    for node, (x, y) in at.items():
        tl = f' type="traffic_light" tl="{name}"' if node in signal else ""
        nodes.append(f'<node id="{name}-{node}" x="{origin[0] + x}" y="{origin[1] + y}"{tl}/>')
    for a, b, priority in roads:
        edges.append(
            f'<edge id="{name}-{a}{b}" from="{name}-{a}" to="{name}-{b}" '
            f'numLanes="2" priority="{priority}" speed="13.9"/>'
        )


def _free_and_stretch(net):
    """Write ``G`` in every state for each link that meets nobody; ``stretch`` clears for 22 s."""
    signals = read_signals(net)
    tree = ElementTree.parse(net)
    for logic in tree.iter("tlLogic"):
        meets = {link for pair in signals[logic.get("id")]["foes"] for link in pair}
        for row in logic.iter("phase"):
            if logic.get("id") == "stretch" and not set(row.get("state").lower()) - {"r"}:
                row.set("duration", "22")
            row.set("state", "".join(c if k in meets else "G" for k, c in enumerate(row.get("state"))))
    tree.write(net)


def _with_programs(net):
    for name, rows in PROGRAMS.items():
        phases = "".join(f'<phase duration="{seconds}" state="{state}"/>' for state, seconds in rows)
        net, count = re.subn(
            rf'(<tlLogic id="{name}"[^>]*>).*?(</tlLogic>)', rf"\g<1>{phases}\g<2>", net, flags=re.DOTALL
        )
        assert count == 1, name
    return net
