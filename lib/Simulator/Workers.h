//===- Workers.h - threads on which effects happen ------------ -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_SIMULATOR_WORKERS_H
#define SERRANO_SIMULATOR_WORKERS_H

#include "Scoreboard.h"
#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <thread>

namespace serrano::sim {

/// Threads that let the effects of instructions happen while the core, whose
/// thread is one of them, goes on in program order. An effect waits for all
/// earlier ones with which it conflicts (`Scoreboard`), so memory holds after
/// each what it would in program order, with any number of threads.
///
/// Effects become tasks, which threads take from a window of the 64 latest,
/// the oldest first. One that is short, or that has to wait for the one before
/// it anyway, joins its task: handing over a task costs some 200 ns. When the
/// window is full the core's thread runs tasks too.
///
/// All functions are for the core's thread.
class Workers {
public:
  static constexpr unsigned most = 64;

  /// Starts `threads` - 1 threads, which last as long as this does.
  Workers(unsigned threads, const MemorySystem &memory);
  /// Waits for all effects.
  ~Workers();
  Workers(const Workers &) = delete;
  Workers &operator=(const Workers &) = delete;

  unsigned threads() const { return unsigned(pool.size()) + 1; }

  /// `effect` touches no more than `touched` and takes about `nanoseconds`. It
  /// must not throw.
  template <typename Effect>
  void add(const Touched &touched, int64_t nanoseconds, Effect effect) {
    static_assert(sizeof(Step<Effect>) <= taskBytes);
    void *place = allot(touched, nanoseconds, sizeof(Step<Effect>));
    new (place) Step<Effect>(std::move(effect));
  }

  /// `job` touches nothing that effects do. It happens when a thread of the
  /// pool has no effect to let happen, or when there are many jobs. They happen
  /// one after the other, in order. It must not throw.
  void addJob(std::function<void()> job);
  /// Waits for all jobs.
  void finishJobs();

  /// Waits until what `touched` conflicts with has happened.
  void wait(const Touched &touched);
  /// Waits for all effects.
  void drain();

private:
  static constexpr size_t taskBytes = 2048;
  static constexpr size_t alignment = alignof(std::max_align_t);

  struct AnyStep {
    size_t bytes;
    explicit AnyStep(size_t bytes) : bytes(bytes) {}
    virtual ~AnyStep() = default;
    virtual void run() = 0;
  };
  template <typename Effect>
  struct Step final : AnyStep {
    Effect effect;
    explicit Step(Effect effect)
        : AnyStep(roundUp(sizeof(Step))), effect(std::move(effect)) {}
    void run() override { effect(); }
  };
  static constexpr size_t roundUp(size_t bytes) {
    return (bytes + alignment - 1) / alignment * alignment;
  }

  /// Effects that happen one after the other.
  struct Task {
    alignas(alignment) std::byte steps[taskBytes];
    size_t used = 0;
  };

  /// Room for a step in the task it belongs to.
  void *allot(const Touched &touched, int64_t nanoseconds, size_t bytes);
  /// Begins a task that comes after the `earlier` ones.
  void open(TaskSet earlier);
  /// Lets other threads have the task in the making.
  void publish();
  /// Waits until none of `tasks` is unfinished.
  void waitFor(TaskSet tasks);

  // For all threads:
  /// The slot of a task that can run, which is the caller's then: the oldest of
  /// those that come after one of `done`, whose results the caller's caches
  /// hold, or else the oldest of all.
  std::optional<unsigned> claim(TaskSet done = 0);
  std::optional<unsigned> claimAmong(TaskSet candidates);
  bool canRun(unsigned slot, TaskSet stillUnfinished) const {
    return !(earlier[slot].load(std::memory_order_acquire) & stillUnfinished);
  }
  bool anyCanRun() const;
  void run(unsigned slot);
  /// Does the oldest job; false if there is none, or another thread is at one.
  bool runJob();
  bool jobCanRun() const { return unfinishedJobs.load() && !atJob.load(); }
  /// What a thread of the pool does: until there is no more to come, ...
  void work();
  /// ... waits for the next task that can run, after it has `done` some.
  std::optional<unsigned> next(TaskSet done);
  void wakeAnother();

  // Of the core's thread alone:
  Scoreboard scoreboard;
  int64_t latest = -1; ///< number of the latest task
  bool isOpen = false; ///< it can still be joined
  TaskSet openEarlier = 0;
  int64_t openNanoseconds = 0;
  std::array<TaskSet, windowSize> earlierHere = {}; ///< what `earlier` was

  // Shared; a bit and a slot for each task of the window.
  std::array<Task, windowSize> tasks;
  /// Those that each has to come after.
  alignas(64) std::array<std::atomic<TaskSet>, windowSize> earlier = {};
  alignas(64) std::atomic<TaskSet> unfinished = 0;
  alignas(64) std::atomic<TaskSet> waiting = 0; ///< for a thread
  std::atomic<unsigned> oldest = 0; ///< slot to look at first
  // Threads of the pool that have no task.
  alignas(64) std::atomic<int> idle = 0; ///< looking for one
  std::atomic<int> sleeping = 0;
  std::atomic<bool> stopping = false;

  std::mutex jobsMutex;
  std::deque<std::function<void()>> jobs; ///< that have not begun
  std::atomic<unsigned> unfinishedJobs = 0;
  std::atomic<bool> atJob = false; ///< a thread is

  std::mutex mutex;
  std::condition_variable awake;
  std::vector<std::thread> pool;
};

/// How many threads a run has for which `asked` were asked for; if that is 0,
/// the number in the environment's SERRANO_THREADS or, without it, one for each
/// of the host's cores, but no more than 16. An error for more than `most`.
llvm::Expected<unsigned> numThreads(unsigned asked);

} // namespace serrano::sim

#endif // SERRANO_SIMULATOR_WORKERS_H
