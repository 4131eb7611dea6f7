//===- TargetFilesTest.cpp - finding, reading and writing targets ---------===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "../TempFolder.h"
#include "ModifiedTarget.h"
#include "gmock/gmock.h"

using namespace serrano;
using testing::AllOf;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

static std::string loadError(llvm::StringRef nameOrFile) {
  llvm::Expected<TargetModel> target = TargetModel::load(nameOrFile);
  return target ? "" : toString(target.takeError());
}

static std::string parseError(llvm::StringRef json) {
  llvm::Expected<TargetModel> target = TargetModel::fromJson(json, "v.json");
  return target ? "" : toString(target.takeError());
}

namespace {

/// Sets SERRANO_TARGETS for one test.
class TargetsVariable {
public:
  explicit TargetsVariable(const std::string &folder) {
    ::setenv("SERRANO_TARGETS", folder.c_str(), /*overwrite=*/1);
  }
  ~TargetsVariable() { ::unsetenv("SERRANO_TARGETS"); }
};

TEST(TargetFiles, bundledNames) {
  EXPECT_THAT(TargetModel::bundledNames(),
              testing::IsSupersetOf({"serrano-1", "serrano-1-hbm3e",
                                     "serrano-edge", "serrano-tiny"}));
}

TEST(TargetFiles, jsonComesBackAsTheSameTarget) {
  for (const std::string &name : TargetModel::bundledNames()) {
    SCOPED_TRACE(name);
    std::string json = loadTarget(name).toJson();
    auto again = TargetModel::fromJson(json, "manifest");
    ASSERT_TRUE(bool(again)) << toString(again.takeError());
    EXPECT_EQ(again->toJson(), json);
  }
}

TEST(TargetFiles, bundledFilesAreWrittenAsToJsonWritesThem) {
  for (llvm::StringRef name : {"serrano-1", "serrano-edge", "serrano-tiny"}) {
    std::ifstream file(SERRANO_SOURCE_DIR "/tools/targets/" + name.str() +
                       ".json");
    std::string text{std::istreambuf_iterator<char>(file), {}};
    EXPECT_EQ(loadTarget(name).toJson(), text);
  }
}

TEST(TargetFiles, jsonDoesNotDependOnHowTheFileIsWritten) {
  ModifiedTarget target("serrano-tiny");
  std::string plain = target.model().toJson();
  // Sorted keys, no white space, other ways to write the same numbers.
  target.set("/matrix/macs_per_element_per_cycle/bf16", 1.0)
      .set("/memory/hbm_pin_gb_per_s", 8.0000);
  EXPECT_EQ(target.model().toJson(), plain);
}

TEST(TargetFiles, fileOfOnesOwn) {
  TempFolder folder;
  ModifiedTarget wide("serrano-tiny");
  wide.set("/name", "wide").set("/storage/scratchpad_bytes", 65536);
  TargetModel target = loadTarget(folder.write("chip.json", wide.text()));
  EXPECT_EQ(target.name(), "wide");
  EXPECT_EQ(target.scratchpadBytes(), 65536);
}

TEST(TargetFiles, aFileIsOneThatHasASlashOrEndsInJson) {
  TempFolder folder;
  std::string path =
      folder.write("noending", ModifiedTarget("serrano-tiny").text());
  EXPECT_EQ(loadTarget(path).name(), "serrano-tiny");
  EXPECT_EQ(loadError("missing.json"),
            "missing.json: cannot open: no such file or directory");
  EXPECT_EQ(loadError(folder.path() + "/"),
            folder.path() + "/: expected a target file, found a folder");
}

TEST(TargetFiles, unknownNameListsTheTargetsAndTheNearest) {
  EXPECT_THAT(loadError("serano-edge"),
              AllOf(StartsWith("target 'serano-edge': expected one of "),
                    HasSubstr("serrano-1, serrano-1-hbm3e, serrano-edge"),
                    HasSubstr("or a file that ends in .json"),
                    EndsWith("did you mean 'serrano-edge'?")));
  EXPECT_THAT(loadError(""), EndsWith("ends in .json"));
}

TEST(TargetFiles, environmentVariableTakesTheBundledOnesPlace) {
  TempFolder folder;
  ModifiedTarget mine("serrano-tiny");
  folder.write("mine.json", mine.set("/name", "mine").text());
  TargetsVariable variable(folder.path());
  EXPECT_THAT(TargetModel::bundledNames(), ElementsAre("mine"));
  EXPECT_EQ(loadTarget("mine").name(), "mine");
  EXPECT_EQ(loadError("serrano-1"), "target 'serrano-1': expected one of mine, "
                                    "or a file that ends in .json");
}

TEST(TargetFiles, anEmptyEnvironmentVariableIsAsGoodAsNone) {
  TargetsVariable variable("");
  EXPECT_EQ(loadTarget("serrano-1").name(), "serrano-1");
}

TEST(TargetFiles, aFolderWithoutTargetsIsNamed) {
  TempFolder folder;
  TargetsVariable variable(folder.path("none"));
  EXPECT_EQ(loadError("serrano-1"),
            "target 'serrano-1': no target files in " + folder.path("none") +
                "; set SERRANO_TARGETS to the folder that holds them");
}

//===----------------------------------------------------------------------===//
// Variants
//===----------------------------------------------------------------------===//

TEST(TargetVariants, takeWhatTheyDoNotSayFromTheirTarget) {
  auto target = TargetModel::fromJson(R"({
    "variant_of": "serrano-1", "name": "slow", "description": "half the clock",
    "chip": {"provenance": "an experiment", "clock_ghz": 0.6}})",
                                      "v.json");
  ASSERT_TRUE(bool(target)) << toString(target.takeError());
  EXPECT_EQ(target->name(), "slow");
  EXPECT_EQ(target->clockGhz(), Ratio(6, 10));
  EXPECT_EQ(target->cores(), 32);
  EXPECT_EQ(target->toJson().find("variant_of"), std::string::npos);
}

