//===- CommandDebugger.cpp - breaks and watches, for people ------------- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CommandDebugger.h"
#include "serrano/Runtime/Elements.h"
#include "serrano/Support/Error.h"
#include "serrano/Support/Message.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/raw_ostream.h"
#include <iostream>

using namespace serrano;
using namespace serrano::sim;

/// Bytes of an access that are shown.
static constexpr size_t bytesShown = 32;
static constexpr int64_t mostBytes = 1 << 16;

static const char help[] =
    "c, continue           go on\n"
    "s, step [N]           execute one instruction, or N\n"
    "i, info               where the run is\n"
    "x SPACE:ADDR+LEN [T]  bytes of spm, acc, smem or hbm; as f32, bf16, i32 ...\n"
    "t, tensors            the model's tensors that are complete here\n"
    "q, quit               end the run\n";

llvm::Error CommandDebugger::addBreak(llvm::StringRef place) {
  uint64_t address;
  if (!place.getAsInteger(0, address)) {
    if (address % 8 || !program.machine().isInstruction(address / 8))
      return makeError("--break: no instruction starts at {0}; "
                       "serrano-objdump shows where they do",
                       place);
    words.insert(uint32_t(address / 8));
    return llvm::Error::success();
  }
  llvm::Expected<NamePattern> name =
      NamePattern::parse(place, program, "--break");
  if (!name)
    return name.takeError();
  names.push_back(std::move(*name));
  return llvm::Error::success();
}

bool CommandDebugger::isBreak(const Site &site) const {
  if (words.contains(site.word))
    return true;
  bool entered = !started || site.op != last.op || site.layer != last.layer;
  for (const NamePattern &name : names) {
    if (entered &&
        name.matches(program.file().operators()[site.op], site.layer))
      return true;
    for (const SourceTensor &tensor : program.tensors()) {
      int64_t index = tensor.layer ? site.layer - tensor.layer : 0;
      if (tensor.word == site.word && index >= 0 &&
          index < int64_t(tensor.names.size()) &&
          name.matches(tensor.names[index], site.layer))
        return true;
    }
  }
  return false;
}

std::string CommandDebugger::nameOf(const Site &site) const {
  const std::vector<std::string> &operators = program.file().operators();
  if (site.op == 0 || site.op >= operators.size())
    return "";
  std::string layer =
      site.layer ? ", layer " + std::to_string(site.layer) : "";
  return " of operator '" + operators[site.op] + "'" + layer;
}

void CommandDebugger::printState(const Site &site) {
  llvm::raw_ostream &os = llvm::outs();
  MachineState state = program.machine().inspect();
  os << program.machine().describe(site.word) << nameOf(site) << '\n';
  if (state.cycle)
    os << "  cycle      " << *state.cycle << '\n';
  os << "  registers ";
  for (auto [i, value] : llvm::enumerate(state.registers))
    if (value)
      os << " r" << i << '=' << value;
  os << '\n';
  auto list = [&](const char *head, auto &&range, auto print) {
    if (range.empty())
      return;
    os << head;
    bool first = true;
    for (const auto &element : range) {
      os << (first ? " " : ", ");
      print(element);
      first = false;
    }
    os << '\n';
  };
  std::vector<MachineState::Queue> busy;
  llvm::copy_if(state.queues, std::back_inserter(busy),
                [](const MachineState::Queue &q) { return q.waiting > 0; });
  list("  queues    ", busy, [&](const MachineState::Queue &q) {
    os << q.name << ": " << q.waiting << " waiting from "
       << llvm::format_hex(uint64_t(q.head) * 8, 1);
  });
  list("  counters  ", state.counters, [&](const MachineState::Counter &c) {
    os << 'c' << c.number << " (" << c.queue << "): ";
    if (c.completed)
      os << *c.completed << " of ";
    os << c.dispatched;
  });
  list("  rings     ", state.rings, [&](const MachineState::Ring &r) {
    os << r.number << ": " << r.ordered << " ordered, " << r.filled
       << " filled, " << r.popped << " popped, " << r.slots << " slots";
  });
}

bool CommandDebugger::before(const Site &site) {
  bool here = isBreak(site);
  bool stepped = steps > 0 && --steps == 0;
  last = site;
  started = true;
  if (!here && !stepped)
    return true;
  if (here)
    llvm::outs() << "break " << ++hits << ": ";
  printState(site);
  bool go = !here || options.limit == 0 || hits < options.limit;
  if (go && options.interactive)
    go = obey(site);
  llvm::outs().flush();
  stopped = !go;
  return go;
}

