// RUN: serrano-opt %s -convert-llm-to-tile="target=serrano-tiny precision=f32 max-tokens=24" -canonicalize -cse | FileCheck %s
// RUN: sed 's/^module {/module attributes {tile.choices = #tile.choices<stationary_probabilities = 0>} {/' %s | serrano-opt -convert-llm-to-tile="target=serrano-tiny precision=f32 max-tokens=24" | FileCheck %s --check-prefix=VALUES
// RUN: sed 's/, %h scale 0.5/& causal/; s/^module {/module attributes {tile.choices = #tile.choices<stationary_probabilities = 1>} {/' %s | serrano-opt -convert-llm-to-tile="target=serrano-tiny precision=f32 max-tokens=24" 2>&1 | FileCheck %s --check-prefix=CAUSAL
// RUN: sed 's/^    return %y/%%z = llm.binary add %%f, %%f : (tensor<?x12xf32, #llm.dims<[rows, 12]>>, tensor<?x12xf32, #llm.dims<[rows, 12]>>) -> tensor<?x12xf32, #llm.dims<[rows, 12]>>\n&/' %s | serrano-opt -convert-llm-to-tile="target=serrano-tiny precision=f32 max-tokens=24" | FileCheck %s --check-prefix=READ

// Heads of 6 on an array of 8 x 8: 6 rows of values move past the probabilities of 8 queries, instead of 8 queries past
// values that leave two columns of the array free.

// CHECK: tile.made = #tile.choices<{{.*}}stationary_probabilities = 1
// CHECK-LABEL: func.func @main
// CHECK: %[[ROWS:.*]] = tile.extent @rows
// The sums of a tile of 16 queries come out turned, head by head, and so does the result.
// CHECK: %[[RESULT:.*]] = tile.slot : memref<12x24xf32>
// CHECK: %[[STATES:.*]] = tile.slot : memref<32x3xf32>
// CHECK: %[[NUMBERS:.*]] = tile.slot : memref<1x32xf32>
// CHECK: %[[SUMS:.*]] = tile.slot accumulator : memref<12x16xf32>
// CHECK: tile.softmax
// CHECK: tile.softmax %{{.*}} to %[[PROBABILITIES:.*]] state
// Two tiles of 8 queries; the first keys begin the sum.
// CHECK: scf.for
// CHECK: tile.load_weights %{{.*}} k %[[KEYS:.*]] n %[[QUERIES:.*]] transpose : memref<8x8xf32
// CHECK: %[[SUM:.*]] = memref.reinterpret_cast %[[SUMS]] to offset: [%{{.*}}], sizes: [6, 8], strides: [16, 1]
// CHECK: tile.matmul %{{.*}} to %[[SUM]] m %c6 transpose : memref<8x6xf32
// CHECK: tile.matmul %{{.*}} m %c6 accumulate transpose : memref<8x6xf32

// A later step corrects the sums by factors that are turned, from a column to a row.
// CHECK: scf.for
// CHECK: tile.softmax
// CHECK: tile.softmax
// CHECK: %[[FROM:.*]] = memref.reinterpret_cast %[[STATES]] to offset: [2], sizes: [16, 1], strides: [3, 1]
// CHECK: %[[TO:.*]] = memref.reinterpret_cast %[[NUMBERS]] to offset: [0], sizes: [16, 1], strides: [1, 1]
// CHECK: tile.unary copy %[[FROM]] to %[[TO]] rows %[[COUNT:.*]] cols %c1
// CHECK: %[[FACTORS:.*]] = memref.reinterpret_cast %[[NUMBERS]] to offset: [0], sizes: [6, 16], strides: [0, 1]
// CHECK: tile.binary mul %[[HEAD:.*]], %[[FACTORS]] to %[[HEAD]] rows %c6 cols %[[COUNT]]

