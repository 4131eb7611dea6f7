//===- ProgramFileTest.cpp - tests of program files -------------*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "serrano/Isa/ProgramFile.h"
#include "../TempFolder.h"
#include "serrano/Isa/Assembly.h"
#include "serrano/Isa/ProgramWriter.h"
#include "llvm/BinaryFormat/ELF.h"
#include "llvm/Object/ELFTypes.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/xxhash.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include <filesystem>
#include <nlohmann/json.hpp>
#include <random>
#include <thread>

using namespace serrano;
using namespace serrano::isa;
using testing::HasSubstr;

static const char *source = ".hbm cache, 100, at=16384\n"
                            ".op 1, \"norm\"\n"
                            ".entry f\n"
                            ".dim n, max=4, smem=0\n"
                            ".input x, f32, [n, 3], hbm=cache\n"
                            "func f {\n mark op=1\n call callee=g\n halt\n}\n"
                            "func g {\n ret\n}\n";

static const char *targetJson = R"({"name": "test"})";

namespace {

class ProgramFileTest : public testing::Test {
protected:
  void SetUp() override { program = llvm::cantFail(assemble(source, "f.s")); }

  llvm::Error write(llvm::StringRef path) {
    llvm::Expected<ProgramWriter> writer = ProgramWriter::create(path);
    if (!writer)
      return writer.takeError();
    auto a = writer->addWeights("a", 0, 5000);
    auto b = writer->addWeights("b", 8192, 3);
    if (!a || !b)
      return llvm::joinErrors(a.takeError(), b.takeError());
    if (llvm::Error error = writer->write(*b, 1, {7, 8}))
      return error;
    if (llvm::Error error = writer->write(*a, 4999, {9}))
      return error;
    return writer->finish(program, targetJson, {{"seconds", 1}});
  }

  std::string bytesOf(llvm::StringRef path) {
    return llvm::MemoryBuffer::getFile(path).get()->getBuffer().str();
  }

  /// The error of opening a file of those bytes, or "".
  std::string openError(llvm::StringRef bytes) {
    std::string path = folder.path("damaged.srn");
    std::error_code code;
    llvm::raw_fd_ostream(path, code) << bytes;
    llvm::Expected<ProgramFile> file = ProgramFile::open(path);
    return file ? "" : llvm::toString(file.takeError());
  }

  TempFolder folder;
  Program program;
};

} // namespace

TEST_F(ProgramFileTest, ReadsBackWhatWasWritten) {
  std::string path = folder.path("a.srn");
  ASSERT_EQ(llvm::toString(write(path)), "");
  llvm::Expected<ProgramFile> file = ProgramFile::open(path);
  ASSERT_TRUE(static_cast<bool>(file)) << llvm::toString(file.takeError());
  EXPECT_EQ(file->text(), llvm::ArrayRef(program.text));
  EXPECT_EQ(file->operators(), program.operators);
  EXPECT_EQ(file->program().functions[1].name, "g");
  EXPECT_EQ(file->program().entries[0].inputs[0].shape,
            (std::vector<std::string>{"n", "3"}));
  EXPECT_EQ(file->hbmBytes(), 16484u);
  EXPECT_EQ(file->manifest().at("report").at("seconds"), 1);
  EXPECT_EQ(nlohmann::json::parse(file->targetJson()),
            nlohmann::json::parse(targetJson));

  ASSERT_EQ(file->sections().size(), 3u);
  const Section &a = file->sections()[0], &b = file->sections()[1],
                &cache = file->sections()[2];
  EXPECT_EQ(a.name, "a");
  EXPECT_EQ(a.fileOffset % programPageBytes, 0u);
  EXPECT_EQ(file->bytesOf(a).size(), 5000u);
  EXPECT_EQ(file->bytesOf(a).front(), 0);
  EXPECT_EQ(file->bytesOf(a).back(), 9);
  EXPECT_EQ(file->bytesOf(b), (llvm::ArrayRef<uint8_t>{0, 7, 8}));
  EXPECT_EQ(b.address, 8192u);
  EXPECT_EQ(cache.name, "cache");
  EXPECT_EQ(cache.fileSize, 0u);
  EXPECT_EQ(cache.memorySize, 100u);
}

TEST_F(ProgramFileTest, SameCallsGiveSameBytes) {
  std::string a = folder.path("a.srn"), b = folder.path("b.srn");
  ASSERT_EQ(llvm::toString(write(a)), "");
  ASSERT_EQ(llvm::toString(write(b)), "");
  EXPECT_EQ(bytesOf(a), bytesOf(b));
}

TEST_F(ProgramFileTest, EveryTruncationIsAnError) {
  std::string path = folder.path("a.srn");
  ASSERT_EQ(llvm::toString(write(path)), "");
  uint64_t size = 0;
  ASSERT_FALSE(llvm::sys::fs::file_size(path, size));
  while (size-- > 0) {
    std::filesystem::resize_file(path, size);
    llvm::Expected<ProgramFile> file = ProgramFile::open(path);
    ASSERT_FALSE(static_cast<bool>(file)) << size << " bytes";
    llvm::consumeError(file.takeError());
  }
}

