"""The page of `serrano-sim --report`, as one who looks at it sees it."""

import collections
import json
import pathlib
import re
import subprocess
from collections.abc import Iterator

import pytest
from browser import Browser

ROOT = pathlib.Path(__file__).parents[2]
PREPARE = 'prepare </script><b id="injected">'  # a name that would break the page if it were not escaped
STEP = 'step "one"'


def run(folder: pathlib.Path, assembly: str) -> None:
    (folder / "p.s").write_text(assembly)
    subprocess.run(["serrano-as", "p.s", "--target", "serrano-tiny", "-o", "p.srn"], cwd=folder, check=True)
    files = ["--report", "r.html", "--stats", "s.json", "--trace", "t.json"]
    subprocess.run(["serrano-sim", "p.srn", *files], cwd=folder, check=True)


class Page:
    """A browser that shows a report, and what the same run said elsewhere."""

    def __init__(self, folder: pathlib.Path, browser: Browser) -> None:
        self.browser = browser
        self.file = folder / "r.html"
        self.stats = json.loads((folder / "s.json").read_text())
        self.operators = {operator["name"]: operator for operator in self.stats["operators"]}
        events = json.loads((folder / "t.json").read_text())["traceEvents"]
        tracks = {e["tid"]: e["args"]["name"] for e in events if e["name"] == "thread_name"}
        self.slices = collections.defaultdict(list)
        for event in events:
            if event["ph"] == "X":
                self.slices[tracks[event["tid"]]].append(event)
        browser.open(self.file)

    def text(self, selector: str) -> str:
        return self.browser.evaluate(f"document.querySelector({json.dumps(selector)}).textContent")

    def names(self) -> list[str]:
        """Of the operators, in the order of the table."""
        return self.browser.evaluate("[...document.querySelectorAll('#operators tbody td:first-child')].map(c => c.textContent)")

    def sort_by(self, title: str) -> None:
        titles = self.browser.evaluate("[...document.querySelectorAll('#operators th')].map(c => c.textContent)")
        self.browser.click(f"#operators th:nth-child({titles.index(title) + 1}) button")

    def range(self) -> tuple[float, float]:
        """What the lanes show, in microseconds."""
        scale = {"n": 1e-3, "µ": 1, "m": 1e3, "": 1e6}
        ends = re.findall(r"([0-9.]+) (n|µ|m|)s", self.browser.evaluate("document.getElementById('range').value"))
        start, end = (float(value) * scale[prefix] for value, prefix in ends)
        return start, end

    def place(self, lane: str, microseconds: float, height: float = 0.5) -> tuple[float, float]:
        """Where a moment, at a share of the lane's height, is on the screen."""
        start, end = self.range()
        box = self.browser.box(f"canvas[data-lane='{lane}']")
        x = box["x"] + (microseconds - start) / (end - start) * box["width"]
        return x, box["y"] + height * box["height"]

    def is_painted(self, lane: str, microseconds: float) -> bool:
        box = self.browser.box(f"canvas[data-lane='{lane}']")
        x = self.place(lane, microseconds)[0] - box["x"]
        pixel = f"getContext('2d').getImageData({int(x)}, {int(box['height'] / 2)}, 1, 1).data[3]"
        return self.browser.evaluate(f"document.querySelector(\"canvas[data-lane='{lane}']\").{pixel}") > 0

    def hover(self, lane: str, microseconds: float, height: float = 0.5) -> str:
        self.browser.hover(*self.place(lane, microseconds, height))
        return self.text("#tooltip")

    def selected(self) -> list[str | None]:
        """The name of the selected operator in the panel, the table and the roofline plot."""
        return self.browser.evaluate(
            "[document.querySelector('#selection:not([hidden]) b'), document.querySelector('tr.selected td'),"
            " document.querySelector('circle.selected')].map(e => e && (e.dataset.operator ?? e.textContent))"
        )


def middle(event: dict) -> float:
    return event["ts"] + event["dur"] / 2


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    folder = tmp_path_factory.mktemp("report")
    escaped = PREPARE.replace('"', '\\"')
    run(folder, (ROOT / "test/Simulator/trace.s").read_text().replace('"prepare"', f'"{escaped}"'))
    return folder


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    browser = Browser(1400, 3000)
    yield browser
    browser.close()


