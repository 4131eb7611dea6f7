"""Real models with their weights, made once and kept in Serrano's cache folder: `checkpoints.py NAME` prints where one is."""

import argparse
import os
import pathlib
import subprocess
import sys

MODELS = pathlib.Path(__file__).resolve().parent / "models"


def cache_folder() -> pathlib.Path:
    home = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache"))
    return pathlib.Path(os.environ.get("SERRANO_CACHE", home / "serrano"))


def checkpoint(name: str) -> pathlib.Path:
    """The folder of a model ("minilm/optimum") with model.onnx and its weights."""
    folder = cache_folder() / "models" / name.replace("/", "-")
    if not (folder / "model.onnx").exists():
        # Under its name only when it is complete.
        unfinished = folder.with_name(f"{folder.name}.{os.getpid()}")
        subprocess.run(
            [sys.executable, MODELS / "fill_weights.py", name, "-o", unfinished], check=True, stdout=sys.stderr
        )
        unfinished.rename(folder)
    return folder


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", metavar="NAME", help="for example minilm/optimum")
    print(checkpoint(parser.parse_args().name))
