//===- AtomicFileTest.cpp - an output file, whole or not at all ---------===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "serrano/Support/AtomicFile.h"
#include "test/Unit/TempFolder.h"
#include "llvm/ADT/StringExtras.h"
#include "gtest/gtest.h"

using namespace serrano;
using llvm::arrayRefFromStringRef;
using llvm::cantFail;
using llvm::Expected;
using llvm::toString;

namespace {

class AtomicFileTest : public testing::Test {
protected:
  static std::string errorOf(const std::string &path) {
    Expected<AtomicFile> file = AtomicFile::create(path);
    return file ? "no error" : toString(file.takeError());
  }

  TempFolder folder;
};

TEST_F(AtomicFileTest, appearsWhenCommitted) {
  AtomicFile file = cantFail(AtomicFile::create(folder.path("out.bin")));
  file.stream() << "content";
  EXPECT_FALSE(std::filesystem::exists(folder.path("out.bin")));
  EXPECT_FALSE(file.commit());
  EXPECT_EQ(folder.read("out.bin"), "content");
  EXPECT_EQ(folder.count(), 1u);
}

TEST_F(AtomicFileTest, leavesNothingWithoutCommit) {
  {
    AtomicFile file = cantFail(AtomicFile::create(folder.path("out.bin")));
    file.stream() << "content";
    EXPECT_EQ(folder.count(), 1u);
  }
  EXPECT_EQ(folder.count(), 0u);
}

TEST_F(AtomicFileTest, keepsTheOldFileWithoutCommit) {
  folder.write("out.bin", "old");
  cantFail(AtomicFile::create(folder.path("out.bin"))).stream() << "new";
  EXPECT_EQ(folder.read("out.bin"), "old");
  EXPECT_EQ(folder.count(), 1u);
}

TEST_F(AtomicFileTest, readsBackWhatWasWritten) {
  AtomicFile file = cantFail(AtomicFile::create(folder.path("out.bin")));
  cantFail(file.resize(8));
  cantFail(file.writeAt(2, {1, 2, 3}));
  uint8_t bytes[6];
  cantFail(file.readAt(1, bytes));
  EXPECT_EQ(llvm::ArrayRef(bytes), (llvm::ArrayRef<uint8_t>{0, 1, 2, 3, 0, 0}));
  EXPECT_EQ(toString(file.readAt(3, bytes)),
            folder.path("out.bin") + ": cannot read back: input/output error");
}

TEST_F(AtomicFileTest, replacesTheOldFile) {
  folder.write("out.bin", "old and longer");
  AtomicFile file = cantFail(AtomicFile::create(folder.path("out.bin")));
  file.stream() << "new";
  EXPECT_FALSE(file.commit());
  EXPECT_EQ(folder.read("out.bin"), "new");
}

TEST_F(AtomicFileTest, canBeMoved) {
  AtomicFile first = cantFail(AtomicFile::create(folder.path("out.bin")));
  first.stream() << "one ";
  AtomicFile second = std::move(first);
  second.stream() << "two";
  EXPECT_FALSE(second.commit());
  EXPECT_EQ(folder.read("out.bin"), "one two");
}

TEST_F(AtomicFileTest, streamSeeksAndPatches) {
  AtomicFile file = cantFail(AtomicFile::create(folder.path("out.bin")));
  file.stream() << "head....tail";
  file.stream().seek(4);
  file.stream() << "body";
  EXPECT_EQ(file.stream().tell(), 8u);
  file.stream().pwrite("HEAD", 4, 0);
  EXPECT_FALSE(file.commit());
  EXPECT_EQ(folder.read("out.bin"), "HEADbodytail");
}

TEST_F(AtomicFileTest, writesBesideTheStream) {
  AtomicFile file = cantFail(AtomicFile::create(folder.path("out.bin")));
  file.stream() << "stream";
  EXPECT_FALSE(file.writeAt(8, arrayRefFromStringRef("beside")));
  file.stream() << "ed";
  EXPECT_EQ(cantFail(file.size()), 14u);
  EXPECT_FALSE(file.commit());
  EXPECT_EQ(folder.read("out.bin"), "streamedbeside");
}

TEST_F(AtomicFileTest, sizeCountsWhatIsBuffered) {
  AtomicFile file = cantFail(AtomicFile::create(folder.path("out.bin")));
  EXPECT_EQ(cantFail(file.size()), 0u);
  file.stream() << "12345";
  EXPECT_EQ(cantFail(file.size()), 5u);
}

TEST_F(AtomicFileTest, resizePadsWithZeros) {
  AtomicFile file = cantFail(AtomicFile::create(folder.path("out.bin")));
  file.stream() << "ab";
  EXPECT_FALSE(file.resize(4));
  EXPECT_FALSE(file.commit());
  EXPECT_EQ(folder.read("out.bin"), std::string("ab\0\0", 4));
}

TEST_F(AtomicFileTest, followsASymbolicLink) {
  folder.write("real.bin", "old");
  std::filesystem::create_symlink("real.bin", folder.path("link.bin"));
  AtomicFile file = cantFail(AtomicFile::create(folder.path("link.bin")));
  file.stream() << "new";
  EXPECT_FALSE(file.commit());
  EXPECT_EQ(folder.read("real.bin"), "new");
  EXPECT_TRUE(std::filesystem::is_symlink(folder.path("link.bin")));
}

TEST_F(AtomicFileTest, refusesAMissingFolder) {
  std::string path = folder.path("missing/out.bin");
  EXPECT_EQ(errorOf(path), path + ": cannot create: no such file or directory");
}

TEST_F(AtomicFileTest, refusesWhatIsNotAFile) {
  EXPECT_EQ(errorOf(folder.path()),
            folder.path() + ": cannot write: not a regular file");
  EXPECT_EQ(errorOf("/dev/null"),
            "/dev/null: cannot write: not a regular file");
}

TEST_F(AtomicFileTest, commitReportsThatTheFolderWasRemoved) {
  std::filesystem::create_directory(folder.path("gone"));
  std::string path = folder.path("gone/out.bin");
  AtomicFile file = cantFail(AtomicFile::create(path));
  std::filesystem::remove_all(folder.path("gone"));
  EXPECT_EQ(toString(file.commit()),
            path + ": cannot create: no such file or directory");
}

} // namespace
