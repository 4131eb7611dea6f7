//===- NpzTest.cpp - NumPy's archives of arrays -------------------------===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "serrano/Support/Npz.h"
#include "test/Unit/TempFolder.h"
#include "llvm/ADT/StringExtras.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include <cstring>

using namespace serrano;
using llvm::arrayRefFromStringRef;
using llvm::cantFail;
using llvm::Expected;
using llvm::toString;
using testing::ElementsAre;
using testing::HasSubstr;

template <typename T>
static NpyArray makeArray(NpyType type, std::vector<uint64_t> shape,
                          std::vector<T> values) {
  NpyArray array{type, std::move(shape), {}};
  auto *bytes = reinterpret_cast<const uint8_t *>(values.data());
  array.bytes.assign(bytes, bytes + values.size() * sizeof(T));
  return array;
}

/// An .npy file of `version` with the header `text` and then `data`.
static std::string npy(const std::string &text, const std::string &data,
                       char version = 1) {
  std::string file = std::string("\x93NUMPY") + version + '\0';
  file += static_cast<char>(text.size() & 0xff);
  file += static_cast<char>(text.size() >> 8);
  if (version > 1)
    file += std::string(2, '\0');
  return file + text + data;
}

static std::string header(const std::string &descr, const std::string &order,
                          const std::string &shape) {
  return "{'descr': " + descr + ", 'fortran_order': " + order +
         ", 'shape': " + shape + ", }\n";
}

static Expected<NpyArray> parse(const std::string &file) {
  return parseNpy(arrayRefFromStringRef(file), "array 'x'");
}

static std::string errorOf(const std::string &file) {
  Expected<NpyArray> array = parse(file);
  return array ? "no error" : toString(array.takeError());
}

static std::string errorOfArchive(const std::string &path) {
  Expected<NpzArrays> arrays = readNpz(path);
  return arrays ? "no error" : toString(arrays.takeError());
}

static NpzArrays someArrays() {
  NpzArrays arrays;
  arrays["input_ids"] = makeArray<int64_t>(NpyType::i8, {1, 3}, {5, -6, 7});
  arrays["mask"] = makeArray<uint8_t>(NpyType::b1, {2}, {1, 0});
  arrays["scale"] = makeArray<float>(NpyType::f4, {}, {0.5f});
  arrays["nothing"] = makeArray<float>(NpyType::f4, {0, 4}, {});
  arrays["zeros"] =
      makeArray<double>(NpyType::f8, {1000}, std::vector<double>(1000, 0.0));
  return arrays;
}

