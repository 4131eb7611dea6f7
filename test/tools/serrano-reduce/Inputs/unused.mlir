func.func @f(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = llm.softmax %x over 0 : tensor<4xf32>
  return %x : tensor<4xf32>
}
