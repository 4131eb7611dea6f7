//===- Lowering.h - what all kernels share -------------------- -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_CONVERSION_LLMTOTILE_LOWERING_H
#define SERRANO_CONVERSION_LLMTOTILE_LOWERING_H

#include "dialects/Llm/Llm.h"
#include "dialects/Tile/Tile.h"
#include "serrano/Target/TargetModel.h"
#include "mlir/IR/Builders.h"
#include "llvm/ADT/MapVector.h"

namespace serrano::lowering {

/// A tensor as rows of features: all its dimensions up to the last symbolic one
/// are the rows, the others together the columns. Without a symbolic one, batch
/// and positions are the rows.
struct Matrix {
  mlir::Value slot;     ///< memref of the most rows x columns
  llm::ExtentAttr rows; ///< how many are valid
  int64_t cols = 0;
};

/// What is done to a block of columns of a projection's result, in order, before
/// it leaves the accumulators.
struct Epilogue {
  struct Step {
    mlir::Operation *op;  ///< `llm.unary`, or `llm.binary` with a lowered operand
    mlir::Value other;    ///< that operand
  };
  llvm::SmallVector<Step, 2> steps;
  mlir::Value result;     ///< the tensor that comes out
};

/// How a slot holds a tensor: dense, or of queries that share keys a group of
/// heads after the other, each with all its tokens.
struct Layout {
  int64_t heads = 0, group = 0, size = 0; ///< heads is 0 for a dense one
  int64_t slotRows = 0;                   ///< of a group
};

/// What the program has room for.
struct Limits {
  int64_t tokens, sequences, context;
};

/// The state of one function's conversion, and the vocabulary of the kernels: one
/// method for each kind of operation, in a file of its own.
class Lowering {
public:
  Lowering(mlir::OpBuilder &builder, const TargetModel &target, mlir::Type precision,
           Limits limits)
      : builder(builder), target(target), precision(precision), limits(limits),
        maxTokens(limits.tokens) {}

  /// Converts `function`, whose new form is built in `entry`.
  mlir::LogicalResult lower(mlir::func::FuncOp function, mlir::func::FuncOp entry,
                            mlir::ModuleOp module);

private:
  // LlmToTile.cpp
  mlir::LogicalResult lowerOp(mlir::Operation &op);
  mlir::LogicalResult storeResults(mlir::func::FuncOp function);

  // Observe.cpp
  /// Says which tensors of the source model the results of `op` are, as far as
  /// they are in a slot or leave the core.
  void observe(mlir::Operation &op);
  /// How the slot of `value` holds it; nothing if in no way that is known.
  std::optional<Layout> getLayout(mlir::Value value);

  // Interface.cpp
  void collectVectors(mlir::func::FuncOp function);
  mlir::LogicalResult declareInterface(mlir::func::FuncOp function);
  /// Brings the inputs of floating point on the core.
  void loadFeatures(mlir::func::FuncOp function);
  /// The function's argument behind a layer's argument, or the value itself.
  mlir::Value resolve(mlir::Value value) const;
  static std::string nameOf(mlir::BlockArgument argument);
  /// Calls `visit` for each use of a value, in layers too.
  static void forEachUse(mlir::Value value, llvm::function_ref<void(mlir::OpOperand &)> visit);
  /// What the elements of `argument` are less than: the number of rows that they
  /// choose from; 2 for a mask of keys, which is computed with as a number; null
  /// if they can be anything.
  static mlir::FailureOr<llm::ExtentAttr> getBound(mlir::BlockArgument argument);
  int64_t maxOf(mlir::StringAttr symbol) const;

  // Layers.cpp
  mlir::LogicalResult lowerLayers(llm::LayersOp op);
  mlir::LogicalResult addPacked(mlir::Operation *user, mlir::Value weight, int64_t k, int64_t n);

