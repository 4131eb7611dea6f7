//===- IsaDefinition.cpp - reads and checks the ISA -------------*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "IsaDefinition.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/xxhash.h"
#include "llvm/TableGen/Error.h"
#include "llvm/TableGen/TableGenBackend.h"
#include <map>

using namespace llvm;
using namespace serrano::tblgen;

/// Bits 7..0 of word 0 are the opcode.
static constexpr unsigned opcodeBits = 8;
static constexpr unsigned wordBits = 64;

/// The C++ types of the kinds that are no enumerations, with the widths that
/// lib/Isa/OperandLayout.h can encode; 0 stands for any.
static constexpr std::pair<StringLiteral, unsigned> plainTypes[] = {
    {"Register", 6}, {"Value", 32}, {"HbmAddress", 48}, {"LocalAddress", 32},
    {"Tile", 64},    {"Wait", 16},  {"Signal", 7},      {"Body", 16},
    {"Callee", 32},  {"bool", 1},   {"float", 32},      {"uint32_t", 0},
    {"int64_t", 0}};

/// Names that a field, being a member of a struct, cannot have.
static bool isReservedName(StringRef name) {
  static const StringSet<> reserved = {
      "and",      "auto",  "bool",   "break",  "case",   "char",
      "class",    "const", "delete", "do",     "double", "else",
      "enum",     "float", "for",    "if",     "int",    "long",
      "mnemonic", "new",   "not",    "opcode", "or",     "queue",
      "return",   "short", "static", "struct", "switch", "this",
      "union",    "visit", "void",   "while",  "words",  "xor"};
  return reserved.contains(name);
}

static bool isIdentifier(StringRef name) {
  return !name.empty() && isLower(name.front()) && all_of(name, [](char c) {
    return isLower(c) || isDigit(c) || c == '_';
  });
}

static SmallVector<const Record *> definitions(const RecordKeeper &records,
                                               StringRef className) {
  SmallVector<const Record *> result(
      records.getAllDerivedDefinitions(className));
  llvm::sort(result, LessRecordByID());
  return result;
}

static EnumDefinition readEnum(const Record *record) {
  EnumDefinition result;
  result.name = record->getValueAsString("Name");
  result.width = record->getValueAsInt("Width");
  result.cases = record->getValueAsListOfStrings("Cases");
  result.docs = record->getValueAsListOfStrings("Docs");
  if (result.cases.size() > maxUIntN(result.width) + 1)
    PrintError(record, formatv("enum '{0}' has {1} cases, but its {2} bits "
                               "encode at most {3}: make it wider",
                               result.name, result.cases.size(), result.width,
                               maxUIntN(result.width) + 1));
  if (result.docs.size() != result.cases.size())
    PrintError(record,
               formatv("enum '{0}' has {1} cases, but {2} docs", result.name,
                       result.cases.size(), result.docs.size()));
  StringSet<> seen;
  for (StringRef name : result.cases) {
    if (!isIdentifier(name))
      PrintError(record, formatv("case '{0}' of enum '{1}' is not made of "
                                 "lower-case letters, digits and '_'",
                                 name, result.name));
    if (!seen.insert(name).second)
      PrintError(record,
                 formatv("enum '{0}' has case '{1}' twice", result.name, name));
  }
  return result;
}

static FieldDefinition readField(const Record *instruction,
                                 const Record *record,
                                 ArrayRef<EnumDefinition> enums) {
  const Record *kind = record->getValueAsDef("Kind");
  FieldDefinition field;
  field.name = record->getValueAsString("Name");
  field.doc = record->getValueAsString("Doc");
  field.cppType = kind->getValueAsString("CppType");
  field.kindDoc = kind->getValueAsString("Doc");
  field.width = kind->getValueAsInt("Width");
  if (!isIdentifier(field.name) || isReservedName(field.name))
    PrintError(
        instruction,
        formatv("field name '{0}' is reserved, or not made of lower-case "
                "letters, digits and '_'",
                field.name));
  const auto *type = llvm::find_if(
      plainTypes, [&](auto &entry) { return entry.first == field.cppType; });
  bool isEnum = any_of(
      enums, [&](const EnumDefinition &e) { return e.name == field.cppType; });
  if (type == std::end(plainTypes) && !isEnum)
    PrintError(instruction,
               formatv("field '{0}' has the unknown C++ type '{1}'", field.name,
                       field.cppType));
  unsigned expected = type == std::end(plainTypes) ? 0 : type->second;
  if (expected && field.width != expected)
    PrintError(instruction,
               formatv("field '{0}' is {1} bits wide, but a {2} "
                       "is encoded in {3}",
                       field.name, field.width, field.cppType, expected));
  unsigned limit = field.cppType == "uint32_t" ? 32 : wordBits;
  if (field.width == 0 || field.width > limit)
    PrintError(instruction, formatv("field '{0}' is {1} bits wide; its type "
                                    "holds 1 to {2}",
                                    field.name, field.width, limit));
  return field;
}

