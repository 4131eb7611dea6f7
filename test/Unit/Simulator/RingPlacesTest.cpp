//===- RingPlacesTest.cpp - slots of weights as scratchpad ----------------===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A ring's slots that hold weights are read where the program's file is mapped.
// Whoever addresses their place in the scratchpad must see the same bytes.
//
//===----------------------------------------------------------------------===//

#include "AssembledProgram.h"
#include "serrano/Isa/ProgramFile.h"
#include "serrano/Simulator/Machine.h"
#include <numeric>

using namespace serrano;
using testing::ElementsAreArray;

namespace {

template <typename T>
T must(llvm::Expected<T> value) {
  if (!value)
    throw std::runtime_error(llvm::toString(value.takeError()));
  return std::move(*value);
}
void must(llvm::Error error) {
  if (error)
    throw std::runtime_error(llvm::toString(std::move(error)));
}

/// Runs `body` on a machine whose weights are the floats 0, 1, 2, ..., and gives
/// the floats that it leaves in `out`.
std::vector<float> resultOf(const std::string &body, size_t count) {
  TempFolder folder;
  AssembledProgram assembled;
  isa::Program program = assembled.assemble(
      ".equ weights, 0\n.hbm out, 4096, at=4096\n.entry main\nfunc main {\n" + body +
      "  halt\n}\n");
  std::vector<float> weights(1024);
  std::iota(weights.begin(), weights.end(), 0.0f);
  std::string path = folder.path("p.srn");
  isa::ProgramWriter writer = must(isa::ProgramWriter::create(path));
  size_t section = must(writer.addWeights("weights", 0, 4096));
  must(writer.write(
      section, 0, {reinterpret_cast<const uint8_t *>(weights.data()), 4096}));
  TargetModel target = must(TargetModel::load("serrano-tiny"));
  must(writer.finish(program, target.toJson()));
  auto file = must(isa::ProgramFile::open(path));
  auto machine = must(sim::Machine::create(file));
  sim::RunOptions options;
  options.checkRaces = true;
  must(machine->run(0, options));
  std::vector<float> result(count);
  must(machine->readHbm(
      4096, {reinterpret_cast<uint8_t *>(result.data()), count * 4}));
  return result;
}

std::vector<float> range(float first, size_t count) {
  std::vector<float> result(count);
  std::iota(result.begin(), result.end(), first);
  return result;
}

const std::string setup =
    "  ring.setup ring=0, slots=2, base=0, slot_bytes=128\n"
    "  ring.fill signal=c0, ring=0, src=hbm[weights + 64], count=2, bytes=128,"
    " stride=128, passes=1\n";

std::string pop(int64_t to) {
  return "  v.unary signal=c1, fn=copy, dst=spm[" + std::to_string(to) +
         "]:128:f32, a=pop0[0]:128:f32, rows=1, cols=32\n";
}

std::string store(int64_t from, int64_t bytes) {
  return "  dma.store wait0=c1, src=spm[" + std::to_string(from) +
         "], dst=hbm[out], bytes=" + std::to_string(bytes) +
         ", n1=1, n2=1, n3=1\n";
}

TEST(RingPlaces, HoldWhatTheSlotsHold) {
  EXPECT_THAT(resultOf(setup +
                           "  v.unary wait0=c0, signal=c1, fn=copy, "
                           "dst=spm[1024]:128:f32, a=spm[0]:128:f32, rows=2, "
                           "cols=32\n" +
                           store(1024, 256),
                       64),
              ElementsAreArray(range(16, 64)));
}

TEST(RingPlaces, KeepWhatWasPopped) {
  EXPECT_THAT(resultOf(setup + pop(1024) + pop(1152) +
                           "  v.unary signal=c1, fn=copy, "
                           "dst=spm[1280]:128:f32, a=spm[0]:128:f32, rows=2, "
                           "cols=32\n" +
                           store(1024, 512),
                       128),
              [] {
                std::vector<float> twice = range(16, 64);
                std::vector<float> expected = twice;
                expected.insert(expected.end(), twice.begin(), twice.end());
                return ElementsAreArray(expected);
              }());
}

TEST(RingPlaces, AShorterFillLeavesTheRest) {
  std::vector<float> expected = range(256, 16);
  std::vector<float> rest = range(32, 16);
  expected.insert(expected.end(), rest.begin(), rest.end());
  EXPECT_THAT(
      resultOf(setup + pop(1024) + pop(1152) +
                   "  ring.fill signal=c0, ring=0, src=hbm[weights + 1024], "
                   "count=1, bytes=64, passes=1\n"
                   "  v.unary wait0=c0, signal=c1, fn=copy, "
                   "dst=spm[1280]:128:f32, a=spm[0]:128:f32, rows=1, cols=32\n" +
                   store(1280, 128),
               32),
      ElementsAreArray(expected));
}

TEST(RingPlaces, AWriteBesideASlotsBytesSpoilsNothing) {
  // The second half of a slot is overwritten by address while the slot waits.
  std::vector<float> expected = range(16, 16);
  expected.resize(32, 7.0f);
  EXPECT_THAT(resultOf(setup +
                           "  v.fill wait0=c0, signal=c1, dst=spm[64]:64:f32, "
                           "imm=7.0, rows=1, cols=16\n" +
                           pop(1024) + store(1024, 128),
                       32),
              ElementsAreArray(expected));
}

TEST(RingPlaces, SharedByTwoRingsHoldTheLaterFill) {
  EXPECT_THAT(
      resultOf(setup + pop(1024) + pop(1152) +
                   "  ring.setup ring=1, slots=1, base=0, slot_bytes=256\n"
                   "  ring.fill wait0=c1, signal=c2, ring=1, "
                   "src=hbm[weights + 2048], count=1, bytes=64, passes=1\n"
                   "  v.unary wait0=c2, signal=c1, fn=copy, "
                   "dst=spm[1280]:64:f32, a=spm[0]:64:f32, rows=1, cols=16\n" +
                   store(1280, 64),
               16),
      ElementsAreArray(range(512, 16)));
}

} // namespace
