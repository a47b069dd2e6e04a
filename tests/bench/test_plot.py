"""The picture."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from bridge.bench.plot import HEIGHT, WIDTH, plot
from tests.bench.levels import BRIDGE, level, levels

SVG = "{http://www.w3.org/2000/svg}"


def test_each_subject_has_a_line() -> None:
    """And its name, within the picture."""
    picture = ET.fromstring(plot(levels()))

    lines = [line.attrib["points"].split() for line in picture.iter(f"{SVG}polyline")]
    texts = [text.text for text in picture.iter(f"{SVG}text")]
    places = [tuple(map(float, place.split(","))) for line in lines for place in line]
    assert [len(line) for line in lines] == [2, 1, 2]
    assert {"plain relay", "leanest relay", "bridge, G.711", "10", "100"} <= set(texts)
    assert all(0 < x < WIDTH and 0 < y < HEIGHT for x, y in places)


def test_one_number_of_calls_is_enough() -> None:
    """It stands in the middle."""
    picture = ET.fromstring(plot([level(BRIDGE, 1, [3.0])]))

    assert len(list(picture.iter(f"{SVG}circle"))) == 1
