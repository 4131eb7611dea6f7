//===- WorkersTest.cpp - effects on threads, as if in program order -------===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Workers.h"
#include <cstdlib>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <random>

using namespace serrano::sim;

namespace {

constexpr int64_t cells = 256, cellBytes = 1024;

std::unique_ptr<MemorySystem> makeMemory() {
  return llvm::cantFail(
      MemorySystem::create({cells * cellBytes, 4096, 4096, 4096}, "", {}));
}

Access cell(int64_t i, bool write) {
  return {Memory::Scratchpad, write, i * cellBytes, 8, 1, 8};
}

/// A computation over cells whose result depends on the order of all steps.
class Computation {
public:
  explicit Computation(unsigned seed) : random(seed) {}

  uint64_t &at(int64_t i) {
    return *reinterpret_cast<uint64_t *>(
        memory->at(Memory::Scratchpad, i * cellBytes));
  }

  /// What memory holds after `steps`, done at once or by `threads` threads.
  std::vector<uint64_t> run(int steps, std::optional<unsigned> threads) {
    std::optional<Workers> workers;
    if (threads)
      workers.emplace(*threads, *memory);
    for (int step = 0; step < steps; ++step) {
      int64_t from = below(cells), other = below(cells), to = below(cells);
      int64_t rounds = below(50) == 0 ? 20000 : below(300);
      auto effect = [=, this] {
        uint64_t x = at(from) * 3 + at(other) + at(to) + uint64_t(step);
        for (int64_t i = 0; i < rounds; ++i)
          x = x * 6364136223846793005u + 1442695040888963407u;
        at(to) = x;
      };
      Access accesses[] = {cell(from, false), cell(other, false),
                           cell(to, false), cell(to, true)};
      if (workers)
        workers->add({accesses, std::nullopt}, rounds, effect);
      else
        effect();
      if (below(100) == 0) {
        int64_t i = below(cells);
        if (workers)
          workers->wait({cell(i, true), std::nullopt});
        at(i) += 1;
      }
    }
    if (workers)
      workers->drain();
    std::vector<uint64_t> result;
    for (int64_t i = 0; i < cells; ++i)
      result.push_back(at(i));
    return result;
  }

private:
  int64_t below(int64_t n) { return int64_t(random() % uint64_t(n)); }

  std::mt19937_64 random;
  std::unique_ptr<MemorySystem> memory = makeMemory();
};

TEST(Workers, ComputeWhatProgramOrderDoes) {
  for (unsigned seed = 0; seed < 4; ++seed) {
    std::vector<uint64_t> expected = Computation(seed).run(4000, std::nullopt);
    for (unsigned threads : {1, 2, 3, 8})
      EXPECT_EQ(Computation(seed).run(4000, threads), expected)
          << threads << " threads, seed " << seed;
  }
}

TEST(Workers, LetIndependentEffectsGoOnAtTheSameTime) {
  auto memory = makeMemory();
  Workers workers(2, *memory);
  std::atomic<int> arrived = 0;
  // Each waits for the other: one thread alone would never end.
  for (int64_t i = 0; i < 2; ++i)
    workers.add({cell(i, true), std::nullopt}, 1000000, [&] {
      ++arrived;
      while (arrived < 2)
        std::this_thread::yield();
    });
  workers.drain();
  EXPECT_EQ(arrived, 2);
}

TEST(Workers, WaitForNoMoreThanIsAskedFor) {
  auto memory = makeMemory();
  Workers workers(2, *memory);
  std::atomic<bool> begun = false, go = false, done = false;
  workers.add({cell(0, true), std::nullopt}, 1000000, [&] {
    begun = true;
    while (!go)
      std::this_thread::yield();
    done = true;
  });
  workers.add({cell(1, true), std::nullopt}, 1000000, [] {});
  // The other thread has to have the first: this one would wait for itself.
  while (!begun)
    std::this_thread::yield();
  workers.wait({cell(1, false), std::nullopt});
  EXPECT_FALSE(done);
  go = true;
  workers.wait({cell(0, false), std::nullopt});
  EXPECT_TRUE(done);
}

TEST(Workers, WakeUpAfterAPause) {
  auto memory = makeMemory();
  Workers workers(3, *memory);
  for (int round = 0; round < 3; ++round) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    std::atomic<int> arrived = 0;
    for (int64_t i = 0; i < 3; ++i)
      workers.add({cell(i, true), std::nullopt}, 1000000, [&] {
        ++arrived;
        while (arrived < 3)
          std::this_thread::yield();
      });
    workers.drain();
    EXPECT_EQ(arrived, 3);
  }
}

TEST(Workers, DestroyEffects) {
  auto memory = makeMemory();
  auto counted = std::make_shared<int>();
  {
    Workers workers(2, *memory);
    for (int64_t i = 0; i < 1000; ++i)
      workers.add({cell(i % cells, true), std::nullopt}, i % 3 * 600,
                  [counted] {});
  }
  EXPECT_EQ(counted.use_count(), 1);
}

TEST(Workers, DoJobsInOrder) {
  auto memory = makeMemory();
  for (unsigned threads : {1, 2, 4}) {
    std::vector<int> done; // of one thread at a time
    {
      Workers workers(threads, *memory);
      for (int i = 0; i < 2000; ++i) {
        workers.add({cell(i % cells, true), std::nullopt}, 1000, [] {});
        workers.addJob([&done, i] { done.push_back(i); });
        if (i == 1000) {
          workers.finishJobs();
          EXPECT_EQ(done.size(), 1001u);
        }
      }
    }
    EXPECT_EQ(done.size(), 2000u);
    EXPECT_TRUE(llvm::is_sorted(done));
  }
}

TEST(Workers, LetEffectsHappenBesideAJob) {
  auto memory = makeMemory();
  Workers workers(3, *memory);
  std::atomic<bool> begun = false, happened = false;
  workers.addJob([&] {
    begun = true;
    while (!happened)
      std::this_thread::yield();
  });
  while (!begun)
    std::this_thread::yield();
  // Nobody but the third thread can let this happen now.
  workers.add({cell(0, true), std::nullopt}, 1000000, [&] { happened = true; });
  workers.add({cell(1, true), std::nullopt}, 1000000, [] {});
  while (!happened)
    std::this_thread::yield();
  workers.finishJobs();
}

class NumThreads : public testing::Test {
protected:
  ~NumThreads() override { unsetenv("SERRANO_THREADS"); }
};

TEST_F(NumThreads, AreThoseAskedFor) {
  setenv("SERRANO_THREADS", "3", 1);
  EXPECT_EQ(llvm::cantFail(numThreads(5)), 5u);
  EXPECT_EQ(llvm::cantFail(numThreads(0)), 3u);
  unsetenv("SERRANO_THREADS");
  unsigned cores = std::thread::hardware_concurrency();
  EXPECT_EQ(llvm::cantFail(numThreads(0)), std::clamp(cores, 1u, 16u));
}

TEST_F(NumThreads, HaveALimit) {
  EXPECT_EQ(llvm::cantFail(numThreads(64)), 64u);
  EXPECT_EQ(llvm::toString(numThreads(65).takeError()),
            "65 threads were asked for; expected 1 to 64");
  for (const char *text : {"", "0", "65", "two", "2 ", "-1"}) {
    setenv("SERRANO_THREADS", text, 1);
    EXPECT_EQ(llvm::toString(numThreads(0).takeError()),
              std::string("the environment's SERRANO_THREADS is '") + text +
                  "'; expected a number of threads, 1 to 64");
  }
}

} // namespace
