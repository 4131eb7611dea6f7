//===- ProgramWriter.cpp - writes a compiled program ------------*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "serrano/Isa/ProgramWriter.h"
#include "ProgramFormat.h"
#include "serrano/Support/Error.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"
#include <cstring>
#include <nlohmann/json.hpp>
#include <tuple>

using namespace llvm;
using nlohmann::json;

namespace serrano::isa {

Expected<ProgramWriter> ProgramWriter::create(StringRef path) {
  Expected<AtomicFile> file = AtomicFile::create(path);
  if (!file)
    return file.takeError();
  return ProgramWriter(std::move(*file));
}

Expected<size_t> ProgramWriter::addWeights(StringRef name, uint64_t address,
                                           uint64_t bytes) {
  if (address % programPageBytes)
    return makeError("{0}: weights '{1}' are at hbm address {2:x}, which is "
                     "not a multiple of {3}",
                     file.path(), name, address, programPageBytes);
  if (bytes == 0)
    return makeError("{0}: weights '{1}' are empty", file.path(), name);
  uint64_t offset =
      alignTo(std::max<uint64_t>(end, sizeof(ElfHeader)), programPageBytes);
  Weights &added = weights.emplace_back();
  added.section = {name.str(), address, bytes, bytes, offset};
  end = offset + added.section.paddedSize();
  if (Error error = file.resize(end))
    return std::move(error);
  added.checksums.resize(
      divideCeil(added.section.paddedSize(), weightPieceBytes));
  added.written =
      std::make_unique<std::atomic<uint64_t>[]>(added.checksums.size());
  return weights.size() - 1;
}

/// The bytes of a section that are in the piece `index`, without the padding.
static uint64_t bytesOfPiece(const Section &section, size_t index) {
  return std::min(weightPieceBytes,
                  section.fileSize - index * weightPieceBytes);
}

Error ProgramWriter::computeChecksum(Weights &of, size_t index) {
  uint64_t offset = index * weightPieceBytes;
  uint64_t size = std::min(weightPieceBytes, of.section.paddedSize() - offset);
  std::unique_ptr<uint8_t[]> bytes(new uint8_t[size]);
  MutableArrayRef piece(bytes.get(), size);
  if (Error error = file.readAt(of.section.fileOffset + offset, piece))
    return error;
  of.checksums[index] = weightChecksum(piece);
  return Error::success();
}

Error ProgramWriter::write(size_t section, uint64_t offset,
                           ArrayRef<uint8_t> bytes) {
  Weights &to = weights[section];
  const Section &target = to.section;
  if (offset > target.fileSize || bytes.size() > target.fileSize - offset)
    return makeError("{0}: bytes {1} to {2} of weights '{3}', which have {4}",
                     file.path(), offset, offset + bytes.size(), target.name,
                     target.fileSize);
  if (Error error = file.writeAt(target.fileOffset + offset, bytes))
    return error;
  for (uint64_t end = offset + bytes.size(); offset < end;) {
    size_t index = offset / weightPieceBytes;
    uint64_t next = std::min(end, (index + 1) * weightPieceBytes);
    uint64_t added = next - offset, before = to.written[index].fetch_add(added);
    if (before + added == bytesOfPiece(target, index))
      if (Error error = computeChecksum(to, index))
        return error;
    offset = next;
  }
  return Error::success();
}

Error ProgramWriter::completeChecksums() {
  // Holes as large as whole pieces are not read: of weights that are left out
  // there may be more than the host could read in minutes.
  uint64_t ofHole =
      weightChecksum(SmallVector<uint8_t>(weightPieceBytes, 0));
  for (Weights &each : weights)
    for (size_t i = 0; i < each.checksums.size(); ++i) {
      uint64_t bytes = bytesOfPiece(each.section, i);
      if (each.written[i] == 0 && bytes == weightPieceBytes)
        each.checksums[i] = ofHole;
      else if (each.written[i] != bytes)
        if (Error error = computeChecksum(each, i))
          return error;
    }
  return Error::success();
}

template <typename T>
static ArrayRef<uint8_t> bytesOf(const T &value) {
  return {reinterpret_cast<const uint8_t *>(&value), sizeof(value)};
}

namespace {

/// The file but the contents of its weights, built in memory.
class Tail {
public:
  /// `start`: where in the file it will lie.
  explicit Tail(uint64_t start) : start(start) {
    addName("");
    sections.emplace_back();
    std::memset(&sections.back(), 0, sizeof(ElfSection));
  }

