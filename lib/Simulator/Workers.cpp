//===- Workers.cpp - threads on which effects happen -------------------- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Workers.h"
#include "serrano/Support/Error.h"
#include "llvm/ADT/StringExtras.h"
#include <chrono>
#include <cstdlib>

using namespace serrano;
using namespace serrano::sim;

/// Effects shorter than this join the task before them.
static constexpr int64_t shortNanoseconds = 1000;
/// A task that takes longer is joined no more.
static constexpr int64_t longNanoseconds = 20000;
/// How long a thread looks for a task before it sleeps, and one that waits for
/// others before it lets the host's scheduler run them.
static constexpr auto patience = std::chrono::microseconds(50);

static constexpr unsigned mostByDefault = 16;
/// As many jobs can wait without holding up the core's thread.
static constexpr unsigned mostJobs = 16;

namespace {

/// Waits actively, at first.
class Spin {
public:
  /// A short break; false once patience has come to an end.
  bool pause() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("isb");
#endif
    constexpr unsigned pausesPerLook = 32; // The clock takes longer than one.
    if (++pauses % pausesPerLook)
      return true;
    auto now = std::chrono::steady_clock::now();
    if (pauses == pausesPerLook)
      end = now + patience;
    return now < end;
  }

private:
  unsigned pauses = 0;
  std::chrono::steady_clock::time_point end;
};

} // namespace

llvm::Expected<unsigned> serrano::sim::numThreads(unsigned asked) {
  if (asked > Workers::most)
    return makeError("{0} threads were asked for; expected 1 to {1}", asked,
                     Workers::most);
  if (asked)
    return asked;
  if (const char *text = std::getenv("SERRANO_THREADS")) {
    unsigned number;
    if (!llvm::to_integer(text, number, 10) || number < 1 ||
        number > Workers::most)
      return makeError("the environment's SERRANO_THREADS is '{0}'; expected a "
                       "number of threads, 1 to {1}",
                       text, Workers::most);
    return number;
  }
  return std::clamp(std::thread::hardware_concurrency(), 1u, mostByDefault);
}

Workers::Workers(unsigned threads, const MemorySystem &memory)
    : scoreboard(memory) {
  for (unsigned i = 1; i < threads; ++i)
    pool.emplace_back([this] { work(); });
}

Workers::~Workers() {
  drain();
  finishJobs();
  stopping.store(true);
  {
    std::lock_guard<std::mutex> lock(mutex);
    awake.notify_all();
  }
  for (std::thread &thread : pool)
    thread.join();
}

//===----------------------------------------------------------------------===//
// The core's thread
//===----------------------------------------------------------------------===//

void *Workers::allot(const Touched &touched, int64_t nanoseconds,
                     size_t bytes) {
  bytes = roundUp(bytes);
  int64_t number = isOpen ? latest : latest + 1;
  TaskSet conflicts = scoreboard.conflicts(touched, number) &
                      unfinished.load(std::memory_order_acquire);
  if (isOpen) {
    TaskSet self = bitOf(latest);
    bool more = conflicts & ~self & ~openEarlier;
    bool belongs = (conflicts & self) || nanoseconds < shortNanoseconds;
    if (more || !belongs || openNanoseconds > longNanoseconds ||
        tasks[latest % windowSize].used + bytes > taskBytes)
      publish();
  }
  if (!isOpen)
    open(conflicts);
  scoreboard.enter(touched, latest);
  openNanoseconds += nanoseconds;
  Task &task = tasks[latest % windowSize];
  void *place = task.steps + task.used;
  task.used += bytes;
  return place;
}

void Workers::open(TaskSet conflicts) {
  unsigned slot = unsigned(++latest % windowSize);
  TaskSet bit = bitOf(latest);
  waitFor(bit);
  // What waited for the task that had the slot must not wait for this one.
  for (unsigned other = 0; other < windowSize; ++other)
    if (earlierHere[other] & bit) {
      earlierHere[other] &= ~bit;
      earlier[other].fetch_and(~bit, std::memory_order_acq_rel);
    }
  openEarlier = conflicts & unfinished.load(std::memory_order_acquire);
  openNanoseconds = 0;
  isOpen = true;
  tasks[slot].used = 0;
  unfinished.fetch_or(bit, std::memory_order_relaxed);
}

void Workers::publish() {
  if (!isOpen)
    return;
  isOpen = false;
  unsigned slot = unsigned(latest % windowSize);
  earlierHere[slot] = openEarlier;
  earlier[slot].store(openEarlier, std::memory_order_relaxed);
  oldest.store((slot + 1) % windowSize, std::memory_order_relaxed);
  waiting.fetch_or(bitOf(latest));
  wakeAnother();
}

void Workers::waitFor(TaskSet set) {
  Spin spin;
  TaskSet done = 0;
  while (unfinished.load(std::memory_order_acquire) & set) {
    if (std::optional<unsigned> slot = claim(done)) {
      run(*slot);
      done = TaskSet(1) << *slot;
      spin = Spin();
    } else if (!spin.pause()) {
      std::this_thread::yield();
    }
  }
}

void Workers::wait(const Touched &touched) {
  publish();
  waitFor(scoreboard.conflicts(touched, latest));
}

