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
#include <limits>
#include <map>
#include <set>

namespace serrano::lowering {

/// A tensor as rows of features: all its dimensions up to the last symbolic one
/// are the rows, the others together the columns. Without a symbolic one, batch
/// and positions are the rows.
struct Matrix {
  mlir::Value slot;     ///< memref of the most rows x columns
  llm::ExtentAttr rows; ///< how many are valid
  int64_t cols = 0;
  /// One f32 a row, if given: the slot has yet to be multiplied by it. A product
  /// is as well multiplied afterwards, so that the matrix engine need not wait.
  mlir::Value factor = {};
  bool transposed = false; ///< the slot has a row for each column: projections take it so
};

/// A number of columns from the first one on that a loop may move.
struct Column {
  mlir::Value index;   ///< of the loop; null if there is none
  int64_t step = 0;    ///< columns from one round to the next
  int64_t offset = 0;  ///< in the first round
  Column operator+(int64_t cols) const { return {index, step, offset + cols}; }
};

/// How a slot holds a tensor: as rows of features, or as heads that attention reads,
/// each of them with all its tokens.
struct Layout {
  int64_t heads = 0, size = 0; ///< heads is 0 for rows of features
  int64_t tokenStride = 0;     ///< elements from one token to the next
  int64_t headStride = 0;      ///< from one head of a group to the next
  int64_t group = 0;           ///< heads of a group
  int64_t groupStride = 0;     ///< from one group to the next
  int64_t offset = 0;          ///< of the first element
};

/// What the program has room for.
struct Limits {
  int64_t tokens, sequences, context;
  int64_t layers; ///< of a loop over layers, how many it runs
};

/// The state of one function's conversion, and the vocabulary of the kernels: one
/// method for each kind of operation, in a file of its own.
class Lowering {
public:
  Lowering(mlir::OpBuilder &builder, const TargetModel &target, mlir::Type precision,
           Limits limits, int64_t slotRows, tile::ChoicesAttr choices)
      : builder(builder), target(target), precision(precision), limits(limits),
        slotRows(slotRows), choices(choices) {}

  /// Converts `function`, whose new form is built in `entry`.
  mlir::LogicalResult lower(mlir::func::FuncOp function, mlir::func::FuncOp entry,
                            mlir::ModuleOp module);

  /// What the kernels have done, of what could have been chosen.
  tile::ChoicesAttr getChoices() const;
  /// Those of `choices` that no kernel has had to make.
  tile::ChoicesAttr getUnused(tile::ChoicesAttr choices) const;
  /// Tokens that a sequence has at most: what was asked for, or what the model has positions for.
  int64_t getContext() const { return limits.context; }

private:
  // Choices.cpp
  /// What is chosen; nothing if that is left to the kernel.
  std::optional<int64_t> chosen(tile::Choice choice) const { return choices.get(choice); }
  /// A kernel has done `value`.
  void note(tile::Choice choice, int64_t value);
  /// What is chosen or else `rule`, which is noted.
  int64_t choose(tile::Choice choice, int64_t rule);

  // LlmToTile.cpp
  mlir::LogicalResult lowerOp(mlir::Operation &op);
  /// Operations of a function's body, from `first` up to `end`, for the rows that there
  /// are or those of a portion.
  mlir::LogicalResult lowerSpan(mlir::func::FuncOp function, mlir::Operation *first,
                                mlir::Operation *end);
  /// Stores the results that are in slots when the body has been lowered up to `end`.
  mlir::LogicalResult storeResults(mlir::func::FuncOp function);
  void createPacked();

  // Portions.cpp
  /// All rows of the operations from some operation up to another.
  struct Rows {
    llm::ExtentAttr all;     ///< the largest number; null if it is no symbolic one
    mlir::StringAttr symbol; ///< the outermost dimension, which portions cut; null if none can be
    llm::ExtentAttr inner;   ///< of one element of that dimension, which stay together
  };
  static Rows getRows(mlir::func::FuncOp function, mlir::Operation *first, mlir::Operation *end);
  /// `rows` of one element of `symbol`; null if they are not a multiple of it.
  static llm::ExtentAttr getInnerRows(llm::ExtentAttr rows, mlir::StringAttr symbol);
  /// Lowers the operations from `first` up to `end` for all rows, in portions that
  /// fit the slots.
  mlir::LogicalResult lowerPortions(mlir::func::FuncOp function, const Rows &rows,
                                    mlir::Operation *first, mlir::Operation *end);
  /// Whether `rows` are not all on the core at once.
  bool isCut(llm::ExtentAttr rows) const;
  /// Row of the first row of this portion among all rows of a tensor.
  mlir::Value firstRow(llm::ExtentAttr rows);