  // Rope.cpp
  /// A rope whose angles `value` is, in layers too; null if there is none.
  static mlir::Operation *getRopeOf(mlir::Value value);
  /// Brings the constant tables of angles on the core.
  mlir::LogicalResult loadTables(mlir::func::FuncOp function);
  /// A column of the numbers of its rows.
  mlir::Value countRows();
  mlir::LogicalResult lowerRopeAngles(llm::RopeAnglesOp op);
  mlir::LogicalResult lowerRope(llm::RopeOp op);

  // CachedAttention.cpp
  struct CachedKernel;
  mlir::LogicalResult lowerCachedAttention(llm::CachedAttentionOp op);
  void declareCaches();
  void createCacheStreams();
  /// Orders the old blocks of the first sequences for each cached attention from
  /// `op` on, up to the next loop over layers, which orders its own.
  mlir::LogicalResult orderBlocks(mlir::Operation *op);
  /// Blocks of one layer.
  int64_t getCacheBlocks() const;
  /// Keys of a block of the cache: columns of one product, rows of the next.
  int64_t getBlock() const;
  /// How many heads of keys there are, if `query` is the result of a rope and only
  /// the query of a cached attention whose query heads share them; else 0. Its slot
  /// is then a head of keys after the other, with all tokens and of each the heads
  /// that share it.
  static int64_t getStackedHeads(mlir::Value query);

  // Linear.cpp
  /// Which of the entry's results `tensor` is, if that is its only use: a
  /// projection stores it block by block.
  static std::optional<unsigned> getResultNumber(mlir::Value tensor);
  mlir::LogicalResult lowerLinear(llm::LinearOp op);
  Epilogue collectEpilogue(llm::LinearOp op);

  // Attention.cpp
  mlir::LogicalResult lowerAttention(llm::AttentionOp op);
  /// 0 for a key that takes part, -inf for one that does not: one row.
  mlir::FailureOr<mlir::Value> getKeyBias(mlir::Operation *op, mlir::Value mask);

  // Norm.cpp
  mlir::LogicalResult lowerRmsNorm(llm::RmsNormOp op);
  mlir::LogicalResult lowerLayerNorm(llm::LayerNormOp op);
  /// x * rsqrt(mean of squares + epsilon) * scale + bias, into the op's result.
  void normalize(mlir::Operation *op, mlir::Value x, int64_t cols, llm::ExtentAttr rows,
                 float epsilon, mlir::Value scale, mlir::Value bias);

  // Elementwise.cpp
  mlir::LogicalResult lowerBinary(llm::BinaryOp op);
  mlir::LogicalResult lowerUnary(llm::UnaryOp op);
  mlir::LogicalResult lowerReshape(llm::ReshapeOp op);
  mlir::LogicalResult lowerEmbedding(llm::EmbeddingOp op);
  mlir::LogicalResult lowerGather(llm::GatherOp op);

  // Vocabulary.cpp: sizes
  mlir::Value constant(int64_t value);
  mlir::Value add(mlir::Value a, mlir::Value b);
  mlir::Value mul(mlir::Value a, int64_t b);
  mlir::Value mul(mlir::Value a, mlir::Value b);
  mlir::Value min(mlir::Value a, int64_t b);
  /// The value of an extent in this run.
  mlir::Value extent(llm::ExtentAttr extent);
  /// `for (i = 0; i < count; ++i)`.
  mlir::scf::ForOp forEach(mlir::Value count, llvm::function_ref<void(mlir::Value i)> body);

