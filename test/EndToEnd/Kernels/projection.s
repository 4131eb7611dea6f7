; A projection whose weights stream: y[T, N] = x[T, K] @ w[K, N] + bias for any
; number of tokens T up to max_tokens, in bf16 with f32 sums.
;
; The weights lie packed in HBM, tile after tile in the order of their use, and
; come through a ring whose slots are filled as they are popped. Two accumulators
; alternate over the columns' tiles, so that the matrix engine works on one while
; the vector engine adds the bias to the other and the DMA stores a third result.
;
; x and the two results y of a tile must fit the scratchpad, two tiles of results
; the accumulators.

.equ max_tokens, 64
.equ K, 5 * $rows / 2 + 3       // need not be a multiple of the array
.equ N, 7 * $columns / 2 + 1
.equ slots, 6                   // of the ring: how far weights run ahead

.equ k_tiles, (K + $rows - 1) / $rows
.equ first_k, $rows - (K < $rows) * ($rows - K)
.equ n_tiles, (N + $columns - 1) / $columns
.equ tile_bytes, $rows * $columns * 2
.equ slot_bytes, (tile_bytes + 63) / 64 * 64
.equ x_stride, K * 2
.equ y_stride, $columns * 4
.equ result_bytes, max_tokens * y_stride  // of a tile of results

; Scratchpad: the ring, then x, the bias, and two tiles of y.
.equ x_at, slots * slot_bytes
.equ bias_at, (x_at + max_tokens * x_stride + 63) / 64 * 64
.equ y_at, (bias_at + N * 4 + 63) / 64 * 64

.hbm x, max_tokens * K * 2
.hbm w, k_tiles * n_tiles * tile_bytes
.hbm bias, N * 4
.hbm y, max_tokens * N * 4

.reg tokens, r1
.reg columns_left, r2
.reg columns, r3     // valid ones of this tile
.reg parity, r4
.reg acc_at, r5      // this tile's accumulator
.reg y_tile, r6      // this tile's place in the scratchpad
.reg y_out, r7       // and in HBM
.reg bias_tile, r8
.reg n, r9
.reg k, r10
.reg x_tile, r11     // of this k
.reg bytes, r12

.op 1, "projection"

.entry main
.dim T, max=max_tokens, smem=0
.input x, f32, [T, K], hbm=x, stored=bf16
.input w, f32, [n_tiles, k_tiles, $rows, $columns], hbm=w, stored=bf16
.input bias, f32, [N], hbm=bias
.output y, f32, [T, N], hbm=y

func main {
  mark op=1
  s.load rd=tokens, address=0
  ring.setup ring=0, slots=slots, base=0, slot_bytes=slot_bytes
  ring.fill ring=0, src=hbm[w], count=n_tiles * k_tiles, bytes=tile_bytes,
            stride=tile_bytes, passes=1
  dma.load dst=spm[bias_at], src=hbm[bias], bytes=N * 4, n1=1, n2=1, n3=1
  s.mul rd=bytes, a=tokens, b=x_stride
  dma.load signal=c0, dst=spm[x_at], src=hbm[x], bytes=bytes, n1=1, n2=1, n3=1
  s.li rd=columns_left, imm=N
  s.li rd=bias_tile, imm=bias_at
  s.li rd=y_out, imm=y

  loop index=n, count=n_tiles {
    s.and rd=parity, a=n, b=1
    s.mul rd=acc_at, a=parity, b=result_bytes
    s.add rd=y_tile, a=acc_at, b=y_at
    s.min rd=columns, a=columns_left, b=$columns

    ; The accumulator is free when the tile before the last one has left it.
    ; x arrived after the bias, which came through the same queue.
    mx.load src=pop0[0]:$columns * 2:bf16, k=first_k, n=columns
    mx.mul wait0=c2-1, wait1=c0, signal=c1, dst=acc[acc_at]:y_stride:f32,
           src=spm[x_at]:x_stride:bf16, m=tokens
    s.li rd=x_tile, imm=x_at + $rows * 2
.if k_tiles > 1 {
    loop index=k, count=k_tiles - 2 {
      mx.load src=pop0[0]:$columns * 2:bf16, k=$rows, n=columns
      mx.mul signal=c1, accumulate, dst=acc[acc_at]:y_stride:f32,
             src=spm[x_tile]:x_stride:bf16, m=tokens
      s.add rd=x_tile, a=x_tile, b=$rows * 2
    }
    mx.load src=pop0[0]:$columns * 2:bf16, k=K - (k_tiles - 1) * $rows, n=columns
    mx.mul signal=c1, accumulate, dst=acc[acc_at]:y_stride:f32,
           src=spm[x_tile]:x_stride:bf16, m=tokens
}
    v.binary wait0=c1, wait1=c3-1, signal=c2, fn=add, dst=spm[y_tile]:y_stride:f32,
             a=acc[acc_at]:y_stride:f32, b=spm[bias_tile]:0:f32, rows=tokens, cols=columns
    s.mul rd=bytes, a=columns, b=4
    dma.store wait0=c2, signal=c3, src=spm[y_tile], dst=hbm[y_out], bytes=bytes,
              n1=tokens, n2=1, n3=1, ss1=y_stride, ds1=N * 4
    s.sub rd=columns_left, a=columns_left, b=$columns
    s.add rd=bias_tile, a=bias_tile, b=y_stride
    s.add rd=y_out, a=y_out, b=y_stride
  }
  halt
}
