//===- TargetFiles.cpp - where targets are found --------------------------===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TargetJson.h"
#include "serrano/Support/Error.h"
#include "serrano/Support/MappedFile.h"
#include "serrano/Target/TargetModel.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Process.h"
#include <set>

using namespace llvm;
using nlohmann::json;

namespace serrano {

static constexpr StringLiteral environmentVariable = "SERRANO_TARGETS";
static constexpr StringLiteral variantKey = "variant_of";

/// The folders that can hold the bundled targets, in the order of search.
static std::vector<std::string> targetFolders() {
  auto folder = sys::Process::GetEnv(environmentVariable);
  if (folder && !folder->empty())
    return {*folder};
  // On Linux this is the executable's path whatever the first argument is.
  SmallString<128> installed(sys::fs::getMainExecutable(
      "serrano", reinterpret_cast<void *>(&targetFolders)));
  sys::path::remove_filename(installed);
  sys::path::remove_filename(installed);
  sys::path::append(installed, "share", "serrano", "targets");
  return {installed.str().str(), SERRANO_TARGETS_DIR};
}

std::vector<std::string> TargetModel::bundledNames() {
  std::set<std::string> names;
  for (const std::string &folder : targetFolders()) {
    std::error_code code;
    for (sys::fs::directory_iterator it(folder, code), end; it != end && !code;
         it.increment(code))
      if (sys::path::extension(it->path()) == ".json")
        names.insert(sys::path::stem(it->path()).str());
  }
  return {names.begin(), names.end()};
}

static Error makeUnknownTargetError(StringRef name) {
  std::vector<std::string> names = TargetModel::bundledNames();
  if (names.empty())
    return makeError("target '{0}': no target files in {1}; set {2} to the "
                     "folder that holds them",
                     name, join(targetFolders(), " or "), environmentVariable);
  return makeError("target '{0}': expected one of {1}, or a file that ends in "
                   ".json{2}",
                   name, join(names, ", "), suggestNearest(name, names));
}

static bool isFileName(StringRef nameOrFile) {
  return nameOrFile.contains('/') || nameOrFile.ends_with(".json");
}

/// The path of a bundled target's file, or an empty one.
static std::string findBundled(StringRef name) {
  for (const std::string &folder : targetFolders()) {
    SmallString<128> path(folder);
    sys::path::append(path, name + ".json");
    if (sys::fs::is_regular_file(path))
      return path.str().str();
  }
  return "";
}

static Expected<MappedFile> openTarget(StringRef path) {
  if (sys::fs::is_directory(path))
    return makeError("{0}: expected a target file, found a folder", path);
  return MappedFile::open(path);
}

Expected<TargetModel> TargetModel::load(StringRef nameOrFile) {
  std::string path =
      isFileName(nameOrFile) ? nameOrFile.str() : findBundled(nameOrFile);
  if (path.empty())
    return makeUnknownTargetError(nameOrFile);
  Expected<MappedFile> file = openTarget(path);
  if (!file)
    return file.takeError();
  return fromJson(toStringRef(file->bytes()), path);
}

//===----------------------------------------------------------------------===//
// Variants
//===----------------------------------------------------------------------===//

/// Puts the values of `changes` in place of those of `base`, key by key.
static void overlay(json &base, const json &changes) {
  for (const auto &[key, value] : changes.items()) {
    if (value.is_object() && base.contains(key) && base[key].is_object())
      overlay(base[key], value);
    else
      base[key] = value;
  }
}

Error resolveVariant(json &root, StringRef source) {
  if (!root.is_object() || !root.contains(variantKey))
    return Error::success();
  json nameValue = root[variantKey];
  TargetProblems problems(source);
  std::string path;
  if (nameValue.is_string() && !isFileName(nameValue.get<std::string>()))
    path = findBundled(nameValue.get<std::string>());
  if (path.empty()) {
    problems.add(variantKey, "expected the name of a bundled target (" +
                                 join(TargetModel::bundledNames(), ", ") +
                                 "), found " + describeJson(nameValue) +
                                 "; name one of these");
    return problems.takeError();
  }

  Expected<MappedFile> file = openTarget(path);
  if (!file)
    return file.takeError();
  Expected<json> base = parseJson(toStringRef(file->bytes()), path);
  if (!base)
    return base.takeError();
  if (!base->is_object() || base->contains(variantKey)) {
    problems.add(variantKey, "expected a target that is not a variant itself, "
                             "found " +
                                 describeJson(nameValue) +
                                 "; name the target that it is a variant of");
    return problems.takeError();
  }

  root.erase(variantKey);
  // What is inherited is not enough: the note has to cover what is new, and a
  // result must not be taken for one of the base.
  for (StringRef key : {"name", "description"})
    if (!root.contains(key))
      problems.add(key, "expected a text of the variant's own, found nothing; "
                        "add the key");
  for (const auto &[key, value] : root.items())
    if (value.is_object() && !value.contains("provenance"))
      problems.add(key + ".provenance",
                   "expected a text that covers the numbers of this variant, "
                   "found nothing; add the key to '" +
                       key + "'");
  if (!problems.empty())
    return problems.takeError();
  overlay(*base, root);
  root = std::move(*base);
  return Error::success();
}

} // namespace serrano
