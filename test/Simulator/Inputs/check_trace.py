"""Checks a trace against the statistics of the same run."""

import collections
import json
import pathlib
import sys

stats, events = (json.loads(pathlib.Path(path).read_text()) for path in sys.argv[1:])
tracks = {e["tid"]: e["args"]["name"] for e in events if e["name"] == "thread_name"}
slices = collections.defaultdict(list)
for event in events:
    if event["ph"] == "X":
        slices[tracks[event["tid"]]].append(event)

cycles_per_microsecond = stats["cycles"] / stats["seconds"] / 1e6
precision = 1e-4  # microseconds: how times are written
engines = {engine["name"]: engine for engine in stats["engines"]}
assert set(engines) == set(slices), (set(engines), set(slices))
for name, events in slices.items():
    end = 0.0
    for event in events:
        assert event["ts"] >= end - precision, (name, event, end)
        end = event["ts"] + event["dur"]
    busy = sum(event["dur"] for event in events) * cycles_per_microsecond
    allowed = precision * cycles_per_microsecond * len(events)
    assert abs(busy - engines[name]["busy_cycles"]) <= allowed, (name, busy, engines[name])
    assert end * cycles_per_microsecond <= stats["cycles"] + 1
    engine = engines[name]
    total = engine["busy_cycles"] + sum(engine["wait_cycles"].values()) + engine["idle_cycles"]
    assert abs(total - stats["cycles"]) < 1e-6 * total, (name, total)
    print(f"{name}: {len(events)} slices")
print("names:", ", ".join(sorted({e["name"] for s in slices.values() for e in s})))
