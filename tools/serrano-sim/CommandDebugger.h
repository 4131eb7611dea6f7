//===- CommandDebugger.h - breaks and watches, for people ----- -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_TOOLS_SERRANO_SIM_COMMANDDEBUGGER_H
#define SERRANO_TOOLS_SERRANO_SIM_COMMANDDEBUGGER_H

#include "Places.h"
#include <set>

namespace serrano {

/// Prints where a run is when it comes to a break, and each access to watched
/// bytes; asks what to do next if a person is there.
class CommandDebugger final : public sim::Debugger {
public:
  struct Options {
    bool interactive = false;
    int64_t limit = 0; ///< the run ends at this break; 0: none ends it
  };
  CommandDebugger(Program &program, Options options)
      : program(program), options(options) {}

  /// `place`: an address, or the name of an operator or a tensor.
  llvm::Error addBreak(llvm::StringRef place);

  bool before(const sim::Site &site) override;
  void accessed(const sim::WatchedAccess &access) override;

  /// Whether it ended the run.
  bool hasStopped() const { return stopped; }

private:
  bool isBreak(const sim::Site &site) const;
  std::string nameOf(const sim::Site &site) const;
  void printState(const sim::Site &site);
  /// Reads and obeys commands until one goes on or ends the run.
  bool obey(const sim::Site &site);
  void printBytes(llvm::StringRef arguments);
  void printTensors(const sim::Site &site);

  Program &program;
  Options options;
  std::set<uint32_t> words;
  std::vector<NamePattern> names;
  sim::Site last; ///< the instruction before
  bool started = false, stopped = false;
  int64_t hits = 0;
  int64_t steps = 0; ///< instructions until it stops anyway; 0: it does not
};

} // namespace serrano

#endif // SERRANO_TOOLS_SERRANO_SIM_COMMANDDEBUGGER_H
