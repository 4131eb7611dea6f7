//===- Encode.cpp - a module of isa to a program ----------------*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/Isa/Encode.h"
#include "EntryAttributes.h"
#include "dialects/Isa/Isa.h"
#include "serrano/Isa/Codec.h"
#include "serrano/Isa/Verify.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/TypeSwitch.h"
#include <nlohmann/json.hpp>

using namespace mlir;

namespace serrano::isa::ir {

static nlohmann::json toJson(Attribute attribute) {
  return llvm::TypeSwitch<Attribute, nlohmann::json>(attribute)
      .Case([](StringAttr text) { return text.getValue().str(); })
      .Case([](IntegerAttr number) -> nlohmann::json {
        int64_t value = number.getInt();
        return value < 0 ? nlohmann::json(value)
                         : nlohmann::json(static_cast<uint64_t>(value));
      })
      .Case([](ArrayAttr list) {
        nlohmann::json result = nlohmann::json::array();
        for (Attribute element : list)
          result.push_back(toJson(element));
        return result;
      })
      .Case([](DictionaryAttr dictionary) {
        nlohmann::json result = nlohmann::json::object();
        for (NamedAttribute element : dictionary)
          result[element.getName().str()] = toJson(element.getValue());
        return result;
      })
      .Default(nlohmann::json());
}

nlohmann::json entryToJson(EntryOp entry) {
  nlohmann::json result = {{"name", entry.getFunction().str()},
                           {"function", entry.getFunction().str()},
                           {"dims", toJson(entry.getDims())},
                           {"inputs", toJson(entry.getInputs())},
                           {"outputs", toJson(entry.getOutputs())}};
  if (entry.getLimits())
    result["limits"] = toJson(*entry.getLimits());
  if (entry.getCache())
    result["cache"] = toJson(*entry.getCache());
  return result;
}

nlohmann::json tensorToJson(ObserveOp observe) {
  nlohmann::json result = toJson(observe.getTensor());
  result["at"] = 0u; // The encoder knows where.
  return result;
}

namespace {

class ModuleEncoder {
public:
  explicit ModuleEncoder(ModuleOp module) : module(module) {}

  FailureOr<Program> run(const TargetModel *target);

private:
  LogicalResult encodeFunction(FunctionOp function);
  LogicalResult encodeBlock(Block &block);
  LogicalResult encodeInstruction(Operation *operation);
  LogicalResult store(Operation *operation, uint32_t word,
                      const Instruction &instruction);
  LogicalResult resolveCalls();
  LogicalResult addManifest();
  LogicalResult check(const TargetModel *target);

  ModuleOp module;
  Program program;
  std::vector<std::pair<uint32_t, Call>> calls;
  std::vector<EntryOp> entries;
  llvm::DenseMap<uint32_t, Operation *> operations;
};

} // namespace

LogicalResult ModuleEncoder::store(Operation *operation, uint32_t word,
                                   const Instruction &instruction) {
  llvm::SmallVector<uint64_t, 8> words;
  if (llvm::Error error = isa::encode(instruction, words))
    return operation->emitError(llvm::toString(std::move(error)));
  llvm::copy(words, program.text.begin() + word);
  return success();
}

LogicalResult ModuleEncoder::encodeInstruction(Operation *operation) {
  uint32_t word = program.text.size();
  Instruction instruction = toInstruction(operation);
  operations[word] = operation;
  program.text.resize(word + wordsOf(instruction));
  if (auto call = dyn_cast<Call>(operation)) {
    calls.emplace_back(word, call);
    return success();
  }
  return std::visit(
      [&](auto &i) -> LogicalResult {
        if constexpr (requires { i.body; }) {
          if (failed(encodeBlock(operation->getRegion(0).front())))
            return failure();
          i.body.words = program.text.size() - word - i.words;
        }
        return store(operation, word, i);
      },
      instruction);
}

LogicalResult ModuleEncoder::encodeBlock(Block &block) {
  for (Operation &operation : block) {
    if (auto observe = dyn_cast<ObserveOp>(operation)) {
      llvm::Expected<SourceTensor> tensor = readTensor(tensorToJson(observe));
      if (!tensor)
        return observe.emitOpError(llvm::toString(tensor.takeError()));
      tensor->word = program.text.size();
      program.tensors.push_back(std::move(*tensor));
      continue;
    }
    bool isInstruction = operation.getName().getDialectNamespace() == "isa" &&
                         !mlir::isa<FunctionOp, EntryOp, ZeroesOp>(operation);
    if (!isInstruction)
      return operation.emitError("is no instruction: lower it to isa before it "
                                 "is encoded");
    if (failed(encodeInstruction(&operation)))
      return failure();
  }
  return success();
}

LogicalResult ModuleEncoder::encodeFunction(FunctionOp function) {
  uint32_t word = program.text.size();
  if (failed(encodeBlock(function.getBody().front())))
    return failure();
  auto words = static_cast<uint32_t>(program.text.size() - word);
  if (words == 0)
    return function.emitOpError("is empty; end it with isa.ret or isa.halt");
  program.functions.push_back({function.getSymName().str(), word, words});
  return success();
}

LogicalResult ModuleEncoder::resolveCalls() {
  for (auto [word, call] : calls) {
    const Function *callee = program.findFunction(call.getCallee().str());
    if (!callee)
      return call.emitOpError() << "calls @" << call.getCallee()
                                << ", which is no isa.func of the module";
    if (failed(store(call, word, isa::Call{Callee{callee->word}})))
      return failure();
  }
  return success();
}

LogicalResult ModuleEncoder::addManifest() {
  if (auto names = module->getAttrOfType<ArrayAttr>(operatorsAttr))
    for (Attribute name : names) {
      auto text = dyn_cast<StringAttr>(name);
      if (!text)
        return module.emitError() << operatorsAttr << " holds what is no name";
      program.operators.push_back(text.str());
    }
  for (auto zeroes : module.getOps<ZeroesOp>()) {
    uint64_t address = zeroes.getAddress(), bytes = zeroes.getBytes();
    program.zeroes.push_back({zeroes.getName().str(), address, bytes});
    program.hbmBytes = std::max(program.hbmBytes, address + bytes);
  }
  for (auto entry : module.getOps<EntryOp>()) {
    llvm::Expected<Entry> read = readEntry(entryToJson(entry));
    if (!read)
      return entry.emitOpError(llvm::toString(read.takeError()));
    program.entries.push_back(std::move(*read));
    entries.push_back(entry);
  }
  return success();
}

LogicalResult ModuleEncoder::check(const TargetModel *target) {
  std::vector<Finding> findings = verify(program, target);
  for (const Finding &finding : findings) {
    Operation *operation = finding.entry ? entries[*finding.entry]
                                         : operations.lookup(finding.word);
    (operation ? operation : module)->emitError(finding.message);
  }
  return success(findings.empty());
}

FailureOr<Program> ModuleEncoder::run(const TargetModel *target) {
  for (auto function : module.getOps<FunctionOp>())
    if (failed(encodeFunction(function)))
      return failure();
  if (failed(resolveCalls()) || failed(addManifest()) || failed(check(target)))
    return failure();
  return std::move(program);
}

FailureOr<Program> encode(ModuleOp module, const TargetModel *target) {
  return ModuleEncoder(module).run(target);
}

} // namespace serrano::isa::ir
