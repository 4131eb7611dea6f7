//===- ProgramFile.cpp - reads a compiled program ---------------*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "serrano/Isa/ProgramFile.h"
#include "ProgramFormat.h"
#include "serrano/Support/Error.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Object/ELF.h"
#include <cstring>
#include <nlohmann/json.hpp>
#include <tuple>

using namespace llvm;

namespace serrano::isa {

static constexpr const char *damaged =
    "the file is damaged; copy it again or compile the model again";

static Error checkFormat(unsigned format) {
  if (format > programFormat)
    return makeError("written by a newer serrano (format {0}, this one reads "
                     "{1}): recompile the model or upgrade",
                     format, programFormat);
  if (format < programFormat)
    return makeError("written by an older serrano (format {0}, this one reads "
                     "{1}): compile the model again",
                     format, programFormat);
  return Error::success();
}

uint64_t weightChecksum(ArrayRef<uint8_t> piece) { return xxh3_64bits(piece); }

namespace {

/// The ELF file around a program, its sections by name.
class ElfReader {
public:
  explicit ElfReader(const MappedFile &file) : file(file) {}

  Error read();

  /// The contents of the section `name`.
  Expected<ArrayRef<uint8_t>> contents(StringRef name) const;

  /// Ranges of HBM, by address.
  Expected<std::vector<Section>> hbmSections() const;

private:
  struct NamedSection {
    StringRef name;
    ElfSection header;

    bool isIn(unsigned flags) const {
      return (header.sh_flags & flags) == flags;
    }
    bool isText() const { return isIn(ELF::SHF_EXECINSTR); }
    bool isHbm() const { return isIn(ELF::SHF_ALLOC) && !isText(); }
    bool isWeights() const {
      return isHbm() && header.sh_type == ELF::SHT_PROGBITS;
    }
    bool hasContents() const {
      return header.sh_type != ELF::SHT_NULL &&
             header.sh_type != ELF::SHT_NOBITS;
    }
  };

  Error checkHeader() const;
  Error readSections();
  Error checkSum() const;