  // Observe.cpp
  /// Says which tensors of the source model the results of `op` are, as far as
  /// they are in a slot or leave the core.
  void observe(mlir::Operation &op);
  /// How the slot of `value` holds it; nothing if in no way that is known.
  std::optional<Layout> getLayout(mlir::Value value);

  // Interface.cpp
  void collectVectors(mlir::func::FuncOp function);
  mlir::LogicalResult declareInterface(mlir::func::FuncOp function, const Rows &rows);
  /// Whether an input is of floating point.
  static bool isFeatures(mlir::BlockArgument argument);
  /// Brings the inputs of floating point on the core, in pieces, and behind the first piece the
  /// first vector, which as a rule is read first too.
  void loadFeatures(mlir::func::FuncOp function);
  /// Where the first vector of the slot of vectors ends.
  int64_t firstVectorEnd() const;
  /// Brings the vectors up to column `end` on the core, as far as they are not there.
  void loadVectors(int64_t end);
  /// Brings all vectors and tables on the core, unless that is done.
  mlir::LogicalResult loadConstants(mlir::func::FuncOp function);
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
  /// The most that an extent can be.
  int64_t maxOf(llm::ExtentAttr extent) const;

  // Names.cpp
  /// Fails, with an error, if the runtime could not read `extent`.
  mlir::LogicalResult checkSize(llm::ExtentAttr extent);
  /// Fails, with an error, if a dimension of the model has the name of another symbol.
  mlir::LogicalResult checkDimensions();

  // Layers.cpp
  mlir::LogicalResult lowerLayers(llm::LayersOp op);

  // Rope.cpp
  /// A rope whose angles `value` is, in layers too; null if there is none.
  static mlir::Operation *getRopeOf(mlir::Value value);
  /// Brings the constant tables of angles on the core.
  mlir::LogicalResult loadTables(mlir::func::FuncOp function);
  /// A column of the numbers of its rows.
  mlir::Value countRows();
  mlir::LogicalResult lowerRopeAngles(llm::RopeAnglesOp op);
  mlir::LogicalResult lowerRope(llm::RopeOp op);
  /// Where a rope's heads go.
  struct RopeTarget {
    mlir::Value slot;
    int64_t headStride;  ///< columns from one head to the next
    int64_t stackedHeads; ///< heads of one stack, each below the one before; 0: all in one
  };
  RopeTarget defineRope(llm::RopeOp op);
  /// Turns the heads of `from`, of which the first is the one that begins at column
  /// `col` of the rope's input.
  void rotate(llm::RopeOp op, const RopeTarget &to, mlir::Value from, Column col, int64_t heads);
  /// Whether all rows of the rope's input have angles of their own.
  bool hasOwnAngles(llm::RopeOp op);

  // CachedAttention.cpp
  struct CachedKernel;
  mlir::LogicalResult lowerCachedAttention(llm::CachedAttentionOp op);
  /// Orders the old blocks of the first units for the layer `first`, before a loop over
  /// layers.
  void orderFirstBlocks(mlir::Block &layer, int64_t first);
  /// The attention after `op`, an attention or a loop over layers, if it goes on with the
  /// same work in the next layer: its first blocks can be ordered before.
  static llm::CachedAttentionOp getContinuation(mlir::Operation *op);