/// Upwards from the opcode; a field never crosses the end of a word.
static void placeFields(InstructionDefinition &instruction) {
  unsigned next = opcodeBits;
  for (FieldDefinition &field : instruction.fields) {
    if (next % wordBits + field.width > wordBits)
      next = alignTo(next, wordBits);
    field.word = next / wordBits;
    field.bit = next % wordBits;
    next += field.width;
  }
  instruction.words = divideCeil(next, wordBits);
}

static InstructionDefinition readInstruction(const Record *record,
                                             ArrayRef<EnumDefinition> enums) {
  InstructionDefinition result;
  result.name = record->getName();
  result.mnemonic = record->getValueAsString("Mnemonic");
  result.summary = record->getValueAsString("summary");
  result.description = record->getValueAsString("description");
  result.cost = record->getValueAsString("Cost");
  result.queue =
      record->getValueAsDef("DispatchQueue")->getValueAsString("Name");
  const BitsInit *opcode = record->getValueAsBitsInit("Opcode");
  for (unsigned i = 0; i < opcode->getNumBits(); ++i)
    result.opcode |= uint64_t(cast<BitInit>(opcode->getBit(i))->getValue())
                     << i;
  if (result.summary.empty())
    PrintError(record,
               formatv("instruction '{0}' has no summary", result.mnemonic));
  StringSet<> seen;
  for (const Record *field : record->getValueAsListOfDefs("Fields")) {
    result.fields.push_back(readField(record, field, enums));
    StringRef name = result.fields.back().name;
    if (!seen.insert(name).second)
      PrintError(record, formatv("instruction '{0}' has field '{1}' twice",
                                 result.mnemonic, name));
    if (result.fields.back().cppType == "Body" &&
        field != record->getValueAsListOfDefs("Fields").back())
      PrintError(record, formatv("the block '{0}' has to be the last field of "
                                 "instruction '{1}'",
                                 name, result.mnemonic));
  }
  placeFields(result);
  return result;
}

IsaDefinition IsaDefinition::read(const RecordKeeper &records) {
  IsaDefinition isa;
  for (const Record *record : definitions(records, "IsaEnum"))
    isa.enums.push_back(readEnum(record));
  for (const Record *record : definitions(records, "Queue"))
    isa.queues.push_back(record->getValueAsString("Name"));

  std::map<uint64_t, const Record *> opcodes;
  StringMap<const Record *> mnemonics;
  for (const Record *record : definitions(records, "Instruction")) {
    InstructionDefinition instruction = readInstruction(record, isa.enums);
    auto [opcode, isNewOpcode] =
        opcodes.try_emplace(instruction.opcode, record);
    if (!isNewOpcode) {
      PrintError(record, formatv("opcode {0:x2} of '{1}' is already taken",
                                 instruction.opcode, instruction.mnemonic));
      PrintNote(opcode->second->getLoc(), "by the instruction defined here");
    }
    auto [mnemonic, isNewMnemonic] =
        mnemonics.try_emplace(instruction.mnemonic, record);
    if (!isNewMnemonic) {
      PrintError(record, formatv("mnemonic '{0}' is already taken",
                                 instruction.mnemonic));
      PrintNote(mnemonic->second->getLoc(), "by the instruction defined here");
    }
    isa.instructions.push_back(std::move(instruction));
  }
  if (ErrorsPrinted)
    PrintFatalError("the instruction set is not valid");
  return isa;
}

uint64_t IsaDefinition::hash() const {
  std::string text;
  raw_string_ostream os(text);
  for (const EnumDefinition &e : enums)
    os << "enum " << e.name << ' ' << join(e.cases, ",") << '\n';
  for (const InstructionDefinition &instruction : instructions) {
    os << instruction.opcode << ' ' << instruction.mnemonic << ' '
       << instruction.queue;
    for (const FieldDefinition &field : instruction.fields)
      os << ' ' << field.name << ' ' << field.cppType << ' ' << field.word
         << ' ' << field.bit << ' ' << field.width;
    os << '\n';
  }
  return xxh3_64bits(text);
}

std::string serrano::tblgen::toCaseName(StringRef name) {
  std::string result;
  for (StringRef part : split(name, '_'))
    if (!part.empty())
      result += toUpper(part.front()) + part.drop_front().str();
  return result;
}

void serrano::tblgen::emitFileHeader(StringRef title, raw_ostream &os) {
  os << "// " << title
     << ".\n// Generated by serrano-tblgen from IsaInstructions.td: do not "
        "edit.\n\n";
}