  /// Appends a section with `contents` to the file and gives its number.
  size_t addContents(StringRef name, unsigned type, unsigned flags,
                     ArrayRef<uint8_t> contents) {
    bytes.resize(alignTo(start + bytes.size(), 8) - start);
    uint64_t offset = start + bytes.size();
    bytes.append(contents.begin(), contents.end());
    return addHeader(name, type, flags, /*address=*/0, offset, contents.size(),
                     /*alignment=*/8);
  }

  size_t addHeader(StringRef name, unsigned type, unsigned flags,
                   uint64_t address, uint64_t offset, uint64_t size,
                   uint64_t alignment) {
    ElfSection &section = sections.emplace_back();
    std::memset(&section, 0, sizeof(section));
    section.sh_name = addName(name);
    section.sh_type = type;
    section.sh_flags = flags;
    section.sh_addr = address;
    section.sh_offset = offset;
    section.sh_size = size;
    section.sh_addralign = alignment;
    return sections.size() - 1;
  }

  void addSymbols(const Program &program, size_t text);

  /// Adds what comes last and writes all of it.
  Error finish(AtomicFile &file);

  SmallVector<ElfSection> sections;

private:
  uint32_t addName(StringRef name) {
    uint32_t offset = names.size();
    names += name;
    names += '\0';
    return offset;
  }
  ArrayRef<uint8_t> contentsOf(const ElfSection &section) const {
    return ArrayRef<uint8_t>(bytes).slice(section.sh_offset - start,
                                          section.sh_size);
  }

