//===- Npy.cpp - NumPy's format of one array ------------------------------===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A file is the magic string, two version bytes, the header's length, and the
// header: a Python dictionary as text with the keys 'descr', 'fortran_order'
// and 'shape', padded with spaces so that the data starts at a multiple of 64.
//
//===----------------------------------------------------------------------===//

#include "serrano/Support/Error.h"
#include "serrano/Support/Npz.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/MathExtras.h"
#include <cstring>

using namespace llvm;

namespace serrano {

static constexpr StringLiteral magic = "\x93NUMPY";

/// NumPy itself allows no array more.
static constexpr size_t maxRank = 64;

namespace {
struct TypeInfo {
  NpyType type;
  StringLiteral name;
  /// As in a header, without the letter for the byte order.
  StringLiteral code;
  unsigned size;
};
} // namespace

static constexpr TypeInfo typeInfos[] = {
    {NpyType::b1, "bool", "b1", 1},    {NpyType::i1, "int8", "i1", 1},
    {NpyType::i2, "int16", "i2", 2},   {NpyType::i4, "int32", "i4", 4},
    {NpyType::i8, "int64", "i8", 8},   {NpyType::u1, "uint8", "u1", 1},
    {NpyType::u2, "uint16", "u2", 2},  {NpyType::u4, "uint32", "u4", 4},
    {NpyType::u8, "uint64", "u8", 8},  {NpyType::f2, "float16", "f2", 2},
    {NpyType::f4, "float32", "f4", 4}, {NpyType::f8, "float64", "f8", 8},
};

static const TypeInfo &infoOf(NpyType type) {
  const TypeInfo *info =
      find_if(typeInfos, [&](const TypeInfo &i) { return i.type == type; });
  assert(info != std::end(typeInfos) && "not an element type");
  return *info;
}

StringRef npyTypeName(NpyType type) { return infoOf(type).name; }

uint64_t npyTypeSize(NpyType type) { return infoOf(type).size; }

uint64_t NpyArray::size() const {
  uint64_t product = 1;
  for (uint64_t extent : shape)
    product *= extent;
  return product;
}

//===----------------------------------------------------------------------===//
// Reading the header
//===----------------------------------------------------------------------===//

namespace {
struct Header {
  NpyType type;
  bool fortranOrder;
  std::vector<uint64_t> shape;
};

/// Reads the header's dictionary: only what NumPy writes, no other Python.
class HeaderParser {
public:
  HeaderParser(StringRef text, StringRef where) : rest(text), where(where) {}

  Expected<Header> parse();

private:
  bool consume(StringRef token) {
    rest = rest.ltrim();
    return rest.consume_front(token);
  }
  Error malformed(StringRef expected) {
    return makeError("{0}: malformed array header: expected {1} before '{2}'",
                     where, expected, printable(rest.take_front(16)));
  }
  static std::string printable(StringRef text) {
    std::string result = text.str();
    for (char &character : result)
      if (!isPrint(character))
        character = '?';
    return result;
  }
  Error parseEntry();
  Expected<StringRef> parseString();
  Expected<NpyType> parseType();
  Expected<bool> parseBool();
  Expected<std::vector<uint64_t>> parseShape();

