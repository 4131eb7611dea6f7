//===- Remarks.cpp - where remarks of a compilation go --------------------===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Remarks.h"

#include "serrano/Support/Error.h"
#include "llvm/Remarks/RemarkSerializer.h"

using namespace mlir;
using namespace serrano;
using remark::detail::Remark;

namespace {

/// Prints a remark as one line, failures as what they say.
void print(const Remark &remark, const RemarkClient &client) {
  std::string text;
  llvm::raw_string_ostream os(text);
  bool isFailure = remark.getRemarkType() == llvm::remarks::Type::Failure;
  if (!isFailure)
    os << remark.getCombinedCategoryName() << ": " << remark.getRemarkName()
       << ": ";
  llvm::interleaveComma(remark.getArgs(), os, [&](const Remark::Arg &arg) {
    if (arg.key != "Remark")
      os << arg.key << " = ";
    os << arg.val;
  });
  client.print(remark.getLocation(), text);
}

class Terminal : public remark::detail::MLIRRemarkStreamerBase {
public:
  explicit Terminal(RemarkClient client) : client(std::move(client)) {}

  void streamOptimizationRemark(const Remark &remark) override {
    print(remark, client);
  }

private:
  RemarkClient client;
};

class Yaml : public remark::detail::MLIRRemarkStreamerBase {
public:
  Yaml(std::unique_ptr<llvm::remarks::RemarkSerializer> serializer,
       RemarkClient client)
      : serializer(std::move(serializer)), client(std::move(client)) {}

  void streamOptimizationRemark(const Remark &remark) override {
    if (remark.getRemarkType() == llvm::remarks::Type::Failure)
      print(remark, client);
    // The file of a model has no lines; its nodes have names.
    auto [name, type] = client.getNode(remark.getLocation());
    llvm::remarks::Remark entry = remark.generateRemark();
    entry.Loc.reset();
    SmallVector<llvm::remarks::Argument> arguments;
    for (auto &[key, value] :
         {std::pair("Node", &name), std::pair("OpType", &type)})
      if (!value->empty()) {
        auto &argument = arguments.emplace_back();
        argument.Key = key;
        argument.Val = *value;
      }
    entry.Args.insert(entry.Args.begin(), arguments.begin(), arguments.end());
    serializer->emit(entry);
  }

private:
  std::unique_ptr<llvm::remarks::RemarkSerializer> serializer;
  RemarkClient client;
};

} // namespace

llvm::Expected<RemarkSink> RemarkSink::open(MLIRContext &context,
                                            StringRef path, StringRef filter,
                                            RemarkClient client) {
  std::string problem;
  if (!llvm::Regex(filter).isValid(problem))
    return makeError("--remarks-filter is '{0}', which is no regular "
                     "expression: {1}",
                     filter, problem);
  RemarkSink sink;
  std::unique_ptr<remark::detail::MLIRRemarkStreamerBase> streamer;
  if (path == "-") {
    streamer = std::make_unique<Terminal>(std::move(client));
  } else {
    llvm::Expected<AtomicFile> file = AtomicFile::create(path);
    if (!file)
      return file.takeError();
    sink.file = std::make_unique<AtomicFile>(std::move(*file));
    auto serializer = llvm::remarks::createRemarkSerializer(
        llvm::remarks::Format::YAML, sink.file->stream());
    if (!serializer)
      return serializer.takeError();
    streamer =
        std::make_unique<Yaml>(std::move(*serializer), std::move(client));
  }
  remark::RemarkCategories categories;
  // MLIR asks for a filter of each kind.
  categories.passed = categories.missed = categories.analysis =
      categories.failed = filter.str();
  if (failed(remark::enableOptimizationRemarks(
          context, std::move(streamer),
          std::make_unique<remark::RemarkEmittingPolicyAll>(), categories)))
    return makeError("{0}: remarks cannot be written", path);
  return sink;
}

llvm::Error RemarkSink::commit() {
  return file ? file->commit() : llvm::Error::success();
}
