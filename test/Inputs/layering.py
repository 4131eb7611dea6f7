"""Prints each #include by which a library below the compiler knows something above it, in the source tree of the first argument.

Exit code 1 if there is one, or if a folder that should be read is missing or has no source."""

import pathlib
import re
import sys

# Each library knows those before it.
layers = ["Support", "Target", "Isa", "Simulator", "Runtime"]
# What TableGen writes for both sides is C++ without MLIR.
generated = {"dialects/Isa/IsaEnums.h.inc", "dialects/Isa/IsaInstructions.h.inc"}
include = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', re.MULTILINE)


def is_above(included: str, known: list[str]) -> bool:
    if included in generated:
        return False
    first, _, rest = included.partition("/")
    if first in ("lib", "serrano"):
        return rest.partition("/")[0] not in known
    return first in ("mlir", "mlir-c", "onnx", "dialects")


source, faults = pathlib.Path(sys.argv[1]), []
for number, layer in enumerate(layers):
    for folder in (source / "lib" / layer, source / "include" / "serrano" / layer):
        files = [path for path in sorted(folder.rglob("*")) if path.suffix in (".h", ".cpp", ".inc")]
        if not files:
            faults.append(f"{folder}: no source")
        for path in files:
            for included in include.findall(path.read_text(encoding="utf-8")):
                # A path from the file's own folder.
                if included.startswith("../"):
                    included = str((path.parent / included).resolve().relative_to(source.resolve()))
                if is_above(included, layers[: number + 1]):
                    faults.append(f"{path.relative_to(source)}: includes {included}")
print("\n".join(faults))
sys.exit(bool(faults))
