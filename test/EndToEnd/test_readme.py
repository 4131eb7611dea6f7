"""What the README says is so."""

import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()


@pytest.mark.parametrize(
    "number, model, printed",
    [(0, "minilm/optimum", r"\(2, 4, 384\) \d+\n"), (1, "smollm2/optimum", r" Paris\.\n\n.*")],
    ids=["encoder", "decoder"],
)
def test_examples(number, model, printed, checkpoint, models, tmp_path, monkeypatch, capsys):
    """The Python examples run on the models that they are meant for."""
    example = re.findall(r"```python\n(.*?)```", README, re.DOTALL)[number]
    for file in checkpoint(model).iterdir():
        (tmp_path / file.name).symlink_to(file)
    (tmp_path / "tokenizer").symlink_to(models / "smollm2" / "tokenizer")
    monkeypatch.chdir(tmp_path)
    exec(compile(example, "README.md", "exec"), {})
    assert re.fullmatch(printed, capsys.readouterr().out, re.DOTALL)


def test_tools():
    """The table has every tool, and no other."""
    table = re.findall(r"^\| `(serrano-\S+)` \|", README, re.MULTILINE)
    assert sorted(table) == sorted(folder.name for folder in (ROOT / "tools").glob("serrano-*"))


@pytest.mark.parametrize("link", re.findall(r"\]\(([^)]+)\)", README))
def test_links(link):
    assert (ROOT / link).exists()
