//===- Extension.cpp - compiler and simulator for Python ---------------- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The functions here take plain values only; the package `serrano` gives them
// the form that users see.
//
//===----------------------------------------------------------------------===//

#include "Arrays.h"
#include "serrano/Pipelines/Compile.h"
#include "serrano/Runtime/Latency.h"
#include "serrano/Runtime/Program.h"
#include "serrano/Support/Message.h"
#include "llvm/ADT/STLExtras.h"
#include <mutex>
#include <nanobind/stl/map.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/set.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/unique_ptr.h>
#include <nanobind/stl/vector.h>

namespace nb = nanobind;
using namespace nb::literals;
using namespace serrano;
using namespace serrano::python;

namespace {

/// An llvm::Error on its way to Python, where it is `serrano.Error`.
struct PythonError : std::runtime_error {
  explicit PythonError(llvm::Error error)
      : std::runtime_error(oneLineMessage(std::move(error))) {}
};

template <typename T>
T valueOrThrow(llvm::Expected<T> value) {
  if (!value)
    throw PythonError(value.takeError());
  return std::move(*value);
}

/// A program of which one run at a time uses the machine.
class LoadedProgram {
public:
  explicit LoadedProgram(const nb::bytes &path)
      : program(load(std::string(path.c_str(), path.size()))) {}

  std::string target() const { return program->file().targetJson(); }
  std::vector<Entry> entries() const { return program->entries().vec(); }
  /// Of each tensor that can be read its name, its source operator, its layer
  /// and how its elements are kept.
  std::vector<std::tuple<std::string, std::string, int64_t, std::string>> tensors() const {
    std::vector<std::tuple<std::string, std::string, int64_t, std::string>> result;
    for (const SourceTensor &tensor : program->tensors())
      for (auto [index, name] : llvm::enumerate(tensor.names))
        result.emplace_back(name, program->file().operators()[tensor.op],
                            tensor.layer ? tensor.layer + int64_t(index) : 0,
                            std::string(isa::stringify(tensor.operand.stored)));
    return result;
  }

  std::tuple<std::map<std::string, OutputArray>, std::string,
             std::vector<std::pair<std::string, OutputArray>>>
  run(const std::string &entryName,
      const std::map<std::string, InputArray> &inputs,
      const sim::RunOptions &options,
      const std::optional<std::set<std::string>> &tensors) {
    TensorFilter filter;
    if (tensors)
      filter = [&](llvm::StringRef name, llvm::StringRef, int64_t) {
        return tensors->contains(name.str());
      };
    NpzArrays arrays;
    for (const auto &[name, array] : inputs)
      arrays.emplace(name, fromPython(array));
    Program::Result result;
    {
      nb::gil_scoped_release release;
      std::lock_guard<std::mutex> lock(running);
      const Entry *entry = valueOrThrow(program->entry(entryName));
      result = valueOrThrow(program->run(*entry, arrays, options, {}, filter));
    }
    std::map<std::string, OutputArray> outputs;
    for (auto &[name, array] : result.outputs)
      outputs.emplace(name, toPython(std::move(array)));
    std::vector<std::pair<std::string, OutputArray>> read;
    for (ReadTensor &tensor : result.tensors)
      read.emplace_back(tensor.name, toPython(std::move(tensor.array)));
    return {std::move(outputs), result.statistics.toJson(), std::move(read)};
  }

  /// Lengths are those of a step's sequences or the sizes of dimensions.
  std::string predict(const std::string &entryName,
                      const std::vector<std::pair<int64_t, int64_t>> &sequences,
                      const Dimensions &dimensions,
                      const sim::RunOptions &options) {
    nb::gil_scoped_release release;
    std::lock_guard<std::mutex> lock(running);
    Lengths lengths{{}, dimensions};
    for (auto [added, context] : sequences)
      lengths.sequences.push_back({added, context});
    const Entry *entry = valueOrThrow(program->entry(entryName));
    return valueOrThrow(program->predict(*entry, lengths, options)).toJson();
  }

  std::string latency(const std::string &entryName) {
    nb::gil_scoped_release release;
    std::lock_guard<std::mutex> lock(running);
    const Entry *entry = valueOrThrow(program->entry(entryName));
    return valueOrThrow(measureLatency(*program, *entry)).toJson();
  }

private:
  static std::unique_ptr<Program> load(const std::string &path) {
    nb::gil_scoped_release release;
    return valueOrThrow(Program::load(path));
  }

  std::unique_ptr<Program> program;
  std::mutex running;
};

} // namespace

static std::vector<std::string> shapeTexts(const Operand &operand) {
  std::vector<std::string> texts;
  for (const SizeExpression &size : operand.shape)
    texts.push_back(size.text().str());
  return texts;
}

