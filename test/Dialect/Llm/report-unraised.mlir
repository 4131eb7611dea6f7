// RUN: serrano-opt %s -llm-report-unraised -verify-diagnostics
// Who asks for remarks gets the same as failures, and no diagnostics beside them.
// RUN: serrano-opt %s -llm-report-unraised --remarks-filter=llm-report-unraised -o /dev/null 2>&1 | FileCheck %s
// CHECK: remark: [Failure] NotRecognised | Category:llm-report-unraised | {{.*}}Remark="product of two computed matrices is no part of a recognised attention or projection; shapes are [2, 4] and [4, 4]"
// CHECK-NOT: remark: product

func.func @parts(%x: tensor<2x4xf32>, %y: tensor<4x4xf32>) -> tensor<2x4xf32> {
  // expected-remark @+1 {{product of two computed matrices is no part of a recognised attention or projection; shapes are [2, 4] and [4, 4]}}
  %0 = llm.matmul %x, %y : (tensor<2x4xf32>, tensor<4x4xf32>) -> tensor<2x4xf32>
  // expected-remark @+1 {{softmax is no part of a recognised attention}}
  %1 = llm.softmax %0 over 1 : tensor<2x4xf32>
  // expected-remark @+1 {{erf is no part of a recognised gelu: expected x/2 * (1 + erf(x / sqrt(2)))}}
  %2 = llm.unary erf %1 : tensor<2x4xf32>
  // expected-remark @+1 {{angle is no part of a recognised rotary embedding}}
  %3 = llm.unary cos %2 : tensor<2x4xf32>
  // expected-remark @+1 {{mean is no part of a recognised normalisation}}
  %4 = llm.reduce mean %3 over [0] : tensor<2x4xf32> -> tensor<1x4xf32>
  // A sum is no part of a pattern.
  %5 = llm.reduce sum %3 over [0] : tensor<2x4xf32> -> tensor<1x4xf32>
  return %3 : tensor<2x4xf32>
}
