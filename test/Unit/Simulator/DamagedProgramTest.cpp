//===- DamagedProgramTest.cpp - programs that no assembler writes
//----------===//
//
// Part of the Serrano project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information. SPDX-License-Identifier:
// Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The assembler refuses these programs; a file that comes from elsewhere may
// hold them. None may stop the host.
//
//===----------------------------------------------------------------------===//

#include "AssembledProgram.h"
#include "llvm/Support/FormatVariadic.h"

using namespace serrano;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(DamagedProgram, UnknownOpcode) {
  AssembledProgram assembled;
  isa::Program program = assembled.assembleMain("  s.li rd=r1, imm=5");
  program.text[0] = 0xff;
  EXPECT_THAT(assembled.failure(program),
              testing::AllOf(HasSubstr("instruction at 0x0: "),
                             HasSubstr("opcode 0xff")));
}

TEST(DamagedProgram, ReservedBit) {
  AssembledProgram assembled;
  isa::Program program = assembled.assembleMain("  s.li rd=r1, imm=5\n  halt");
  program.text[1] |= uint64_t(1) << 63;
  EXPECT_THAT(
      assembled.failure(program),
      testing::AllOf(HasSubstr("instruction at 0x8: "), HasSubstr("reserved")));
}

TEST(DamagedProgram, CutInsideAnInstruction) {
  AssembledProgram assembled;
  isa::Program program =
      assembled.assembleMain("  v.fill dst=spm[0]:4:f32, rows=1, cols=1");
  program.text.resize(1);
  program.functions[0].words = 1;
  EXPECT_THAT(assembled.failure(program), Not(IsEmpty()));
}

TEST(DamagedProgram, EntryOutsideTheText) {
  AssembledProgram assembled;
  isa::Program program = assembled.assembleMain("");
  program.functions[0].word = 1000;
  EXPECT_THAT(assembled.failure(program), Not(IsEmpty()));
}

TEST(DamagedProgram, RunsOffTheEnd) {
  AssembledProgram assembled;
  isa::Program program = assembled.assembleMain("  s.li rd=r1, imm=5");
  program.text.pop_back();
  program.functions[0].words = 1;
  EXPECT_THAT(
      assembled.failure(program),
      HasSubstr(
          "fault at `s.li rd=r1, imm=5` at 0x0: execution runs off the end"));
}

TEST(DamagedProgram, ReturnAtTheEntry) {
  AssembledProgram assembled;
  isa::Program program = assembled.assembleMain("");
  assembled.replace(program, 0, isa::Return());
  EXPECT_THAT(assembled.failure(program),
              HasSubstr("fault at `ret` at 0x0: returns from the entry; an "
                        "entry ends with halt"));
}

TEST(DamagedProgram, ReturnInsideALoop) {
  AssembledProgram assembled;
  isa::Program program = assembled.assemble(
      ".entry main\nfunc main {\n call callee=f\n halt\n}\n"
      "func f {\n loop count=2 {\n s.li rd=r1, imm=1\n }\n ret\n}\n");
  uint32_t body = program.functions[1].words + program.functions[1].word - 2;
  assembled.replace(program, body, isa::Return());
  EXPECT_THAT(assembled.failure(program),
              HasSubstr(": returns from inside a loop"));
}

/// `depth` functions that call each other in turn; the last one has a place for
/// one more call, in `place`.
static isa::Program callChain(AssembledProgram &assembled, int depth,
                              uint32_t &place) {
  std::string source = ".entry main\nfunc main {\n call callee=f1\n halt\n}\n";
  for (int i = 1; i < depth; ++i)
    source +=
        llvm::formatv("func f{0} {{\n call callee=f{1}\n ret\n}\n", i, i + 1);
  source += llvm::formatv("func f{0} {{\n s.li rd=r1, imm=1\n ret\n}\n", depth);
  isa::Program program = assembled.assemble(source + "func spare {\n ret\n}\n");
  place = program.functions[depth].word;
  return program;
}

