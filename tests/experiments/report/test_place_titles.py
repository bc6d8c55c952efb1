"""What a report calls its places."""

import pytest

from denxanh.experiments.report import Text
from denxanh.experiments.report.comparison_report import place_title


@pytest.mark.parametrize(
    ("name", "vietnamese"),
    [
        ("ha-noi/pho-hue", "ha-noi/pho-hue"),
        ("street (another day, 2)", "street (ngày khác, 2)"),
        ("street × 1.2 (another day)", "street × 1.2 (ngày khác)"),
        ("street (also, 1)", "street (thêm, 1)"),
    ],
)
def test_held_out_demand_is_named_in_both_languages(name, vietnamese):
    assert place_title(name) == Text(name, vietnamese)