  uint64_t start;
  SmallVector<uint8_t> bytes;
  std::string names;
};

} // namespace

void Tail::addSymbols(const Program &program, size_t text) {
  std::string strings(1, '\0');
  SmallVector<ElfSymbol> symbols(1 + program.functions.size());
  std::memset(symbols.data(), 0, symbols.size() * sizeof(ElfSymbol));
  for (auto [symbol, function] :
       llvm::zip(drop_begin(symbols), program.functions)) {
    symbol.st_name = strings.size();
    strings += function.name;
    strings += '\0';
    symbol.setBindingAndType(ELF::STB_GLOBAL, ELF::STT_FUNC);
    symbol.st_shndx = text;
    symbol.st_value = uint64_t(function.word) * 8;
    symbol.st_size = uint64_t(function.words) * 8;
  }
  size_t table = addContents(".symtab", ELF::SHT_SYMTAB, 0,
                             {reinterpret_cast<const uint8_t *>(symbols.data()),
                              symbols.size() * sizeof(ElfSymbol)});
  size_t stringTable = addContents(".strtab", ELF::SHT_STRTAB, 0,
                                   arrayRefFromStringRef(strings));
  sections[table].sh_link = stringTable;
  sections[table].sh_info = 1; // The first global symbol.
  sections[table].sh_entsize = sizeof(ElfSymbol);
}

Error Tail::finish(AtomicFile &file) {
  size_t checksum = addContents(checksumSection, ELF::SHT_PROGBITS, 0,
                                SmallVector<uint8_t>(checksumBytes, 0));
  // The table's own name is in it, so it gets its contents last.
  size_t nameTable = addHeader(".shstrtab", ELF::SHT_STRTAB, 0, 0,
                               start + bytes.size(), names.size(), 1);
  sections[nameTable].sh_size = names.size();
  bytes.append(names.begin(), names.end());
  bytes.resize(alignTo(start + bytes.size(), 8) - start);
  uint64_t table = start + bytes.size();

  ElfHeader header;
  std::memset(&header, 0, sizeof(header));
  std::memcpy(header.e_ident, ELF::ElfMagic, 4);
  header.e_ident[ELF::EI_CLASS] = ELF::ELFCLASS64;
  header.e_ident[ELF::EI_DATA] = ELF::ELFDATA2LSB;
  header.e_ident[ELF::EI_VERSION] = ELF::EV_CURRENT;
  header.e_ident[ELF::EI_OSABI] = elfOsAbi;
  header.e_ident[ELF::EI_ABIVERSION] = programFormat;
  header.e_type = ELF::ET_EXEC;
  header.e_machine = elfMachine;
  header.e_version = ELF::EV_CURRENT;
  header.e_ehsize = sizeof(ElfHeader);
  header.e_shoff = table;
  header.e_shentsize = sizeof(ElfSection);
  header.e_shnum = sections.size();
  header.e_shstrndx = nameTable;

  ArrayRef<uint8_t> tableBytes(
      reinterpret_cast<const uint8_t *>(sections.data()),
      sections.size() * sizeof(ElfSection));
  Checksum sum;
  sum.add(bytesOf(header));
  for (auto [i, section] : enumerate(sections))
    if (section.sh_offset >= start && section.sh_type != ELF::SHT_NOBITS &&
        i != checksum)
      sum.add(contentsOf(section));
  sum.add(tableBytes);
  support::ulittle64_t value(sum.value());
  std::memcpy(bytes.data() + (sections[checksum].sh_offset - start), &value,
              checksumBytes);

  bytes.append(tableBytes.begin(), tableBytes.end());
  if (Error error = file.writeAt(0, bytesOf(header)))
    return error;
  if (Error error = file.writeAt(start, bytes))
    return error;
  return file.commit();
}

/// The manifest as text, or an error if a name in it is no valid UTF-8.
static Expected<std::string>
dumpManifest(const Program &program, StringRef targetJson, const json &report) {
  try {
    json manifest = manifestOf(program);
    manifest["format"] = programFormat;
    manifest["isa"] = isaHashText();
    manifest["target"] = json::parse(targetJson.begin(), targetJson.end());
    manifest["report"] = report;
    return manifest.dump(/*indent=*/1);
  } catch (const json::exception &exception) {
    return makeError("cannot write the manifest: {0}", exception.what());
  }
}

Error ProgramWriter::finish(const Program &program, StringRef targetJson,
                            const json &report) {
  Program complete = program;
  if (Error error = completeChecksums())
    return error;
  std::vector<Section> ranges;
  std::vector<support::ulittle64_t> checksums;
  for (const Weights &each : weights) {
    ranges.push_back(each.section);
    llvm::append_range(checksums, each.checksums);
  }
  for (const ZeroRange &range : program.zeroes)
    ranges.push_back({range.name, range.address, range.bytes});
  for (const Section &section : ranges)
    complete.hbmBytes =
        std::max(complete.hbmBytes, section.address + section.memorySize);
  if (Error error = sortByAddress(ranges))
    return addContext(std::move(error), file.path());
  // In an order that does not depend on the source's.
  llvm::sort(complete.zeroes, [](const ZeroRange &a, const ZeroRange &b) {
    return std::tie(a.address, a.name) < std::tie(b.address, b.name);
  });
  Expected<std::string> manifest = dumpManifest(complete, targetJson, report);
  if (!manifest)
    return addContext(manifest.takeError(), file.path());

  Tail tail(alignTo(std::max<uint64_t>(end, sizeof(ElfHeader)), 8));
  SmallVector<support::ulittle64_t> words(program.text.begin(),
                                          program.text.end());
  size_t text = tail.addContents(
      textSection, ELF::SHT_PROGBITS, ELF::SHF_ALLOC | ELF::SHF_EXECINSTR,
      {reinterpret_cast<const uint8_t *>(words.data()),
       words.size() * sizeof(uint64_t)});
  for (const Weights &each : weights)
    tail.addHeader((weightsPrefix + each.section.name).str(), ELF::SHT_PROGBITS,
                   ELF::SHF_ALLOC, each.section.address,
                   each.section.fileOffset, each.section.fileSize,
                   programPageBytes);
  for (const ZeroRange &range : complete.zeroes)
    tail.addHeader((zeroPrefix + range.name).str(), ELF::SHT_NOBITS,
                   ELF::SHF_ALLOC | ELF::SHF_WRITE, range.address,
                   /*offset=*/0, range.bytes, /*alignment=*/1);
  tail.addContents(weightChecksumsSection, ELF::SHT_PROGBITS, 0,
                   {reinterpret_cast<const uint8_t *>(checksums.data()),
                    checksums.size() * sizeof(uint64_t)});
  tail.addContents(manifestSection, ELF::SHT_PROGBITS, 0,
                   arrayRefFromStringRef(*manifest));
  tail.addSymbols(program, text);
  if (tail.sections.size() + 2 >= ELF::SHN_LORESERVE)
    return makeError("{0}: {1} sections are more than the file can have; join "
                     "some",
                     file.path(), tail.sections.size());
  return tail.finish(file);
}

Error ProgramWriter::finish(const Program &program, StringRef targetJson) {
  return finish(program, targetJson, json::object());
}

} // namespace serrano::isa