void Workers::drain() {
  publish();
  waitFor(~TaskSet(0));
}

void Workers::addJob(std::function<void()> job) {
  for (Spin spin; unfinishedJobs.load(std::memory_order_acquire) >= mostJobs;)
    if (!runJob() && !spin.pause())
      std::this_thread::yield();
  {
    std::lock_guard<std::mutex> lock(jobsMutex);
    jobs.push_back(std::move(job));
    unfinishedJobs.fetch_add(1);
  }
  if (sleeping.load() && !idle.load() && jobCanRun()) {
    std::lock_guard<std::mutex> lock(mutex);
    awake.notify_one();
  }
}

void Workers::finishJobs() {
  for (Spin spin; unfinishedJobs.load(std::memory_order_acquire);)
    if (!runJob() && !spin.pause())
      std::this_thread::yield();
}

//===----------------------------------------------------------------------===//
// All threads
//===----------------------------------------------------------------------===//

bool Workers::anyCanRun() const {
  TaskSet candidates = waiting.load();
  TaskSet still = unfinished.load();
  for (; candidates; candidates &= candidates - 1)
    if (canRun(unsigned(llvm::countr_zero(candidates)), still))
      return true;
  return false;
}

std::optional<unsigned> Workers::claim(TaskSet done) {
  TaskSet candidates = waiting.load(std::memory_order_acquire);
  TaskSet following = 0;
  for (TaskSet rest = done ? candidates : 0; rest; rest &= rest - 1) {
    auto slot = unsigned(llvm::countr_zero(rest));
    if (earlier[slot].load(std::memory_order_acquire) & done)
      following |= TaskSet(1) << slot;
  }
  if (std::optional<unsigned> slot = claimAmong(following))
    return slot;
  return claimAmong(candidates & ~following);
}

std::optional<unsigned> Workers::claimAmong(TaskSet candidates) {
  if (!candidates)
    return std::nullopt;
  unsigned first = oldest.load(std::memory_order_relaxed);
  TaskSet still = unfinished.load(std::memory_order_acquire);
  for (candidates = llvm::rotr(candidates, int(first)); candidates;
       candidates &= candidates - 1) {
    unsigned slot =
        (unsigned(llvm::countr_zero(candidates)) + first) % windowSize;
    if (!canRun(slot, still))
      continue;
    TaskSet bit = TaskSet(1) << slot;
    if (!(waiting.fetch_and(~bit, std::memory_order_acq_rel) & bit))
      continue; // Another thread has it.
    // It may be a later task than the one that was looked at.
    if (canRun(slot, unfinished.load(std::memory_order_acquire)))
      return slot;
    waiting.fetch_or(bit, std::memory_order_release);
  }
  return std::nullopt;
}

void Workers::run(unsigned slot) {
  Task &task = tasks[slot];
  for (size_t at = 0; at < task.used;) {
    auto *step = std::launder(reinterpret_cast<AnyStep *>(task.steps + at));
    at += step->bytes;
    step->run();
    step->~AnyStep();
  }
  unfinished.fetch_and(~(TaskSet(1) << slot));
  wakeAnother();
}

bool Workers::runJob() {
  if (!jobCanRun() || atJob.exchange(true, std::memory_order_acquire))
    return false;
  std::function<void()> job;
  {
    std::lock_guard<std::mutex> lock(jobsMutex);
    if (!jobs.empty()) { // Another thread may just have done the last.
      job = std::move(jobs.front());
      jobs.pop_front();
    }
  }
  if (job) {
    job();
    unfinishedJobs.fetch_sub(1, std::memory_order_release);
  }
  atJob.store(false, std::memory_order_release);
  return bool(job);
}

void Workers::work() {
  TaskSet done = 0;
  while (std::optional<unsigned> slot = next(done)) {
    run(*slot);
    done = TaskSet(1) << *slot;
  }
}

std::optional<unsigned> Workers::next(TaskSet done) {
  if (std::optional<unsigned> slot = claim(done))
    return slot;
  idle.fetch_add(1);
  while (!stopping.load()) {
    std::optional<unsigned> slot;
    for (Spin spin; !slot && !stopping.load() && spin.pause();) {
      slot = claim();
      if (slot || !jobCanRun())
        continue;
      // Who is at a job does not look for tasks.
      idle.fetch_sub(1);
      runJob();
      idle.fetch_add(1);
      spin = Spin();
    }
    if (slot) {
      idle.fetch_sub(1);
      wakeAnother();
      return slot;
    }
    std::unique_lock<std::mutex> lock(mutex);
    sleeping.fetch_add(1);
    idle.fetch_sub(1);
    awake.wait(lock,
               [&] { return stopping.load() || anyCanRun() || jobCanRun(); });
    idle.fetch_add(1);
    sleeping.fetch_sub(1);
  }
  return std::nullopt;
}

/// One thread that looks for tasks is enough: it calls here when it has one.
void Workers::wakeAnother() {
  if (!sleeping.load() || idle.load() || !anyCanRun())
    return;
  std::lock_guard<std::mutex> lock(mutex);
  awake.notify_one();
}