@pytest.fixture
def page(folder: pathlib.Path, browser: Browser) -> Iterator[Page]:
    browser.requests.clear()
    page = Page(folder, browser)
    yield page
    assert browser.exceptions == []
    assert browser.requests == [page.file.as_uri()], "the page asked for something else"


def test_totals(page: Page) -> None:
    assert page.text("#title") == "p.srn on serrano-tiny"
    totals = page.text("#totals")
    assert f"{page.stats['cycles']:,}" in totals
    assert f"{page.stats['seconds'] * 1e6:.2f} µs" in totals
    assert f"{100 * page.stats['roof']['share']:.1f} %" in totals
    for name, value in page.stats["joules"].items():
        if name != "total":
            row = next(i for i, other in enumerate(page.stats["joules"]) if other == name)
            shown = page.text(f"#joules > div:nth-child({row})")
            assert shown.startswith(name)
            found, prefix = re.search(r"([0-9.]+) (µ|n|p|)J$", shown).groups()
            assert float(found) * {"µ": 1e-6, "n": 1e-9, "p": 1e-12, "": 1}[prefix] == pytest.approx(value, rel=6e-3)


def test_sorting(page: Page) -> None:
    def expected(key: str) -> list[str]:
        return sorted(page.operators, key=lambda name: page.operators[name][key], reverse=True)

    assert set(page.operators) == {PREPARE, STEP}
    assert page.names() == expected("critical_cycles")
    page.sort_by("energy")
    assert page.names() == expected("joules")
    page.sort_by("energy")
    assert page.names() == expected("joules")[::-1]
    page.sort_by("HBM")
    assert page.names() == sorted(
        page.operators,
        key=lambda name: page.operators[name]["hbm_read_bytes"] + page.operators[name]["hbm_write_bytes"],
        reverse=True,
    )
    page.sort_by("operator")
    assert page.names() == sorted(page.operators)
    assert not page.browser.evaluate("!!document.getElementById('injected')")


def test_timeline(page: Page) -> None:
    """Bars are where the trace has slices, and nothing is where it has none."""
    whole = page.stats["seconds"] * 1e6
    assert page.range() == pytest.approx((0, whole), abs=0.01)
    for name, slices in page.slices.items():
        slices.sort(key=lambda event: event["ts"])
        for event in slices:
            assert page.is_painted(name, middle(event)), (name, event)
        for event, following in zip(slices, slices[1:]):
            end = event["ts"] + event["dur"]
            if following["ts"] - end > whole / 200:
                assert not page.is_painted(name, (end + following["ts"]) / 2), (name, event, following)


def test_zoom(page: Page) -> None:
    whole = page.stats["seconds"] * 1e6
    page.browser.click("#zoom-in")
    assert page.range() == pytest.approx((whole / 4, whole * 3 / 4), abs=0.01)
    page.browser.click("#zoom-out")
    assert page.range() == pytest.approx((0, whole), abs=0.01)
    # The wheel zooms around the mouse.
    event = page.slices["vector"][6]
    for _ in range(6):
        page.browser.wheel(*page.place("vector", middle(event)), -100)
    start, end = page.range()
    assert end - start == pytest.approx(whole * 0.8**6, abs=0.01)
    assert (middle(event) - start) / (end - start) == pytest.approx(middle(event) / whole, abs=0.01)
    assert page.is_painted("vector", middle(event))
    x, y = page.place("vector", middle(event))
    page.browser.drag(x, y, x + 200)
    moved_start, moved_end = page.range()
    assert moved_end - moved_start == pytest.approx(end - start, abs=0.01)
    assert page.place("vector", middle(event))[0] == pytest.approx(x + 200, abs=12)
    assert page.is_painted("vector", middle(event))
    assert page.selected() == [None, None, None], "a drag is not a click"
    page.browser.click("#zoom-all")
    assert page.range() == pytest.approx((0, whole), abs=0.01)


def test_hover(page: Page) -> None:
    event = page.slices["matrix"][5]
    assert event["name"] == STEP
    shown = page.hover("matrix", middle(event))
    assert shown.startswith(f"{STEP}, layer {event['args']['layer']}\nat ")
    assert f"for {event['dur'] * 1e3:.2f} ns" in shown
    assert "GB/s" in page.hover("HBM", middle(event))
    assert " W " in page.hover("power", middle(event))
    page.browser.hover(5, 5)
    assert page.browser.evaluate("document.getElementById('tooltip').hidden")


