//===- CommandLine.h - what the tools' command lines share -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_SUPPORT_COMMANDLINE_H
#define SERRANO_SUPPORT_COMMANDLINE_H

#include "llvm/ADT/StringExtras.h"
#include "llvm/Config/llvm-config.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/raw_ostream.h"
#include <cerrno>
#include <cstdlib>

namespace serrano {

/// Ends the process with an error if the standard output could not be written.
/// LLVM would end it with a crash report.
inline void checkStandardOutputAtExit() {
  llvm::outs().flush();
  std::error_code code = llvm::outs().error();
  if (!code)
    return;
  llvm::outs().clear_error();
  llvm::errs() << program_invocation_short_name
               << ": error: standard output: cannot write: "
               << llvm::StringRef(code.message()).lower() << '\n';
  std::_Exit(1);
}

/// To be called before the command line is read: `--version` says which Serrano
/// it is, and `--help` leaves out the options of LLVM's libraries. What stays
/// are the options of `category` and those that are registered later.
///
/// In a header, because serrano-tblgen links LLVM as archives and none of our
/// libraries.
inline void setUpCommandLine(llvm::cl::OptionCategory &category) {
  // These options end the process themselves. What is registered after the
  // streams were made runs before they are destroyed.
  llvm::outs();
  llvm::errs();
  std::atexit(checkStandardOutputAtExit);
  llvm::cl::HideUnrelatedOptions(category);
  llvm::cl::SetVersionPrinter([](llvm::raw_ostream &os) {
    os << "Serrano version " SERRANO_VERSION " (LLVM " LLVM_VERSION_STRING
          ")\n";
  });
}

/// Reads the command line of a tool whose options are in `category`. What is
/// wrong with it is said in one line, the first problem with LLVM's hint if
/// there is one; then the result is false.
[[nodiscard]] inline bool parseCommandLine(int argc, char **argv,
                                           llvm::cl::OptionCategory &category,
                                           llvm::StringRef overview) {
  setUpCommandLine(category);
  std::string said;
  llvm::raw_string_ostream os(said);
  if (llvm::cl::ParseCommandLineOptions(argc, argv, overview, &os))
    return true;
  llvm::SmallVector<llvm::StringRef> lines;
  llvm::SplitString(said, lines, "\n");
  // An option has complained about its own value, in one line.
  if (lines.empty())
    return false;
  llvm::StringRef tool =
      lines.front().take_until([](char c) { return c == ':'; });
  llvm::errs() << lines.front();
  for (llvm::StringRef line : llvm::drop_begin(lines)) {
    bool isHint = line.consume_front(tool) && line.consume_front(": ");
    if (isHint && !line.starts_with("Did you mean"))
      break;
    llvm::errs() << ' ' << line;
  }
  llvm::errs() << '\n';
  return false;
}

} // namespace serrano

#endif // SERRANO_SUPPORT_COMMANDLINE_H
