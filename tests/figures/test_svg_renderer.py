"""The drawings of the pages, number by number."""

import base64
import json
import re
import struct
import zlib
from itertools import combinations
from xml.etree import ElementTree

import numpy as np
import pytest
import torch

from modgrok.figures import (
    DARK,
    LIGHT,
    Axis,
    Bars,
    Figure,
    Heatmap,
    Intervals,
    Line,
    Panel,
    Points,
    render,
    svg_panel,
)
from modgrok.figures.page_colors import color_filters

MALICE = '"><img src=x onerror=alert(1)>&'


def drawn(panel):
    return ElementTree.fromstring(f"<div>{svg_panel(panel, 'name')}</div>")


def labels(root, which):
    return [span.text for span in root.find(f".//div[@class='{which}-ticks']").iter("span")]


def points(line):
    return np.array([[float(v) for v in point.split(",")] for point in line.get("points").split()])


def test_a_line_goes_where_its_values_say():
    root = drawn(
        Panel("", [Line([0, 5, 10], [0.0, 1.0, 0.5], "key0")], Axis(range=(0, 10)), Axis(range=(0, 1)))
    )
    assert points(next(root.iter("polyline"))).tolist() == [[0, 1000], [500, 0], [1000, 500]]
    assert labels(root, "x") == ["0", "2", "4", "6", "8", "10"]
    assert labels(root, "y") == ["0", "0.2", "0.4", "0.6", "0.8", "1.0"]


def test_a_logarithmic_axis_has_powers_of_ten_and_leaves_out_what_has_no_logarithm():
    root = drawn(
        Panel("", [Line([0, 1, 2, 3], [1.0, 0.0, 1e-4, 1e-8], "key0")], y=Axis(log=True, range=(1e-8, 1)))
    )
    first, second = root.iter("polyline")
    assert len(points(first)) == 1
    assert points(second)[:, 1].tolist() == [500, 1000]
    assert labels(root, "y") == ["10⁻⁸", "10⁻⁶", "10⁻⁴", "10⁻²", "1"]


def test_a_short_logarithmic_axis_has_more_than_powers_of_ten():
    root = drawn(Panel("", [Line([250, 4000], [0.0, 1.0], "key0")], Axis(log=True)))
    assert labels(root, "x") == ["200", "500", "1,000", "2,000", "5,000"]


def test_bars_stand_beside_or_upon_each_other():
    bars = [Bars(["a", "b"], [1.0, 3.0], "key0"), Bars(["a", "b"], [2.0, 1.0], "key1")]
    for stacked, expected in ((False, [250, 750, 500, 250]), (True, [250, 750, 500, 250])):
        root = drawn(Panel("", bars, y=Axis(range=(0, 4)), stacked=stacked))
        rects = list(root.iter("rect"))
        assert [float(rect.get("height")) for rect in rects] == expected
        bottoms = [float(rect.get("y")) + float(rect.get("height")) for rect in rects]
        assert bottoms == ([1000, 1000, 750, 250] if stacked else [1000] * 4)
    assert labels(root, "x") == ["a", "b"]
    assert next(root.iter("title")).text == "a: 1"


def pixels(image):
    """The gray values of a map, and its alpha where it has some."""
    content = base64.b64decode(image.get("href").partition(",")[2])
    width, height, _, kind = struct.unpack(">IIBB", content[16:26])
    size = struct.unpack(">I", content[33:37])[0]
    channels = 2 if kind == 4 else 1
    lines = np.frombuffer(zlib.decompress(content[41 : 41 + size]), np.uint8).reshape(height, -1)
    assert not lines[:, 0].any()
    return lines[:, 1:].reshape(height, width, channels)


def test_a_map_is_its_values_in_gray_upside_down_unless_it_runs_down():
    z = torch.tensor([[0.0, 1.0, float("nan")], [2.0, 4.0, 4.0]])
    for reversed_, rows in ((True, [0, 1]), (False, [1, 0])):
        root = drawn(Panel("", [Heatmap(z, "norm", y0=1)], Axis("k"), Axis(reversed=reversed_)))
        gray = pixels(next(root.iter("image")))
        assert gray[rows[0], :, 0].tolist()[:2] == [0, 64]
        assert gray[rows[0], :, 1].tolist() == [255, 255, 0], "what is no number is transparent"
        assert gray[rows[1], :, 0].tolist() == [128, 255, 255]
        data = json.loads(next(root.iter("image")).get("data-map"))
        assert (data["low"], data["high"], data["y"], data["x"]) == (0.0, 4.0, 1, 0)