def test_scratchpad(page: Page) -> None:
    """Each row is 128 of the 32,768 bytes, and a mouse hits it or the one before. Three slots of a ring are the first
    rows; what it brings is of who uses it."""
    slot = page.slices["ring 0"][3]
    held = slot["ts"] + slot["dur"]
    step, prepare, free = (f": {what}" for what in (STEP, PREPARE, "free"))
    assert page.hover("scratchpad", held, 1.5 / 256).endswith(step)
    # `dma.copy` of the first operator wrote bytes 1024 to 1279, which the second one reads.
    copied = page.hover("scratchpad", middle(page.slices["matrix"][3]), 9.5 / 256)
    assert re.match("scratchpad bytes 1,(024 to 1,152|152 to 1,280) at ", copied) and copied.endswith(prepare)
    for row in (4.5, 7.5, 12.5, 255.5):
        assert page.hover("scratchpad", held, row / 256).endswith(free)
    assert page.hover("scratchpad", 0, 9.5 / 256).endswith(free)


def test_selection(page: Page) -> None:
    event = page.slices["matrix"][5]
    x, y = page.place("matrix", middle(event))
    page.browser.drag(x, y, x)
    assert page.selected() == [STEP] * 3
    panel = page.text("#selection")
    cost = page.operators[STEP]
    assert f"{round(cost['critical_cycles']):,} cycles" in panel
    assert f"counter {round(cost['wait_cycles']['counter']):,}" in panel
    page.browser.click(f"#operators tbody tr:nth-child({page.names().index(PREPARE) + 1})")
    assert page.selected() == [PREPARE] * 3
    page.browser.click("circle.selected")
    assert page.selected() == [None] * 3


def test_roofline(page: Page) -> None:
    points = page.browser.evaluate(
        "[...document.querySelectorAll('#roofline circle')].map(c => [c.dataset.operator, +c.getAttribute('cx'), +c.getAttribute('cy')])"
    )
    assert sorted(name for name, *_ in points) == sorted(page.operators)
    places = {name: place for name, *place in points}
    # One multiplies and the other does not: that one lies on the lower edge.
    assert page.operators[PREPARE]["multiply_accumulates"] == 0
    assert places[STEP][1] < places[PREPARE][1] == 375
    # Below the roof: on its slope, rate is proportional to intensity.
    roof = page.browser.evaluate("[...document.querySelector('#roofline .roof').points].map(p => [p.x, p.y])")
    (x0, y0), (x1, y1), (x2, y2) = roof
    x, y = places[STEP]
    assert y1 == y2 and x0 < x1 <= x2
    assert y >= max(y1, y0 + (x - x0) / (x1 - x0) * (y1 - y0)) - 0.5
    page.browser.hover(x, y)
    box = page.browser.box("#roofline circle")
    page.browser.hover(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    assert "MAC/s" in page.text("#tooltip")


def test_long_run(tmp_path: pathlib.Path, browser: Browser) -> None:
    """More slices than a page should hold become fewer bars, which the page says; their work stays."""
    body = "\n".join(f"v.fill dst=spm[{1024 * i}]:64:f32, rows=2, cols=16" for i in range(2))
    assembly = f"""
.op 1, "fill"
.entry main
func main {{
  mark op=1
  loop count=60000 {{
    {body}
  }}
  halt
}}
"""
    run(tmp_path, assembly)
    assert (tmp_path / "r.html").stat().st_size < 4e6
    page = Page(tmp_path, browser)
    assert "are one bar" in page.text("#merged")
    bars = page.browser.evaluate("report.tracks[0].bars")
    engine = page.stats["engines"][0]
    assert engine["instructions"] == 120000 == sum(bars[5::6])
    assert len(bars) // 6 <= 40000
    assert sum(bars[2::6]) / 1024 == pytest.approx(engine["busy_cycles"])
    middle_of_run = page.stats["seconds"] * 1e6 / 2
    assert "slices, busy" in page.hover("vector", middle_of_run)