namespace {

//===----------------------------------------------------------------------===//
// One array
//===----------------------------------------------------------------------===//

TEST(Npy, writesTheHeaderThatNumPyWrites) {
  std::string expected = "{'descr': '<f4', 'fortran_order': False, 'shape': "
                         "(2, 3), }";
  expected.resize(117, ' ');
  NpyArray array{NpyType::f4, {2, 3}, {}};
  EXPECT_EQ(npyHeader(array),
            std::string("\x93NUMPY\x01\x00\x76\x00", 10) + expected + "\n");
  array.shape = {5};
  EXPECT_THAT(npyHeader(array), HasSubstr("'shape': (5,), }"));
  array = NpyArray{NpyType::b1, {}, {}};
  EXPECT_THAT(npyHeader(array), HasSubstr("'descr': '|b1'"));
  EXPECT_THAT(npyHeader(array), HasSubstr("'shape': (), }"));
}

TEST(Npy, readsEveryVersion) {
  for (char version : {1, 2, 3}) {
    NpyArray array = cantFail(parse(
        npy(header("'<u2'", "False", "(2,)"), "\x01\x02\x03\x04", version)));
    EXPECT_EQ(array.type, NpyType::u2);
    EXPECT_THAT(array.shape, ElementsAre(2));
    EXPECT_THAT(array.as<uint16_t>(), ElementsAre(0x0201, 0x0403));
  }
}

TEST(Npy, readsScalarsAndEmptyArrays) {
  NpyArray scalar =
      cantFail(parse(npy(header("'|i1'", "False", "()"), "\x07")));
  EXPECT_TRUE(scalar.shape.empty());
  EXPECT_EQ(scalar.size(), 1u);
  NpyArray empty =
      cantFail(parse(npy(header("'<f8'", "True", "(3, 0, 2)"), "")));
  EXPECT_THAT(empty.shape, ElementsAre(3, 0, 2));
  EXPECT_EQ(empty.size(), 0u);
}

TEST(Npy, bringsFortranOrderIntoCOrder) {
  // Column by column: element (row, column) is 10 * row + column.
  NpyArray matrix = cantFail(
      parse(npy(header("'|u1'", "True", "(2, 3)"), {0, 10, 1, 11, 2, 12})));
  EXPECT_THAT(matrix.as<uint8_t>(), ElementsAre(0, 1, 2, 10, 11, 12));
  NpyArray cube = cantFail(
      parse(npy(header("'|u1'", "True", "(2, 1, 2)"), {0, 100, 1, 101})));
  EXPECT_THAT(cube.as<uint8_t>(), ElementsAre(0, 1, 100, 101));
}

TEST(Npy, refusesWhatIsNoArray) {
  EXPECT_EQ(errorOf(""), "array 'x': not an array in NumPy's format");
  EXPECT_EQ(errorOf("\x93NUMPY"), "array 'x': not an array in NumPy's format");
  EXPECT_EQ(errorOf("something else"),
            "array 'x': not an array in NumPy's format");
}

TEST(Npy, refusesAnUnknownVersion) {
  EXPECT_EQ(errorOf(npy("{}", "", 9)),
            "array 'x': version 9 of NumPy's format is not supported; versions "
            "1 to 3 are");
}

TEST(Npy, refusesEveryTruncation) {
  std::string whole = npy(header("'<f4'", "False", "(1,)"), "1234");
  for (size_t length = 0; length < whole.size(); ++length)
    EXPECT_NE(errorOf(whole.substr(0, length)), "no error") << length;
  EXPECT_EQ(errorOf(whole), "no error");
}

TEST(Npy, survivesEveryDamagedByte) {
  std::string whole = npy(header("'<f4'", "True", "(2, 1)"), "12345678");
  for (size_t position = 0; position < whole.size(); ++position) {
    for (int value = 0; value < 256; ++value) {
      std::string damaged = whole;
      damaged[position] = static_cast<char>(value);
      Expected<NpyArray> array = parse(damaged);
      if (!array)
        EXPECT_THAT(toString(array.takeError()), HasSubstr("array 'x': "));
    }
  }
}

TEST(Npy, namesWhatIsMalformed) {
  auto malformed = [](const std::string &text) {
    return errorOf(npy(text, ""));
  };
  EXPECT_EQ(malformed("[]"), "array 'x': malformed array header: expected '{' "
                             "before '[]'");
  EXPECT_EQ(malformed("{}"), "array 'x': malformed array header: it lacks "
                             "'descr', 'fortran_order' or 'shape'");
  EXPECT_EQ(malformed("{'colour': 1}"),
            "array 'x': malformed array header: unknown key 'colour'");
  EXPECT_THAT(malformed("{'descr"), HasSubstr("expected a string"));
  EXPECT_THAT(malformed("{'descr' '<f4'"), HasSubstr("expected ':'"));
  EXPECT_THAT(malformed("{'descr': '<f4' 'x'"),
              HasSubstr("expected ',' or '}'"));
  EXPECT_THAT(malformed(header("'<f4'", "Maybe", "()")),
              HasSubstr("expected True or False before 'Maybe"));
  EXPECT_THAT(malformed(header("'<f4'", "False", "(-1,)")),
              HasSubstr("expected an extent before '-1"));
  EXPECT_THAT(malformed(header("'<f4'", "False", "(99999999999999999999,)")),
              HasSubstr("expected an extent"));
  EXPECT_THAT(malformed(header("'<f4'", "False", "(1 2)")),
              HasSubstr("expected ',' or ')'"));
  EXPECT_THAT(malformed(header("'<f4'", "False", "()") + "more"),
              HasSubstr("expected the end"));
}

TEST(Npy, refusesElementTypesByName) {
  auto type = [](const std::string &descr) {
    return errorOf(npy(header(descr, "False", "()"), ""));
  };
  EXPECT_THAT(type("'<c8'"), HasSubstr("unsupported element type '<c8'"));
  EXPECT_THAT(type("'|O'"), HasSubstr("unsupported element type '|O'"));
  EXPECT_THAT(type("'<V2'"), HasSubstr("unsupported element type '<V2'"));
  EXPECT_THAT(type("'>f4'"), HasSubstr("big-endian element type '>f4'"));
  EXPECT_THAT(type("[('a', '<f4')]"), HasSubstr("structured arrays"));
}

TEST(Npy, refusesAShapeThatDoesNotFit) {
  EXPECT_EQ(errorOf(npy(header("'<f4'", "False", "(2, 2)"), "12345")),
            "array 'x': an array of type float32 and shape [2, 2] takes 16 bytes, "
            "but 5 follow its header");
  EXPECT_EQ(
      errorOf(npy(header("'<f4'", "False", "(4294967296, 4294967296, 4)"), "")),
      "array 'x': shape [4294967296, 4294967296, 4] is too large");
  std::string shape = "(";
  for (int dim = 0; dim < 65; ++dim)
    shape += "1, ";
  EXPECT_THAT(errorOf(npy(header("'<f4'", "False", shape + ")"), "1234")),
              HasSubstr("more than 64 dimensions"));
}

//===----------------------------------------------------------------------===//
// Archives
//===----------------------------------------------------------------------===//

class NpzTest : public testing::Test {
protected:
  /// An archive in which the array `x` begins with recognisable bytes.
  std::string writeOne(bool compress = false) {
    NpzArrays arrays;
    arrays["x"] = makeArray<uint8_t>(NpyType::u1, {8},
                                     {'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'});
    cantFail(writeNpz(folder.path("one.npz"), arrays, compress));
    return folder.read("one.npz");
  }

