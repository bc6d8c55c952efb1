"""An hour of every built-in place in bare SUMO, in both fidelities: what goes wrong, what differs, how fast it is.

    python benchmarks/places.py [PLACE…] [--fidelity lane|sublane|both] [--seeds N] [--end S]

The table is that of ``denxanh places``.
"""

import sys

from experiments.cli import main

if __name__ == "__main__":
    sys.argv.insert(1, "places")
    main()
