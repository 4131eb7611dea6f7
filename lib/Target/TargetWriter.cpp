//===- TargetWriter.cpp - a target as JSON text ---------------------------===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TargetJson.h"
#include "TargetSchema.h"

using nlohmann::ordered_json;

namespace serrano {

namespace {

/// Keys come in the order of the schema, numbers in their shortest form.
class Writer {
public:
  void whole(const char *key, int64_t value, WholeRange, const char *) {
    object[key] = value;
  }
  void decimal(llvm::StringRef key, Ratio value, DecimalRange, const char *) {
    // Four decimals come back exactly: the quotient is the nearest double.
    if (value.isWhole())
      object[key.str()] = value.numerator();
    else
      object[key.str()] = value.toDouble();
  }
  void text(const char *key, const std::string &value, const char *) {
    object[key] = value;
  }
  void perFormat(const char *key, const PerFormat<Ratio> &values,
                 DecimalRange range, const char *meaning) {
    Writer writer;
    for (NumberFormat format : numberFormats)
      writer.decimal(formatName(format), values[format], range, meaning);
    object[key] = std::move(writer.object);
  }
  template <typename Group, typename Members>
  void group(const char *key, Group &group, Members members) {
    Writer writer;
    writer.object["provenance"] = group.provenance;
    members(writer, group);
    object[key] = std::move(writer.object);
  }
  template <typename Group, typename Members>
  void optionalGroup(const char *key, std::optional<Group> &value,
                     Members members, const char *) {
    if (value)
      group(key, *value, members);
    else
      object[key] = nullptr;
  }

  ordered_json object = ordered_json::object();
};

} // namespace

std::string writeTarget(const TargetNumbers &target) {
  Writer writer;
  // The schema gives out references for reading; writing uses a copy.
  TargetNumbers copy = target;
  visitTargetSchema(writer, copy);
  return writer.object.dump(2) + "\n";
}

} // namespace serrano
