//===- Disassemble.cpp - a program as text ----------------------*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "DecodedText.h"
#include "serrano/Isa/Assembly.h"
#include "serrano/Support/Error.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"

using namespace llvm;

namespace serrano::isa {

/// `text` in double quotes, as the assembler reads it.
static std::string quote(StringRef text) {
  std::string result = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\')
      result += '\\';
    if (c == '\n')
      result += "\\n";
    else
      result += c;
  }
  return result + '"';
}

/// `name` as the assembler reads it: in quotes only if it has to be.
static std::string symbol(StringRef name) {
  auto continues = [](char c) { return isAlnum(c) || c == '_' || c == '.'; };
  bool isPlain = !name.empty() && !isDigit(name.front()) &&
                 name.front() != '.' && all_of(name, continues);
  return isPlain ? name.str() : quote(name);
}

static void printOperandDirective(raw_ostream &os, StringRef directive,
                                  const Operand &operand) {
  os << directive << ' ' << symbol(operand.name) << ", " << operand.dtype
     << ", [" << join(operand.shape, ", ") << "], "
     << (operand.isInScalarMemory ? "smem=" : "hbm=") << operand.address;
  if (operand.stored != operand.dtype)
    os << ", stored=" << operand.stored;
  os << '\n';
}

static void printManifest(raw_ostream &os, const Program &program) {
  for (const ZeroRange &range : program.zeroes)
    os << formatv(".hbm {0}, {1}, at={2}\n", symbol(range.name), range.bytes,
                  range.address);
  for (auto [i, name] : enumerate(program.operators))
    if (!name.empty())
      os << formatv(".op {0}, {1}\n", i, quote(name));
  for (const Entry &entry : program.entries) {
    os << formatv(".entry {0}\n", symbol(entry.function));
    for (const Dimension &dimension : entry.dimensions)
      os << formatv(".dim {0}, max={1}, smem={2}\n", dimension.name,
                    dimension.max, dimension.smem);
    for (const Operand &operand : entry.inputs)
      printOperandDirective(os, ".input", operand);
    for (const Operand &operand : entry.outputs)
      printOperandDirective(os, ".output", operand);
  }
}

namespace {

/// Prints the functions, following the source operator of the instructions.
class Disassembler {
public:
  Disassembler(const Program &program, raw_ostream &os)
      : program(program), os(os) {}

  void printFunction(const Function &function,
                     ArrayRef<PlacedInstruction> instructions);

private:
  /// `code` with a comment at the right.
  void printLine(StringRef code, const Twine &comment);
  void closeBlocks(uint32_t word);
  std::string textOf(const PlacedInstruction &placed) const;

  const Program &program;
  raw_ostream &os;
  /// The ends of the open blocks.
  SmallVector<uint32_t> open;
  std::string sourceOperator;
};

} // namespace

void Disassembler::printLine(StringRef code, const Twine &comment) {
  constexpr unsigned commentColumn = 72;
  std::string text = std::string(2 * open.size(), ' ') + code.str();
  os << left_justify(text, commentColumn) << " ; " << comment << '\n';
}

void Disassembler::closeBlocks(uint32_t word) {
  while (!open.empty() && word >= open.back()) {
    open.pop_back();
    os << std::string(2 * open.size(), ' ') << "}\n";
  }
}

std::string Disassembler::textOf(const PlacedInstruction &placed) const {
  const auto *call = std::get_if<Call>(&placed.instruction);
  if (!call)
    return print(placed.instruction) + (placed.bodyWords() ? " {" : "");
  auto callee = find_if(program.functions, [&](const Function &f) {
    return f.word == call->callee.word;
  });
  return "call callee=" + (callee == program.functions.end()
                               ? formatv("{0:x}", call->callee.word * 8).str()
                               : symbol(callee->name));
}

void Disassembler::printFunction(const Function &function,
                                 ArrayRef<PlacedInstruction> instructions) {
  sourceOperator.clear();
  os << '\n';
  printLine("func " + symbol(function.name) + " {",
            formatv("{0} words", function.words).str());
  open.push_back(function.word + function.words);
  for (const PlacedInstruction &placed : instructions) {
    closeBlocks(placed.word);
    bool changesOperator = false;
    if (const auto *mark = std::get_if<Mark>(&placed.instruction)) {
      sourceOperator = mark->op < program.operators.size()
                           ? program.operators[mark->op]
                           : std::string();
      changesOperator = true;
    }
    std::string comment = formatv("{0:x}", placed.word * 8);
    if ((changesOperator || placed.bodyWords()) && !sourceOperator.empty())
      comment += " " + sourceOperator;
    printLine(textOf(placed), comment);
    if (std::optional<uint32_t> words = placed.bodyWords())
      open.push_back(std::min(placed.end() + *words, open.back()));
  }
  closeBlocks(function.word + function.words);
  open.clear();
}

Error disassemble(const Program &program, raw_ostream &os) {
  std::vector<Finding> findings;
  DecodedText text(program, findings);
  if (!findings.empty())
    return makeError("instruction at {0:x}: {1}", findings.front().word * 8,
                     findings.front().message);
  printManifest(os, program);
  Disassembler disassembler(program, os);
  for (size_t i = 0; i < program.functions.size(); ++i)
    disassembler.printFunction(program.functions[i], text.function(i));
  return Error::success();
}

} // namespace serrano::isa
