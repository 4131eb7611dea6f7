//===- Debugger.h - to look at a run while it goes on --------- -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_SIMULATOR_DEBUGGER_H
#define SERRANO_SIMULATOR_DEBUGGER_H

#include "llvm/ADT/ArrayRef.h"
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace serrano::sim {

/// The memories of a core, and HBM.
enum class Memory : uint8_t { Scratchpad, Accumulators, Scalar, Hbm };
inline constexpr unsigned numMemories = 4;

/// Where in the program something happens.
struct Site {
  uint32_t word = 0; ///< address of the instruction
  uint32_t op = 0;   ///< source operator, from `mark`
  int64_t layer = 0; ///< its layer, from 1; 0 outside of layers
};

/// What a core holds between two instructions, besides its memories.
struct MachineState {
  std::array<int64_t, 64> registers = {};
  /// When the sequencer comes to the next instruction; nothing if the run is
  /// not timed.
  std::optional<int64_t> cycle;

  /// A queue with what was dispatched to it and had not started when the
  /// sequencer dispatched last.
  struct Queue {
    std::string name;
    int64_t waiting;
    uint32_t head; ///< word address of the first of them
  };
  /// By queue; empty if the run is not timed.
  std::vector<Queue> queues;

  /// A counter that some instruction has incremented or will.
  struct Counter {
    unsigned number;
    std::string queue;                ///< whose instructions increment it
    int64_t dispatched;               ///< increments, so far
    std::optional<int64_t> completed; ///< ... of which so many have happened
  };
  std::vector<Counter> counters;

  /// A ring that has been set up, with its slots so far.
  struct Ring {
    unsigned number;
    int64_t slots, ordered, filled, popped;
  };
  std::vector<Ring> rings;
};

/// Bytes whose accesses are told.
struct Watch {
  Memory memory;
  int64_t address, bytes;
  bool reads, writes;
};

/// An instruction, or a slot's fill, touched bytes that are watched.
struct WatchedAccess {
  const Watch &watch;
  Site site; ///< of a fill, the instruction that ordered it
  bool write;
  int64_t address; ///< of the first byte
  /// The bytes before and after it; the same for a read.
  llvm::ArrayRef<uint8_t> before, after;
};

/// Looks at a run, which goes in program order: all that the instructions
/// before one do has been done when the debugger is asked about it.
class Debugger {
public:
  virtual ~Debugger() = default;
  /// Called before each instruction; operator and layer are those that the last
  /// `mark` named. `Machine::inspect` and `Machine::read` can be used. The run
  /// ends if the result is false.
  virtual bool before(const Site &site) = 0;
  /// Called after each access to bytes of `watches`.
  virtual void accessed(const WatchedAccess &) {}

  std::vector<Watch> watches;
};

} // namespace serrano::sim

#endif // SERRANO_SIMULATOR_DEBUGGER_H
