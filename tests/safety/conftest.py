"""The modules beside this file are tools of these tests and of the scripts that they start."""

import sys
from pathlib import Path

from hypothesis import Phase, settings

sys.path.insert(0, str(Path(__file__).parent))

# for tests of the tests, which only ask whether a fault is found, not for its smallest form
settings.register_profile("found-or-not", phases=[Phase.explicit, Phase.reuse, Phase.generate])