  TempFolder folder;
};

TEST_F(NpzTest, readsWhatItWrote) {
  NpzArrays written = someArrays();
  for (bool compress : {false, true}) {
    cantFail(writeNpz(folder.path("a.npz"), written, compress));
    NpzArrays arrays = cantFail(readNpz(folder.path("a.npz")));
    ASSERT_EQ(arrays.size(), written.size());
    for (const auto &[name, array] : written) {
      EXPECT_EQ(arrays[name].type, array.type) << name;
      EXPECT_EQ(arrays[name].shape, array.shape) << name;
      EXPECT_EQ(arrays[name].bytes, array.bytes) << name;
    }
  }
}

TEST_F(NpzTest, compressesWhenAsked) {
  cantFail(writeNpz(folder.path("plain.npz"), someArrays()));
  cantFail(writeNpz(folder.path("small.npz"), someArrays(), true));
  EXPECT_GT(folder.read("plain.npz").size(), 8000u);
  EXPECT_LT(folder.read("small.npz").size(), 4000u);
}

TEST_F(NpzTest, sameArraysGiveSameBytes) {
  cantFail(writeNpz(folder.path("a.npz"), someArrays()));
  cantFail(writeNpz(folder.path("b.npz"), someArrays()));
  EXPECT_EQ(folder.read("a.npz"), folder.read("b.npz"));
}

TEST_F(NpzTest, refusesToWriteNothing) {
  std::string path = folder.path("a.npz");
  EXPECT_EQ(toString(writeNpz(path, {})),
            path + ": cannot write: there are no arrays");
  EXPECT_EQ(folder.count(), 0u);
}

TEST_F(NpzTest, refusesToWriteWhereItCannot) {
  EXPECT_EQ(toString(writeNpz("/dev/null", someArrays())),
            "/dev/null: cannot write: not a regular file");
  std::string path = folder.path("missing/a.npz");
  EXPECT_THAT(toString(writeNpz(path, someArrays())),
              HasSubstr(path + ": cannot "));
}

TEST_F(NpzTest, refusesWhatIsNoArchive) {
  std::string missing = folder.path("missing.npz");
  EXPECT_EQ(errorOfArchive(missing),
            missing + ": cannot open: no such file or directory");
  std::string text = folder.write("text.npz", "this is not a zip file");
  EXPECT_EQ(errorOfArchive(text), text + ": cannot open as an archive of "
                                         "arrays (.npz): not a zip archive");
  EXPECT_THAT(errorOfArchive(folder.write("empty.npz", "")),
              HasSubstr("cannot open as an archive"));
  EXPECT_THAT(errorOfArchive(folder.path()), HasSubstr("cannot open"));
}

TEST_F(NpzTest, refusesAMemberThatIsNoArray) {
  std::string archive = writeOne();
  for (size_t at; (at = archive.find("x.npy")) != std::string::npos;)
    archive.replace(at, 5, "x.txt");
  std::string path = folder.write("a.npz", archive);
  EXPECT_EQ(errorOfArchive(path), path + ": member 'x.txt' is not an array: "
                                         "its name does not end in .npy");
}

TEST_F(NpzTest, refusesDataThatChanged) {
  std::string archive = writeOne();
  archive[archive.find("abcdefgh")] = 'A';
  std::string path = folder.write("a.npz", archive);
  EXPECT_EQ(errorOfArchive(path), path + ": array 'x': cannot read: CRC error");
}

TEST_F(NpzTest, survivesEveryTruncationAndDamagedByte) {
  for (bool compress : {false, true}) {
    std::string archive = writeOne(compress);
    for (size_t length = 0; length < archive.size(); ++length)
      EXPECT_NE(
          errorOfArchive(folder.write("a.npz", archive.substr(0, length))),
          "no error");
    for (size_t position = 0; position < archive.size(); ++position) {
      for (unsigned char flip : {0x01, 0x80, 0xff}) {
        std::string damaged = archive;
        damaged[position] ^= flip;
        // Not every byte matters, but none may crash the reader.
        errorOfArchive(folder.write("a.npz", damaged));
      }
    }
  }
}

} // namespace
