//===- GenInstructions.cpp - the instruction structs ------------*- C++ -*-===//
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

/// " = 0", or the like, after a member that has no constructor.
static StringRef initializer(StringRef cppType) {
  if (cppType == "bool")
    return " = false";
  if (cppType == "uint32_t" || cppType == "int64_t" || cppType == "float")
    return " = 0";
  return "{}";
}

static void emitInstruction(const InstructionDefinition &instruction,
                            raw_ostream &os) {
  os << formatv("/// {0}\n", instruction.summary)
     << formatv("struct {0} {{\n", instruction.name)
     << formatv("  static constexpr std::string_view mnemonic = \"{0}\";\n",
                instruction.mnemonic)
     << formatv("  static constexpr uint8_t opcode = {0:x2};\n",
                instruction.opcode)
     << formatv("  static constexpr unsigned words = {0};\n", instruction.words)
     << formatv("  static constexpr Queue queue = Queue::{0};\n\n",
                toCaseName(instruction.queue));
  for (const FieldDefinition &field : instruction.fields)
    os << formatv("  {0} {1}{2}; ///< {3}\n",
                  field.cppType == instruction.name
                      ? ("::serrano::isa::" + field.cppType).str()
                      : field.cppType.str(),
                  field.name, initializer(field.cppType), field.doc);
  os << formatv("\n  bool operator==(const {0} &) const = default;\n\n",
                instruction.name)
     << "  /// Calls `fn(FieldInfo, field)` for each field, in order.\n"
     << "  template <typename Self, typename Fn>\n"
     << "  static constexpr void visit([[maybe_unused]] Self &&self, "
        "[[maybe_unused]] Fn &&fn) {\n";
  for (const FieldDefinition &field : instruction.fields)
    os << formatv("    fn(FieldInfo{{\"{0}\", {1}, {2}, {3}}, self.{0});\n",
                  field.name, field.word, field.bit, field.width);
  os << "  }\n};\n\n";
}

static bool emitInstructions(const RecordKeeper &records, raw_ostream &os) {
  IsaDefinition isa = IsaDefinition::read(records);
  emitFileHeader("The instructions, as structs", os);
  os << "// Fields have the names that they have in assembly.\n"
        "// NOLINTBEGIN(readability-identifier-naming)\n\n";
  for (const InstructionDefinition &instruction : isa.instructions)
    emitInstruction(instruction, os);
  os << "/// Any instruction.\nusing Instruction = std::variant<\n    ";
  interleave(
      isa.instructions, os,
      [&](const InstructionDefinition &i) { os << i.name; }, ",\n    ");
  os << ">;\n\n"
     << "/// One entry for each alternative of `Instruction`, in its order.\n"
     << "inline constexpr InstructionInfo instructionInfos[] = {\n";
  for (const InstructionDefinition &i : isa.instructions) {
    os << formatv("    {{\"{0}\", {1:x2}, {2}, Queue::{3}, \"", i.mnemonic,
                  i.opcode, i.words, toCaseName(i.queue))
              .str();
    os.write_escaped(i.summary) << "\"},\n";
  }
  os << "};\n\n"
     << "/// Equal only in builds in which programs mean the same.\n"
     << formatv("inline constexpr uint64_t definitionHash = {0:x16};\n",
                isa.hash())
     << "\n// NOLINTEND(readability-identifier-naming)\n";
  return false;
}

static mlir::GenRegistration
    genInstructions("gen-isa-instructions",
                    "Generate the instruction structs and their table",
                    emitInstructions);