static std::string hex(llvm::ArrayRef<uint8_t> bytes) {
  std::string text;
  for (uint8_t byte : bytes.take_front(bytesShown))
    text += llvm::formatv("{0}{1:x-2}", text.empty() ? "" : " ", byte);
  return text + (bytes.size() > bytesShown ? " ..." : "");
}

void CommandDebugger::accessed(const WatchedAccess &access) {
  llvm::StringRef memory = shortName(access.watch.memory);
  llvm::outs() << llvm::formatv(
      "watch {0}:{1:x}+{2}: {3} at {4:x} by {5}{6}: {7}", memory,
      access.watch.address, access.watch.bytes,
      access.write ? "written" : "read", access.address,
      program.machine().describe(access.site.word), nameOf(access.site),
      hex(access.before));
  if (access.write)
    llvm::outs() << (access.before == access.after
                         ? " (unchanged)"
                         : " -> " + hex(access.after));
  llvm::outs() << '\n';
}

/// The elements of `array`.
static std::string elements(const NpyArray &array) {
  std::string text;
  llvm::raw_string_ostream os(text);
  if (array.type == NpyType::f4)
    llvm::interleave(
        array.as<float>(), os,
        [&](float element) { os << llvm::format("%.7g", element); }, " ");
  else
    llvm::interleave(array.as<int32_t>(), os, " ");
  return text;
}

void CommandDebugger::printBytes(llvm::StringRef arguments) {
  auto [where, type] = arguments.split(' ');
  llvm::Expected<ByteRange> range = ByteRange::parse(where, "x");
  if (!range) {
    llvm::outs() << oneLineMessage(range.takeError()) << '\n';
    return;
  }
  std::optional<isa::DType> dtype = isa::parseEnum<isa::DType>(type.trim());
  if (!dtype && !type.trim().empty()) {
    llvm::outs() << "x: '" << type.trim() << "' is no element type\n";
    return;
  }
  std::vector<uint8_t> bytes(std::min(range->bytes, mostBytes));
  if (llvm::Error error =
          program.machine().read(range->memory, range->address, bytes)) {
    llvm::outs() << "x: " << oneLineMessage(std::move(error)) << '\n';
    return;
  }
  constexpr size_t perLine = 16;
  for (size_t i = 0; i < bytes.size(); i += perLine) {
    auto line = llvm::ArrayRef(bytes).slice(i).take_front(perLine);
    llvm::outs() << llvm::format_hex(uint64_t(range->address) + i, 10) << "  ";
    if (dtype) {
      size_t count = line.size() / size_t(isa::sizeOf(*dtype));
      NpyType npy =
          isa::isInteger(*dtype) ? NpyType::i4 : NpyType::f4;
      llvm::outs() << elements(
          fromDevice(line.take_front(count * isa::sizeOf(*dtype)), *dtype, npy,
                     {count}));
    } else {
      llvm::outs() << hex(line);
    }
    llvm::outs() << '\n';
  }
}

void CommandDebugger::printTensors(const Site &site) {
  bool any = false;
  for (const SourceTensor &tensor : program.tensors()) {
    int64_t index = tensor.layer ? site.layer - tensor.layer : 0;
    if (tensor.word != site.word || index < 0 ||
        index >= int64_t(tensor.names.size()))
      continue;
    any = true;
    llvm::outs() << llvm::formatv(
        "{0}: {1}, {2} at {3}:{4:x}\n", tensor.names[index],
        npyTypeName(tensor.operand.type),
        isa::stringify(tensor.operand.stored), tensor.inHbm ? "hbm" : "spm",
        tensor.operand.address);
  }
  if (!any)
    llvm::outs() << "no tensor of the model becomes complete here\n";
}

bool CommandDebugger::obey(const Site &site) {
  std::string line;
  while (true) {
    llvm::outs() << "(serrano-sim) ";
    llvm::outs().flush();
    if (!std::getline(std::cin, line))
      return false;
    auto [command, arguments] = llvm::StringRef(line).trim().split(' ');
    arguments = arguments.trim();
    if (command == "c" || command == "continue")
      return true;
    if (command == "q" || command == "quit")
      return false;
    if (command == "s" || command == "step") {
      if (arguments.empty())
        steps = 1;
      else if (arguments.getAsInteger(10, steps) || steps < 1) {
        steps = 0;
        llvm::outs() << "step: '" << arguments
                     << "' is no number of instructions\n";
        continue;
      }
      return true;
    }
    if (command == "i" || command == "info")
      printState(site);
    else if (command == "x")
      printBytes(arguments);
    else if (command == "t" || command == "tensors")
      printTensors(site);
    else
      llvm::outs() << help;
  }
}
