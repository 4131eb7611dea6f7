//===- Places.cpp - operators, addresses and bytes by name -------------- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Places.h"
#include "serrano/Support/Error.h"
#include "serrano/Support/NearestName.h"

using namespace serrano;
using sim::Memory;

static const std::pair<llvm::StringRef, Memory> memories[] = {
    {"spm", Memory::Scratchpad},
    {"acc", Memory::Accumulators},
    {"smem", Memory::Scalar},
    {"hbm", Memory::Hbm}};

llvm::Expected<NamePattern> NamePattern::parse(llvm::StringRef text,
                                               const Program &program,
                                               llvm::StringRef option) {
  std::vector<llvm::StringRef> names;
  for (const std::string &name :
       llvm::drop_begin(program.file().operators()))
    names.push_back(name);
  for (const SourceTensor &tensor : program.tensors())
    names.insert(names.end(), tensor.names.begin(), tensor.names.end());
  NamePattern result;
  llvm::StringRef name = text;
  auto [before, after] = text.rsplit('@');
  if (!llvm::is_contained(names, text) && !after.getAsInteger(10, result.layer))
    name = before;
  result.exact = name.str();
  if (llvm::is_contained(names, name))
    return result;
  if (name.find_first_of("*?") != llvm::StringRef::npos) {
    // Brackets are as common in names as stars are not.
    std::string escaped;
    for (char c : name) {
      if (llvm::StringRef("[]{}\\").contains(c))
        escaped += '\\';
      escaped += c;
    }
    result.glob = std::make_shared<const std::string>(std::move(escaped));
    llvm::Expected<llvm::GlobPattern> pattern =
        llvm::GlobPattern::create(*result.glob);
    if (!pattern)
      return addContext(pattern.takeError(), option);
    result.pattern = std::move(*pattern);
    if (llvm::any_of(names, [&](llvm::StringRef n) {
          return result.pattern->match(n);
        }))
      return result;
  }
  return makeError("{0}: the program has no operator or tensor '{1}'{2}",
                   option, name, didYouMean(name, names));
}

llvm::StringRef serrano::shortName(Memory memory) {
  for (auto [name, known] : memories)
    if (known == memory)
      return name;
  return "";
}

llvm::Expected<ByteRange> ByteRange::parse(llvm::StringRef text,
                                           llvm::StringRef option) {
  auto [space, range] = text.split(':');
  auto [address, bytes] = range.split('+');
  ByteRange result;
  const auto *memory = llvm::find_if(
      memories, [&](const auto &known) { return known.first == space; });
  constexpr int64_t most = int64_t(1) << 48;
  if (memory == std::end(memories) || address.getAsInteger(0, result.address) ||
      bytes.getAsInteger(0, result.bytes) || result.address < 0 ||
      result.bytes < 1 || result.address > most || result.bytes > most)
    return makeError("{0}: '{1}' names no bytes; expected spm, acc, smem or "
                     "hbm, an address and how many, as in spm:0x100+64",
                     option, text);
  result.memory = memory->second;
  return result;
}

llvm::Expected<sim::Watch> serrano::parseWatch(llvm::StringRef text) {
  auto [range, kind] = text.rsplit(':');
  bool given = kind == "r" || kind == "w" || kind == "rw";
  llvm::Expected<ByteRange> bytes =
      ByteRange::parse(given ? range : text, "--watch");
  if (!bytes)
    return bytes.takeError();
  return sim::Watch{bytes->memory, bytes->address, bytes->bytes,
                    given && kind.contains('r'), !given || kind.contains('w')};
}
