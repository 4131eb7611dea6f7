//===- MappedFileTest.cpp - a file mapped into memory -------------------===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "serrano/Support/MappedFile.h"
#include "test/Unit/TempFolder.h"
#include "llvm/ADT/StringExtras.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

using namespace serrano;
using llvm::Expected;
using llvm::toString;
using llvm::toStringRef;
using testing::HasSubstr;

namespace {

class MappedFileTest : public testing::Test {
protected:
  static MappedFile openOrFail(const std::string &path) {
    return llvm::cantFail(MappedFile::open(path));
  }
  static std::string errorOf(const std::string &path) {
    Expected<MappedFile> file = MappedFile::open(path);
    return file ? "no error" : toString(file.takeError());
  }

  TempFolder folder;
};

TEST_F(MappedFileTest, mapsTheWholeFileOnAPageBoundary) {
  std::string path = folder.write("a.bin", "some bytes");
  MappedFile file = openOrFail(path);
  EXPECT_EQ(toStringRef(file.bytes()), "some bytes");
  EXPECT_EQ(file.size(), 10u);
  EXPECT_EQ(file.path(), path);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(file.bytes().data()) %
                MappedFile::pageSize(),
            0u);
}

TEST_F(MappedFileTest, staysMappedWhenMoved) {
  MappedFile first = openOrFail(folder.write("a.bin", "first"));
  MappedFile second = openOrFail(folder.write("b.bin", "second"));
  MappedFile third = std::move(second);
  first = std::move(third);
  EXPECT_EQ(toStringRef(first.bytes()), "second");
}

TEST_F(MappedFileTest, holesHaveNoData) {
  constexpr uint64_t size = 1 << 20, at = 1 << 19;
  std::string path = folder.write("sparse.bin", "");
  std::filesystem::resize_file(path, size);
  {
    std::fstream stream(path, std::ios::in | std::ios::out | std::ios::binary);
    stream.seekp(at);
    stream << "data";
  }
  MappedFile file = openOrFail(path);
  EXPECT_FALSE(file.hasData(0, at));
  EXPECT_TRUE(file.hasData(0, at + 1));
  EXPECT_TRUE(file.hasData(at, 4));
  EXPECT_FALSE(file.hasData(size - 4096, 4096));
  EXPECT_EQ(file.bytes()[0], 0);
  EXPECT_EQ(toStringRef(file.bytes().slice(at, 4)), "data");
  // What cannot be asked any more may have data.
  std::filesystem::remove(path);
  EXPECT_TRUE(file.hasData(0, at));
}

TEST_F(MappedFileTest, emptyFileHasNoBytes) {
  MappedFile file = openOrFail(folder.write("empty.bin", ""));
  EXPECT_EQ(file.size(), 0u);
  EXPECT_TRUE(file.bytes().empty());
  EXPECT_TRUE(llvm::cantFail(file.slice(0, 0)).empty());
}

TEST_F(MappedFileTest, slicesWithinTheFile) {
  MappedFile file = openOrFail(folder.write("a.bin", "some bytes"));
  EXPECT_EQ(toStringRef(llvm::cantFail(file.slice(5, 5))), "bytes");
}

TEST_F(MappedFileTest, refusesASliceThatLeavesTheFile) {
  std::string path = folder.write("a.bin", "some bytes");
  MappedFile file = openOrFail(path);
  EXPECT_EQ(toString(file.slice(5, 6).takeError()),
            path + ": 6 bytes at offset 5 are not in the file, which has 10 "
                   "bytes");
  EXPECT_THAT(toString(file.slice(1, UINT64_MAX).takeError()),
              HasSubstr("are not in the file"));
  EXPECT_THAT(toString(file.slice(UINT64_MAX, 1).takeError()),
              HasSubstr("are not in the file"));
}

TEST_F(MappedFileTest, refusesAMissingFile) {
  std::string path = folder.path("missing.bin");
  EXPECT_EQ(errorOf(path), path + ": cannot open: no such file or directory");
}

TEST_F(MappedFileTest, refusesAFolder) {
  EXPECT_EQ(errorOf(folder.path()), folder.path() + ": not a regular file");
}

} // namespace
