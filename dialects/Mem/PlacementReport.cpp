//===- PlacementReport.cpp - how good a placement is ----------------------===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/Mem/PlacementReport.h"

#include "dialects/Mem/Lifetimes.h"
#include "mlir/IR/Remarks.h"

using namespace mlir;
using namespace serrano;
using namespace serrano::mem;
using remark::RemarkOpts;

static RemarkOpts describe(StringRef name, func::FuncOp function) {
  return RemarkOpts::name(name)
      .category("mem-assign-addresses")
      .function(function.getName());
}

/// A remark for each buffer that is alive when the most bytes are: without one
/// of these less would do.
static void remarkPeak(func::FuncOp function, Space space, int64_t capacity) {
  if (!function->getContext()->getRemarkEngine())
    return;
  Placement placement = getPlacement(function, space, capacity);
  for (size_t index : placement.problem.aliveAtPeak()) {
    Operation *op = placement.operations[index];
    auto buffer = dyn_cast<BufferOp>(op);
    if (!buffer)
      continue;
    auto remark = remark::analysis(op->getLoc(),
                                   describe("AliveAtPeak", function));
    remark << remark::metric("Memory", stringifySpace(space))
           << remark::metric("Bytes", buffer.getBytes())
           << remark::metric("Type", Type(buffer.getType()));
  }
}

/// How good the placement of the buffers is without the rings, which were among
/// what was placed if they had their slots before.
static AllocationResult withoutRings(func::FuncOp function, Space space,
                                     int64_t capacity,
                                     AllocationResult result) {
  Placement placement = getPlacement(function, space, capacity);
  AllocationProblem buffers(capacity, placement.problem.alignmentBytes());
  for (auto [buffer, op] :
       llvm::zip_equal(placement.problem.buffers(), placement.operations))
    if (isa<BufferOp>(op))
      buffers.add(buffer);
  result.height = buffers.height();
  if (result.lowerBound > result.height)
    result.lowerBound = buffers.lowerBound();
  return result;
}

void PlacementReport::add(func::FuncOp function, Space space, int64_t capacity,
                          AllocationResult result) {
  Builder builder(function.getContext());
  result = withoutRings(function, space, capacity, result);
  SmallVector<Attribute> rings;
  int64_t ringBytes = 0;
  if (space == Space::Scratchpad)
    function.walk([&](RingOp ring) {
      auto number = [&](StringRef key, int64_t value) {
        return builder.getNamedAttr(key, builder.getI64IntegerAttr(value));
      };
      int64_t slots = *ring.getSlots();
      ringBytes += ring.getBytes();
      rings.push_back(builder.getDictionaryAttr(
          {number("index", ring.getIndex()), number("slots", slots),
           number("slot_bytes", ring.getSlotBytes())}));
      remark::analysis(ring.getLoc(), describe("Ring", function))
          << remark::metric("Source", ring.getSource())
          << remark::metric("Slots", slots)
          << remark::metric("SlotBytes", ring.getSlotBytes());
    });
  entries.push_back(builder.getDictionaryAttr(
      {builder.getNamedAttr("function", function.getSymNameAttr()),
       builder.getNamedAttr("memory",
                            builder.getStringAttr(stringifySpace(space))),
       builder.getNamedAttr("capacity", builder.getI64IntegerAttr(capacity)),
       builder.getNamedAttr("buffer_bytes",
                            builder.getI64IntegerAttr(result.height)),
       builder.getNamedAttr("lower_bound",
                            builder.getI64IntegerAttr(result.lowerBound)),
       builder.getNamedAttr("ring_bytes", builder.getI64IntegerAttr(ringBytes)),
       builder.getNamedAttr("rings", builder.getArrayAttr(rings))}));

  auto say = [&](remark::detail::InFlightRemark remark) {
    remark << remark::metric("Memory", stringifySpace(space))
           << remark::metric("Capacity", capacity)
           << remark::metric("BufferBytes", result.height)
           << remark::metric("LowerBound", result.lowerBound)
           << remark::metric("RingBytes", ringBytes)
           << remark::metric("SearchSteps", result.steps);
    if (!result.isOptimal())
      remark << remark::reason("the search was given up before it found a "
                               "placement in {0} bytes or proved that there is "
                               "none",
                               result.lowerBound)
             << remark::suggest("allow more steps (mem-assign-addresses' "
                                "search-steps)");
  };
  RemarkOpts options = describe("Placement", function);
  say(result.isOptimal() ? remark::passed(function.getLoc(), options)
                         : remark::missed(function.getLoc(), options));
  remarkPeak(function, space, capacity);
}

void PlacementReport::addSymbols(StringRef memory, int64_t capacity,
                                 int64_t used) {
  symbols.push_back({memory.str(), capacity, used});
}

void PlacementReport::attach(ModuleOp module) const {
  Builder builder(module.getContext());
  SmallVector<Attribute> all(entries);
  for (auto [memory, capacity, used] : symbols) {
    all.push_back(builder.getDictionaryAttr(
        {builder.getNamedAttr("memory", builder.getStringAttr(memory)),
         builder.getNamedAttr("capacity", builder.getI64IntegerAttr(capacity)),
         builder.getNamedAttr("symbol_bytes",
                              builder.getI64IntegerAttr(used))}));
    remark::analysis(module.getLoc(),
                     RemarkOpts::name("Symbols").category(
                         "mem-assign-addresses"))
        << remark::metric("Memory", StringRef(memory))
        << remark::metric("Capacity", capacity)
        << remark::metric("SymbolBytes", used);
  }
  module->setAttr(MemDialect::kPlacementAttr, builder.getArrayAttr(all));
}
