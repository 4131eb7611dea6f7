//===- TimelineEngines.cpp - when the engines start and finish ---------- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Timeline.h"

using namespace serrano;
using namespace serrano::sim;

//===----------------------------------------------------------------------===//
// Matrix engine
//===----------------------------------------------------------------------===//

Timeline::Ticks Timeline::nextMatrix(Op &op) {
  const Queue &queue = queues[MatrixId];
  Ticks start = std::max(op.ready, queue.lastIssue);
  if (op.d.work == Work::LoadWeights)
    // The other set may be in use; the one to load must not be.
    start = std::max({start, weightPortFree, useEnd[1 - currentSet]});
  else
    start = std::max({start, queue.freeAt, weightsReady[currentSet]});
  return wholeCycles(start);
}

void Timeline::actMatrix(Ticks time) {
  Queue &queue = queues[MatrixId];
  Op &op = queue.ops.front();
  Ticks end = time + TimingModel::ticksOf(op.d.interval);
  if (op.d.work == Work::LoadWeights) {
    account(weightPortTrack, op, weightPortFree, time, end, WaitCause::Engine);
    currentSet = 1 - currentSet;
    weightPortFree = weightsReady[currentSet] = end;
    complete(queue, MatrixId, op.d, end);
  } else {
    account(MatrixId, op, queue.freeAt, time, end, WaitCause::Engine);
    queue.freeAt = useEnd[currentSet] = end;
    complete(queue, MatrixId, op.d,
             end + TimingModel::ticksOf(timing.matmulLatency()));
  }
  pop(MatrixId, time);
}

//===----------------------------------------------------------------------===//
// Vector engine
//===----------------------------------------------------------------------===//

Timeline::Ticks Timeline::nextVector(Op &op) {
  const Queue &queue = queues[VectorId];
  return wholeCycles(std::max({op.ready, queue.lastIssue, queue.freeAt,
                               afterPending(VectorId, op.d.accesses)}));
}

void Timeline::actVector(Ticks time) {
  Queue &queue = queues[VectorId];
  Op &op = queue.ops.front();
  Ticks end = time + TimingModel::ticksOf(op.d.interval);
  Ticks completion = end + TimingModel::ticksOf(timing.vectorLatency());
  account(VectorId, op, queue.freeAt, time, end, WaitCause::Result);
  queue.freeAt = end;
  complete(queue, VectorId, op.d, completion);
  remember(VectorId, op.d.accesses, queue.lastCompletion);
  pop(VectorId, time);
}

//===----------------------------------------------------------------------===//
// DMA queues and rings
//===----------------------------------------------------------------------===//

/// A mover that is not moving asks when its next transfer may put its first
/// byte on the port; one that is moving asks for its next grain.
Timeline::Ticks Timeline::nextMover(unsigned id) {
  Mover &mover = movers[id];
  if (mover.moving)
    return mover.request;
  Op &op = queues[id].ops.front();
  if (op.unresolved)
    return never;
  Ticks ready = op.ready;
  if (id == DmaInId)
    ready = std::max(ready, afterPending(id, op.d.accesses));
  if (op.d.work == Work::None || (op.d.work == Work::Order && op.d.count == 0))
    return std::max(ready, mover.dataEnd);
  Ticks data = mover.dataEnd;
  if (mover.slotsDone == 0)
    data = std::max(data, std::max(ready, mover.startupEnd) + startupTicks);
  if (op.d.work == Work::Order) {
    Ring &ring = rings[id - FirstRingId];
    int64_t freedBy = op.d.firstSlot + mover.slotsDone - ring.slots;
    if (freedBy >= ring.origin) {
      if (ring.freed(freedBy) == never)
        return never;
      data = std::max(data, ring.freed(freedBy));
    }
  }
  return data;
}

void Timeline::actMover(unsigned id, Ticks time) {
  Queue &queue = queues[id];
  Mover &mover = movers[id];
  Op &op = queue.ops.front();
  if (!mover.moving) {
    if (op.d.work == Work::None ||
        (op.d.work == Work::Order && op.d.count == 0)) {
      complete(queue, id, op.d, time);
      if (op.d.work == Work::None)
        mover.startupEnd = std::max(mover.startupEnd, time);
      return pop(id, time);
    }
    mover.moving = true;
    mover.request = time;
    mover.sliceStart = std::max(time, portFree);
    if (mover.slotsDone == 0)
      mover.startupEnd = time;
    mover.left = op.d.bytesOf(mover.slotsDone);
    if (mover.left == 0)
      finishTransfer(id, time);
    return;
  }
  int64_t grain = std::min(mover.left, timing.grainBytes());
  if (op.d.hbm && lastGrain.first != grain)
    lastGrain = {grain, timing.grainTicks(grain)};
  Ticks end = time + (op.d.hbm ? lastGrain.second : timing.localTicks(grain));
  // The next grain is asked for when this one has gone: queues take turns.
  portFree = mover.request = end;
  mover.left -= grain;
  if (mover.left == 0)
    finishTransfer(id, end);
}

/// The last byte of a transfer, or of a ring's slot, leaves the port at `end`.
void Timeline::finishTransfer(unsigned id, Ticks end) {
  Queue &queue = queues[id];
  Mover &mover = movers[id];
  Op &op = queue.ops.front();
  int64_t bytes = op.d.bytesOf(mover.slotsDone);
  (!op.d.hbm    ? statistics.localBytes
   : op.d.write ? statistics.hbmWriteBytes
                : statistics.hbmReadBytes) += bytes;
  statistics.engines[id].bytes += bytes;
  Ticks start = std::min(mover.sliceStart, end);
  Moment heldBy =
      account(id, op, mover.dataEnd, start, end, WaitCause::Engine, bytes);
  if (op.d.hbm && op.d.work != Work::Order)
    book(op.d, [&](Costs &costs) {
      (op.d.write ? costs.hbmWriteBytes : costs.hbmReadBytes) += bytes;
    });
  mover.moving = false;
  mover.dataEnd = end;
  Ticks completion =
      end + (op.d.hbm ? TimingModel::ticksOf(timing.dmaLatency()) : 0);
  if (op.d.work == Work::Order) {
    queue.lastCompletion = std::max(queue.lastCompletion, completion);
    slotFilled(id - FirstRingId, {.time = queue.lastCompletion,
                                  .start = start,
                                  .end = end,
                                  .bytes = bytes,
                                  .heldBy = heldBy,
                                  .word = op.d.word,
                                  .op = op.d.op,
                                  .layer = op.d.layer});
    if (++mover.slotsDone < op.d.count)
      return;
    mover.slotsDone = 0;
  }
  complete(queue, id, op.d, completion);
  if (id == DmaInId)
    remember(id, op.d.accesses, queue.lastCompletion);
  pop(id, end);
}