// So are the sums of the softmax, by which the result is divided.
// CHECK: %[[DIVISORS:.*]] = memref.reinterpret_cast %[[NUMBERS]] to offset: [0], sizes: [32, 1], strides: [1, 1]
// CHECK: tile.scalar max %{{.*}}, 1.17549435E-38 to %[[DIVISORS]] rows %c32 cols %c1
// CHECK: tile.binary div
// CHECK: %[[DIVISOR:.*]] = memref.reinterpret_cast %[[NUMBERS]] to offset: [16], sizes: [6, 16], strides: [0, 1]
// CHECK: %[[PART:.*]] = memref.reinterpret_cast %[[RESULT]] to offset: [%{{.*}}], sizes: [6, 16], strides: [24, 1]
// CHECK: tile.binary div %{{.*}}, %[[DIVISOR]] to %[[PART]] rows %c6 cols %[[COUNT]]
// It can be seen all the same, row by row.
// CHECK: tile.observe %[[RESULT]] : {{.*}} is ["sums"] "f32" ["1", "rows", "2", "6"] extents ["rows", "2", "6"] strides ["1", "144", "24"]

// The projection takes it turned: where its rows move, and where they stay.
// CHECK: %[[INPUT:.*]] = memref.reinterpret_cast %[[RESULT]] to offset: [0], sizes: [8, 24], strides: [24, 1]
// CHECK: tile.matmul %[[INPUT]] to %{{.*}} m %[[ROWS]] transpose
// CHECK: %[[STAY:.*]] = memref.reinterpret_cast %[[RESULT]] to offset: [%{{.*}}], sizes: [8, 8], strides: [24, 1]
// CHECK: tile.load_weights %[[STAY]] k %c8 n %c8 :
// CHECK: %[[REST:.*]] = memref.reinterpret_cast %[[RESULT]] to offset: [%{{.*}}], sizes: [8, 8], strides: [24, 1]
// CHECK: tile.matmul %[[REST]] to %{{.*}} m %{{.*}} transpose

// VALUES: tile.slot : memref<24x12xf32>
// VALUES-NOT: memref<12x24xf32>
// VALUES: tile.matmul {{.*}} accumulate : memref<16x8xf32

// A causal mask limits the keys of a row that moves: of a query. Nothing is chosen.
// CAUSAL: warning: #tile.choices<stationary_probabilities = 1> changes nothing
// CAUSAL: tile.made
// CAUSAL-NOT: stationary_probabilities
// CAUSAL: tile.matmul {{.*}} limit

// Nor is it if anything but projections reads the result.
// READ-NOT: stationary_probabilities
// READ: tile.softmax
module {
  llm.weight private @wq : tensor<12x12xf32> from [#llm.view<"weights.bin", offset = 0, length = 576, shape = [12, 12], strides = [12, 1]>]
  llm.weight private @wo : tensor<12x20xf32> from [#llm.view<"weights.bin", offset = 0, length = 960, shape = [12, 20], strides = [20, 1]>]
  func.func @main(%x: tensor<?x12xf32, #llm.dims<[rows, 12]>> {llm.name = "x"})
      -> (tensor<?x20xf32, #llm.dims<[rows, 20]>> {llm.name = "y"}) attributes {llm.entry = "graph"} {
    %wq = llm.get_weight @wq : tensor<12x12xf32>
    %wo = llm.get_weight @wo : tensor<12x20xf32>
    %q = llm.linear %x, %wq : (tensor<?x12xf32, #llm.dims<[rows, 12]>>, tensor<12x12xf32>) -> tensor<?x12xf32, #llm.dims<[rows, 12]>>
    %h = llm.reshape %q : tensor<?x12xf32, #llm.dims<[rows, 12]>> to tensor<1x?x2x6xf32, #llm.dims<[1, rows, 2, 6]>>
    %a = llm.attention %h, %h, %h scale 0.5 : (tensor<1x?x2x6xf32, #llm.dims<[1, rows, 2, 6]>>, tensor<1x?x2x6xf32, #llm.dims<[1, rows, 2, 6]>>, tensor<1x?x2x6xf32, #llm.dims<[1, rows, 2, 6]>>) -> tensor<1x?x2x6xf32, #llm.dims<[1, rows, 2, 6]>> loc(fused<[#llm.source_tensor<0, ["sums"]>]>["node"])
    %f = llm.reshape %a : tensor<1x?x2x6xf32, #llm.dims<[1, rows, 2, 6]>> to tensor<?x12xf32, #llm.dims<[rows, 12]>>
    %y = llm.linear %f, %wo : (tensor<?x12xf32, #llm.dims<[rows, 12]>>, tensor<12x20xf32>) -> tensor<?x20xf32, #llm.dims<[rows, 20]>>
    return %y : tensor<?x20xf32, #llm.dims<[rows, 20]>>
  }
}
