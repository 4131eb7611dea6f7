//===- TileToMem.cpp - slots to buffers, streams to rings --------------- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "serrano/Conversion/Passes.h"

#include "dialects/Mem/Mem.h"

namespace serrano {
#define GEN_PASS_DEF_CONVERTTILETOMEM
#include "lib/Conversion/Passes.h.inc"
} // namespace serrano

using namespace mlir;
using namespace serrano;

namespace {

class ConvertTileToMem : public serrano::impl::ConvertTileToMemBase<ConvertTileToMem> {
public:
  using Base::Base;
  void runOnOperation() override;
};

} // namespace

void ConvertTileToMem::runOnOperation() {
  if (getOperation()->hasAttr(tile::TileDialect::kChoicesAttr))
    emitWarning(getOperation().getLoc())
        << "'" << tile::TileDialect::kChoicesAttr
        << "' changes nothing once operations are tiles; put it on the module before "
           "convert-llm-to-tile";
  for (auto function : getOperation().getOps<func::FuncOp>()) {
    function.walk([](tile::SlotOp slot) {
      OpBuilder builder(slot);
      mem::Space space =
          slot.getAccumulator() ? mem::Space::Accumulators : mem::Space::Scratchpad;
      auto buffer = mem::BufferOp::create(builder, slot.getLoc(), slot.getType(), space,
                                          /*address=*/IntegerAttr());
      slot.replaceAllUsesWith(buffer.getResult());
      slot.erase();
    });
    int64_t index = 0;
    function.walk([&](tile::StreamOp stream) {
      OpBuilder builder(stream);
      auto ring = mem::RingOp::create(builder, stream.getLoc(), stream.getType(), index++,
                                      stream.getSource(), /*address=*/IntegerAttr(),
                                      stream.getSlotsAttr());
      stream.replaceAllUsesWith(ring.getResult());
      stream.erase();
    });
  }
}