  StringRef rest;
  StringRef where;
  std::optional<NpyType> type;
  std::optional<bool> fortranOrder;
  std::optional<std::vector<uint64_t>> shape;
};
} // namespace

Expected<Header> HeaderParser::parse() {
  if (!consume("{"))
    return malformed("'{'");
  while (!consume("}")) {
    if (Error error = parseEntry())
      return std::move(error);
    if (!consume(",") && !rest.ltrim().starts_with("}"))
      return malformed("',' or '}'");
  }
  if (!rest.trim().empty())
    return malformed("the end");
  if (!type || !fortranOrder || !shape)
    return makeError("{0}: malformed array header: it lacks 'descr', "
                     "'fortran_order' or 'shape'",
                     where);
  return Header{*type, *fortranOrder, std::move(*shape)};
}

template <typename T>
static Error assign(std::optional<T> &slot, Expected<T> value) {
  if (!value)
    return value.takeError();
  slot = std::move(*value);
  return Error::success();
}

Error HeaderParser::parseEntry() {
  Expected<StringRef> key = parseString();
  if (!key)
    return key.takeError();
  if (!consume(":"))
    return malformed("':'");
  if (*key == "descr")
    return assign(type, parseType());
  if (*key == "fortran_order")
    return assign(fortranOrder, parseBool());
  if (*key == "shape")
    return assign(shape, parseShape());
  return makeError("{0}: malformed array header: unknown key '{1}'", where,
                   printable(*key));
}

Expected<StringRef> HeaderParser::parseString() {
  rest = rest.ltrim();
  if (!rest.starts_with("'") && !rest.starts_with("\""))
    return malformed("a string");
  char quote = rest.front();
  size_t end = rest.find(quote, 1);
  if (end == StringRef::npos)
    return malformed("a string");
  StringRef text = rest.slice(1, end);
  rest = rest.drop_front(end + 1);
  return text;
}

Expected<NpyType> HeaderParser::parseType() {
  if (rest.ltrim().starts_with("["))
    return makeError("{0}: structured arrays are not supported", where);
  Expected<StringRef> text = parseString();
  if (!text)
    return text.takeError();
  StringRef code = *text;
  if (code.consume_front(">") && !code.ends_with("1"))
    return makeError("{0}: big-endian element type '{1}' is not supported; "
                     "convert the array with numpy's astype",
                     where, printable(*text));
  if (!code.consume_front("<") && !code.consume_front("|"))
    code.consume_front("=");
  const TypeInfo *info =
      find_if(typeInfos, [&](const TypeInfo &i) { return i.code == code; });
  if (info == std::end(typeInfos))
    return makeError("{0}: unsupported element type '{1}'; supported are bool, "
                     "i1, i2, i4, i8, u1, u2, u4, u8, f2, f4 and f8",
                     where, printable(*text));
  return info->type;
}

Expected<bool> HeaderParser::parseBool() {
  if (consume("True"))
    return true;
  if (consume("False"))
    return false;
  return malformed("True or False");
}

Expected<std::vector<uint64_t>> HeaderParser::parseShape() {
  std::vector<uint64_t> shape;
  if (!consume("("))
    return malformed("'('");
  while (!consume(")")) {
    uint64_t extent;
    rest = rest.ltrim();
    if (rest.consumeInteger(10, extent))
      return malformed("an extent");
    if (shape.size() == maxRank)
      return makeError("{0}: an array of more than {1} dimensions is not "
                       "supported",
                       where, maxRank);
    shape.push_back(extent);
    if (!consume(",") && !rest.ltrim().starts_with(")"))
      return malformed("',' or ')'");
  }
  return shape;
}

//===----------------------------------------------------------------------===//
// Reading the array
//===----------------------------------------------------------------------===//

/// The number of bytes of an array, nothing if it does not fit 64 bits.
static std::optional<uint64_t> byteSize(NpyType type,
                                        ArrayRef<uint64_t> shape) {
  // An array without elements may have any other extents.
  if (is_contained(shape, 0))
    return 0;
  uint64_t product = npyTypeSize(type);
  for (uint64_t extent : shape) {
    bool overflowed = false;
    product = SaturatingMultiply(product, extent, &overflowed);
    if (overflowed)
      return std::nullopt;
  }
  return product;
}

/// Brings elements whose first index is the fastest into C order.
static std::vector<uint8_t> fromFortranOrder(ArrayRef<uint8_t> source,
                                             ArrayRef<uint64_t> shape,
                                             uint64_t elementSize) {
  std::vector<uint8_t> result(source.size());
  std::vector<uint64_t> index(shape.size(), 0);
  for (uint64_t to = 0; to < result.size(); to += elementSize) {
    uint64_t from = 0;
    for (size_t dim = shape.size(); dim-- > 0;)
      from = from * shape[dim] + index[dim];
    std::memcpy(&result[to], &source[from * elementSize], elementSize);
    for (size_t dim = shape.size(); dim-- > 0;) {
      if (++index[dim] < shape[dim])
        break;
      index[dim] = 0;
    }
  }
  return result;
}

static std::string shapeText(ArrayRef<uint64_t> shape) {
  return join(map_range(shape, [](uint64_t extent) { return utostr(extent); }),
              ", ");
}

Expected<NpyArray> parseNpy(ArrayRef<uint8_t> file, StringRef where) {
  StringRef text = toStringRef(file);
  if (!text.consume_front(magic) || text.size() < 2)
    return makeError("{0}: not an array in NumPy's format", where);
  unsigned version = static_cast<uint8_t>(text[0]);
  text = text.drop_front(2);
  if (version < 1 || version > 3)
    return makeError("{0}: version {1} of NumPy's format is not supported; "
                     "versions 1 to 3 are",
                     where, version);

  size_t lengthSize = version == 1 ? 2 : 4;
  if (text.size() < lengthSize)
    return makeError("{0}: truncated array header", where);
  uint64_t length = version == 1 ? support::endian::read16le(text.data())
                                 : support::endian::read32le(text.data());
  text = text.drop_front(lengthSize);
  if (text.size() < length)
    return makeError("{0}: truncated array header: {1} bytes of {2}", where,
                     text.size(), length);

  Expected<Header> header =
      HeaderParser(text.take_front(length), where).parse();
  if (!header)
    return header.takeError();
  ArrayRef<uint8_t> data = arrayRefFromStringRef(text.drop_front(length));

  NpyArray array;
  array.type = header->type;
  array.shape = std::move(header->shape);
  std::optional<uint64_t> expected = byteSize(array.type, array.shape);
  if (!expected)
    return makeError("{0}: shape [{1}] is too large", where,
                     shapeText(array.shape));
  if (*expected != data.size())
    return makeError("{0}: an array of type {1} and shape [{2}] takes {3} "
                     "bytes, but {4} follow its header",
                     where, npyTypeName(array.type), shapeText(array.shape),
                     *expected, data.size());
  array.bytes =
      header->fortranOrder && array.shape.size() > 1
          ? fromFortranOrder(data, array.shape, npyTypeSize(array.type))
          : data.vec();
  return array;
}

//===----------------------------------------------------------------------===//
// Writing
//===----------------------------------------------------------------------===//

std::string npyHeader(const NpyArray &array) {
  const TypeInfo &info = infoOf(array.type);
  std::string dictionary = "{'descr': '";
  dictionary += info.size == 1 ? '|' : '<';
  dictionary += info.code;
  dictionary += "', 'fortran_order': False, 'shape': (";
  for (auto [dim, extent] : enumerate(array.shape))
    dictionary += (dim == 0 ? "" : " ") + utostr(extent) + ",";
  if (array.shape.size() > 1)
    dictionary.pop_back();
  dictionary += "), }";

  // Magic, version and length take 10 bytes; 64 dimensions are far from the
  // 64 KiB that version 1 allows.
  size_t padded = alignTo(10 + dictionary.size() + 1, 64) - 10;
  dictionary.resize(padded - 1, ' ');
  dictionary += '\n';
  std::string result(magic);
  result +=
      {1, 0, static_cast<char>(padded & 0xff), static_cast<char>(padded >> 8)};
  return result + dictionary;
}

} // namespace serrano
