"""Sums the results that tools/test collected: `summary.py FOLDER`.

The folder holds for each suite its runner's exit code (SUITE.code) and what the
runner wrote: lit's results (SUITE.json) or pytest's (SUITE.xml).
"""

import json
import pathlib
import sys
import xml.etree.ElementTree
from collections import Counter

LIT_OUTCOMES = {
    "PASS": "passed",
    "FLAKYPASS": "passed",
    "XFAIL": "passed",
    "UNSUPPORTED": "skipped",
    "SKIPPED": "skipped",
    # Not chosen by -k.
    "EXCLUDED": None,
}


def lit_results(path):
    for test in json.loads(path.read_text())["tests"]:
        outcome = LIT_OUTCOMES.get(test["code"], "failed")
        if outcome:
            yield outcome


def pytest_results(path):
    for case in xml.etree.ElementTree.parse(path).iter("testcase"):
        if case.find("failure") is not None or case.find("error") is not None:
            yield "failed"
        elif case.find("skipped") is not None:
            yield "skipped"
        else:
            yield "passed"


def suite_results(code_path):
    results = Counter()
    for suffix, read in ((".json", lit_results), (".xml", pytest_results)):
        path = code_path.with_suffix(suffix)
        if path.exists():
            results.update(read(path))
    code = int(code_path.read_text())
    if code != 0 and results["failed"] == 0:
        print(f"{code_path.stem}: the test runner itself failed with exit code {code}")
        results["failed"] += 1
    return results


def main():
    total = Counter()
    for code_path in sorted(pathlib.Path(sys.argv[1]).glob("*.code")):
        total += suite_results(code_path)
    if not total["passed"] and not total["failed"]:
        print("no test ran")
    print(
        f"{total['passed']} passed, {total['failed']} failed, {total['skipped']} skipped"
    )
    return 1 if total["failed"] or not total["passed"] else 0


if __name__ == "__main__":
    sys.exit(main())