  // CacheLayout.cpp
  /// Fails, with an error, on what there is no kernel for.
  mlir::LogicalResult checkCachedAttentions();
  /// Fails, with an error, on choices that are impossible for `cache`.
  mlir::LogicalResult checkChoices(llm::CacheOp cache);
  void declareCaches();
  void createCacheStreams();
  /// Blocks of one layer.
  int64_t getCacheBlocks() const;
  /// Of what the array multiplies.
  NumberFormat getFormat() const {
    return precision.isF32() ? NumberFormat::F32 : NumberFormat::BF16;
  }
  /// Keys of a block of the cache: columns of one product, rows of the next.
  int64_t getBlock() const;
  /// Blocks whose scores are one step of the softmax. Results depend on it, so it follows from
  /// nothing that is searched for.
  int64_t getSoftmaxBlocks();
  bool hasWorkForTransfers(llm::CachedAttentionOp op, int64_t blocks) const;
  /// Heads of keys that lie side by side in the cache, and are in flight together.
  int64_t getLanes(int64_t kvHeads, int64_t size);
  int64_t getLanesByRule(int64_t kvHeads, int64_t size, int64_t stepKeys) const;
  /// New tokens of a sequence that a cached attention takes at once, with `group` query heads
  /// for each of so many heads of keys.
  int64_t getQueryTokens(int64_t lanes, int64_t group, int64_t size);
  int64_t getMostQueryTokens(int64_t lanes, int64_t group, int64_t size, int64_t stepKeys) const;
  /// The slot of a cached attention's new keys and values, as the cache has them:
  /// for each head its key, then its value.
  mlir::Value getKeyValueSlot(llm::CachedAttentionOp op);
  /// The cached attention that alone reads `value` as its operand `number`.
  static llm::CachedAttentionOp getOnlyAttention(mlir::Value value, unsigned number);
  /// How many heads of keys there are, if `query` is the result of a rope and only
  /// the query of a cached attention whose query heads share them; else 0. Its slot
  /// is then a head of keys after the other, with all tokens and of each the heads
  /// that share it.
  static int64_t getStackedHeads(mlir::Value query);

  // Projection.cpp and Epilogue.cpp
  class Projection;
  /// Which of the entry's results `tensor` is, if that is its only use: a
  /// projection stores it block by block.
  static std::optional<unsigned> getResultNumber(mlir::Value tensor);
  mlir::LogicalResult lowerLinear(llm::LinearOp op);

  // Attention.cpp
  struct EncoderKernel;
  mlir::LogicalResult lowerAttention(llm::AttentionOp op);
  /// 0 for a key that takes part, -inf for one that does not: one row.
  mlir::FailureOr<mlir::Value> getKeyBias(mlir::Operation *op, mlir::Value mask);

  // Norm.cpp
  mlir::LogicalResult lowerRmsNorm(llm::RmsNormOp op);
  mlir::LogicalResult lowerLayerNorm(llm::LayerNormOp op);
  /// A norm whose statistics are collected as columns of its input come to be.
  struct FedNorm {
    mlir::Operation *op = nullptr;
    mlir::Value squares;       ///< sums of squares, one f32 a row
    mlir::Value sum;           ///< sums; null for RMS norms
    mlir::Value scaled;        ///< input * scale, for RMS norms, whose users apply the factor
    mlir::OpFoldResult scale;  ///< likewise
    /// Columns that are yet to be added to the sums, and how many each.
    llvm::SmallVector<std::pair<Column, int64_t>, 4> strips;
  };
  /// The norm that reads `tensor` (which is `only`, if given), if it can be fed.
  std::optional<FedNorm> beginNorm(mlir::Value tensor, mlir::Operation *only = nullptr);
  /// The norm at the beginning of the next layer, if `tensor` is what it reads.
  std::optional<FedNorm> beginCarriedNorm(mlir::Value tensor);
  /// Sets the sums to where they start.
  void clearNorm(const FedNorm &norm);
  /// Writes columns of x times their scale, if the norm has such a result.
  void scaleForNorm(const FedNorm &norm, mlir::Value x, Column col, int64_t width,
                    mlir::Value rows);
  /// Cuts columns in strips of one width, so that the order of the sums depends neither on the
  /// array nor on who feeds the norm; an array of fewer columns gives as many at a time.
  void appendStrips(FedNorm &norm, Column col, int64_t width);
  /// Adds the norm's next strips of x to its sums, at most `count`.
  void addStrips(FedNorm &norm, mlir::Value x, mlir::Value rows,
                 size_t count = std::numeric_limits<size_t>::max());
  /// Feeds columns of x to a norm. A strip's sum waits for the one before; if the matrix engine
  /// takes what is scaled, strips are left for the next columns, or for `addStrips`, so that
  /// what it takes does not wait behind them.
  void feedNorm(FedNorm &norm, mlir::Value x, Column col, int64_t width, mlir::Value rows);
  /// Feeds all of x to a norm, likewise: pieces are scaled between the first strips.
  void feedNorm(FedNorm &norm, const Matrix &x);
  /// The norm `op`, fed with all of its input.
  std::optional<FedNorm> getFedNorm(mlir::Operation *op, mlir::Value input);
  /// A few pieces of columns, so that who reads the first need not wait for the last.
  void forEachPiece(int64_t cols, llvm::function_ref<void(int64_t col, int64_t width)> body);
  /// column = function(column, value).
  void scaleColumn(mlir::Value column, tile::BinaryFunction function, float value,
                   mlir::Value rows);

