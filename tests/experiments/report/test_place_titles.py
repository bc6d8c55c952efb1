"""What a report calls its places."""

import pytest

from denxanh.experiments.report import Text
from denxanh.experiments.report.decision.names import place_title


@pytest.mark.parametrize(
    ("name", "vietnamese"),
    [
        ("my street", "my street"),
        ("street (another day, 2)", "street (ngày khác, 2)"),
        ("street × 1.2 (another day)", "street × 1.2 (ngày khác)"),
        ("street (also, 1)", "street (thêm, 1)"),
    ],
)
def test_held_out_demand_is_named_in_both_languages(name, vietnamese):
    assert place_title(name) == Text(name, vietnamese)


def test_built_in_places_have_their_real_names():
    assert place_title("ha-noi/pho-hue") == Text("Phố Huế – Hàng Bài, Hanoi", "Phố Huế – Hàng Bài, Hà Nội")
    said = place_title("tp-hcm/quan-1-3@07:00:sublane (another day, 2)")
    assert said.vi.endswith(", TP.HCM, 07:00:sublane (ngày khác, 2)")