TEST(DamagedProgram, Recursion) {
  AssembledProgram assembled;
  uint32_t place;
  isa::Program program = callChain(assembled, 2, place);
  assembled.replace(program, place,
                    isa::Call{.callee = {program.functions[1].word}});
  EXPECT_THAT(
      assembled.failure(program),
      HasSubstr("calls a function that is active: recursion is not possible"));
}

TEST(DamagedProgram, CallsTooDeep) {
  AssembledProgram assembled;
  uint32_t place;
  isa::Program program = callChain(assembled, 8, place);
  EXPECT_THAT(assembled.failure(program), IsEmpty());
  assembled.replace(program, place,
                    isa::Call{.callee = {program.functions[9].word}});
  EXPECT_THAT(assembled.failure(program),
              HasSubstr("calls nest deeper than 8"));
}

TEST(DamagedProgram, CallToNoInstruction) {
  AssembledProgram assembled;
  uint32_t place;
  isa::Program program = callChain(assembled, 1, place);
  assembled.replace(program, place, isa::Call{.callee = {500}});
  EXPECT_THAT(assembled.failure(program),
              HasSubstr("calls word 500, where no instruction starts"));
}

TEST(DamagedProgram, LoopsTooDeep) {
  AssembledProgram assembled;
  std::string open, close;
  for (int i = 0; i < 8; ++i) {
    open += "loop count=1 {\n";
    close += "}\n";
  }
  isa::Program program = assembled.assembleMain(
      open + "s.li rd=r1, imm=1\ns.li rd=r1, imm=2\n" + close);
  EXPECT_THAT(assembled.failure(program), IsEmpty());
  isa::Loop loop{.count = {.imm = 1}, .body = {1}};
  assembled.replace(program, 8, loop);
  EXPECT_THAT(assembled.failure(program),
              HasSubstr("loops nest deeper than 8"));
}

TEST(DamagedProgram, BlockEndsInsideAnInstruction) {
  AssembledProgram assembled;
  isa::Program program = assembled.assembleMain(
      "loop count=1 {\n v.fill dst=spm[0]:4:f32, rows=1, cols=1\n}\n");
  isa::Instruction loop = llvm::cantFail(isa::decode(program.text));
  std::get<isa::Loop>(loop).body.words = 2;
  assembled.replace(program, 0, loop);
  EXPECT_THAT(assembled.failure(program),
              HasSubstr("the block of 2 words does not end at an instruction"));
}

TEST(DamagedProgram, TwoQueuesOnOneCounter) {
  AssembledProgram assembled;
  isa::Program program = assembled.assembleMain(
      " v.fill signal=c3, dst=spm[0]:4:f32, rows=1, cols=1\n"
      " dma.load signal=c4, dst=spm[64], src=hbm[x], bytes=4, n1=1, n2=1, "
      "n3=1\n");
  uint32_t place = isa::wordsOf(isa::VectorFill());
  isa::Instruction load = llvm::cantFail(
      isa::decode(llvm::ArrayRef(program.text).drop_front(place)));
  std::get<isa::DmaLoad>(load).signal.counter = 3;
  assembled.replace(program, place, load);
  EXPECT_THAT(assembled.failure(program),
              HasSubstr("counter c3 is incremented by the vector queue and by "
                        "the dma in queue; "
                        "use one counter for each"));
}

TEST(DamagedProgram, RingWithoutARegion) {
  AssembledProgram assembled;
  isa::Program program = assembled.assembleMain(
      " skip condition=ne, a=r0, b=r0 {\n"
      " ring.fill ring=3, src=hbm[x], count=1, bytes=64, passes=1\n }\n");
  EXPECT_THAT(assembled.failure(program),
              HasSubstr("ring 3 has no region; ring.setup gives it one"));
}

TEST(DamagedProgram, InboundCounter) {
  AssembledProgram assembled;
  EXPECT_THAT(
      assembled.failure(
          assembled.assembleMain(" sync waiter=vector, wait0=c70\n")),
      HasSubstr(
          "waits for inbound counter 70, but this core has no remote source"));
}
