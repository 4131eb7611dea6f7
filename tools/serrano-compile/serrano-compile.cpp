//===- serrano-compile.cpp - compiles a model -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "serrano/Pipelines/Compile.h"
#include "serrano/Support/CommandLine.h"
#include "serrano/Support/Message.h"

#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/WithColor.h"

using namespace llvm;
using namespace serrano;

static cl::OptionCategory category("Compilation options");

static cl::opt<std::string> modelPath(cl::Positional, cl::Required, cl::desc("MODEL.onnx"), cl::cat(category));
static cl::opt<std::string> outputPath("o", cl::desc("Output file ('-' for the standard output)"),
                                       cl::value_desc("file"), cl::init("-"), cl::cat(category));
static cl::opt<std::string> target("target", cl::desc("Name of a bundled target or a target's JSON file"),
                                   cl::value_desc("name|file"), cl::init("serrano-1"), cl::cat(category));
static cl::opt<std::string> precision("precision", cl::desc("Number format of weights and activations: f32 or bf16"),
                                      cl::value_desc("format"), cl::init("bf16"), cl::cat(category));
static cl::opt<int64_t> maxTokens("max-tokens", cl::desc("Most new tokens in a step"), cl::value_desc("n"),
                                  cl::init(128), cl::cat(category));
static cl::opt<int64_t> maxSequences("max-sequences", cl::desc("Most sequences in a step"), cl::value_desc("n"),
                                     cl::init(8), cl::cat(category));
static cl::opt<int64_t> maxContext("max-context", cl::desc("Most tokens of a sequence"), cl::value_desc("n"),
                                   cl::init(2048), cl::cat(category));
static cl::opt<std::string> tileSearch("search",
                                       cl::desc("How tiles are chosen: by predicted cycles, or none, by rules"),
                                       cl::value_desc("cycles|none"), cl::init("cycles"), cl::cat(category));
static cl::opt<std::string> choices("choices", cl::desc("What is chosen already, as in #tile.choices<...>"),
                                    cl::value_desc("name = value, ..."), cl::cat(category));
static cl::opt<std::string> reportPath("report", cl::desc("Write a report of the compilation as JSON"),
                                       cl::value_desc("file"), cl::cat(category));
static cl::opt<std::string> remarksPath("remarks",
                                        cl::desc("Write what was done, what was not and why as YAML ('-' for lines "
                                                 "on the standard error)"),
                                        cl::value_desc("file"), cl::cat(category));
static cl::opt<std::string> remarksFilter("remarks-filter",
                                          cl::desc("Only remarks of passes whose whole name matches"),
                                          cl::value_desc("regex"), cl::init(".*"), cl::cat(category));
static cl::opt<Stage> stage("emit", cl::desc("Where to stop and what to write"),
                            cl::values(clEnumValN(Stage::Import, "import", "the graph as imported"),
                                       clEnumValN(Stage::Llm, "llm", "the llm dialect"),
                                       clEnumValN(Stage::Tile, "tile", "the tile dialect"),
                                       clEnumValN(Stage::Mem, "mem", "the mem dialect"),
                                       clEnumValN(Stage::Dma, "dma", "the dma dialect"),
                                       clEnumValN(Stage::Isa, "isa", "the isa dialect"),
                                       clEnumValN(Stage::Asm, "asm", "assembly"),
                                       clEnumValN(Stage::Program, "program", "the program file")),
                            cl::init(Stage::Program), cl::cat(category));
static cl::opt<bool> printLocations("locations", cl::desc("Write the source node of each operation"),
                                    cl::cat(category));

int main(int argc, char **argv) {
  InitLLVM init(argc, argv);
  if (!parseCommandLine(argc, argv, category, "Serrano's compiler: from an ONNX model to a program for a chip\n"))
    return 1;
  CompileOptions options;
  options.modelPath = modelPath;
  options.outputPath = outputPath;
  options.target = target;
  options.precision = precision;
  options.maxTokens = maxTokens;
  options.maxSequences = maxSequences;
  options.maxContext = maxContext;
  options.search = tileSearch;
  options.choices = choices;
  options.reportPath = reportPath;
  options.remarksPath = remarksPath;
  options.remarksFilter = remarksFilter;
  options.stage = stage;
  options.printLocations = printLocations;
  options.leaveMemory = true;
  if (Error error = compile(options)) {
    errs() << "serrano-compile: error: " << oneLineMessage(std::move(error)) << "\n";
    return 1;
  }
  return 0;
}
