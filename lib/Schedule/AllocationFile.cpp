//===- AllocationFile.cpp - allocation problems as text -------------------===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "serrano/Schedule/AllocationFile.h"
#include "serrano/Support/Error.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"
#include <limits>

using namespace serrano;
using llvm::StringRef;

/// Sums of a problem's sizes must stay in 64 bits.
static constexpr int64_t largest = int64_t(1) << 48;

namespace {

class Reader {
public:
  Reader(StringRef source) : source(source) {}

  llvm::Error readLine(StringRef text);
  llvm::Expected<AllocationProblem> finish();

private:
  template <typename... Args>
  llvm::Error fail(const char *format, Args &&...args) {
    return addContext(makeError(format, std::forward<Args>(args)...),
                      (source + ":" + llvm::Twine(line)).str());
  }
  llvm::Error readNumber(StringRef what, StringRef text, int64_t &value) {
    if (text.getAsInteger(10, value) || value < 0 || value > largest)
      return fail("{0} is '{1}'; expected a number from 0 to {2}", what, text,
                  largest);
    return llvm::Error::success();
  }
  llvm::Error readSetting(StringRef text);
  llvm::Error readHeading(llvm::ArrayRef<StringRef> cells);
  llvm::Error readBuffer(llvm::ArrayRef<StringRef> cells);

  StringRef source;
  int64_t line = 0;
  int64_t capacity = largest, alignment = 1;
  std::vector<AllocationProblem::Buffer> buffers;
  std::optional<size_t> columns;
};

} // namespace

llvm::Error Reader::readSetting(StringRef text) {
  auto [key, value] = text.split(':');
  key = key.trim();
  if (key != "capacity" && key != "alignment")
    return llvm::Error::success(); // A comment.
  int64_t &setting = key == "capacity" ? capacity : alignment;
  if (llvm::Error error = readNumber(key, value.trim(), setting))
    return error;
  if (alignment == 0)
    return fail("alignment is 0; expected at least 1");
  return llvm::Error::success();
}

llvm::Error Reader::readHeading(llvm::ArrayRef<StringRef> cells) {
  const StringRef names[] = {"id", "lower", "upper", "size", "offset"};
  llvm::ArrayRef<StringRef> all(names);
  if (cells != all && cells != all.drop_back())
    return fail("the heading is '{0}'; expected 'id,lower,upper,size' or "
                "'id,lower,upper,size,offset'",
                llvm::join(cells, ","));
  columns = cells.size();
  return llvm::Error::success();
}

llvm::Error Reader::readBuffer(llvm::ArrayRef<StringRef> cells) {
  if (cells.size() != *columns)
    return fail("found {0} cells; expected {1} as in the heading", cells.size(),
                *columns);
  AllocationProblem::Buffer buffer;
  buffer.name = cells[0].str();
  for (auto [name, text, value] :
       {std::tuple{"lower", cells[1], &buffer.begin},
        std::tuple{"upper", cells[2], &buffer.end},
        std::tuple{"size", cells[3], &buffer.bytes}})
    if (llvm::Error error = readNumber(name, text, *value))
      return error;
  if (cells.size() == 5 && !cells[4].empty())
    if (llvm::Error error =
            readNumber("offset", cells[4], buffer.address.emplace()))
      return error;
  buffers.push_back(std::move(buffer));
  return llvm::Error::success();
}

llvm::Error Reader::readLine(StringRef text) {
  ++line;
  text = text.trim();
  if (text.empty())
    return llvm::Error::success();
  if (text.consume_front("#"))
    return readSetting(text);
  llvm::SmallVector<StringRef> cells;
  text.split(cells, ',');
  for (StringRef &cell : cells)
    cell = cell.trim();
  return columns ? readBuffer(cells) : readHeading(cells);
}

llvm::Expected<AllocationProblem> Reader::finish() {
  if (!columns)
    return makeError("{0}: has no heading; expected 'id,lower,upper,size'",
                     source);
  AllocationProblem problem(capacity, alignment);
  for (auto &buffer : buffers)
    problem.add(std::move(buffer));
  if (llvm::Error error = problem.check())
    return addContext(std::move(error), source);
  return problem;
}

llvm::Expected<AllocationProblem> serrano::readAllocation(StringRef text,
                                                          StringRef source) {
  Reader reader(source);
  while (!text.empty()) {
    StringRef line;
    std::tie(line, text) = text.split('\n');
    if (llvm::Error error = reader.readLine(line))
      return error;
  }
  return reader.finish();
}

void serrano::writeAllocation(const AllocationProblem &problem,
                              llvm::raw_ostream &os) {
  os << "# capacity: " << problem.capacityBytes()
     << "\n# alignment: " << problem.alignmentBytes()
     << "\nid,lower,upper,size,offset\n";
  for (const auto &buffer : problem.buffers()) {
    os << buffer.name << ',' << buffer.begin << ',' << buffer.end << ','
       << buffer.bytes << ',';
    if (buffer.address)
      os << *buffer.address;
    os << '\n';
  }
}
