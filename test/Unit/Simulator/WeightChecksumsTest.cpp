//===- WeightChecksumsTest.cpp - weights that a file has damaged ----------===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A bit of a weight that a run uses, in whichever way it reads it, stops the
// run before the weight is used; one that it does not use does not.
//
//===----------------------------------------------------------------------===//

#include "AssembledProgram.h"
#include "serrano/Isa/ProgramFile.h"
#include "serrano/Simulator/Machine.h"
#include "llvm/Support/FileSystem.h"
#include <fcntl.h>
#include <random>
#include <unistd.h>

using namespace serrano;
using testing::HasSubstr;

static constexpr int64_t kPiece = isa::weightPieceBytes;
/// Three pieces and a part of one, which ends in the middle of a page.
static constexpr int64_t kBytes = 3 * kPiece + 5000;

namespace {

class WeightChecksums : public testing::Test {
protected:
  /// Makes a program whose entry is `body`, with weights at address 0.
  void make(const std::string &body) {
    AssembledProgram assembled;
    isa::Program program = assembled.assemble(
        ".hbm out, 65536, at=" + std::to_string(4 * kPiece) +
        "\n.entry main\nfunc main {\n" + body + "  halt\n}\n");
    isa::ProgramWriter writer =
        llvm::cantFail(isa::ProgramWriter::create(path));
    size_t section = llvm::cantFail(writer.addWeights("w", 0, kBytes));
    std::vector<uint8_t> bytes(kBytes);
    std::mt19937 random(3);
    for (uint8_t &byte : bytes)
      byte = uint8_t(random());
    llvm::cantFail(writer.write(section, 0, bytes));
    TargetModel target = llvm::cantFail(TargetModel::load("serrano-tiny"));
    llvm::cantFail(writer.finish(program, target.toJson()));
    isa::ProgramFile file = llvm::cantFail(isa::ProgramFile::open(path));
    start = int64_t(file.sections()[0].fileOffset);
  }

  /// Flips a bit of the weight byte at `offset`.
  void flip(int64_t offset) {
    int file = open(path.c_str(), O_RDWR);
    uint8_t byte;
    ASSERT_EQ(pread(file, &byte, 1, start + offset), 1);
    byte ^= 0x10;
    ASSERT_EQ(pwrite(file, &byte, 1, start + offset), 1);
    close(file);
  }

  /// Why the program does not run; "" if it does.
  std::string failure() {
    isa::ProgramFile file = llvm::cantFail(isa::ProgramFile::open(path));
    auto machine = llvm::cantFail(sim::Machine::create(file));
    // A table of indices for those who want one.
    llvm::support::ulittle32_t table[] = {llvm::support::ulittle32_t(2),
                                          llvm::support::ulittle32_t(0)};
    llvm::cantFail(machine->writeScalar(
        0, {reinterpret_cast<const uint8_t *>(table), sizeof(table)}));
    llvm::Expected<sim::Statistics> result = machine->run(0, {});
    return result ? "" : llvm::toString(result.takeError());
  }

  /// Expects that a changed byte at each of `used` stops the run, and one at
  /// each of `unused` does not.
  void expectUse(std::vector<int64_t> used, std::vector<int64_t> unused) {
    EXPECT_EQ(failure(), "");
    for (int64_t offset : used) {
      flip(offset);
      EXPECT_THAT(failure(), HasSubstr("weights 'w', do not have their"))
          << offset;
      flip(offset);
    }
    for (int64_t offset : unused) {
      flip(offset);
      EXPECT_EQ(failure(), "") << offset;
      flip(offset);
    }
    EXPECT_EQ(failure(), "");
  }

  TempFolder folder;
  std::string path = folder.path("p.srn");
  int64_t start = 0;
};

/// A load of `bytes` from HBM, and more fields.
std::string load(int64_t from, int64_t bytes, const std::string &more) {
  return "  dma.load dst=spm[0], src=hbm[" + std::to_string(from) +
         "], bytes=" + std::to_string(bytes) + ", n2=1, n3=1, " + more + "\n";
}

TEST_F(WeightChecksums, NameWhatIsDamaged) {
  make(load(kPiece + 100, 4, "n1=1"));
  flip(kPiece + 100);
  EXPECT_EQ(failure(),
            path +
                ": fault at `dma.load src=hbm[65636], dst=spm[0], bytes=4, "
                "n1=1, n2=1, n3=1` at 0x0: the file is damaged: bytes 69632 "
                "to 135168 of it, bytes 65536 to 131072 of weights 'w', do "
                "not have their checksum; copy it again or compile the model "
                "again");
}

TEST_F(WeightChecksums, OfALoad) {
  // The last byte of the first piece, and the first of the second.
  make(load(kPiece - 1, 2, "n1=1"));
  expectUse({0, kPiece - 1, kPiece, 2 * kPiece - 1},
            {2 * kPiece, 3 * kPiece, kBytes - 1});
}

TEST_F(WeightChecksums, OfTheEndAndItsPadding) {
  make(load(kBytes - 4, 4, "n1=1"));
  expectUse({3 * kPiece, kBytes - 1, kBytes, 3 * kPiece + 8191},
            {0, 3 * kPiece - 1});
}

TEST_F(WeightChecksums, OfRowsApart) {
  // Rows of the first and the third piece, and of none between.
  make(load(64, 64, "n1=2, ss1=131072, ds1=64"));
  expectUse({64, 2 * kPiece + 64}, {kPiece + 64, 3 * kPiece + 64});
}

TEST_F(WeightChecksums, OfRowsBackwards) {
  make(load(2 * kPiece, 64, "n1=3, ss1=-65536, ds1=64"));
  expectUse({0, kPiece, 2 * kPiece}, {3 * kPiece});
}

TEST_F(WeightChecksums, OfRowsClose) {
  make(load(kPiece / 2, 16, "n1=3, ss1=32768, ds1=64"));
  expectUse({0, kPiece}, {2 * kPiece, 3 * kPiece});
}

TEST_F(WeightChecksums, OfAGather) {
  make("  dma.gather dst=spm[0], src=hbm[0], table=0, n=2, bytes=64, "
       "stride=65536, bound=3, local_stride=64\n");
  expectUse({0, 2 * kPiece}, {kPiece, 3 * kPiece});
}

TEST_F(WeightChecksums, OfSlots) {
  make("  ring.setup ring=0, slots=2, base=0, slot_bytes=128\n"
       "  ring.fill ring=0, src=hbm[65472], count=2, bytes=128, "
       "stride=65536, passes=1\n");
  expectUse({0, kPiece, 2 * kPiece}, {3 * kPiece});
}

TEST_F(WeightChecksums, OfWhatTheHostReads) {
  make("");
  flip(kPiece);
  isa::ProgramFile file = llvm::cantFail(isa::ProgramFile::open(path));
  auto machine = llvm::cantFail(sim::Machine::create(file));
  uint8_t bytes[8];
  EXPECT_THAT(llvm::toString(machine->readHbm(kPiece - 8, bytes)), "");
  EXPECT_THAT(llvm::toString(machine->readHbm(kPiece - 7, bytes)),
              HasSubstr("the file is damaged"));
}

TEST_F(WeightChecksums, AreComparedOnce) {
  make(load(0, 64, "n1=1"));
  isa::ProgramFile file = llvm::cantFail(isa::ProgramFile::open(path));
  auto machine = llvm::cantFail(sim::Machine::create(file));
  llvm::cantFail(machine->run(0, {}).takeError());
  // The piece has been found right; that the mapping changes goes unseen.
  flip(100);
  llvm::cantFail(machine->run(0, {}).takeError());
}

} // namespace
