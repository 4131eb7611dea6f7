//===- Verify.cpp - checks of a program's form ------------------*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "serrano/Isa/Verify.h"
#include "ControlFlow.h"
#include "DecodedText.h"
#include "serrano/Isa/Assembly.h"
#include "serrano/Isa/Codec.h"
#include "serrano/Support/Error.h"
#include "serrano/Target/TargetModel.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include <map>
#include <tuple>
#include <utility>

using namespace llvm;

namespace serrano::isa {

/// Counters below this one are local; the others are incremented by other
/// cores.
static constexpr unsigned firstInboundCounter = 64;

namespace {

/// Collects the uses of counters, rings and operators of all instructions.
class ResourceChecks {
public:
  ResourceChecks(const Program &program, const TargetModel *target,
                 std::vector<Finding> &findings)
      : program(program), target(target), findings(findings) {}

  void check(const DecodedText &text) {
    for (size_t f = 0; f < program.functions.size(); ++f)
      for (const PlacedInstruction &placed : text.function(f))
        visit(placed);
    for (auto [counter, word] : firstWaits)
      if (counter < firstInboundCounter && !signals.count(counter))
        report(word, formatv("waits for c{0}, which nothing signals; give the "
                             "instruction to wait for signal=c{0}",
                             counter));
  }

private:
  struct Signalled {
    std::string queue;
    uint32_t word;
  };

  template <typename Text>
  void report(uint32_t word, const Text &message) {
    findings.push_back({word, std::nullopt, std::string(message)});
  }

  void visit(const PlacedInstruction &placed) {
    std::visit(
        [&](const auto &i) {
          using T = std::remove_cvref_t<decltype(i)>;
          std::string queue(stringify(T::queue));
          if constexpr (requires { i.ring; }) {
            checkRing(placed.word, i.ring);
            queue += " " + std::to_string(i.ring);
          }
          if constexpr (std::is_same_v<T, Mark>)
            checkOperator(placed.word, i.op);
          i.visit(i, [&](FieldInfo, const auto &field) {
            using Field = std::remove_cvref_t<decltype(field)>;
            if constexpr (std::is_same_v<Field, Wait>)
              addWait(placed.word, field);
            else if constexpr (std::is_same_v<Field, Signal>)
              addSignal(placed.word, field, queue);
            else if constexpr (std::is_same_v<Field, Tile>)
              checkRing(placed.word, field.ring);
          });
        },
        placed.instruction);
  }

  void addWait(uint32_t word, const Wait &wait) {
    if (!wait.valid)
      return;
    firstWaits.try_emplace(wait.counter, word);
    int64_t counters =
        target ? target->localCounters() + target->inboundCounters() : 512;
    if (std::cmp_greater_equal(wait.counter, counters))
      report(word, formatv("waits for c{0}; the target has {1} counters",
                           wait.counter, counters));
  }

  void addSignal(uint32_t word, const Signal &signal,
                 const std::string &queue) {
    if (!signal.valid)
      return;
    auto [it, isNew] =
        signals.try_emplace(signal.counter, Signalled{queue, word});
    if (!isNew && it->second.queue != queue)
      report(word, formatv("the queue {0} signals c{1}, which the queue {2} "
                           "signals at {3:x}; take a counter for each queue",
                           queue, signal.counter, it->second.queue,
                           it->second.word * 8));
    if (target && signal.counter >= target->localCounters())
      report(word, formatv("signals c{0}; the target has {1} local counters",
                           signal.counter, target->localCounters()));
  }

  void checkRing(uint32_t word, unsigned ring) {
    if (target && ring >= target->rings())
      report(word, formatv("uses ring {0}; the target has {1} rings", ring,
                           target->rings()));
  }

  void checkOperator(uint32_t word, unsigned op) {
    if (op >= program.operators.size() ||
        (op > 0 && program.operators[op].empty()))
      report(word, formatv("names operator {0}, which the program does not "
                           "list; add .op {0}, \"name\"",
                           op));
  }

