# Configuration of lit, LLVM's test runner. `tools/test` runs it over this folder
# with the settings of the build (lit.site.cfg.py.in).

import os

import lit.formats

config.name = "Serrano"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".onnxtext", ".s", ".test", ".td", ".json"]
# Unit and EndToEnd have runners of their own.
config.excludes = ["Inputs", "Unit", "EndToEnd"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = os.path.join(config.serrano_build_dir, "test")

# Our tools and LLVM's come before everything else that is installed.
config.environment["PATH"] = os.pathsep.join(
    [
        os.path.join(config.serrano_build_dir, "bin"),
        config.llvm_tools_dir,
        config.environment["PATH"],
    ]
)

config.substitutions += [
    ("%source", config.serrano_source_dir),
    ("%build", config.serrano_build_dir),
    ("%targets", os.path.join(config.serrano_source_dir, "tools", "targets")),
    ("%python", config.python_executable),
    ("%mlir_include", config.mlir_include_dir),
]
