// RUN: serrano-opt %s --split-input-file --verify-diagnostics

// expected-error @below {{no field 'dts'; did you mean 'dst'?}}
isa.mx.mul m=3, dts=acc[0]:4:f32

// -----

// expected-error @below {{field 'm' is given twice}}
isa.mx.mul m=3, m=4

// -----

// expected-error @below {{mx.mul: field 'm' has immediate 33554432, outside -33554432 .. 33554431; load it into a register with s.li}}
isa.mx.mul m=33554432

// -----

// expected-error @below {{mx.mul: field 'group' has value 16384, outside 0 .. 16383}}
isa.mx.mul group=16384

// -----

// expected-error @below {{4294967296 does not fit; load it into a register with isa.s.li}}
isa.mx.mul m=4294967296

// -----

// expected-error @below {{expected r0 .. r63}}
isa.s.li rd=r64

// -----

// expected-error @below {{expected spm, acc, ring0 .. ring15 or pop0 .. pop15}}
isa.mx.mul dst=ring[0]:4:f32

// -----

// expected-error @below {{expected one of f32, bf16}}
isa.mx.mul dst=spm[0]:4:f64

// -----

// expected-error @below {{1 are the bits of no NaN}}
isa.v.fill imm=nan(1)

// -----

// expected-error @below {{field 'fn' has no value 'twist'}}
"isa.v.unary"() {fn = "twist"} : () -> ()

// -----

// expected-error @below {{requires attribute 'callee'}}
isa.call

// -----

// expected-error @below {{has the unknown dtype 'f33'}}
isa.entry @f dims []
  inputs [{name = "a", dtype = "f33", stored = "f32", shape = [], space = "hbm",
           address = 0}]
  outputs []

// -----

// expected-error @below {{'max' is -1, expected a number in 0 .. 2147483647}}
isa.entry @f dims [{name = "n", max = -1, smem = 0}] inputs [] outputs []

// -----

// expected-error @below {{'layers' is no limit: expected one of tokens, sequences}}
isa.entry @f dims [] inputs [] outputs [] limits [{of = "layers", size = "1", max = 1}]

// -----

// expected-error @below {{key 'max' not found}}
isa.entry @f dims [] inputs [] outputs [] limits [{of = "tokens", size = "1"}]

// -----

// expected-error @below {{'blocks' of the cache is 0, expected at least 1}}
isa.entry @f dims [] inputs [] outputs [] cache {block = 1, blocks = 0, context = 1}

// -----

// expected-error @below {{needs an address that is not negative and at least one byte}}
isa.zeroes "x" at 0 bytes 0

// -----

isa.func @f {
  // expected-error @below {{'q' is in the unknown space 'acc'}}
  isa.observe {names = ["q"], dtype = "f32", stored = "f32", shape = ["8"], space = "acc", address = 0, operator = 0}
  isa.halt
}

// -----

isa.func @f {
  // expected-error @below {{'q' has 2 names but no layer}}
  isa.observe {names = ["q", "r"], dtype = "f32", stored = "f32", shape = ["8"], space = "spm", address = 0, operator = 0}
  isa.halt
}

// -----

isa.func @f {
  // expected-error @below {{'q' has 1 extents and 2 strides}}
  isa.observe {names = ["q"], dtype = "f32", stored = "f32", shape = ["8"], space = "spm", address = 0, operator = 0,
               extents = ["8"], strides = ["1", "1"]}
  isa.halt
}

// -----

isa.func @f {
  // expected-error @below {{a tensor has no names}}
  isa.observe {names = [], dtype = "f32", stored = "f32", shape = ["8"], space = "spm", address = 0, operator = 0}
  isa.halt
}
