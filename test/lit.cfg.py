# Configuration of lit, LLVM's test runner. `tools/test` runs it.

import os

import lit.formats
import lit.llvm.config
import lit.util

config.name = "Serrano"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".s", ".test", ".td", ".json"]
config.excludes = ["Inputs", "Unit", "EndToEnd"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = os.path.join(config.serrano_build_dir, "test")

# Our tools and LLVM's, before everything else that is installed.
config.environment["PATH"] = os.pathsep.join(
    [
        os.path.join(config.serrano_build_dir, "bin"),
        config.llvm_tools_dir,
        config.environment["PATH"],
    ]
)
config.substitutions += [
    ("%serrano_source", config.serrano_source_dir),
    ("%serrano_build", config.serrano_build_dir),
    ("%python", config.python_executable),
    ("%targets", os.path.join(config.serrano_source_dir, "tools", "targets")),
]
