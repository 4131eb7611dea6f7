//===- ModifiedTarget.h - bundled targets with other values -----*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_TEST_UNIT_TARGET_MODIFIEDTARGET_H
#define SERRANO_TEST_UNIT_TARGET_MODIFIEDTARGET_H

#include "serrano/Target/TargetModel.h"
#include "gtest/gtest.h"
#include <nlohmann/json.hpp>
#include <string>

namespace serrano {

inline TargetModel loadTarget(llvm::StringRef nameOrFile) {
  llvm::Expected<TargetModel> target = TargetModel::load(nameOrFile);
  if (!target)
    throw std::runtime_error(toString(target.takeError()));
  return *target;
}

/// A bundled target's JSON with changes; a place is a JSON pointer such as
/// "/matrix/rows".
class ModifiedTarget {
public:
  explicit ModifiedTarget(llvm::StringRef name)
      : json(nlohmann::json::parse(loadTarget(name).toJson())) {}

  ModifiedTarget &set(const std::string &pointer, nlohmann::json value) {
    json[nlohmann::json::json_pointer(pointer)] = std::move(value);
    return *this;
  }
  ModifiedTarget &erase(const std::string &pointer) {
    nlohmann::json::json_pointer place(pointer);
    json[place.parent_pointer()].erase(place.back());
    return *this;
  }

  std::string text() const { return json.dump(); }

  TargetModel model() const {
    llvm::Expected<TargetModel> target = TargetModel::fromJson(text(), "chip");
    if (!target)
      throw std::runtime_error(toString(target.takeError()));
    return *target;
  }

  /// What reading it as "chip.json" complains about; nothing if it is fine.
  std::string problems() const {
    llvm::Expected<TargetModel> target =
        TargetModel::fromJson(text(), "chip.json");
    return target ? "" : toString(target.takeError());
  }

  nlohmann::json json;
};

} // namespace serrano

#endif // SERRANO_TEST_UNIT_TARGET_MODIFIEDTARGET_H