  const Program &program;
  const TargetModel *target;
  std::vector<Finding> &findings;
  std::map<unsigned, Signalled> signals;
  std::map<unsigned, uint32_t> firstWaits;
};

} // namespace

/// What `entry` says about places in memory.
static void checkEntry(const Program &program, size_t index,
                       const TargetModel *target,
                       std::vector<Finding> &findings) {
  const Entry &entry = program.entries[index];
  auto report = [&](const Twine &message) {
    findings.push_back({0, index, message.str()});
  };
  if (!program.findFunction(entry.function)) {
    report("entry '" + entry.name + "' has no function '" + entry.function +
           "'");
    return;
  }
  auto checkPlace = [&](const std::string &name, bool isInScalarMemory,
                        uint64_t address) {
    uint64_t size = program.hbmBytes;
    if (isInScalarMemory && !target)
      return;
    if (isInScalarMemory)
      size = target->scalarMemoryBytes();
    if (address >= size)
      report(formatv("'{0}' of entry '{1}' is at {2}, outside the {3} bytes of "
                     "{4}",
                     name, entry.name, address, size,
                     isInScalarMemory ? "scalar memory"
                                      : "hbm that the program reserves"));
  };
  for (const Dimension &dimension : entry.dimensions)
    checkPlace(dimension.name, /*isInScalarMemory=*/true, dimension.smem);
  for (const auto *list : {&entry.inputs, &entry.outputs})
    for (const Operand &operand : *list)
      checkPlace(operand.name, operand.isInScalarMemory, operand.address);
}

/// Whether the tensors that can be looked at are complete where an instruction
/// is, and are of operators that exist.
static void checkTensors(const Program &program, const DecodedText &text,
                         std::vector<Finding> &findings) {
  llvm::DenseSet<uint32_t> starts;
  for (size_t i = 0; i < program.functions.size(); ++i)
    for (const PlacedInstruction &placed : text.function(i))
      starts.insert(placed.word);
  for (const SourceTensor &tensor : program.tensors) {
    auto report = [&](const Twine &message) {
      findings.push_back({tensor.word, std::nullopt,
                          "tensor '" + tensor.names.front() + message.str()});
    };
    if (!starts.contains(tensor.word))
      report("' is complete where no instruction starts");
    if (tensor.sourceOperator >= program.operators.size())
      report(formatv("' is of operator {0}, which the program does not list",
                     tensor.sourceOperator)
                 .str());
  }
}

std::vector<Finding> verify(const Program &program, const TargetModel *target) {
  std::vector<Finding> findings;
  DecodedText text(program, findings);
  checkControlFlow(program, text, findings);
  ResourceChecks(program, target, findings).check(text);
  for (size_t i = 0; i < program.entries.size(); ++i)
    checkEntry(program, i, target, findings);
  checkTensors(program, text, findings);
  if (target && std::cmp_greater(program.hbmBytes, target->memoryBytes()))
    findings.push_back(
        {0, std::nullopt,
         formatv("the program needs {0} bytes of hbm, {1} has {2}",
                 program.hbmBytes, target->name(), target->memoryBytes())});
  llvm::sort(findings, [](const Finding &a, const Finding &b) {
    return std::tie(a.word, a.message) < std::tie(b.word, b.message);
  });
  return findings;
}

/// "function 'f' at 0x40: `mx.mul ...`: " where they are known.
static std::string describePlace(const Program &program, uint32_t word) {
  std::string place;
  for (const Function &function : program.functions)
    if (word >= function.word && word < function.word + function.words)
      place = formatv("function '{0}', ", function.name);
  place += formatv("{0:x}: ", word * 8);
  Expected<Instruction> instruction =
      decode(ArrayRef(program.text).drop_front(word));
  if (instruction)
    return place + "`" + print(*instruction) + "`: ";
  consumeError(instruction.takeError());
  return place;
}

Error verifyOrError(const Program &program, const TargetModel *target) {
  std::string message;
  for (const Finding &finding : verify(program, target)) {
    if (!message.empty())
      message += '\n';
    if (!finding.entry && finding.word < program.text.size())
      message += describePlace(program, finding.word);
    message += finding.message;
  }
  if (message.empty())
    return Error::success();
  return createStringError(message);
}

} // namespace serrano::isa
