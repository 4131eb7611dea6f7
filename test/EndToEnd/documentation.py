"""The code blocks of Markdown pages: what they are, and how each kind is run.

A block's fence says its language, and after it what there is to know:

    ```sh                      run by bash, in the page's folder
    ```sh with=minilm/optimum  the same, with the files of that checkpoint in the folder
    ```asm file=double.s       kept in the folder under that name; assembled
    ```text output             what the block before printed
    ```text output numbers-vary    the same, but for numbers
    ```sh not-run: REASON      not run, because of the reason

All blocks of a page run in order in one folder, in which `build` is the build folder, and
`test` and `tools` are the tree's. A block whose first line is "// from: FILE" or "// test: FILE" ("#"
serves too) is quoted: its lines follow each other in that file of the tree; lines of the
file that only check or comment may stand between, and a line "..." leaves lines out.
"""

import dataclasses
import json
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
FENCE = re.compile(r"^( *)```(.*)\n((?:.*\n)*?)\1```$", re.MULTILINE)
QUOTE = re.compile(r"(?://|#) (?:from|test): (\S+)\n")
# What has to be quoted, because there is nothing that runs a part of it.
QUOTED_ONLY = {"cmake", "cpp", "c++", "tablegen"}


class DocumentationError(Exception):
    """What is wrong with a block."""


@dataclasses.dataclass
class Block:
    line: int
    language: str
    attributes: dict[str, str]
    text: str

    @property
    def quoted_file(self) -> str | None:
        match = QUOTE.match(self.text)
        return match.group(1) if match else None


def attributes_of(words: str) -> dict[str, str]:
    reason = re.fullmatch(r"not-run: (.*)", words)
    if reason:
        if len(reason.group(1).split()) < 3:
            raise DocumentationError("'not-run:' has no reason")
        return {"not-run": reason.group(1)}
    attributes = dict((word.split("=", 1) + [""])[:2] for word in words.split())
    if unknown := attributes.keys() - {"with", "file", "output", "numbers-vary"}:
        raise DocumentationError(f"unknown: {', '.join(sorted(unknown))}")
    return attributes


def blocks_of(page: str) -> list[Block]:
    """The blocks of a page; one that is only indented is an error."""
    blocks = []
    for match in FENCE.finditer(page):
        indentation, info, text = match.groups()
        language, _, words = info.partition(" ")
        if not language:
            raise DocumentationError(f"the block at line {page.count(chr(10), 0, match.start()) + 1} names no language")
        text = re.sub(rf"^{indentation}", "", text, flags=re.MULTILINE)
        blocks.append(Block(page.count("\n", 0, match.start()) + 1, language, attributes_of(words.strip()), text))
    rest = FENCE.sub("", page)
    if "```" in rest:
        raise DocumentationError("a fence is not closed, or its ends are not indented alike")
    if indented := re.search(r"\n\n(    +\S.*)", rest):
        raise DocumentationError(f"a block without a fence: {indented.group(1).strip()}")
    return blocks


def significant(text: str) -> list[str]:
    lines = (line.strip() for line in text.splitlines())
    return [line for line in lines if line and not line.startswith("//")]


def is_quoted(quote: str, file: str) -> bool:
    """Whether the parts of `quote` between lines "..." follow each other in `file`."""
    there, place = significant(file), 0
    for part in re.split(r"^\s*\.\.\.\s*$", quote, flags=re.MULTILINE):
        wanted = significant(part)
        starts = range(place, len(there) - len(wanted) + 1)
        start = next((i for i in starts if there[i : i + len(wanted)] == wanted), None)
        if start is None:
            return False
        place = start + len(wanted)
    return True


class PageRunner:
    """Runs the blocks of a page in order."""

    def __init__(self, folder: pathlib.Path, checkpoint, build: pathlib.Path):
        self.folder, self.checkpoint = folder, checkpoint
        self.printed = None
        (folder / "build").symlink_to(build)
        for name in ("test", "tools"):
            (folder / name).symlink_to(ROOT / name)
        places = [build / "bin", pathlib.Path(sys.executable).parent, os.environ["PATH"]]
        self.environment = os.environ | {"PATH": os.pathsep.join(map(str, places))}

    def run(self, block: Block):
        if "not-run" in block.attributes:
            self.printed = None
            return
        if "output" in block.attributes:
            self.compare(block)
            return
        if block.quoted_file:
            quote = block.text.split("\n", 1)[1]
            if not is_quoted(quote, (ROOT / block.quoted_file).read_text()):
                raise DocumentationError(f"differs from {block.quoted_file}")
            return
        if block.language in QUOTED_ONLY:
            raise DocumentationError(f"is not quoted; begin it with '// from: FILE'")
        if name := block.attributes.get("with"):
            self.link(name)
        if name := block.attributes.get("file"):
            (self.folder / name).write_text(block.text)
        runner = getattr(self, f"run_{block.language}", None)
        if not runner:
            raise DocumentationError(f"nothing runs '{block.language}'; say 'not-run: REASON' or 'output'")
        runner(block)

    def link(self, name: str):
        """Makes the files of a checkpoint, and the tokenizer of its model, those of the folder."""
        tokenizer = ROOT / "test/EndToEnd/models" / name.split("/")[0] / "tokenizer"
        for file in [*self.checkpoint(name).iterdir(), *([tokenizer] if tokenizer.exists() else [])]:
            link = self.folder / file.name
            link.unlink(missing_ok=True)
            link.symlink_to(file)

    def execute(self, command: list[str], text: str = "", errors=subprocess.STDOUT):
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment,
            input=text,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            timeout=600,
        )
        self.printed = done.stdout
        if done.returncode:
            said = (done.stdout + (done.stderr or ""))[-2000:]
            raise DocumentationError(f"exit code {done.returncode}:\n{said}")

    def run_sh(self, block: Block):
        self.execute(["bash", "-euo", "pipefail", "-c", block.text])

    def run_python(self, block: Block):
        # What is printed on the way, such as progress, is not the example's output.
        self.execute([sys.executable, "-"], block.text, errors=subprocess.PIPE)

    def run_mlir(self, block: Block):
        self.execute(["serrano-opt", "-", "-o", os.devnull], block.text)

    def run_asm(self, block: Block):
        self.execute(["serrano-as", "-", "--target", "serrano-tiny", "-o", "block.srn"], block.text)

    def run_json(self, block: Block):
        json.loads(block.text)

    def compare(self, block: Block):
        if self.printed is None:
            raise DocumentationError("is the output of nothing that was run")
        said, printed = (re.sub(r"[ \t]+$", "", text, flags=re.MULTILINE).rstrip("\n") for text in (block.text, self.printed))
        if "numbers-vary" in block.attributes:
            said, printed = (re.sub(r"\d+(\.\d+)?", "0", text) for text in (said, printed))
        if said != printed:
            raise DocumentationError(f"the page has\n{said}\nbut the block before printed\n{printed}")