/// A path of `Options` as the bytes that the file system has: not every name of
/// a file is UTF-8.
template <typename Options>
static void definePath(nb::class_<Options> &options, const char *name,
                       std::string Options::*path) {
  options.def_prop_rw(
      name,
      [path](const Options &o) {
        return nb::bytes((o.*path).data(), (o.*path).size());
      },
      [path](Options &o, const nb::bytes &bytes) {
        o.*path = std::string(bytes.c_str(), bytes.size());
      });
}

NB_MODULE(_serrano, module) {
  module.doc() = "Serrano's compiler and simulator; use the package `serrano`.";
  nb::exception<PythonError> error(module, "Error", PyExc_Exception);
  error.doc() = "What is wrong with a model, a program or an input, in one "
                "line: the value, what was expected and "
                "found, and the remedy where there is one.";

  nb::class_<CompileOptions> compileOptions(module, "CompileOptions");
  definePath(compileOptions, "model_path", &CompileOptions::modelPath);
  definePath(compileOptions, "output_path", &CompileOptions::outputPath);
  definePath(compileOptions, "target", &CompileOptions::target);
  definePath(compileOptions, "report_path", &CompileOptions::reportPath);
  definePath(compileOptions, "remarks_path", &CompileOptions::remarksPath);
  compileOptions.def(nb::init<>())
      .def_rw("precision", &CompileOptions::precision)
      .def_rw("max_tokens", &CompileOptions::maxTokens)
      .def_rw("max_sequences", &CompileOptions::maxSequences)
      .def_rw("max_context", &CompileOptions::maxContext)
      .def_rw("search", &CompileOptions::search)
      .def_rw("choices", &CompileOptions::choices)
      .def_rw("quiet", &CompileOptions::quiet);
  module.def(
      "compile",
      [](const CompileOptions &options) {
        if (llvm::Error failure = compile(options))
          throw PythonError(std::move(failure));
      },
      "options"_a, nb::call_guard<nb::gil_scoped_release>());

  nb::class_<sim::RunOptions> runOptions(module, "RunOptions");
  definePath(runOptions, "trace_file", &sim::RunOptions::traceFile);
  runOptions.def(nb::init<>())
      .def_rw("check_races", &sim::RunOptions::checkRaces)
      .def_rw("check_init", &sim::RunOptions::checkInit)
      .def_rw("timing", &sim::RunOptions::timing)
      .def_rw("threads", &sim::RunOptions::threads)
      .def_rw("adversarial_seed", &sim::RunOptions::adversarialSeed,
              nb::arg().none());
  nb::class_<Operand>(module, "Operand")
      .def_ro("name", &Operand::name)
      .def_prop_ro("element_type",
                   [](const Operand &operand) {
                     return npyTypeName(operand.type).str();
                   })
      .def_prop_ro("shape", &shapeTexts)
      .def_prop_ro("below",
                   [](const Operand &operand) -> std::optional<std::string> {
                     if (!operand.below)
                       return std::nullopt;
                     return operand.below->text().str();
                   });
  nb::class_<Dimension>(module, "Dimension")
      .def_ro("name", &Dimension::name)
      .def_ro("max", &Dimension::max);
  nb::class_<isa::PagedCache>(module, "PagedCache")
      .def_ro("block", &isa::PagedCache::block)
      .def_ro("blocks", &isa::PagedCache::blocks)
      .def_ro("context", &isa::PagedCache::context);
  nb::class_<Entry>(module, "Entry")
      .def_ro("name", &Entry::name)
      .def_ro("dimensions", &Entry::dimensions)
      .def_ro("inputs", &Entry::inputs)
      .def_ro("outputs", &Entry::outputs)
      .def_ro("cache", &Entry::cache);
  nb::class_<LoadedProgram>(module, "Program")
      .def(nb::init<const nb::bytes &>(), "path"_a)
      .def_prop_ro("target", &LoadedProgram::target,
                   "The target's description as JSON text.")
      .def_prop_ro("entries", &LoadedProgram::entries)
      .def_prop_ro("tensors", &LoadedProgram::tensors,
                   "Name, source operator, layer and stored element type of "
                   "each tensor of the model that can be read.")
      .def("run", &LoadedProgram::run, "entry"_a, "inputs"_a, "options"_a,
           "tensors"_a.none(),
           "The outputs by name, the statistics as JSON text, and the tensors "
           "that were asked for as they became complete.")
      .def("predict", &LoadedProgram::predict, "entry"_a, "sequences"_a,
           "dimensions"_a, "options"_a, "The statistics as JSON text.")
      .def("latency", &LoadedProgram::latency, "entry"_a, "The functions as JSON text.");
}
