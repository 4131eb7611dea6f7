"""What the README says is so."""

import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()


def without_numbers(text):
    return re.sub(r"\d+(\.\d+)?", "0", text)


def test_transcript():
    """The transcript is what `tools/demo` prints when everything is set up and built, but for its numbers."""
    transcript = re.search(r"^\$ tools/demo\n(.*?)^```$", README, re.DOTALL | re.MULTILINE).group(1)
    folder = pathlib.Path(os.environ["SERRANO_BUILD"]) / "demo"
    printed = subprocess.run(
        [sys.executable, ROOT / "tools/demos/generation.py", "--folder", folder],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([os.environ["PYTHONPATH"], str(ROOT / "test/EndToEnd")])},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout
    assert without_numbers(printed.replace(str(folder), "build/demo")) == without_numbers(transcript)


def test_tools():
    """The table has every tool, those in Python among them, and no other."""
    table = re.findall(r"^\| `(serrano-\S+)` \|", README, re.MULTILINE)
    tools = [folder.name for folder in (ROOT / "tools").glob("serrano-*")]
    tools += [script.stem for script in (ROOT / "python-bindings").glob("serrano-*.in")]
    assert sorted(table) == sorted(tools)

