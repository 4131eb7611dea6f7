// A block of a model is reduced to the one operation that a script asks for: what comes
// before it becomes zeroes, what comes after it goes, then what is not used goes.

// RUN: serrano-reduce %s -o %t.mlir --reduction-tree='traversal-mode=0 test=%S/Inputs/has_softmax.sh' \
// RUN:   --opt-reduction-pass='opt-pass=symbol-dce test=%S/Inputs/has_softmax.sh' \
// RUN:   --reduction-tree='traversal-mode=0 test=%S/Inputs/has_softmax.sh'
// RUN: FileCheck %s --match-full-lines --strict-whitespace < %t.mlir

//      CHECK:module {
// CHECK-NEXT:  func.func @block({{.*}} {
// CHECK-NEXT:    %[[ZERO:.*]] = arith.constant dense<0.000000e+00> : tensor<f32>
// CHECK-NEXT:    %[[ZEROES:.*]] = llm.broadcast %[[ZERO]] : {{.*}}
// CHECK-NEXT:    %[[RESULT:.*]] = llm.softmax %[[ZEROES]] over 1 : {{.*}}
// CHECK-NEXT:    return %[[RESULT]] : {{.*}}
// CHECK-NEXT:  }
// CHECK-NEXT:}

// A file that is not interesting, and one that is not any more without what is not used.

// RUN: not serrano-reduce %s --reduction-tree='traversal-mode=0 test=%S/Inputs/never.sh' 2>&1 \
// RUN:   | FileCheck %s --check-prefix=NEVER
// RUN: not serrano-reduce %S/Inputs/unused.mlir \
// RUN:   --reduction-tree='traversal-mode=0 test=%S/Inputs/has_softmax.sh' 2>&1 \
// RUN:   | FileCheck %s --check-prefix=UNUSED --implicit-check-not='{{.}}'

// NEVER: serrano-reduce: warning: uninterested module will not be reduced
// UNUSED: serrano-reduce: error: MLIR's reducer crashed; is the file still interesting after serrano-opt --canonicalize? Else use --opt-reduction-pass

llm.weight private @w : tensor<8x8xf32> from [#llm.view<"m", offset = 0, length = 256, shape = [8, 8], strides = [8, 1]>]
llm.weight private @gamma : tensor<8xf32> from [#llm.view<"m", offset = 256, length = 32, shape = [8], strides = [1]>]

func.func @other(%x: tensor<8xf32>) -> tensor<8xf32> {
  %0 = llm.unary exp %x : tensor<8xf32>
  return %0 : tensor<8xf32>
}

func.func @block(%x: tensor<?x8xf32, #llm.dims<[tokens, 8]>>) -> tensor<?x8xf32, #llm.dims<[tokens, 8]>> {
  %w = llm.get_weight @w : tensor<8x8xf32>
  %gamma = llm.get_weight @gamma : tensor<8xf32>
  %0 = llm.rms_norm %x, %gamma epsilon 1.0e-5 : tensor<?x8xf32, #llm.dims<[tokens, 8]>>, tensor<8xf32>
  %1 = llm.matmul %0, %w : (tensor<?x8xf32, #llm.dims<[tokens, 8]>>, tensor<8x8xf32>) -> tensor<?x8xf32, #llm.dims<[tokens, 8]>>
  %2 = llm.softmax %1 over 1 : tensor<?x8xf32, #llm.dims<[tokens, 8]>>
  %3 = llm.unary silu %2 : tensor<?x8xf32, #llm.dims<[tokens, 8]>>
  %4 = llm.binary add %3, %x : (tensor<?x8xf32, #llm.dims<[tokens, 8]>>, tensor<?x8xf32, #llm.dims<[tokens, 8]>>) -> tensor<?x8xf32, #llm.dims<[tokens, 8]>>
  return %4 : tensor<?x8xf32, #llm.dims<[tokens, 8]>>
}