  // Vocabulary.cpp: slots
  mlir::Value slot(int64_t rows, int64_t cols, mlir::Type type, bool accumulator = false);
  /// rows x cols elements from (row, col), both of which may be values.
  mlir::Value window(mlir::Value slot, mlir::OpFoldResult row, mlir::OpFoldResult col,
                     int64_t rows, int64_t cols);
  /// Each of `rows` rows from `row` on as `pieces` rows, and of those `cols` columns
  /// from `col` on.
  mlir::Value splitRows(mlir::Value slot, mlir::OpFoldResult row, int64_t rows, int64_t pieces,
                        int64_t col, int64_t cols);
  /// Every `every`-th row from `row` on, `rows` of them.
  mlir::Value everyRow(mlir::Value slot, mlir::OpFoldResult row, int64_t every, int64_t rows);
  /// One row for all rows.
  mlir::Value repeatRow(mlir::Value slot, mlir::OpFoldResult row, mlir::OpFoldResult col,
                        int64_t cols);
  /// One element a row for all columns: column `col` of `slot`, of every
  /// `every`-th row from `row` on.
  mlir::Value repeatColumn(mlir::Value slot, int64_t col, int64_t cols, mlir::OpFoldResult row = {},
                           int64_t every = 1);
  mlir::OpFoldResult index(int64_t value) { return builder.getIndexAttr(value); }

  // Vocabulary.cpp: tensors
  static std::pair<llm::ExtentAttr, int64_t> getShape(mlir::Value tensor);
  /// Fails, with an error at `user`, unless a kernel has computed every one of
  /// `tensors`.
  mlir::LogicalResult require(mlir::Operation *user, llvm::ArrayRef<mlir::Value> tensors) const;
  /// The lowered tensor in f32, or in the element type it has.
  Matrix &get(mlir::Value tensor) { return matrices.find(tensor)->second; }
  /// The lowered tensor in the matrix engine's element type; converts it if
  /// nobody did before.
  Matrix getOperand(mlir::Value tensor);
  /// A new slot for `tensor`: in the matrix engine's type if nothing else reads it.
  Matrix &define(mlir::Value tensor);
  bool isOnlyMatrixOperand(mlir::Value tensor) const;
  /// A vector of constants as the row (0, offset) of the slot of vectors.
  mlir::FailureOr<mlir::OpFoldResult> getVector(mlir::Operation *user, mlir::Value vector);
  mlir::OpFoldResult sum(mlir::OpFoldResult a, mlir::OpFoldResult b);

  mlir::OpBuilder &builder;
  const TargetModel &target;
  mlir::Type precision;
  Limits limits;
  int64_t maxTokens;
  mlir::Location loc = mlir::UnknownLoc::get(builder.getContext());

  mlir::ModuleOp module;
  mlir::Value stream;
  llvm::SmallVector<mlir::Attribute> packedNames;
  llvm::SmallVector<int64_t> packedSizes;
  mlir::Value vectorSlot;
  /// Where the vector of a name starts, or the first of a list of layers, whose
  /// vectors are one after the other.
  llvm::DenseMap<mlir::Attribute, int64_t> vectorOffsets;
  llvm::SmallVector<std::pair<mlir::Attribute, int64_t>> vectorPlaces; ///< by name, all
  int64_t vectorLength = 0;

  /// What is known of the layers whose body is being lowered.
  struct Layers {
    mlir::Value index;
    llvm::DenseMap<mlir::Value, mlir::ArrayAttr> weights; ///< lists by argument
    llvm::DenseMap<mlir::Value, mlir::Value> aliases;     ///< shared values by argument
    struct Packed {
      mlir::ArrayAttr names;
      int64_t k, n;
    };
    llvm::SmallVector<Packed> packed; ///< in the order of one layer
  };
  std::optional<Layers> layers;

  llvm::DenseMap<mlir::Value, Matrix> matrices, operands;
  llvm::DenseMap<mlir::Value, mlir::StringAttr> tables;  ///< arguments in scalar memory
  llvm::DenseMap<mlir::Value, mlir::Value> keyBiases;
  llvm::DenseMap<llm::ExtentAttr, mlir::Value> extents;
  llvm::DenseSet<mlir::Operation *> fused;
  llvm::DenseMap<mlir::Attribute, mlir::Value> cacheStreams; ///< by cache
};

} // namespace serrano::lowering

#endif // SERRANO_CONVERSION_LLMTOTILE_LOWERING_H