TEST_F(ProgramFileTest, EveryFlippedBitIsAnErrorOrHarmless) {
  std::string path = folder.path("a.srn");
  ASSERT_EQ(llvm::toString(write(path)), "");
  std::string bytes = bytesOf(path);
  std::string manifest =
      llvm::cantFail(ProgramFile::open(path)).manifest().dump();
  std::mt19937_64 random(6);
  for (size_t at = 0; at < bytes.size(); ++at) {
    // Of weights and the padding around them a few bytes are enough.
    if (at > 64 && at < 12288 && at % 509)
      continue;
    std::string damaged = bytes;
    damaged[at] ^= 1 << random() % 8;
    std::string damagedPath = folder.path("flipped.srn");
    std::error_code code;
    llvm::raw_fd_ostream(damagedPath, code) << damaged;
    llvm::Expected<ProgramFile> file = ProgramFile::open(damagedPath);
    if (!file) {
      llvm::consumeError(file.takeError());
      continue;
    }
    EXPECT_EQ(file->text(), llvm::ArrayRef(program.text)) << at;
    EXPECT_EQ(file->manifest().dump(), manifest) << at;
    EXPECT_EQ(file->sections().size(), 3u) << at;
  }
}

TEST_F(ProgramFileTest, RandomBytesAreErrors) {
  std::mt19937_64 random(7);
  std::string path = folder.path("a.srn");
  ASSERT_EQ(llvm::toString(write(path)), "");
  std::string bytes = bytesOf(path);
  for (unsigned i = 0; i < 500; ++i) {
    // Rubbish in the headers at either end.
    std::string damaged = bytes;
    for (unsigned n = 1 + random() % 8; n > 0; --n) {
      size_t fromEnd = random() % 1500;
      size_t at = random() % 2 ? random() % 64 : damaged.size() - 1 - fromEnd;
      damaged[at] = static_cast<char>(random());
    }
    if (damaged != bytes)
      EXPECT_NE(openError(damaged), "") << i;
  }
}

TEST_F(ProgramFileTest, NewerFormat) {
  std::string path = folder.path("a.srn");
  ASSERT_EQ(llvm::toString(write(path)), "");
  std::string bytes = bytesOf(path);
  bytes[llvm::ELF::EI_ABIVERSION] = 3;
  EXPECT_THAT(openError(bytes),
              HasSubstr("damaged.srn: written by a newer serrano (format 3, "
                        "this one reads 2): recompile the model or upgrade"));
}

TEST_F(ProgramFileTest, OlderFormat) {
  std::string path = folder.path("a.srn");
  ASSERT_EQ(llvm::toString(write(path)), "");
  std::string bytes = bytesOf(path);
  bytes[llvm::ELF::EI_ABIVERSION] = 1;
  EXPECT_THAT(openError(bytes),
              HasSubstr("damaged.srn: written by an older serrano (format 1, "
                        "this one reads 2): compile the model again"));
}

/// The checksums of what is written by `write`, whose weights have `bytes`, and
/// whether they are those of the file's bytes.
static std::vector<uint64_t>
checksumsOf(const std::string &path, uint64_t bytes,
            llvm::function_ref<void(ProgramWriter &, size_t)> write) {
  ProgramWriter writer = llvm::cantFail(ProgramWriter::create(path));
  write(writer, llvm::cantFail(writer.addWeights("w", 0, bytes)));
  Program program =
      llvm::cantFail(assemble(".entry f\nfunc f {\n halt\n}\n", ""));
  llvm::cantFail(writer.finish(program, targetJson));
  ProgramFile file = llvm::cantFail(ProgramFile::open(path));
  const Section &section = file.sections()[0];
  std::string whole =
      llvm::MemoryBuffer::getFile(path).get()->getBuffer().str();
  std::vector<uint64_t> result;
  for (auto [i, checksum] : llvm::enumerate(section.checksums)) {
    uint64_t begin = i * weightPieceBytes,
             end = std::min(begin + weightPieceBytes, section.paddedSize());
    EXPECT_EQ(checksum, llvm::xxh3_64bits(llvm::StringRef(whole).substr(
                            section.fileOffset + begin, end - begin)))
        << i;
    result.push_back(checksum);
  }
  EXPECT_EQ(result.size(), llvm::divideCeil(bytes, weightPieceBytes));
  return result;
}

