// RUN: serrano-opt %s -llm-raise-attention -canonicalize | FileCheck %s

// Grouped heads repeated by broadcast, the scale on both sides of the product
// (0.5 * 0.5), a guard against rows of NaN, a mask from comparing positions and
// from the attention mask looked up by flat index: what optimum writes.
// CHECK-LABEL: func.func @optimum
// CHECK-NEXT: %[[A:.*]] = llm.attention %arg0, %arg1, %arg2 key_mask %arg3 scale 2.500000e-01 causal :
// CHECK-NEXT: return %[[A]]
func.func @optimum(%q: tensor<?x?x4x8xf32, #llm.dims<[batch, seq, 4, 8]>>, %k: tensor<?x?x2x8xf32, #llm.dims<[batch, past + seq, 2, 8]>>,
                   %v: tensor<?x?x2x8xf32, #llm.dims<[batch, past + seq, 2, 8]>>, %m: tensor<?x?xi64, #llm.dims<[batch, past + seq]>>)
    -> tensor<?x?x4x8xf32, #llm.dims<[batch, seq, 4, 8]>> {
  %zero = arith.constant dense<0.0> : tensor<1xf32>
  %low = arith.constant dense<0xFF800000> : tensor<1xf32>
  %half = arith.constant dense<0.5> : tensor<f32>
  // The mask: key <= query + past, and attention_mask[batch, key].
  %rows = llm.iota from [past] step 1 : tensor<?xi64, #llm.dims<[seq]>>
  %r4 = llm.reshape %rows : tensor<?xi64, #llm.dims<[seq]>> to tensor<1x1x?x1xi64, #llm.dims<[1, 1, seq, 1]>>
  %keys = llm.iota from [0] step 1 : tensor<?xi64, #llm.dims<[past + seq]>>
  %k4 = llm.reshape %keys : tensor<?xi64, #llm.dims<[past + seq]>> to tensor<1x1x1x?xi64, #llm.dims<[1, 1, 1, past + seq]>>
  %causal = llm.compare le %k4, %r4 : (tensor<1x1x1x?xi64, #llm.dims<[1, 1, 1, past + seq]>>, tensor<1x1x?x1xi64, #llm.dims<[1, 1, seq, 1]>>) -> tensor<1x1x?x?xi1, #llm.dims<[1, 1, seq, past + seq]>>
  %mb = llm.cast %m : tensor<?x?xi64, #llm.dims<[batch, past + seq]>> to tensor<?x?xi1, #llm.dims<[batch, past + seq]>>
  %flat = llm.reshape %mb : tensor<?x?xi1, #llm.dims<[batch, past + seq]>> to tensor<?x1xi1, #llm.dims<[batch * past + batch * seq, 1]>>
  %batches = llm.iota from [0] step 1 : tensor<?xi64, #llm.dims<[batch]>>
  %b4 = llm.reshape %batches : tensor<?xi64, #llm.dims<[batch]>> to tensor<?x1x1x1xi64, #llm.dims<[batch, 1, 1, 1]>>
  %count = llm.extents [past + seq] : tensor<1xi64>
  %offset = llm.binary mul %b4, %count : (tensor<?x1x1x1xi64, #llm.dims<[batch, 1, 1, 1]>>, tensor<1xi64>) -> tensor<?x1x1x1xi64, #llm.dims<[batch, 1, 1, 1]>>
  %index = llm.binary add %k4, %offset : (tensor<1x1x1x?xi64, #llm.dims<[1, 1, 1, past + seq]>>, tensor<?x1x1x1xi64, #llm.dims<[batch, 1, 1, 1]>>) -> tensor<?x1x1x?xi64, #llm.dims<[batch, 1, 1, past + seq]>>
  %padding5 = llm.gather %flat[%index] along 0 : (tensor<?x1xi1, #llm.dims<[batch * past + batch * seq, 1]>>, tensor<?x1x1x?xi64, #llm.dims<[batch, 1, 1, past + seq]>>) -> tensor<?x1x1x?x1xi1, #llm.dims<[batch, 1, 1, past + seq, 1]>>
  %padding = llm.reshape %padding5 : tensor<?x1x1x?x1xi1, #llm.dims<[batch, 1, 1, past + seq, 1]>> to tensor<?x1x1x?xi1, #llm.dims<[batch, 1, 1, past + seq]>>
  %both = llm.binary and %causal, %padding : (tensor<1x1x?x?xi1, #llm.dims<[1, 1, seq, past + seq]>>, tensor<?x1x1x?xi1, #llm.dims<[batch, 1, 1, past + seq]>>) -> tensor<?x1x?x?xi1, #llm.dims<[batch, 1, seq, past + seq]>>
  %mask = llm.select %both, %zero, %low : (tensor<?x1x?x?xi1, #llm.dims<[batch, 1, seq, past + seq]>>, tensor<1xf32>, tensor<1xf32>) -> tensor<?x1x?x?xf32, #llm.dims<[batch, 1, seq, past + seq]>>
  // Keys and values of 2 heads for 4.
  %qt = llm.transpose %q [0, 2, 1, 3] : tensor<?x?x4x8xf32, #llm.dims<[batch, seq, 4, 8]>> to tensor<?x4x?x8xf32, #llm.dims<[batch, 4, seq, 8]>>
  %kt = llm.transpose %k [0, 2, 1, 3] : tensor<?x?x2x8xf32, #llm.dims<[batch, past + seq, 2, 8]>> to tensor<?x2x?x8xf32, #llm.dims<[batch, 2, past + seq, 8]>>
  %k5 = llm.reshape %kt : tensor<?x2x?x8xf32, #llm.dims<[batch, 2, past + seq, 8]>> to tensor<?x2x1x?x8xf32, #llm.dims<[batch, 2, 1, past + seq, 8]>>
  %kb = llm.broadcast %k5 : tensor<?x2x1x?x8xf32, #llm.dims<[batch, 2, 1, past + seq, 8]>> to tensor<?x2x2x?x8xf32, #llm.dims<[batch, 2, 2, past + seq, 8]>>
  %kr = llm.reshape %kb : tensor<?x2x2x?x8xf32, #llm.dims<[batch, 2, 2, past + seq, 8]>> to tensor<?x4x?x8xf32, #llm.dims<[batch, 4, past + seq, 8]>>
  %vt = llm.transpose %v [0, 2, 1, 3] : tensor<?x?x2x8xf32, #llm.dims<[batch, past + seq, 2, 8]>> to tensor<?x2x?x8xf32, #llm.dims<[batch, 2, past + seq, 8]>>
  %v5 = llm.reshape %vt : tensor<?x2x?x8xf32, #llm.dims<[batch, 2, past + seq, 8]>> to tensor<?x2x1x?x8xf32, #llm.dims<[batch, 2, 1, past + seq, 8]>>
  %vb = llm.broadcast %v5 : tensor<?x2x1x?x8xf32, #llm.dims<[batch, 2, 1, past + seq, 8]>> to tensor<?x2x2x?x8xf32, #llm.dims<[batch, 2, 2, past + seq, 8]>>
  %vr = llm.reshape %vb : tensor<?x2x2x?x8xf32, #llm.dims<[batch, 2, 2, past + seq, 8]>> to tensor<?x4x?x8xf32, #llm.dims<[batch, 4, past + seq, 8]>>
  // softmax(q k^T + mask) v
  %kT = llm.transpose %kr [0, 1, 3, 2] : tensor<?x4x?x8xf32, #llm.dims<[batch, 4, past + seq, 8]>> to tensor<?x4x8x?xf32, #llm.dims<[batch, 4, 8, past + seq]>>
  %qs = llm.binary mul %qt, %half : (tensor<?x4x?x8xf32, #llm.dims<[batch, 4, seq, 8]>>, tensor<f32>) -> tensor<?x4x?x8xf32, #llm.dims<[batch, 4, seq, 8]>>
  %ks = llm.binary mul %kT, %half : (tensor<?x4x8x?xf32, #llm.dims<[batch, 4, 8, past + seq]>>, tensor<f32>) -> tensor<?x4x8x?xf32, #llm.dims<[batch, 4, 8, past + seq]>>
  %p = llm.matmul %qs, %ks : (tensor<?x4x?x8xf32, #llm.dims<[batch, 4, seq, 8]>>, tensor<?x4x8x?xf32, #llm.dims<[batch, 4, 8, past + seq]>>) -> tensor<?x4x?x?xf32, #llm.dims<[batch, 4, seq, past + seq]>>
  %masked = llm.binary add %p, %mask : (tensor<?x4x?x?xf32, #llm.dims<[batch, 4, seq, past + seq]>>, tensor<?x1x?x?xf32, #llm.dims<[batch, 1, seq, past + seq]>>) -> tensor<?x4x?x?xf32, #llm.dims<[batch, 4, seq, past + seq]>>
  %soft = llm.softmax %masked over 3 : tensor<?x4x?x?xf32, #llm.dims<[batch, 4, seq, past + seq]>>
  %nan = llm.compare ne %soft, %soft : (tensor<?x4x?x?xf32, #llm.dims<[batch, 4, seq, past + seq]>>, tensor<?x4x?x?xf32, #llm.dims<[batch, 4, seq, past + seq]>>) -> tensor<?x4x?x?xi1, #llm.dims<[batch, 4, seq, past + seq]>>
  %safe = llm.select %nan, %zero, %soft : (tensor<?x4x?x?xi1, #llm.dims<[batch, 4, seq, past + seq]>>, tensor<1xf32>, tensor<?x4x?x?xf32, #llm.dims<[batch, 4, seq, past + seq]>>) -> tensor<?x4x?x?xf32, #llm.dims<[batch, 4, seq, past + seq]>>
  %o = llm.matmul %safe, %vr : (tensor<?x4x?x?xf32, #llm.dims<[batch, 4, seq, past + seq]>>, tensor<?x4x?x8xf32, #llm.dims<[batch, 4, past + seq, 8]>>) -> tensor<?x4x?x8xf32, #llm.dims<[batch, 4, seq, 8]>>
  %r = llm.transpose %o [0, 2, 1, 3] : tensor<?x4x?x8xf32, #llm.dims<[batch, 4, seq, 8]>> to tensor<?x?x4x8xf32, #llm.dims<[batch, seq, 4, 8]>>
  return %r : tensor<?x?x4x8xf32, #llm.dims<[batch, seq, 4, 8]>>
}

// BERT's padding mask: (1 - mask), made a condition, fills with the lowest float.
// CHECK-LABEL: func.func @bert
// CHECK: llm.attention %arg0, %arg0, %arg0 key_mask %arg1 scale 1.000000e+00 :
func.func @bert(%q: tensor<?x?x4x8xf32, #llm.dims<[batch, seq, 4, 8]>>, %m: tensor<?x?xi64, #llm.dims<[batch, seq]>>)
    -> tensor<?x?x4x8xf32, #llm.dims<[batch, seq, 4, 8]>> {
  %one = arith.constant dense<1.0> : tensor<f32>
  %low = arith.constant dense<-3.40282347E+38> : tensor<f32>
  %0 = llm.reshape %m : tensor<?x?xi64, #llm.dims<[batch, seq]>> to tensor<?x1x1x?xi64, #llm.dims<[batch, 1, 1, seq]>>
  %1 = llm.cast %0 : tensor<?x1x1x?xi64, #llm.dims<[batch, 1, 1, seq]>> to tensor<?x1x1x?xf32, #llm.dims<[batch, 1, 1, seq]>>
  %2 = llm.binary sub %one, %1 : (tensor<f32>, tensor<?x1x1x?xf32, #llm.dims<[batch, 1, 1, seq]>>) -> tensor<?x1x1x?xf32, #llm.dims<[batch, 1, 1, seq]>>
  %3 = llm.cast %2 : tensor<?x1x1x?xf32, #llm.dims<[batch, 1, 1, seq]>> to tensor<?x1x1x?xi1, #llm.dims<[batch, 1, 1, seq]>>
  %4 = llm.select %3, %low, %2 : (tensor<?x1x1x?xi1, #llm.dims<[batch, 1, 1, seq]>>, tensor<f32>, tensor<?x1x1x?xf32, #llm.dims<[batch, 1, 1, seq]>>) -> tensor<?x1x1x?xf32, #llm.dims<[batch, 1, 1, seq]>>
  %5 = llm.attention %q, %q, %q mask %4 scale 1.0 : (tensor<?x?x4x8xf32, #llm.dims<[batch, seq, 4, 8]>>, tensor<?x?x4x8xf32, #llm.dims<[batch, seq, 4, 8]>>, tensor<?x?x4x8xf32, #llm.dims<[batch, seq, 4, 8]>>, tensor<?x1x1x?xf32, #llm.dims<[batch, 1, 1, seq]>>) -> tensor<?x?x4x8xf32, #llm.dims<[batch, seq, 4, 8]>>
  return %5 : tensor<?x?x4x8xf32, #llm.dims<[batch, seq, 4, 8]>>
}

// Keys j <= i and j > i - 3: a causal window of 3.
// CHECK-LABEL: func.func @window
// CHECK: llm.attention %arg0, %arg0, %arg0 scale 1.000000e+00 causal window 3 :
func.func @window(%q: tensor<1x?x4x8xf32, #llm.dims<[1, seq, 4, 8]>>) -> tensor<1x?x4x8xf32, #llm.dims<[1, seq, 4, 8]>> {
  %zero = arith.constant dense<0.0> : tensor<f32>
  %low = arith.constant dense<0xFF800000> : tensor<f32>
  %three = arith.constant dense<3> : tensor<i64>
  %j = llm.iota from [0] step 1 : tensor<?xi64, #llm.dims<[seq]>>
  %i = llm.reshape %j : tensor<?xi64, #llm.dims<[seq]>> to tensor<?x1xi64, #llm.dims<[seq, 1]>>
  %causal = llm.compare le %j, %i : (tensor<?xi64, #llm.dims<[seq]>>, tensor<?x1xi64, #llm.dims<[seq, 1]>>) -> tensor<?x?xi1, #llm.dims<[seq, seq]>>
  %first = llm.binary sub %i, %three : (tensor<?x1xi64, #llm.dims<[seq, 1]>>, tensor<i64>) -> tensor<?x1xi64, #llm.dims<[seq, 1]>>
  %near = llm.compare gt %j, %first : (tensor<?xi64, #llm.dims<[seq]>>, tensor<?x1xi64, #llm.dims<[seq, 1]>>) -> tensor<?x?xi1, #llm.dims<[seq, seq]>>
  %both = llm.binary and %causal, %near : (tensor<?x?xi1, #llm.dims<[seq, seq]>>, tensor<?x?xi1, #llm.dims<[seq, seq]>>) -> tensor<?x?xi1, #llm.dims<[seq, seq]>>
  %mask = llm.select %both, %zero, %low : (tensor<?x?xi1, #llm.dims<[seq, seq]>>, tensor<f32>, tensor<f32>) -> tensor<?x?xf32, #llm.dims<[seq, seq]>>
  %0 = llm.attention %q, %q, %q mask %mask scale 1.0 : (tensor<1x?x4x8xf32, #llm.dims<[1, seq, 4, 8]>>, tensor<1x?x4x8xf32, #llm.dims<[1, seq, 4, 8]>>, tensor<1x?x4x8xf32, #llm.dims<[1, seq, 4, 8]>>, tensor<?x?xf32, #llm.dims<[seq, seq]>>) -> tensor<1x?x4x8xf32, #llm.dims<[1, seq, 4, 8]>>
  return %0 : tensor<1x?x4x8xf32, #llm.dims<[1, seq, 4, 8]>>
}

// Constant masks of two values that follow from the distance of query and key.

// Nothing after the query.
// CHECK-LABEL: func.func @causal
// CHECK-NEXT: llm.attention %arg0, %arg0, %arg0 scale 2.500000e-01 causal :
func.func @causal(%q: tensor<1x4x2x8xf32>) -> tensor<1x4x2x8xf32> {
  %mask = arith.constant dense<[[[[0.0, 0xFF800000, 0xFF800000, 0xFF800000], [0.0, 0.0, 0xFF800000, 0xFF800000], [0.0, 0.0, 0.0, 0xFF800000], [0.0, 0.0, 0.0, 0.0]]]]> : tensor<1x1x4x4xf32>
  %a = llm.attention %q, %q, %q mask %mask scale 2.5e-01 : (tensor<1x4x2x8xf32>, tensor<1x4x2x8xf32>, tensor<1x4x2x8xf32>, tensor<1x1x4x4xf32>) -> tensor<1x4x2x8xf32>
  return %a : tensor<1x4x2x8xf32>
}

// And of the keys before it the last one only.
// CHECK-LABEL: func.func @windowed
// CHECK-NEXT: llm.attention %arg0, %arg0, %arg0 scale 2.500000e-01 causal window 2 :
func.func @windowed(%q: tensor<1x4x2x8xf32>) -> tensor<1x4x2x8xf32> {
  %mask = arith.constant dense<[[[[0.0, -1.0e+09, -1.0e+09, -1.0e+09], [0.0, 0.0, -1.0e+09, -1.0e+09], [-1.0e+09, 0.0, 0.0, -1.0e+09], [-1.0e+09, -1.0e+09, 0.0, 0.0]]]]> : tensor<1x1x4x4xf32>
  %a = llm.attention %q, %q, %q mask %mask scale 2.5e-01 : (tensor<1x4x2x8xf32>, tensor<1x4x2x8xf32>, tensor<1x4x2x8xf32>, tensor<1x1x4x4xf32>) -> tensor<1x4x2x8xf32>
  return %a : tensor<1x4x2x8xf32>
}

// All keys.
// CHECK-LABEL: func.func @nothing_masked
// CHECK-NEXT: llm.attention %arg0, %arg0, %arg0 scale 2.500000e-01 :
func.func @nothing_masked(%q: tensor<1x4x2x8xf32>) -> tensor<1x4x2x8xf32> {
  %mask = arith.constant dense<[[[[0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]]]]> : tensor<1x1x4x4xf32>
  %a = llm.attention %q, %q, %q mask %mask scale 2.5e-01 : (tensor<1x4x2x8xf32>, tensor<1x4x2x8xf32>, tensor<1x4x2x8xf32>, tensor<1x1x4x4xf32>) -> tensor<1x4x2x8xf32>
  return %a : tensor<1x4x2x8xf32>
}


// The upper triangle of the lowest number: the condition says what is left out.
// CHECK-LABEL: func.func @upper_triangle
// CHECK-NEXT: llm.attention %arg0, %arg0, %arg0 scale 2.500000e-01 causal :
func.func @upper_triangle(%q: tensor<1x4x2x8xf32>) -> tensor<1x4x2x8xf32> {
  %zero = arith.constant dense<0.0> : tensor<f32>
  %low = arith.constant dense<-3.40282347E+38> : tensor<4x4xf32>
  %keys = llm.iota from [0] step 1 : tensor<4xi64>
  %next = llm.iota from [1] step 1 : tensor<4xi64>
  %rows = llm.reshape %next : tensor<4xi64> to tensor<4x1xi64>
  %above = llm.compare ge %keys, %rows : (tensor<4xi64>, tensor<4x1xi64>) -> tensor<4x4xi1>
  %mask = llm.select %above, %low, %zero : (tensor<4x4xi1>, tensor<4x4xf32>, tensor<f32>) -> tensor<4x4xf32>
  %a = llm.attention %q, %q, %q mask %mask scale 2.5e-01 : (tensor<1x4x2x8xf32>, tensor<1x4x2x8xf32>, tensor<1x4x2x8xf32>, tensor<4x4xf32>) -> tensor<1x4x2x8xf32>
  return %a : tensor<1x4x2x8xf32>
}
