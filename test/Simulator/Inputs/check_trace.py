"""Checks a trace against the statistics of the same run."""

import bisect
import collections
import json
import pathlib
import sys

stats, trace = (json.loads(pathlib.Path(path).read_text()) for path in sys.argv[1:])
events = trace["traceEvents"]
assert trace["displayTimeUnit"] == "ns"
tracks = {e["tid"]: e["args"]["name"] for e in events if e["name"] == "thread_name"}
by_phase = collections.defaultdict(list)
for event in events:
    by_phase[event["ph"]].append(event)
assert set(by_phase) <= set("MXsfC"), set(by_phase)
slices = collections.defaultdict(list)
for event in by_phase["X"]:
    slices[tracks[event["tid"]]].append(event)
for on_track in slices.values():  # slots come when they are popped
    on_track.sort(key=lambda event: event["ts"])

cycles_per_microsecond = stats["cycles"] / stats["seconds"] / 1e6
precision = 1.01e-4  # microseconds: how times are written
engines = {engine["name"]: engine for engine in stats["engines"]}
assert set(engines) == set(slices), (set(engines), set(slices))
for name, on_track in slices.items():
    end = 0.0
    for event in on_track:
        assert event["ts"] >= end - 1e-9, (name, event, end)
        end = event["ts"] + event["dur"]
    busy = sum(event["dur"] for event in on_track) * cycles_per_microsecond
    allowed = precision * cycles_per_microsecond * len(on_track)
    assert abs(busy - engines[name]["busy_cycles"]) <= allowed, (name, busy, engines[name])
    assert end * cycles_per_microsecond <= stats["cycles"] + 1
    engine = engines[name]
    total = engine["busy_cycles"] + sum(engine["wait_cycles"].values()) + engine["idle_cycles"]
    assert abs(total - stats["cycles"]) < 1e-6 * total, (name, total)
    print(f"{name}: {len(on_track)} slices")
print("names:", ", ".join(sorted({e["name"] for s in slices.values() for e in s})))
for operator in stats["operators"]:
    print(f"{operator['name']}: {operator['hbm_read_bytes']} bytes read")

# Arrows: each has two ends, leaves from within a slice and arrives at the start of one that begins after that one ends
# and before which its engine stood still.
leaving = {event["id"]: event for event in by_phase["s"]}
arriving = {event["id"]: event for event in by_phase["f"]}
assert len(leaving) == len(by_phase["s"]) and len(arriving) == len(by_phase["f"])
assert set(leaving) == set(arriving)
starts = {name: [event["ts"] for event in on_track] for name, on_track in slices.items()}


def at_or_before(event: dict) -> int:
    return bisect.bisect_right(starts[tracks[event["tid"]]], event["ts"]) - 1


arrows = collections.Counter()
for number, source in leaving.items():
    target = arriving[number]
    from_track, to_track = tracks[source["tid"]], tracks[target["tid"]]
    signaller = slices[from_track][at_or_before(source)]
    signalled = signaller["ts"] + signaller["dur"]
    assert source["ts"] <= signalled, (source, signaller)
    held = at_or_before(target)
    assert slices[to_track][held]["ts"] == target["ts"], (target, slices[to_track][held])
    assert signalled <= target["ts"] + precision, (signaller, target)
    previous = slices[to_track][held - 1] if held else {"ts": 0, "dur": 0}
    assert previous["ts"] + previous["dur"] < target["ts"], (previous, target)
    arrows[from_track, to_track] += 1
# Who waited for a counter or a slot has an arrow that says for which; who did not has none.
waited = {name for name, e in engines.items() if e["wait_cycles"]["counter"] + e["wait_cycles"]["slot"] > 0}
assert waited == {to for _, to in arrows}, (waited, arrows)
for (source, target), count in sorted(arrows.items()):
    print(f"{source} -> {target}: {count} arrows")


def integrals(name: str) -> dict[str, float]:
    """Value times microseconds of the series of a counter, which ends at its lowest."""
    samples = [event for event in by_phase["C"] if event["name"] == name]
    sums = collections.Counter()
    for sample, following in zip(samples, samples[1:]):
        assert following["ts"] > sample["ts"]
        for key, value in sample["args"].items():
            assert value >= 0, sample
            sums[key] += value * (following["ts"] - sample["ts"])
    assert all(v == min(e["args"][k] for e in samples) for k, v in samples[-1]["args"].items()), samples[-1]
    return sums


def check(what: str, found: float, expected: float) -> None:
    assert abs(found - expected) <= 1e-3 * expected + 1e-9, (what, found, expected)


bandwidth = {name: 1e3 * value for name, value in integrals("bandwidth, GB/s").items()}
check("hbm read", bandwidth["hbm read"], stats["hbm_read_bytes"])
check("hbm write", bandwidth["hbm write"], stats["hbm_write_bytes"])
check("local copy", bandwidth["local copy"], stats["local_copy_bytes"])
joules = stats["joules"]
samples = [event for event in by_phase["C"] if event["name"] == "power, W"]
watts = joules["static"] / stats["seconds"]
rest = (stats["seconds"] * 1e6 - samples[-1]["ts"]) * watts
assert stats["instruction_fetch_bytes"] == 0, "the power of fetches is not in the trace"
check("energy", (integrals("power, W")["power"] + rest) * 1e-6, joules["total"])
for ring, value in sorted(integrals("scratchpad, full ring slots").items()):
    print(f"{ring}: {value * cycles_per_microsecond:.0f} slot cycles")
