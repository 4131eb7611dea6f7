//===- ErrorTest.cpp - errors with formatted messages ---------------------===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "serrano/Support/Error.h"
#include "serrano/Support/Message.h"
#include "gtest/gtest.h"

using namespace serrano;
using llvm::Error;
using llvm::toString;

namespace {

TEST(Error, formatsItsMessage) {
  Error error = makeError("{0}: tile of {1} bytes exceeds {2}", "w.bin", 9, 8);
  EXPECT_EQ(toString(std::move(error)), "w.bin: tile of 9 bytes exceeds 8");
}

TEST(Error, contextComesFirst) {
  EXPECT_EQ(toString(addContext(makeError("not a number"), "limits.tokens")),
            "limits.tokens: not a number");
}

TEST(Error, contextOfSuccessIsSuccess) {
  EXPECT_FALSE(addContext(Error::success(), "anything"));
}

TEST(Error, fileErrorNamesFileActionAndReason) {
  std::error_code code(ENOENT, std::generic_category());
  EXPECT_EQ(toString(makeFileError("x.onnx", "open", code)),
            "x.onnx: cannot open: no such file or directory");
}

TEST(Error, foreignMessagesBeginInLowerCase) {
  EXPECT_EQ(lowerCaseMessage("Not a zip archive"), "not a zip archive");
  EXPECT_EQ(lowerCaseMessage("CRC error"), "CRC error");
  EXPECT_EQ(lowerCaseMessage(""), "");
}

TEST(Error, controlCharactersAreWrittenOut) {
  EXPECT_EQ(escapeControls("a\nb\x7f"), "a\\x0ab\\x7f");
  EXPECT_EQ(escapeControls("größe"), "größe");
}

TEST(Error, bytesThatAreNoUtf8AreWrittenOut) {
  EXPECT_EQ(escapeControls("a\xff\xc3"), "a\\xff\\xc3");
  EXPECT_EQ(escapeControls("\xed\xa0\x80ö"), "\\xed\\xa0\\x80ö");
}

TEST(Error, oneLineOfSeveral) {
  EXPECT_EQ(oneLineMessage(makeError("first\nsec\x01ond\xff")),
            "first; sec\\x01ond\\xff");
}

} // namespace