TEST_F(ProgramFileTest, ChecksumsDoNotDependOnTheOrderOfWrites) {
  constexpr uint64_t size = 3 * weightPieceBytes + 5000;
  std::vector<uint8_t> bytes(size);
  std::mt19937 random(5);
  for (uint8_t &byte : bytes)
    byte = uint8_t(random());
  auto part = [&](uint64_t begin, uint64_t end) {
    return llvm::ArrayRef(bytes).slice(begin, end - begin);
  };
  std::string path = folder.path("a.srn");
  std::vector<uint64_t> expected =
      checksumsOf(path, size, [&](ProgramWriter &writer, size_t section) {
        llvm::cantFail(writer.write(section, 0, bytes));
      });

  EXPECT_EQ(expected,
            checksumsOf(path, size, [&](ProgramWriter &writer, size_t section) {
              for (uint64_t end = size; end > 0;) {
                uint64_t begin = end - std::min<uint64_t>(end, 777);
                llvm::cantFail(writer.write(section, begin, part(begin, end)));
                end = begin;
              }
            }));
  // Bytes that are written twice, first wrongly.
  EXPECT_EQ(expected,
            checksumsOf(path, size, [&](ProgramWriter &writer, size_t section) {
              std::vector<uint8_t> wrong(size);
              llvm::cantFail(writer.write(section, 0, wrong));
              llvm::cantFail(writer.write(section, 0, bytes));
            }));
  // Bytes that are written twice in place of some that never are.
  EXPECT_NE(expected,
            checksumsOf(path, size, [&](ProgramWriter &writer, size_t section) {
              for (int i : {0, 1})
                llvm::cantFail(writer.write(section, 0,
                                            part(i, i + weightPieceBytes / 2)));
            }));
  EXPECT_EQ(expected,
            checksumsOf(path, size, [&](ProgramWriter &writer, size_t section) {
              auto writeEvery = [&](uint64_t first) {
                for (uint64_t at = first; at < size; at += 2000)
                  llvm::cantFail(writer.write(
                      section, at, part(at, std::min(at + 1000, size))));
              };
              std::thread other([&] { writeEvery(0); });
              writeEvery(1000);
              other.join();
            }));
}

TEST_F(ProgramFileTest, HolesHaveChecksumsOfZeros) {
  // Whole pieces in the middle, parts of those around them and the end of the
  // last are never written.
  constexpr uint64_t size = 5 * weightPieceBytes + 5000;
  std::vector<uint8_t> bytes(1000, 7);
  std::vector<uint64_t> checksums = checksumsOf(
      folder.path("a.srn"), size, [&](ProgramWriter &writer, size_t section) {
        for (uint64_t at : {weightPieceBytes / 2, 4 * weightPieceBytes})
          llvm::cantFail(writer.write(section, at, bytes));
      });
  uint64_t ofZeros =
      llvm::xxh3_64bits(std::vector<uint8_t>(weightPieceBytes, 0));
  for (size_t i : {1, 2, 3})
    EXPECT_EQ(checksums[i], ofZeros) << i;
  for (size_t i : {0, 4, 5})
    EXPECT_NE(checksums[i], ofZeros) << i;
}

TEST_F(ProgramFileTest, OtherFilesAreNoPrograms) {
  EXPECT_THAT(openError(""), HasSubstr("not a program file"));
  EXPECT_THAT(openError("#!/bin/sh\n"), HasSubstr("not a program file"));
  std::string path = folder.path("a.srn");
  ASSERT_EQ(llvm::toString(write(path)), "");
  std::string bytes = bytesOf(path);
  bytes[llvm::ELF::EI_OSABI] = llvm::ELF::ELFOSABI_LINUX;
  EXPECT_THAT(openError(bytes), HasSubstr("not a Serrano program"));
}

TEST_F(ProgramFileTest, WeightsStartOnPages) {
  ProgramWriter writer =
      llvm::cantFail(ProgramWriter::create(folder.path("a.srn")));
  llvm::Expected<size_t> section = writer.addWeights("w", 100, 10);
  ASSERT_FALSE(static_cast<bool>(section));
  EXPECT_THAT(llvm::toString(section.takeError()),
              HasSubstr("weights 'w' are at hbm address 0x64, which is not a "
                        "multiple of 4096"));
}

TEST_F(ProgramFileTest, WeightsAndZeroesDoNotOverlap) {
  ProgramWriter writer =
      llvm::cantFail(ProgramWriter::create(folder.path("a.srn")));
  llvm::cantFail(writer.addWeights("w", 12288, 4097));
  EXPECT_THAT(llvm::toString(writer.finish(program, targetJson)),
              HasSubstr("sections 'w' and 'cache' overlap in hbm"));
  EXPECT_FALSE(llvm::sys::fs::exists(folder.path("a.srn")));
}

TEST_F(ProgramFileTest, NoPartialOutput) {
  std::string path = folder.path("a.srn");
  {
    ProgramWriter writer = llvm::cantFail(ProgramWriter::create(path));
    llvm::cantFail(writer.addWeights("w", 0, 10));
    EXPECT_NE(llvm::toString(writer.write(0, 8, {1, 2, 3})), "");
  }
  EXPECT_FALSE(llvm::sys::fs::exists(path));
}

TEST_F(ProgramFileTest, NamesThatAreNoText) {
  program.operators[1] = "\xff";
  EXPECT_THAT(llvm::toString(write(folder.path("a.srn"))),
              HasSubstr("cannot write the manifest"));
  EXPECT_FALSE(llvm::sys::fs::exists(folder.path("a.srn")));
}
