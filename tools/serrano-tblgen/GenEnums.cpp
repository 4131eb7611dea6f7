//===- GenEnums.cpp - the ISA's enumerations --------------------*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "IsaDefinition.h"
#include "mlir/TableGen/GenInfo.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"

using namespace llvm;
using namespace serrano::tblgen;

/// The enum class, its cases' names, `stringify` and `parse<Name>`.
static void emitEnum(StringRef name, ArrayRef<StringRef> cases,
                     ArrayRef<StringRef> docs, raw_ostream &os) {
  os << "enum class " << name << " : uint8_t {\n";
  for (auto [i, label] : enumerate(cases)) {
    os << "  " << toCaseName(label) << " = " << i << ",";
    if (!docs.empty())
      os << " ///< " << docs[i];
    os << '\n';
  }
  os << "};\n";
  os << formatv("template <> struct EnumTraits<{0}> {{\n", name)
     << formatv("  static constexpr std::string_view name = \"{0}\";\n", name)
     << "  static constexpr std::string_view cases[] = {";
  interleaveComma(cases, os,
                  [&](StringRef label) { os << '"' << label << '"'; });
  os << "};\n};\n";
  os << formatv(R"(constexpr std::string_view stringify({0} value) {{
  return EnumTraits<{0}>::cases[static_cast<uint8_t>(value)];
}
constexpr std::optional<{0}> parse{0}(std::string_view text) {{
  return parseEnum<{0}>(text);
}

)",
                name);
}

static bool emitEnums(const RecordKeeper &records, raw_ostream &os) {
  IsaDefinition isa = IsaDefinition::read(records);
  emitFileHeader("Enumerations of the instruction set", os);
  emitEnum("Queue", isa.queues, {}, os);
  for (const EnumDefinition &e : isa.enums)
    emitEnum(e.name, e.cases, e.docs, os);
  return false;
}

static mlir::GenRegistration
    genEnums("gen-isa-enums", "Generate the ISA's enumerations", emitEnums);