  // Elementwise.cpp
  mlir::LogicalResult lowerBinary(llm::BinaryOp op);
  mlir::LogicalResult lowerUnary(llm::UnaryOp op);
  mlir::LogicalResult lowerReshape(llm::ReshapeOp op);
  mlir::LogicalResult lowerEmbedding(llm::EmbeddingOp op);
  mlir::LogicalResult storeRows(llm::GatherOp op);
  mlir::LogicalResult lowerGather(llm::GatherOp op);

  // Vocabulary.cpp: sizes
  mlir::Value constant(int64_t value);
  mlir::Value add(mlir::Value a, mlir::Value b);
  mlir::Value subtract(mlir::Value a, mlir::Value b);
  mlir::Value mul(mlir::Value a, int64_t b);
  mlir::Value mul(mlir::Value a, mlir::Value b);
  mlir::Value min(mlir::Value a, int64_t b);
  mlir::Value min(mlir::Value a, mlir::Value b);
  mlir::Value max(mlir::Value a, mlir::Value b);
  mlir::Value ceilDiv(mlir::Value a, int64_t b);
  mlir::OpFoldResult at(Column column);
  /// The value of an extent in this run, or in this portion of it.
  mlir::Value extent(llm::ExtentAttr extent);
  /// `for (i = 0; i < count; ++i)`.
  mlir::scf::ForOp forEach(mlir::Value count, llvm::function_ref<void(mlir::Value i)> body);

  // Vocabulary.cpp: slots
  mlir::Value slot(int64_t rows, int64_t cols, mlir::Type type, bool accumulator = false);
  /// rows x cols elements from (row, col), both of which may be values.
  mlir::Value window(mlir::Value slot, mlir::OpFoldResult row, mlir::OpFoldResult col,
                     int64_t rows, int64_t cols);
  /// `rows` rows of `cols` elements without gaps, from element `offset` on.
  mlir::Value denseWindow(mlir::Value slot, int64_t offset, int64_t rows, int64_t cols);
  /// `rows` rows of `cols` elements, from (row, col) on, each `apart` elements after the one
  /// before.
  mlir::Value rowsApart(mlir::Value slot, mlir::OpFoldResult row, mlir::OpFoldResult col,
                        int64_t rows, int64_t cols, int64_t apart);
  /// Each of `rows` rows from `row` on as `pieces` rows, and of those `cols` columns
  /// from `col` on.
  mlir::Value splitRows(mlir::Value slot, mlir::OpFoldResult row, int64_t rows, int64_t pieces,
                        int64_t col, int64_t cols);
  /// Every `every`-th row from `row` on, `rows` of them.
  mlir::Value everyRow(mlir::Value slot, mlir::OpFoldResult row, int64_t every, int64_t rows);
  /// One row for all rows, or for `rows` of them.
  mlir::Value repeatRow(mlir::Value slot, mlir::OpFoldResult row, mlir::OpFoldResult col,
                        int64_t cols, std::optional<int64_t> rows = {});
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
  Matrix &define(mlir::Value tensor, bool transposed = false);
  bool isOnlyMatrixOperand(mlir::Value tensor) const;
  /// Whether projections are the only readers of `tensor`, through reshapes.
  static bool isOnlyProjected(mlir::Value tensor);
  /// Whether nobody but `user` reads `tensor` when what comes before `lowered` has
  /// been lowered. A kernel takes operations along that come later in the block.
  bool isLastUse(mlir::Value tensor, mlir::Operation *user, mlir::Operation *lowered) const;
  /// A vector of constants as the row (0, offset) of the slot of vectors.
  mlir::FailureOr<mlir::OpFoldResult> getVector(mlir::Operation *user, mlir::Value vector);
  mlir::OpFoldResult sum(mlir::OpFoldResult a, mlir::OpFoldResult b);