  const MappedFile &file;
  std::vector<NamedSection> sections;
};

} // namespace

Error ElfReader::checkHeader() const {
  ArrayRef<uint8_t> bytes = file.bytes();
  if (bytes.size() < 4 || std::memcmp(bytes.data(), ELF::ElfMagic, 4) != 0)
    return makeError("not a program file: it does not start as an ELF file "
                     "does");
  if (bytes.size() < sizeof(ElfHeader))
    return makeError("{0} bytes are too short for a program file; {1}",
                     bytes.size(), damaged);
  ElfHeader header;
  std::memcpy(&header, bytes.data(), sizeof(header));
  if (header.getFileClass() != ELF::ELFCLASS64 ||
      header.getDataEncoding() != ELF::ELFDATA2LSB ||
      header.e_ident[ELF::EI_OSABI] != elfOsAbi ||
      header.e_machine != elfMachine || header.e_type != ELF::ET_EXEC)
    return makeError("an ELF file, but not a Serrano program");
  unsigned format = header.e_ident[ELF::EI_ABIVERSION];
  if (Error error = checkFormat(format))
    return error;
  if (header.e_shentsize != sizeof(ElfSection))
    return makeError("the ELF header is not that of a program; {0}", damaged);
  return Error::success();
}

Error ElfReader::readSections() {
  StringRef bytes(reinterpret_cast<const char *>(file.bytes().data()),
                  file.size());
  Expected<object::ELFFile<object::ELF64LE>> elf =
      object::ELFFile<object::ELF64LE>::create(bytes);
  if (!elf)
    return elf.takeError();
  Expected<ArrayRef<ElfSection>> table = elf->sections();
  if (!table)
    return table.takeError();
  for (const ElfSection &section : *table) {
    Expected<StringRef> name = elf->getSectionName(section);
    if (!name)
      return name.takeError();
    sections.push_back({*name, section});
    uint64_t offset = section.sh_offset, size = section.sh_size;
    if (sections.back().hasContents() &&
        (offset > file.size() || size > file.size() - offset))
      return makeError("section '{0}' ends at byte {1} of {2}", *name,
                       offset + size, file.size());
  }
  return Error::success();
}

Error ElfReader::checkSum() const {
  ArrayRef<uint8_t> bytes = file.bytes();
  ElfHeader header;
  std::memcpy(&header, bytes.data(), sizeof(header));
  Checksum sum;
  sum.add(bytes.take_front(sizeof(ElfHeader)));
  for (const NamedSection &section : sections)
    if (section.hasContents() && !section.isWeights() &&
        section.name != checksumSection)
      sum.add(bytes.slice(section.header.sh_offset, section.header.sh_size));
  sum.add(bytes.slice(header.e_shoff, sections.size() * sizeof(ElfSection)));
  Expected<ArrayRef<uint8_t>> expected = contents(checksumSection);
  if (!expected)
    return expected.takeError();
  if (expected->size() != checksumBytes ||
      support::endian::read64le(expected->data()) != sum.value())
    return makeError("the checksum is wrong");
  return Error::success();
}

Error ElfReader::read() {
  if (Error error = checkHeader())
    return error;
  Error error = readSections();
  if (!error)
    error = checkSum();
  if (!error)
    return Error::success();
  return makeError("{0}; {1}", toString(std::move(error)), damaged);
}

Expected<ArrayRef<uint8_t>> ElfReader::contents(StringRef name) const {
  for (const NamedSection &section : sections)
    if (section.name == name && section.hasContents())
      return file.bytes().slice(section.header.sh_offset,
                                section.header.sh_size);
  return makeError("there is no section '{0}'", name);
}

Error sortByAddress(std::vector<Section> &sections) {
  llvm::sort(sections, [](const Section &a, const Section &b) {
    return std::tie(a.address, a.name) < std::tie(b.address, b.name);
  });
  for (size_t i = 1; i < sections.size(); ++i)
    if (sections[i - 1].address + sections[i - 1].memorySize >
        sections[i].address)
      return makeError("sections '{0}' and '{1}' overlap in hbm",
                       sections[i - 1].name, sections[i].name);
  return Error::success();
}

Expected<std::vector<Section>> ElfReader::hbmSections() const {
  Expected<ArrayRef<uint8_t>> sums = contents(weightChecksumsSection);
  if (!sums)
    return sums.takeError();
  ArrayRef rest(reinterpret_cast<const support::ulittle64_t *>(sums->data()),
                sums->size() / sizeof(uint64_t));
  std::vector<Section> result;
  for (const NamedSection &section : sections) {
    if (!section.isHbm())
      continue;
    const ElfSection &header = section.header;
    StringRef name = section.name;
    if (!name.consume_front(weightsPrefix))
      name.consume_front(zeroPrefix);
    bool isWeights = section.isWeights();
    if (isWeights && (header.sh_addr % programPageBytes ||
                      header.sh_offset % programPageBytes))
      return makeError("weights '{0}' do not start on a page", name);
    if (header.sh_addr + header.sh_size < header.sh_addr)
      return makeError("section '{0}' has no possible address", name);
    Section &added = result.emplace_back(
        Section{name.str(), header.sh_addr, header.sh_size});
    if (!isWeights)
      continue;
    added.fileSize = header.sh_size;
    added.fileOffset = header.sh_offset;
    uint64_t pieces = divideCeil(added.paddedSize(), weightPieceBytes);
    if (added.paddedSize() > file.size() - added.fileOffset ||
        pieces > rest.size())
      return makeError("weights '{0}' have no padding or no checksums; {1}",
                       name, damaged);
    added.checksums = rest.take_front(pieces);
    rest = rest.drop_front(pieces);
  }
  if (Error error = sortByAddress(result))
    return std::move(error);
  return result;
}

ProgramFile::ProgramFile(MappedFile file) : file(std::move(file)) {}
ProgramFile::ProgramFile(ProgramFile &&) noexcept = default;
ProgramFile &ProgramFile::operator=(ProgramFile &&) noexcept = default;
ProgramFile::~ProgramFile() = default;

Expected<ProgramFile> ProgramFile::open(StringRef path) {
  Expected<MappedFile> mapped = MappedFile::open(path);
  if (!mapped)
    return mapped.takeError();
  ProgramFile result(std::move(*mapped));
  if (Error error = result.read())
    return addContext(std::move(error), path);
  return std::move(result);
}

ProgramFile ProgramFile::withoutWeights(Program program, StringRef targetJson) {
  ProgramFile result(MappedFile::none("the program"));
  result.json = std::make_unique<nlohmann::json>(nlohmann::json{
      {"target", nlohmann::json::parse(targetJson.begin(), targetJson.end())}});
  for (const ZeroRange &range : program.zeroes)
    result.ranges.push_back({range.name, range.address, range.bytes});
  result.contents = std::move(program);
  return result;
}

Error ProgramFile::readManifest(ArrayRef<uint8_t> bytes) {
  json = std::make_unique<nlohmann::json>(nlohmann::json::parse(
      bytes.begin(), bytes.end(), nullptr, /*allow_exceptions=*/false));
  if (json->is_discarded() || !json->is_object())
    return makeError("the manifest is no JSON object; {0}", damaged);
  try {
    // The header's format has been checked; this is the manifest's own.
    if (Error error = checkFormat(json->at("format").get<unsigned>()))
      return error;
    if (auto isa = json->at("isa").get<std::string>(); isa != isaHashText())
      return makeError("made for another version of the instruction set ({0}, "
                       "this serrano has {1}): compile the model again",
                       isa, isaHashText());
    if (!json->at("target").is_object())
      return makeError("the manifest has no target; {0}", damaged);
  } catch (const nlohmann::json::exception &exception) {
    return makeError("manifest: {0}; {1}", exception.what(), damaged);
  }
  return isa::readManifest(*json, contents);
}

Error ProgramFile::read() {
  ElfReader elf(file);
  if (Error error = elf.read())
    return error;
  Expected<ArrayRef<uint8_t>> text = elf.contents(textSection);
  if (!text)
    return text.takeError();
  if (text->size() % sizeof(uint64_t))
    return makeError("the instructions are not a whole number of words; {0}",
                     damaged);
  for (size_t i = 0; i < text->size(); i += sizeof(uint64_t))
    contents.text.push_back(support::endian::read64le(text->data() + i));
  Expected<ArrayRef<uint8_t>> manifest = elf.contents(manifestSection);
  if (!manifest)
    return manifest.takeError();
  if (Error error = readManifest(*manifest))
    return error;
  Expected<std::vector<Section>> sections = elf.hbmSections();
  if (!sections)
    return sections.takeError();
  ranges = std::move(*sections);
  for (const Section &section : ranges) {
    if (section.address + section.memorySize > contents.hbmBytes)
      return makeError("section '{0}' ends at {1}, beyond the {2} bytes of hbm "
                       "that the manifest names",
                       section.name, section.address + section.memorySize,
                       contents.hbmBytes);
    if (section.fileSize == 0)
      contents.zeroes.push_back(
          {section.name, section.address, section.memorySize});
  }
  return Error::success();
}

ArrayRef<uint8_t> ProgramFile::bytesOf(const Section &section) const {
  return file.bytes().slice(section.fileOffset, section.fileSize);
}

std::string ProgramFile::targetJson() const {
  return json->at("target").dump();
}

} // namespace serrano::isa
