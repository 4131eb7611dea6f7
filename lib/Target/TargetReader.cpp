//===- TargetReader.cpp - strict reading of a target file -----------------===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TargetJson.h"
#include "TargetSchema.h"
#include "serrano/Support/Error.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MathExtras.h"
#include <cmath>
#include <set>

using namespace llvm;
using nlohmann::json;

namespace serrano {

//===----------------------------------------------------------------------===//
// Problems
//===----------------------------------------------------------------------===//

void TargetProblems::add(StringRef path, const Twine &message) {
  std::string where = path.empty() ? source : source + ": " + path.str();
  lines.push_back(where + ": " + message.str());
}

Error TargetProblems::takeError() {
  return makeError("{0}", join(std::exchange(lines, {}), "\n"));
}

std::string describeJson(const json &value) {
  if (value.is_object())
    return "an object";
  if (value.is_array())
    return "a list";
  std::string text = value.dump(-1, ' ', /*ensure_ascii=*/true);
  if (text.size() > 60)
    text = text.substr(0, 56) + "...\"";
  return value.is_string() ? "the string " + text : text;
}

std::string suggestNearest(StringRef name, ArrayRef<std::string> candidates) {
  // More edits than a third of the name make another name of it.
  unsigned best = std::max<unsigned>(2, name.size() / 3) + 1;
  const std::string *nearest = nullptr;
  for (const std::string &candidate : candidates) {
    unsigned distance = name.edit_distance_insensitive(candidate);
    if (distance < best) {
      best = distance;
      nearest = &candidate;
    }
  }
  return nearest ? "; did you mean '" + *nearest + "'?" : "";
}

//===----------------------------------------------------------------------===//
// Parsing
//===----------------------------------------------------------------------===//

Expected<json> parseJson(StringRef text, StringRef source) {
  // nlohmann-json keeps the last of two equal keys and says nothing.
  struct OpenObject {
    std::set<std::string> keys;
    std::string key;
  };
  std::vector<OpenObject> open;
  TargetProblems problems(source);
  auto onEvent = [&](int, json::parse_event_t event, json &parsed) {
    if (event == json::parse_event_t::object_start) {
      open.emplace_back();
    } else if (event == json::parse_event_t::object_end) {
      open.pop_back();
    } else if (event == json::parse_event_t::key) {
      open.back().key = parsed.get<std::string>();
      if (!open.back().keys.insert(open.back().key).second) {
        std::string path;
        for (const OpenObject &object : open)
          path += (path.empty() ? "" : ".") + object.key;
        problems.add(path, "given twice; keep one of the two");
      }
    }
    return true;
  };
  try {
    json root = json::parse(text.begin(), text.end(), onEvent);
    if (!problems.empty())
      return problems.takeError();
    return root;
  } catch (const json::exception &exception) {
    // Its text starts with an identifier in brackets.
    StringRef reason = StringRef(exception.what()).split("] ").second;
    reason.consume_front("parse error at ");
    return makeError("{0}: not JSON: {1}", source, reason);
  }
}

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

static std::string expectedWhole(WholeRange range) {
  std::string kind = "a whole number";
  if (range.powerOfTwo)
    kind = "a power of two";
  else if (range.multipleOf > 1)
    kind = formatv("a multiple of {0}", range.multipleOf).str();
  if (range.least == range.most)
    return formatv("{0}", range.least).str();
  return formatv("{0} from {1} to {2}", kind, range.least, range.most).str();
}

static std::string expectedDecimal(DecimalRange range) {
  return formatv("a number {0} {1} with at most 4 decimals",
                 range.zero ? "from 0 to" : "above 0 and up to", range.most)
      .str();
}

/// What to do about a whole number outside its range.
static std::string remedyForWhole(int64_t value, WholeRange range) {
  if (range.least == range.most)
    return formatv("this version reads {0} only", range.least).str();
  if (value < range.least)
    return formatv("{0} is the least possible", range.least).str();
  if (value > range.most)
    return formatv("{0} is the most possible", range.most).str();
  int64_t below = value / range.multipleOf * range.multipleOf;
  int64_t above = below + range.multipleOf;
  if (range.powerOfTwo) {
    below = int64_t(1) << Log2_64(value);
    above = 2 * below;
  }
  if (above > range.most)
    return formatv("{0} is the nearest", below).str();
  return formatv("{0} and {1} are the nearest", below, above).str();
}

static bool isPossible(int64_t value, WholeRange range) {
  return value >= range.least && value <= range.most &&
         value % range.multipleOf == 0 &&
         (!range.powerOfTwo || isPowerOf2_64(value));
}

namespace {

class Reader {
public:
  Reader(const json &object, std::string path, TargetProblems &problems)
      : object(object), path(std::move(path)), problems(problems) {}

