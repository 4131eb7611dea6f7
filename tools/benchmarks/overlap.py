"""How much of the work of the less busy of two engines is done while the other one works, from a timeline."""

import json
import pathlib
from collections.abc import Iterable

Interval = tuple[float, float]

COMPUTE = ("matrix", "vector")
TRANSFER = ("dma in", "dma out", "ring")  # tracks of the timeline whose names begin so


def union(intervals: Iterable[Interval]) -> list[Interval]:
    """The same moments in intervals that are apart, in order."""
    result: list[Interval] = []
    for start, end in sorted(intervals):
        if result and start <= result[-1][1]:
            result[-1] = (result[-1][0], max(result[-1][1], end))
        else:
            result.append((start, end))
    return result


def length(intervals: Iterable[Interval]) -> float:
    return sum(end - start for start, end in intervals)


def common(ours: list[Interval], theirs: list[Interval]) -> float:
    """How long both are, each a union."""
    result, i, j = 0.0, 0, 0
    while i < len(ours) and j < len(theirs):
        start, end = max(ours[i][0], theirs[j][0]), min(ours[i][1], theirs[j][1])
        result += max(end - start, 0.0)
        if ours[i][1] < theirs[j][1]:
            i += 1
        else:
            j += 1
    return result


def hidden_share(trace: pathlib.Path) -> float:
    """The share of the transfers' time in which the array or the vector engine computes; of theirs, if it is less."""
    events = json.loads(trace.read_text())["traceEvents"]
    names = {e["tid"]: e["args"]["name"] for e in events if e["ph"] == "M" and e["name"] == "thread_name"}

    def busy(tracks: tuple[str, ...]) -> list[Interval]:
        slices = (e for e in events if e["ph"] == "X" and names[e["tid"]].startswith(tracks))
        return union((e["ts"], e["ts"] + e["dur"]) for e in slices)

    compute, transfer = busy(COMPUTE), busy(TRANSFER)
    return common(compute, transfer) / min(length(compute), length(transfer))
