//===- SimulatorDocsTest.cpp - docs/Simulator.md is true
//-------------------===//
//
// Part of the Serrano project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information. SPDX-License-Identifier:
// Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "AssembledProgram.h"
#include <nlohmann/json.hpp>

using namespace serrano;
using testing::HasSubstr;

static std::string docs() {
  std::ifstream file(SERRANO_SOURCE_DIR "/docs/Simulator.md");
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(SimulatorDocs, NameEveryStatistic) {
  AssembledProgram assembled;
  sim::Statistics statistics = llvm::cantFail(assembled.run(
      assembled.assembleMain("v.fill dst=spm[0]:64:f32, rows=1, cols=16")));
  auto json = nlohmann::json::parse(statistics.toJson());
  std::string text = docs();
  for (const char *list : {"engines", "operators", "layers"}) {
    EXPECT_THAT(text, HasSubstr(std::string("`") + list + "[]`"));
    json.erase(list);
  }
  for (const auto &[key, value] : json.items())
    EXPECT_THAT(text, HasSubstr("`" + key + "`"));
  for (unsigned cause = 1; cause < sim::numWaitCauses; ++cause)
    EXPECT_THAT(
        text, HasSubstr("`" + sim::waitCauseName(sim::WaitCause(cause)).str() +
                        "`:"));
}

TEST(SimulatorDocs, ShowTheMessageOfAFault) {
  AssembledProgram assembled;
  std::string failure = assembled.failure(assembled.assemble(
      ".op 1, \"layer\"\n.entry main\nfunc main {\n mark op=1\n"
      " v.fill dst=spm[32736]:64:f32, rows=1, cols=16\n halt\n}\n"));
  std::string message = failure.substr(failure.find("fault at"));
  EXPECT_THAT(docs(),
              HasSubstr(message.substr(0, message.find(": it begins"))));
}