  mlir::OpBuilder &builder;
  const TargetModel &target;
  mlir::Type precision;
  Limits limits;
  /// Rows of a slot: how many of a tensor are on the core at once.
  int64_t slotRows;
  tile::ChoicesAttr choices;
  std::map<tile::Choice, std::set<int64_t>> done; ///< by kernels
  mlir::Location loc = mlir::UnknownLoc::get(builder.getContext());

  mlir::ModuleOp module;
  bool isStep = false; ///< whether dimensions are those of a step, not the model's
  mlir::Value stream;
  int64_t tileK = 0, tileN = 0;
  std::optional<int64_t> softmaxBlocks; ///< once it is known
  /// The packed weights, in the order in which kernels take their tiles.
  struct PackedGroup {
    llvm::SmallVector<mlir::Attribute, 3> weights; ///< names, or lists of names by layer
    tile::WeightGroup shape;
  };
  llvm::SmallVector<PackedGroup> packed;
  /// Where the rows lie that a gather takes.
  llvm::DenseMap<mlir::Operation *, std::string> rowTensors;
  /// Where the next block of columns goes.
  std::optional<tile::WeightTape> tape;
  /// The accumulators of projections are used in turn, also from one to the next.
  unsigned nextAccumulator = 0;
  mlir::Value vectorSlot;
  /// Where the vector of a name starts, or the first of a list of layers, whose
  /// vectors are one after the other.
  llvm::DenseMap<mlir::Attribute, int64_t> vectorOffsets;
  llvm::SmallVector<std::pair<mlir::Attribute, int64_t>> vectorPlaces; ///< by name, all
  int64_t vectorLength = 0;
  int64_t loadedVectors = 0; ///< columns of the slot of vectors that have been loaded
  bool constantsLoaded = false;

  /// A norm at the beginning of a layer, which the layer before it feeds as it computes
  /// what is carried.
  struct CarriedNorm {
    FedNorm norm;
    mlir::Value result; ///< what a layer carries to the next
    bool isFed = false; ///< in the body, as far as it is lowered
  };
  /// What is known of the layers whose body is being lowered.
  struct Layers {
    mlir::Value index;
    int64_t last = 0;       ///< the greatest index
    bool continues = false; ///< whether the attention after the loop is as theirs
    llvm::DenseMap<mlir::Value, mlir::ArrayAttr> weights; ///< lists by argument
    llvm::DenseMap<mlir::Value, mlir::Value> aliases;     ///< shared values by argument
    llvm::SmallVector<PackedGroup> packed;                ///< in the order of one layer
    llvm::SmallVector<CarriedNorm, 1> norms;
  };
  std::optional<Layers> layers;

  /// The portion of the rows that is being lowered, if there are several.
  struct Portion {
    mlir::StringAttr symbol; ///< whose elements are cut in portions
    mlir::Value first;       ///< the first one
    mlir::Value count;       ///< and how many
  };
  std::optional<Portion> portion;
  llvm::SmallVector<tile::OrderTilesOp, 2> orders; ///< of weights, one for each span

  llvm::DenseMap<mlir::Value, Matrix> matrices, operands;
  llvm::DenseMap<mlir::Value, mlir::StringAttr> tables;  ///< arguments in scalar memory
  llvm::DenseMap<mlir::Value, mlir::Value> keyBiases;
  llvm::DenseMap<llm::ExtentAttr, mlir::Value> extents;
  llvm::DenseSet<mlir::Operation *> fused;
  llvm::DenseMap<mlir::Operation *, FedNorm> fed;
  llvm::DenseMap<mlir::Attribute, mlir::Value> cacheStreams; ///< by cache
  llvm::DenseMap<mlir::Operation *, mlir::Value> keyValueSlots; ///< by cached attention
};

} // namespace serrano::lowering

#endif // SERRANO_CONVERSION_LLMTOTILE_LOWERING_H
