// RUN: serrano-opt %s -split-input-file -verify-diagnostics

// expected-error @below {{a source tensor has the names []; expected one string or more}}
func.func private @nameless() attributes {a = #llm.source_tensor<0, []>}

// -----

// expected-error @below {{a source tensor has the names [1]; expected one string or more}}
func.func private @numbered() attributes {a = #llm.source_tensor<0, [1]>}

// -----

// expected-error @below {{a source tensor has a stride for each dimension of its shape, or neither}}
func.func private @uneven() attributes {a = #llm.source_tensor<0, ["x"], shape = <[2, 3]>, strides = <[1]>>}