def test_intervals_end_where_they_end_and_at_the_edge_where_they_do_not():
    nan, inf = float("nan"), float("inf")
    rows = Intervals(
        ["a", "b", "c"], [2.0, 4.0, nan], [4.0, 5.0, 8.0], [6.0, inf, nan], ["key0", "key1", "key2"]
    )
    root = drawn(Panel("", [rows], Axis(range=(0, 10)), Axis(reversed=True)))
    lines = [path.get("d") for path in root.iter("path") if path.get("class") == "interval"]
    assert lines == ["M200.0 166.7H600.0", "M400.0 500.0H1000.0", ""]
    marks = [path.get("d") for path in root.iter("path") if path.get("class") == "estimate"]
    assert marks == ["M400.0 166.7h0", "M500.0 500.0h0", "M800.0 833.3h0"]
    assert [title.text for title in root.iter("title")] == ["a: 4 (2 to 6)", "b: 5 (4 to ∞)", "c: 8"]
    assert labels(root, "y") == ["a", "b", "c"]
    assert render(Figure("", [Panel("", [rows])])).axes[0].lines


def test_text_is_text():
    panel = Panel(
        MALICE,
        [
            Line([0, 1], [0, 1], "key0", MALICE),
            Points([0.0], [1.0], "key1", MALICE, [MALICE], "star"),
            Bars([0, 1], [1, 1], "key2", MALICE),
        ],
        Axis(MALICE),
        Axis(MALICE),
        events=[(MALICE, 0.5)],
    )
    text = svg_panel(panel, MALICE)
    assert "<img" not in text
    assert drawn(panel).find(".//div[@class='x-title']").text == MALICE
    heat = svg_panel(Panel("", [Heatmap(torch.eye(2), MALICE, [MALICE, "b"], [MALICE, "b"])]), MALICE)
    assert "<img" not in heat


def test_lines_of_a_panel_differ_in_dashes_too():
    root = drawn(Panel("", [Line([0, 1], [0, i], f"key{i}", str(i)) for i in range(8)]))
    lines = [line.get("stroke-dasharray") for line in root.iter("polyline")]
    assert len(set(lines)) == 8
    assert [path.get("stroke-dasharray") for path in root.iter("path") if path.get("stroke")] == lines


def test_the_filters_give_maps_the_colors_of_the_palette():
    root = ElementTree.fromstring(color_filters())
    found = {one.get("id"): one for one in root.iter("filter")}
    assert set(found) == {
        f"{scale}-{theme}" for scale in ("sequential", "signed") for theme in ("light", "dark")
    }
    red = next(found["sequential-light"].iter("feFuncR")).get("tableValues").split()
    assert [round(255 * float(value)) for value in red] == [int(c[1:3], 16) for _, c in LIGHT["sequential"]]


def test_light_and_dark_have_the_same_colors():
    assert list(LIGHT) == list(DARK)


def seen_without_red_receptors(color):
    """A color as a protanope sees it, in CIELAB: Viénot, Brettel & Mollon 1999, "Digital video colourmaps"."""
    channels = np.array([int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    red, green, blue = linear
    seen = np.array(
        [0.11238 * red + 0.88762 * green, 0.11238 * red + 0.88762 * green, 0.00401 * (red - green) + blue]
    )
    xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]) @ seen
    x, y, z = np.cbrt(xyz / [0.9505, 1.0, 1.089])
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("palette", [LIGHT, DARK])
def test_the_first_key_frequencies_are_told_apart_without_red_receptors(palette):
    colors = [seen_without_red_receptors(palette[f"key{place}"]) for place in range(5)]
    assert min(np.linalg.norm(a - b) for a, b in combinations(colors, 2)) > 15
    train, heldout = (seen_without_red_receptors(palette[name]) for name in ("train", "heldout"))
    assert np.linalg.norm(train - heldout) > 30


def test_every_color_is_one_of_css():
    for palette in (LIGHT, DARK):
        for color in palette.values():
            if isinstance(color, str):
                assert re.fullmatch(r"#[0-9a-f]{6}([0-9a-f]{2})?", color)
