//===- TargetFaultsTest.cpp - target files with a fault each --------------===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ModifiedTarget.h"
#include "llvm/ADT/STLExtras.h"
#include "gmock/gmock.h"

using namespace serrano;
using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

/// The problems of serrano-tiny with `value` at `pointer`.
static std::string with(const std::string &pointer, json value) {
  return ModifiedTarget("serrano-tiny")
      .set(pointer, std::move(value))
      .problems();
}

static std::string parseError(llvm::StringRef text) {
  llvm::Expected<TargetModel> target = TargetModel::fromJson(text, "chip.json");
  return target ? "" : toString(target.takeError());
}

/// Every key of serrano-1 that is not a group, as JSON pointers, and the names
/// by which errors call them.
static std::vector<std::pair<std::string, std::string>> allKeys() {
  std::vector<std::pair<std::string, std::string>> keys;
  json flat = ModifiedTarget("serrano-1").json.flatten();
  for (const auto &[pointer, value] : flat.items()) {
    std::string path = pointer.substr(1);
    llvm::replace(path, '/', '.');
    keys.emplace_back(pointer, path);
  }
  return keys;
}

namespace {

//===----------------------------------------------------------------------===//
// Every key
//===----------------------------------------------------------------------===//

TEST(TargetFaults, anyKeyMissing) {
  ASSERT_GE(allKeys().size(), 60u);
  for (const auto &[pointer, path] : allKeys())
    EXPECT_THAT(ModifiedTarget("serrano-1").erase(pointer).problems(),
                AllOf(StartsWith("chip.json: " + path + ": expected "),
                      HasSubstr("found nothing; add the key"),
                      Not(HasSubstr("\n"))));
}

TEST(TargetFaults, anyKeyOfAWrongType) {
  for (const auto &[pointer, path] : allKeys())
    for (const json &value :
         {json(true), json(nullptr), json::array({1}), json::object()})
      EXPECT_THAT(ModifiedTarget("serrano-1").set(pointer, value).problems(),
                  AllOf(StartsWith("chip.json: " + path + ": expected "),
                        HasSubstr(", found "), Not(HasSubstr("\n"))));
}

TEST(TargetFaults, anyNumberNegativeHugeOrInQuotes) {
  for (const auto &[pointer, path] : allKeys()) {
    if (ModifiedTarget("serrano-1").json.flatten()[pointer].is_string())
      continue;
    for (const json &value :
         {json(-1), json(uint64_t(1) << 63), json(1e300), json("1")})
      EXPECT_THAT(ModifiedTarget("serrano-1").set(pointer, value).problems(),
                  AllOf(StartsWith("chip.json: " + path + ": expected "),
                        HasSubstr(", found "), Not(HasSubstr("\n"))))
          << value;
  }
}

TEST(TargetFaults, anyNumberZero) {
  for (const auto &[pointer, path] : allKeys())
    EXPECT_THAT(
        ModifiedTarget("serrano-1").set(pointer, 0).problems(),
        StartsWith("chip.json: " +
                   // A rate of 0 stands for a missing format, which
                   // must not use energy.
                   (path.starts_with("matrix.macs") &&
                            !path.ends_with(".f32") && !path.ends_with(".bf16")
                        ? "energy.mac_pj" + path.substr(path.rfind('.'))
                        : path) +
                   ": expected "));
}

TEST(TargetFaults, anyGroupMissingOrNoObject) {
  json target = ModifiedTarget("serrano-1").json;
  for (const auto &[group, value] : target.items()) {
    if (!value.is_object())
      continue;
    EXPECT_THAT(
        ModifiedTarget("serrano-1").erase("/" + group).problems(),
        AllOf(StartsWith("chip.json: " + group + ": expected an object"),
              HasSubstr("found nothing; add the key")));
    EXPECT_THAT(
        ModifiedTarget("serrano-1").set("/" + group, 1).problems(),
        AllOf(StartsWith("chip.json: " + group + ": expected an object"),
              HasSubstr("found 1; write { ... }")));
  }
}

//===----------------------------------------------------------------------===//
// Messages
//===----------------------------------------------------------------------===//

TEST(TargetFaults, missingKey) {
  EXPECT_EQ(ModifiedTarget("serrano-tiny").erase("/matrix/rows").problems(),
            "chip.json: matrix.rows: expected a whole number from 1 to 4096 "
            "(rows of the array, along K), found nothing; add the key to "
            "'matrix'");
}

TEST(TargetFaults, unknownKey) {
  EXPECT_EQ(with("/matrix/row", 8),
            "chip.json: matrix.row: unknown key; did you mean 'rows'?");
  EXPECT_EQ(with("/dmaa", 8),
            "chip.json: dmaa: unknown key; did you mean 'dma'?");
  EXPECT_EQ(with("/network", nullptr), "");
  EXPECT_EQ(with("/chip/voltage_of_the_supply_v", 1),
            "chip.json: chip.voltage_of_the_supply_v: unknown key; known here "
            "are provenance, cores, cores_per_cluster, clock_ghz");
}

TEST(TargetFaults, misspelledKeyIsBothMissingAndUnknown) {
  ModifiedTarget target("serrano-tiny");
  EXPECT_EQ(target.erase("/chip/cores").set("/chip/core", 1).problems(),
            "chip.json: chip.cores: expected a whole number from 1 to 4096 "
            "(cores of the chip), found nothing; add the key to 'chip'\n"
            "chip.json: chip.core: unknown key; did you mean 'cores'?");
}

TEST(TargetFaults, wrongType) {
  EXPECT_EQ(with("/matrix/rows", "8"),
            "chip.json: matrix.rows: expected a whole number from 1 to 4096 "
            "(rows of the array, along K), found the string \"8\"; write it "
            "without quotes");
  EXPECT_THAT(with("/matrix/rows", 8.5),
              HasSubstr("found 8.5; write it as a whole number"));
  EXPECT_THAT(with("/name", ""), HasSubstr("found the string \"\""));
  EXPECT_THAT(with("/memory/kind", std::string(1000, 'x')), "");
}

TEST(TargetFaults, outOfRange) {
  EXPECT_THAT(with("/matrix/rows", 0),
              HasSubstr("found 0; 1 is the least possible"));
  EXPECT_THAT(with("/matrix/rows", 5000),
              HasSubstr("found 5000; 4096 is the most possible"));
  EXPECT_THAT(with("/sequencer/rings", 17),
              HasSubstr("expected a whole number from 1 to 16 (DMA rings), "
                        "found 17; 16 is the most possible"));
  EXPECT_THAT(with("/memory/hbm_sustained_fraction", 1.5),
              HasSubstr("expected a number above 0 and up to 1 with at most 4 "
                        "decimals (part of the pin bandwidth that can be kept "
                        "up), found 1.5; 1 is the most possible"));
  EXPECT_THAT(with("/chip/clock_ghz", 0),
              HasSubstr("found 0; it has to be above 0"));
}

TEST(TargetFaults, notAMultiple) {
  EXPECT_THAT(with("/storage/scratchpad_bytes", 32769),
              AllOf(HasSubstr("expected a multiple of 64 from 64 to "),
                    HasSubstr("found 32769; 32768 and 32832 are the nearest")));
}

TEST(TargetFaults, notAPowerOfTwo) {
  EXPECT_THAT(
      with("/vector/elements_per_cycle_32_bit", 6),
      HasSubstr("expected a power of two from 1 to 65536 (elements of 32 "
                "bits), found 6; 4 and 8 are the nearest"));
  EXPECT_THAT(with("/memory/hbm_burst_bytes", 63),
              HasSubstr("found 63; 32 and 64 are the nearest"));
  EXPECT_THAT(with("/storage/instruction_page_bytes", 1000000),
              HasSubstr("found 1000000; 524288 and 1048576 are the nearest"));
}

TEST(TargetFaults, tooManyDecimals) {
  EXPECT_THAT(with("/chip/clock_ghz", 1.00001),
              HasSubstr("found 1.00001; round it to 4 decimals"));
  EXPECT_EQ(with("/chip/clock_ghz", 1.0001), "");
}

TEST(TargetFaults, newerSchema) {
  EXPECT_EQ(with("/schema", 2),
            "chip.json: schema: expected 1 (version of this file's schema), "
            "found 2; this version reads 1 only");
}

TEST(TargetFaults, allProblemsAreListedTogether) {
  ModifiedTarget target("serrano-tiny");
  target.set("/matrix/rows", 0).set("/vector/speed", 1).erase("/dma");
  std::string problems = target.problems();
  EXPECT_EQ(llvm::count(problems, '\n'), 2) << problems;
}

//===----------------------------------------------------------------------===//
// Numbers that are impossible together
//===----------------------------------------------------------------------===//

TEST(TargetFaults, coresThatDoNotFillClusters) {
  EXPECT_EQ(ModifiedTarget("serrano-1").set("/chip/cores", 30).problems(),
            "chip.json: chip.cores: expected a multiple of "
            "chip.cores_per_cluster, which is 4, found 30; change one of the "
            "two");
}

TEST(TargetFaults, missingFormat) {
  EXPECT_EQ(with("/matrix/macs_per_element_per_cycle/bf16", 0),
            "chip.json: matrix.macs_per_element_per_cycle.bf16: expected a "
            "rate above 0, found 0; every array has to multiply bf16, only the "
            "other formats may be missing");
  EXPECT_EQ(with("/matrix/macs_per_element_per_cycle/f8", 0),
            "chip.json: energy.mac_pj.f8: expected 0, found 0.25; "
            "matrix.macs_per_element_per_cycle.f8 is 0: the array lacks the "
            "format");
  EXPECT_EQ(with("/energy/mac_pj/f8", 0),
            "chip.json: energy.mac_pj.f8: expected a number above 0, found 0; "
            "matrix.macs_per_element_per_cycle.f8 is 2: the array has the "
            "format");
}

TEST(TargetFaults, rateThatIsNoWholeNumber) {
  EXPECT_EQ(with("/matrix/macs_per_element_per_cycle/f8", 1.5),
            "chip.json: matrix.macs_per_element_per_cycle.f8: expected a whole "
            "number or one over a whole number, found 3/2; an element finishes "
            "whole products or takes whole cycles over one");
}

TEST(TargetFaults, tileThatCutsAGroupInTwo) {
  EXPECT_THAT(with("/matrix/rows", 9),
              HasSubstr("chip.json: matrix.rows: expected rows times "
                        "matrix.macs_per_element_per_cycle.f8 to be a multiple "
                        "of 4, the K that f8 sums exactly, found 9 times 2; "
                        "change one of the two"));
}

TEST(TargetFaults, vectorLanes) {
  EXPECT_EQ(with("/vector/elements_per_cycle_32_bit", 16),
            "chip.json: vector.elements_per_cycle_32_bit: expected at most "
            "vector.elements_per_cycle_16_bit, which is 8, found 16; a lane "
            "that is there for the one is there for the other");
  EXPECT_THAT(with("/vector/elements_per_cycle_exp", 16),
              HasSubstr("which is 8, found 16"));
}

TEST(TargetFaults, storage) {
  EXPECT_EQ(with("/storage/instruction_memory_bytes", 4096),
            "chip.json: storage.instruction_memory_bytes: expected at least "
            "two pages of 4096 bytes, found 4096; one page is fetched while "
            "another runs");
  EXPECT_THAT(with("/storage/instruction_memory_bytes", 10240),
              HasSubstr("expected a multiple of "
                        "storage.instruction_page_bytes, which is 4096, found "
                        "10240"));
  EXPECT_EQ(with("/matrix/columns", 4096),
            "chip.json: storage.accumulator_bytes: expected at least 16384, a "
            "row of results of matrix.columns, found 8192; enlarge the "
            "accumulators or use fewer columns");
}

TEST(TargetFaults, transfersOfPartOfABurst) {
  EXPECT_THAT(with("/dma/dma_arbitration_bytes", 32),
              HasSubstr("expected a multiple of memory.hbm_burst_bytes, which "
                        "is 64, found 32"));
  EXPECT_THAT(with("/dma/dma_in_flight_bytes", 100),
              HasSubstr("dma.dma_in_flight_bytes: expected a multiple of"));
  EXPECT_THAT(with("/memory/hbm_burst_bytes", 8192),
              HasSubstr("storage.instruction_page_bytes: expected a multiple"));
  EXPECT_EQ(with("/memory/hbm_capacity_gb", 0.0001),
            "chip.json: memory.hbm_capacity_gb: expected whole bursts of 64 "
            "bytes, found 0.0001 GB; change one of the two");
}

TEST(TargetFaults, connections) {
  EXPECT_EQ(ModifiedTarget("serrano-1").set("/network", nullptr).problems(),
            "chip.json: network: expected an object, found null; chip.cores is "
            "32, and cores are connected by the on-chip network");
  EXPECT_EQ(ModifiedTarget("serrano-1")
                .set("/chip/cores", 1)
                .set("/chip/cores_per_cluster", 1)
                .problems(),
            "chip.json: network: expected null, found an object; chip.cores is "
            "1, and one core has nothing to be connected to");
  EXPECT_EQ(with("/energy/link_pj_per_bit_per_end", 0),
            "chip.json: energy.link_pj_per_bit_per_end: expected a number "
            "above 0, found 0; the target has links");
  EXPECT_EQ(with("/links", nullptr),
            "chip.json: energy.link_pj_per_bit_per_end: expected 0, found 6; "
            "links is null");
}

//===----------------------------------------------------------------------===//
// Files that are no target
//===----------------------------------------------------------------------===//

TEST(TargetFaults, notJson) {
  EXPECT_THAT(parseError("{\n  \"name\": oops\n}"),
              StartsWith("chip.json: not JSON: line 2, column 11: syntax error "
                         "while parsing value"));
  EXPECT_THAT(parseError(""), StartsWith("chip.json: not JSON: line 1"));
  EXPECT_THAT(parseError("{} {}"), StartsWith("chip.json: not JSON: line 1"));
  EXPECT_THAT(parseError("{\"a\": 1e999}"),
              StartsWith("chip.json: not JSON: "));
  EXPECT_THAT(parseError(llvm::StringRef("\x7f"
                                         "ELF\0\xff",
                                         6)),
              StartsWith("chip.json: not JSON: "));
  EXPECT_THAT(parseError(std::string(100000, '[')),
              StartsWith("chip.json: not JSON: "));
}

TEST(TargetFaults, truncatedAnywhere) {
  std::string text = loadTarget("serrano-tiny").toJson();
  text.pop_back(); // the line's end may be missing
  for (size_t size = 0; size < text.size(); size += 7)
    EXPECT_THAT(parseError(text.substr(0, size)),
                StartsWith("chip.json: not JSON: "));
}

TEST(TargetFaults, notAnObject) {
  EXPECT_EQ(parseError("[1]"),
            "chip.json: expected an object with a target's keys, found a list; "
            "docs/Targets.md describes the file");
  EXPECT_THAT(parseError("{}"), HasSubstr("chip.json: schema: expected 1"));
}

TEST(TargetFaults, keyGivenTwice) {
  EXPECT_EQ(parseError(R"({"name": "a", "chip": {"cores": 1, "cores": 2},
                           "name": "b"})"),
            "chip.json: chip.cores: given twice; keep one of the two\n"
            "chip.json: name: given twice; keep one of the two");
}

} // namespace
