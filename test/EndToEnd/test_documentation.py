"""Every example of the documentation does what the page says."""

import os
import pathlib
import re

import documentation
import pytest
from documentation import Block, DocumentationError

# The manual's blocks are the pseudo-code of the instructions' definitions, from which it is generated.
PAGES = [
    page
    for page in [documentation.ROOT / "README.md", *sorted((documentation.ROOT / "docs").rglob("*.md"))]
    if page.name != "IsaManual.md"
]


@pytest.fixture
def runner(tmp_path, checkpoint):
    folder = tmp_path / "page"
    folder.mkdir()
    return documentation.PageRunner(folder, checkpoint, pathlib.Path(os.environ["SERRANO_BUILD"]).resolve())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(documentation.ROOT)))
def test_examples(page, runner):
    for block in documentation.blocks_of(page.read_text()):
        problem = None
        try:
            runner.run(block)
        except DocumentationError as error:
            problem = error
        if problem:
            pytest.fail(f"{page}:{block.line}: the {block.language} block: {problem}", pytrace=False)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(documentation.ROOT)))
def test_links(page):
    """Links within the tree lead to something."""
    for link in re.findall(r"\]\(([^)#]+)", documentation.FENCE.sub("", page.read_text())):
        assert link.startswith("https://") or (page.parent / link).exists(), link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(documentation.ROOT)))
def test_paths(page):
    """What is named by its path in the tree is there."""
    for path in re.findall(r"`((?:dialects|docs|include|lib|python-bindings|test|tools)/[\w./-]+)`", page.read_text()):
        assert (documentation.ROOT / path).exists(), path


FAULTS = {
    "shell": ("```sh\nserrano-opt no-such-file.mlir\n```\n", "cannot open input file"),
    "shell-in-a-pipe": ("```sh\nfalse | cat\n```\n", "exit code 1"),
    "python": ("```python\nimport serrano\nserrano.compiel\n```\n", "compiel"),
    "mlir": ("```mlir\nfunc.func @f() -> i32 { return }\n```\n", "return"),
    "assembly": ("```asm\nfunc f { hlat }\n```\n", "did you mean 'halt'"),
    "json": ('```json\n{"a": }\n```\n', "Expecting value"),
    "quote": ("```cpp\n// from: tools/serrano-opt/serrano-opt.cpp\nint mian() {\n```\n", "differs from"),
    "no-quote": ("```cpp\nint main() {}\n```\n", "is not quoted"),
    "output": ("```sh\necho 4 words are here\n```\n```text output numbers-vary\n5 words were here\n```\n", "were"),
    "output-of-nothing": ("```text output\nwords\n```\n", "output of nothing"),
    "language": ("```cobol\nSTOP RUN.\n```\n", "nothing runs 'cobol'"),
    "no-language": ("text\n\n```\necho\n```\n", "line 3 names no language"),
    "no-reason": ("```sh not-run: because\nfalse\n```\n", "no reason"),
    "unknown-word": ("```sh wiht=minilm/optimum\ntrue\n```\n", "unknown: wiht"),
    "indented": ("text\n\n    tools/test\n", "without a fence: tools/test"),
}


@pytest.mark.parametrize("page, said", FAULTS.values(), ids=FAULTS)
def test_faults_are_found(page, said, runner):
    """A page with a fault fails."""
    with pytest.raises((DocumentationError, ValueError), match=re.escape(said)):
        for block in documentation.blocks_of(page):
            runner.run(block)


def test_blocks():
    page = "a\n\n   ```mlir\n   module {\n   }\n   ```\n\n```sh not-run: it takes long\nx\n```\n"
    assert documentation.blocks_of(page) == [
        Block(3, "mlir", {}, "module {\n}\n"),
        Block(8, "sh", {"not-run": "it takes long"}, "x\n"),
    ]


def test_quotes_with_gaps():
    assert documentation.is_quoted("a\n...\nd\n", "a\nb\nc\nd\n")
    assert not documentation.is_quoted("d\n...\na\n", "a\nb\nc\nd\n")
    assert not documentation.is_quoted("a\nd\n", "a\nb\nc\nd\n")
