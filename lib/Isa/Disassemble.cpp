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
  if (!operand.below.empty())
    os << ", below=" << operand.below;
  os << '\n';
}

static void printManifest(raw_ostream &os, const Program &program,
                          ArrayRef<WeightRange> weights) {
  for (const WeightRange &range : weights)
    os << formatv("; weights {0}, {1}, at={2}\n", symbol(range.name),
                  range.bytes, range.address);
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
    for (const Limit &limit : entry.limits)
      os << formatv(".limit {0}, {1}, max={2}\n", limit.of, limit.size,
                    limit.max);
    if (entry.cache)
      os << formatv(".cache block={0}, blocks={1}, context={2}\n",
                    entry.cache->block, entry.cache->blocks,
                    entry.cache->context);
  }
}

namespace {

/// Prints the functions, following the source operator of the instructions.
class Disassembler {
public:
  Disassembler(const Program &program, ArrayRef<WeightRange> weights,
               raw_ostream &os)
      : program(program), weights(weights), os(os) {}

  void printFunction(const Function &function,
                     ArrayRef<PlacedInstruction> instructions);

private:
  /// `code` with a comment at the right.
  void printLine(StringRef code, const Twine &comment);
  void closeBlocks(uint32_t word);
  /// The tensors that are complete before the instruction at `word`.
  void printTensors(uint32_t word);
  std::string textOf(const PlacedInstruction &placed) const;
  /// "NAME" or "NAME+64", the place in HBM, or nothing if no range has it.
  std::string placeOf(HbmAddress address) const;
  /// The places in HBM of all addresses of the instruction.
  std::string placesOf(const Instruction &instruction) const;
  /// The name of operator `index`, or nothing if there is none.
  std::string nameOf(uint32_t index) const;
  /// The operator of the block that begins `instructions`: the one that is
  /// named before the first work of an engine.
  std::string operatorOfBlock(ArrayRef<PlacedInstruction> instructions,
                              uint32_t end) const;

  const Program &program;
  ArrayRef<WeightRange> weights;
  raw_ostream &os;
  /// The ends of the open blocks.
  SmallVector<uint32_t> open;
  std::string sourceOperator;
};

} // namespace

void Disassembler::printLine(StringRef code, const Twine &comment) {
  constexpr unsigned commentColumn = 72;
  std::string text = std::string(2 * open.size(), ' ') + code.str();
  os << left_justify(text, commentColumn) << " ; ";
  // A name can be anything; a comment ends with the line.
  for (char c : comment.str())
    if (c == '\n')
      os << "\\n";
    else
      os << c;
  os << '\n';
}

void Disassembler::closeBlocks(uint32_t word) {
  while (!open.empty() && word >= open.back()) {
    open.pop_back();
    os << std::string(2 * open.size(), ' ') << "}\n";
  }
}

void Disassembler::printTensors(uint32_t word) {
  for (const SourceTensor &tensor : program.tensors) {
    if (tensor.word != word)
      continue;
    os << std::string(2 * open.size(), ' ') << ".tensor "
       << (tensor.names.size() > 1 ? "[" : "")
       << join(map_range(tensor.names, symbol), ", ")
       << (tensor.names.size() > 1 ? "]" : "") << ", " << tensor.dtype << ", ["
       << join(tensor.shape, ", ") << "], "
       << (tensor.isInHbm ? "hbm=" : "spm=") << tensor.address;
    if (tensor.stored != tensor.dtype)
      os << ", stored=" << tensor.stored;
    if (tensor.sourceOperator)
      os << ", op=" << tensor.sourceOperator;
    if (tensor.layer)
      os << ", layer=" << tensor.layer;
    if (!tensor.extents.empty())
      os << ", extents=[" << join(tensor.extents, ", ") << "], strides=["
         << join(tensor.strides, ", ") << "]";
    os << '\n';
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

std::string Disassembler::placeOf(HbmAddress address) const {
  auto place = [&](StringRef name, uint64_t start, uint64_t bytes) {
    uint64_t distance = address.offset - start;
    if (distance >= bytes)
      return std::string();
    return distance ? formatv("{0}+{1}", name, distance).str() : name.str();
  };
  for (const WeightRange &range : weights)
    if (std::string name = place(range.name, range.address, range.bytes);
        !name.empty())
      return name;
  for (const ZeroRange &range : program.zeroes)
    if (std::string name = place(range.name, range.address, range.bytes);
        !name.empty())
      return name;
  return {};
}

std::string Disassembler::placesOf(const Instruction &instruction) const {
  std::string places;
  std::visit(
      [&](const auto &i) {
        i.visit(i, [&](FieldInfo info, const auto &field) {
          if constexpr (std::is_same_v<std::remove_cvref_t<decltype(field)>,
                                       HbmAddress>)
            if (std::string place = placeOf(field); !place.empty())
              places += formatv(" {0}={1}", info.name, place).str();
        });
      },
      instruction);
  return places;
}

std::string Disassembler::nameOf(uint32_t index) const {
  return index < program.operators.size() ? program.operators[index] : "";
}

std::string
Disassembler::operatorOfBlock(ArrayRef<PlacedInstruction> instructions,
                              uint32_t end) const {
  for (const PlacedInstruction &placed : instructions) {
    if (placed.word >= end)
      break;
    if (const auto *mark = std::get_if<Mark>(&placed.instruction))
      return nameOf(mark->op);
    if (infoOf(placed.instruction).queue != Queue::Sequencer)
      break;
  }
  return sourceOperator;
}

void Disassembler::printFunction(const Function &function,
                                 ArrayRef<PlacedInstruction> instructions) {
  sourceOperator.clear();
  os << '\n';
  printLine("func " + symbol(function.name) + " {",
            formatv("{0} words", function.words).str());
  open.push_back(function.word + function.words);
  for (auto [i, placed] : enumerate(instructions)) {
    closeBlocks(placed.word);
    printTensors(placed.word);
    std::optional<uint32_t> words = placed.bodyWords();
    std::string beside;
    if (const auto *mark = std::get_if<Mark>(&placed.instruction))
      beside = sourceOperator = nameOf(mark->op);
    else if (words)
      beside = operatorOfBlock(instructions.drop_front(i + 1),
                               placed.end() + *words);
    std::string comment = formatv("{0:x}", placed.word * 8);
    if (!beside.empty())
      comment += " " + beside;
    printLine(textOf(placed), comment + placesOf(placed.instruction));
    if (words)
      open.push_back(std::min(placed.end() + *words, open.back()));
  }
  closeBlocks(function.word + function.words);
  open.clear();
}

Error disassemble(const Program &program, raw_ostream &os,
                  ArrayRef<WeightRange> weights) {
  std::vector<Finding> findings;
  DecodedText text(program, findings);
  if (!findings.empty())
    return makeError("instruction at {0:x}: {1}", findings.front().word * 8,
                     findings.front().message);
  printManifest(os, program, weights);
  Disassembler disassembler(program, weights, os);
  for (size_t i = 0; i < program.functions.size(); ++i)
    disassembler.printFunction(program.functions[i], text.function(i));
  return Error::success();
}

} // namespace serrano::isa
