//===- Statements.cpp - functions, blocks, instructions ---------*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Assembler.h"
#include "serrano/Isa/Codec.h"
#include "serrano/Isa/Verify.h"
#include "serrano/Support/NearestName.h"
#include "llvm/Support/FormatVariadic.h"
#include <utility>

using namespace llvm;

namespace serrano::isa {

/// A source that expands to more is taken for a mistake.
static constexpr uint64_t maxWords = uint64_t(1) << 24;
static constexpr unsigned maxBlockDepth = 64;
static constexpr unsigned maxErrors = 20;

namespace {
/// Thrown to `run` when going on makes no sense.
struct GiveUp {};
} // namespace

Expected<Program> Assembler::run() {
  for (const auto &[name, value] : constants.defined)
    numbers[name] = value;
  try {
    while (true) {
      parseLines();
      if (lexer.peek().kind == Token::Kind::End)
        break;
      report(lexer.next().loc, "'}' without a '{'");
    }
    resolveCalls();
    if (!errors)
      reportFindings();
  } catch (GiveUp) {
    assert(errors && "gave up without an error");
  }
  if (errors)
    return createStringError(diagnostics);
  return std::move(program);
}

void Assembler::parseLines() {
  while (true) {
    skipNewlines();
    if (lexer.peek().kind == Token::Kind::End || lexer.peek().is("}"))
      return;
    try {
      depth = 0;
      parseLine();
      if (!lexer.peek().is("}"))
        expectEndOfLine();
    } catch (SyntaxError) {
      recover();
    }
    if (errors >= maxErrors) {
      diagnostics += "too many errors, the rest is not shown\n";
      throw GiveUp();
    }
  }
}

void Assembler::recover() {
  bool opensBlock = false;
  while (!lexer.peek().endsLine()) {
    if (lexer.peek().is("}"))
      return;
    opensBlock = lexer.next().is("{");
  }
  if (!opensBlock)
    return;
  parseLines();
  accept("}");
}

void Assembler::parseLine() {
  Token token = expectName("an instruction or a directive");
  if (token.text == "func")
    return parseFunction();
  if (!token.text.starts_with("."))
    return parseInstruction(token);
  auto it = directives().find(token.text);
  if (it == directives().end())
    fail(token.loc, formatv("unknown directive '{0}'{1}", token.text,
                            didYouMean(token.text, directives().keys()))
                        .str());
  directiveLoc = token.loc;
  (this->*it->second)();
}

void Assembler::parseBlock() {
  SMLoc loc = lexer.peek().loc;
  expect("{");
  if (++blockDepth > maxBlockDepth) {
    report(
        loc,
        formatv("blocks are nested more than {0} deep", maxBlockDepth).str());
    throw GiveUp();
  }
  parseLines();
  --blockDepth;
  if (!accept("}")) {
    report(loc, "the block that starts here is not closed: '}' is missing");
    throw GiveUp();
  }
}

void Assembler::skipBlock() {
  SMLoc loc = lexer.peek().loc;
  expect("{");
  for (unsigned open = 1; open > 0;) {
    Token token = lexer.next();
    if (token.is("{"))
      ++open;
    else if (token.is("}"))
      --open;
    else if (token.kind == Token::Kind::End)
      fail(loc, "the block that starts here is not closed: '}' is missing");
  }
}

void Assembler::parseFunction() {
  SMLoc loc = lexer.peek().loc;
  std::string name = expectSymbol("the function's name");
  if (inFunction)
    fail(loc, "a function inside a function; close the one before it");
  if (program.findFunction(name))
    fail(loc, formatv("function '{0}' is already defined", name).str());
  auto word = static_cast<uint32_t>(program.text.size());
  size_t index = program.functions.size();
  program.functions.push_back({name, word, 0});
  inFunction = true;
  parseBlock();
  inFunction = false;
  program.functions[index].words = program.text.size() - word;
  if (program.functions[index].words == 0)
    fail(loc, formatv("function '{0}' is empty; end it with ret or halt", name)
                  .str());
}

void Assembler::resolveCalls() {
  for (const CallSite &call : calls) {
    if (const Function *callee = program.findFunction(call.callee)) {
      encodeAt(call.word, Call{Callee{callee->word}}, call.loc);
      continue;
    }
    auto names = map_range(program.functions, [](const Function &function) {
      return StringRef(function.name);
    });
    report(call.loc, formatv("no function '{0}'{1}", call.callee,
                             didYouMean(call.callee, names))
                         .str());
  }
}

void Assembler::reportFindings() {
  for (const Finding &finding : verify(program)) {
    SMLoc loc = finding.entry ? entryLocations[*finding.entry]
                              : locations.lookup(finding.word);
    report(loc, finding.message);
  }
}

//===----------------------------------------------------------------------===//
// Instructions
//===----------------------------------------------------------------------===//

void Assembler::encodeAt(uint32_t word, const Instruction &instruction,
                         SMLoc loc) {
  SmallVector<uint64_t, 8> words;
  if (Error error = encode(instruction, words)) {
    report(loc, toString(std::move(error)));
    return;
  }
  llvm::copy(words, program.text.begin() + word);
}

/// The names of the fields that can be written.
template <typename T>
static SmallVector<StringRef> fieldNames() {
  SmallVector<StringRef> names;
  T::visit(T{}, [&](FieldInfo info, const auto &field) {
    if constexpr (!std::is_same_v<std::remove_cvref_t<decltype(field)>, Body>)
      names.push_back(info.name);
  });
  return names;
}

template <typename T>
void Assembler::parseField(const Token &name, T &instruction) {
  T::visit(instruction, [&](FieldInfo info, auto &field) {
    using Field = std::remove_cvref_t<decltype(field)>;
    if (StringRef(info.name) != name.text)
      return;
    if constexpr (std::is_same_v<Field, bool>) {
      field = true;
    } else if constexpr (!std::is_same_v<Field, Body>) {
      expect("=");
      SMLoc loc = lexer.peek().loc;
      if constexpr (std::is_same_v<Field, Callee>) {
        calls.push_back({static_cast<uint32_t>(program.text.size()),
                         expectSymbol("the name of a function"), loc});
      } else {
        if constexpr (std::is_enum_v<Field>)
          parseEnumOperand(field);
        else
          parseOperand(field);
        // The field alone, so that the error is this field's.
        T alone;
        T::visit(alone, [&](FieldInfo other, auto &otherField) {
          if constexpr (std::is_same_v<decltype(otherField), Field &>)
            if (other.name == info.name)
              otherField = field;
        });
        if (Error error = checkEncodable(alone))
          fail(loc, toString(std::move(error)));
      }
    }
  });
}

template <typename T>
void Assembler::parseFields(T &instruction) {
  SmallVector<StringRef> names = fieldNames<T>();
  StringSet<> seen;
  if (lexer.peek().endsLine() || lexer.peek().is("{") || lexer.peek().is("}"))
    return;
  do {
    // A long list goes on in the next line.
    skipNewlines();
    Token name = expectName("the name of a field");
    if (!is_contained(names, name.text))
      fail(name.loc, formatv("{0} has no field '{1}'{2}", T::mnemonic,
                             name.text, didYouMean(name.text, names))
                         .str());
    if (!seen.insert(name.text).second)
      fail(name.loc, formatv("field '{0}' is given twice", name.text).str());
    parseField(name, instruction);
  } while (accept(","));
}

template <typename T>
void Assembler::parseInstructionAs(const Token &mnemonic) {
  T instruction;
  auto word = static_cast<uint32_t>(program.text.size());
  size_t callsBefore = calls.size();
  parseFields(instruction);
  if (std::is_same_v<T, Call> && calls.size() == callsBefore)
    fail(mnemonic.loc, "call needs the function: callee=NAME");

  locations[word] = mnemonic.loc;
  program.text.resize(word + T::words);
  T::visit(instruction, [&](FieldInfo, auto &field) {
    if constexpr (std::is_same_v<std::remove_cvref_t<decltype(field)>, Body>) {
      parseBlock();
      field.words = program.text.size() - word - T::words;
    }
  });
  if (!std::is_same_v<T, Call>)
    encodeAt(word, instruction, mnemonic.loc);
  if (program.text.size() > maxWords) {
    report(mnemonic.loc,
           formatv("the program is longer than {0} words; use loop instead of "
                   ".for",
                   maxWords)
               .str());
    throw GiveUp();
  }
}

void Assembler::parseInstruction(const Token &mnemonic) {
  using Parse = void (Assembler::*)(const Token &);
  static constexpr auto parsers = []<size_t... index>(
                                      std::index_sequence<index...>) {
    return std::array<Parse, sizeof...(index)>{&Assembler::parseInstructionAs<
        std::variant_alternative_t<index, Instruction>>...};
  }(std::make_index_sequence<std::variant_size_v<Instruction>>());
  const auto *info = find_if(instructionInfos, [&](const InstructionInfo &i) {
    return StringRef(i.mnemonic) == mnemonic.text;
  });
  if (info == std::end(instructionInfos)) {
    auto names = map_range(instructionInfos, [](const InstructionInfo &i) {
      return StringRef(i.mnemonic);
    });
    fail(mnemonic.loc, formatv("unknown instruction '{0}'{1}", mnemonic.text,
                               didYouMean(mnemonic.text, names))
                           .str());
  }
  if (!inFunction)
    fail(mnemonic.loc, "an instruction outside a function; put it into "
                       "func NAME { ... }");
  (this->*parsers[info - std::begin(instructionInfos)])(mnemonic);
}

Expected<Program> assemble(StringRef source, StringRef name,
                           const AssemblyConstants &constants) {
  return Assembler(source, name, constants).run();
}

} // namespace serrano::isa
