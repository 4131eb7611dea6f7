//===- MemToDma.cpp - transfers to queue operations --------------------- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "serrano/Conversion/Passes.h"

#include "dialects/Dma/Dma.h"
#include "llvm/ADT/TypeSwitch.h"

namespace serrano {
#define GEN_PASS_DEF_CONVERTMEMTODMA
#include "lib/Conversion/Passes.h.inc"
} // namespace serrano

using namespace mlir;
using namespace serrano;

namespace {

class ConvertMemToDma : public serrano::impl::ConvertMemToDmaBase<ConvertMemToDma> {
public:
  using Base::Base;
  void runOnOperation() override;
};

} // namespace

void ConvertMemToDma::runOnOperation() {
  getOperation().walk([](Operation *op) {
    OpBuilder builder(op);
    Location loc = op->getLoc();
    llvm::TypeSwitch<Operation *>(op)
        .Case([&](tile::LoadOp load) {
          dma::LoadOp::create(builder, loc, load.getTensorAttr(), load.getRow(), load.getCol(),
                              load.getSlot(),
                              load.getRows());
          load.erase();
        })
        .Case([&](tile::StoreOp store) {
          dma::StoreOp::create(builder, loc, store.getSlot(), store.getTensorAttr(),
                               store.getRow(), store.getCol(), store.getRows(),
                               store.getPiecesAttr(), store.getStepAttr());
          store.erase();
        })
        .Case([&](tile::GatherOp gather) {
          dma::GatherOp::create(builder, loc, gather.getTensorAttr(), gather.getTableAttr(),
                                gather.getFirst(), gather.getSlot(), gather.getRows());
          gather.erase();
        })
        .Case([&](tile::OrderTilesOp order) {
          dma::OrderTilesOp::create(builder, loc, order.getStream(), order.getFirstAttr(),
                                    order.getCountAttr(), order.getPasses());
          order.erase();
        })
        .Case([&](tile::OrderOp order) {
          dma::OrderBlocksOp::create(builder, loc, order.getStream(), order.getRow(),
                                     order.getTableAttr(), order.getFirst(), order.getBoundAttr(),
                                     order.getStepAttr(), order.getCount(), order.getTail(),
                                     order.getPasses());
          order.erase();
        });
  });
}