TEST(TargetVariants, canDropAGroup) {
  auto target = TargetModel::fromJson(R"({
    "variant_of": "serrano-tiny", "name": "n", "description": "d",
    "links": null,
    "energy": {"provenance": "p", "link_pj_per_bit_per_end": 0}})",
                                      "v.json");
  ASSERT_TRUE(bool(target)) << toString(target.takeError());
  EXPECT_FALSE(target->links());
}

TEST(TargetVariants, haveAnIdentityAndAProvenanceOfTheirOwn) {
  EXPECT_EQ(
      parseError(R"({"variant_of": "serrano-1", "chip": {"clock_ghz": 1}})"),
      "v.json: name: expected a text of the variant's own, found nothing; add "
      "the key\n"
      "v.json: description: expected a text of the variant's own, found "
      "nothing; add the key\n"
      "v.json: chip.provenance: expected a text that covers the numbers of "
      "this variant, found nothing; add the key to 'chip'");
}

TEST(TargetVariants, areReadAsStrictly) {
  EXPECT_EQ(parseError(R"({"variant_of": "serrano-1", "name": "n",
              "description": "d",
              "chip": {"provenance": "p", "clock_gz": 1}})"),
            "v.json: chip.clock_gz: unknown key; did you mean 'clock_ghz'?");
}

TEST(TargetVariants, nameABundledTargetThatIsNoVariant) {
  EXPECT_THAT(parseError(R"({"variant_of": "serrano-2"})"),
              AllOf(StartsWith("v.json: variant_of: expected the name of a "
                               "bundled target (serrano-1, "),
                    EndsWith("found the string \"serrano-2\"; name one of "
                             "these")));
  EXPECT_THAT(parseError(R"({"variant_of": 1})"), HasSubstr("found 1; name"));
  EXPECT_THAT(parseError(R"({"variant_of": "../x"})"),
              HasSubstr("found the string \"../x\""));
  EXPECT_EQ(parseError(R"({"variant_of": "serrano-1-hbm3e"})"),
            "v.json: variant_of: expected a target that is not a variant "
            "itself, found the string \"serrano-1-hbm3e\"; name the target "
            "that it is a variant of");
}

} // namespace
