//===- TempFolder.h - a folder for one test ---------------------*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_TEST_UNIT_TEMPFOLDER_H
#define SERRANO_TEST_UNIT_TEMPFOLDER_H

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <system_error>

namespace serrano {

/// A new, empty folder, removed with all that is in it at the end of the test.
class TempFolder {
public:
  TempFolder() {
    folder = std::filesystem::temp_directory_path() / "serrano-test-XXXXXX";
    if (!::mkdtemp(folder.data()))
      throw std::runtime_error("cannot make a folder in place of " + folder);
  }
  TempFolder(const TempFolder &) = delete;
  TempFolder &operator=(const TempFolder &) = delete;
  ~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);
  }

  std::string path() const { return folder; }
  std::string path(const std::string &name) const {
    return folder + "/" + name;
  }

  /// Makes the file `name` with `content` and gives its path.
  std::string write(const std::string &name, const std::string &content) const {
    std::ofstream(path(name), std::ios::binary) << content;
    return path(name);
  }

  std::string read(const std::string &name) const {
    std::ifstream file(path(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  /// The number of files and folders in the folder.
  size_t count() const {
    return std::distance(std::filesystem::directory_iterator(folder), {});
  }

private:
  std::string folder;
};

} // namespace serrano

#endif // SERRANO_TEST_UNIT_TEMPFOLDER_H