  void whole(const char *key, int64_t &field, WholeRange range,
             const char *meaning) {
    std::string expected = expectedWhole(range);
    const json *value = find(key, expected, meaning);
    if (!value)
      return;
    if (!value->is_number_integer())
      return wrong(key, expected, meaning, *value,
                   value->is_string() ? "write it without quotes"
                                      : "write it as a whole number");
    // An unsigned number above the signed range is as impossible as the most.
    field = value->is_number_unsigned() && value->get<uint64_t>() > INT64_MAX
                ? INT64_MAX
                : value->get<int64_t>();
    if (!isPossible(field, range))
      wrong(key, expected, meaning, *value, remedyForWhole(field, range));
  }

  void decimal(StringRef key, Ratio &field, DecimalRange range,
               const char *meaning) {
    std::string expected = expectedDecimal(range);
    const json *value = find(key, expected, meaning);
    if (!value)
      return;
    if (!value->is_number())
      return wrong(key, expected, meaning, *value,
                   value->is_string() ? "write it without quotes"
                                      : "write it as a number");
    double number = value->get<double>();
    if (number < 0 || (number == 0 && !range.zero))
      return wrong(key, expected, meaning, *value,
                   range.zero ? "0 is the least possible"
                              : "it has to be above 0");
    if (number > double(range.most))
      return wrong(key, expected, meaning, *value,
                   formatv("{0} is the most possible", range.most));
    double scaled = std::round(number * decimalScale);
    // Equal only if the number, as written, has no further decimals: both sides
    // are the double nearest to it.
    if (scaled / decimalScale != number)
      return wrong(key, expected, meaning, *value, "round it to 4 decimals");
    field = Ratio(int64_t(scaled), decimalScale);
  }

  void text(const char *key, std::string &field, const char *meaning) {
    const char *expected = "a text in quotes that is not empty";
    const json *value = find(key, expected, meaning);
    if (!value)
      return;
    if (value->is_string())
      field = value->get<std::string>();
    if (field.empty())
      wrong(key, expected, meaning, *value, "write a text");
  }

  void perFormat(const char *key, PerFormat<Ratio> &field, DecimalRange range,
                 const char *meaning) {
    nested(key, meaning, [&](Reader &reader) {
      for (NumberFormat format : numberFormats)
        reader.decimal(formatName(format), field[format], range, meaning);
    });
  }

  template <typename Group, typename Members>
  void group(const char *key, Group &group, Members members) {
    nested(key, "a group of numbers", [&](Reader &reader) {
      reader.text("provenance", group.provenance,
                  "where the numbers of the group come from");
      members(reader, group);
    });
  }

  template <typename Group, typename Members>
  void optionalGroup(const char *key, std::optional<Group> &field,
                     Members members, const char *whenNull) {
    std::string expected = std::string("an object, or ") + whenNull;
    const json *value = find(key, expected, "a group of numbers");
    if (!value)
      return;
    if (value->is_null())
      field.reset();
    else
      group(key, field.emplace(), members);
  }

  /// To be called after the last key.
  void rejectUnknownKeys() {
    for (const auto &[key, value] : object.items()) {
      if (llvm::is_contained(known, key))
        continue;
      std::string suggestion = suggestNearest(key, known);
      if (suggestion.empty())
        suggestion = "; known here are " + llvm::join(known, ", ");
      problems.add(pathOf(key), "unknown key" + suggestion);
    }
  }

private:
  std::string pathOf(StringRef key) const {
    return path.empty() ? key.str() : path + "." + key.str();
  }

  const json *find(StringRef key, StringRef expected, StringRef meaning) {
    if (!llvm::is_contained(known, key))
      known.emplace_back(key);
    auto it = object.find(key.str());
    if (it != object.end())
      return &*it;
    problems.add(pathOf(key), "expected " + expected + " (" + meaning +
                                  "), found nothing; add the key" +
                                  (path.empty() ? "" : " to '" + path + "'"));
    return nullptr;
  }

  void wrong(StringRef key, StringRef expected, StringRef meaning,
             const json &found, const Twine &remedy) {
    problems.add(pathOf(key), "expected " + expected + " (" + meaning +
                                  "), found " + describeJson(found) + "; " +
                                  remedy);
  }

  template <typename Read>
  void nested(const char *key, const char *meaning, Read read) {
    const json *value = find(key, "an object", meaning);
    if (!value)
      return;
    if (!value->is_object())
      return wrong(key, "an object", meaning, *value,
                   "write { ... } with the group's keys");
    Reader reader(*value, pathOf(key), problems);
    read(reader);
    reader.rejectUnknownKeys();
  }

  const json &object;
  std::string path;
  TargetProblems &problems;
  std::vector<std::string> known;
};

} // namespace

void readTarget(const json &root, TargetNumbers &target,
                TargetProblems &problems) {
  if (!root.is_object()) {
    problems.add("", "expected an object with a target's keys, found " +
                         describeJson(root) +
                         "; docs/Targets.md describes the file");
    return;
  }
  Reader reader(root, "", problems);
  visitTargetSchema(reader, target);
  reader.rejectUnknownKeys();
}

} // namespace serrano
