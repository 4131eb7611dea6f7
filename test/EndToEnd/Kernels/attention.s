; Causal attention over a paged cache for a ragged batch: `sequences` sequences,
; each with any number (at least one) of new tokens and any number of old ones,
; grouped query heads, in bf16 with f32 sums.
;
; The new tokens' K and V are scattered into the cache first; then blocks come
; back through a ring in the order of the sequence's block table. A sequence's
; queries are cut into tiles of tile_tokens; a tile visits its blocks in ascending
; order, and in each block the kv heads. Such an item (tile, block, head) has
;
;   QK   S = Q K^T                                             matrix
;   SM   online softmax of S to P, rescaling of O              vector
;   PV   O += P V                                              matrix
;
; and PV of an item comes after QK of the next, across heads, blocks, tiles and
; sequences, so that both engines work. The block of the item before is then still
; the oldest slot of the ring, so QK of a block's first head reads the one after.

.equ heads_kv, 2
.equ group, 2                       // query heads that share a kv head
.equ D, $columns / (1 + ($columns > 64))   // head size
.equ block, $columns / 2            // tokens of a block
.equ tile_tokens, $rows / 4         // query tokens of a tile
.equ max_tokens, 64
.equ max_sequences, 8
.equ max_blocks, 16                 // of a sequence
.equ blocks, 48                     // of the cache
.equ slots, 4

.equ heads, heads_kv * group
.equ tile_rows, tile_tokens * group // rows of a tile: token by token, head by head
.equ head_bytes, D * 2
.equ token_bytes, 2 * heads_kv * head_bytes
.equ block_bytes, block * token_bytes
.equ q_bytes, tile_rows * head_bytes       // of one kv head's queries
.equ s_stride, block * 4
.equ s_bytes, tile_rows * s_stride
.equ p_stride, block * 2
.equ p_bytes, tile_rows * p_stride
.equ o_stride, D * 4
.equ o_bytes, tile_rows * o_stride
.equ state_bytes, tile_rows * 12

; Accumulators: two S, an O for each kv head.
.equ o_acc, 2 * s_bytes
; Scratchpad.
.equ new_at, slots * block_bytes           // new tokens' K and V
.equ q_at, new_at + max_tokens * token_bytes
.equ p_at, q_at + 2 * heads_kv * q_bytes
.equ out_at, p_at + 2 * p_bytes
.equ state_at, out_at + heads_kv * o_bytes
; Scalar memory.
.equ starts_at, 8
.equ lengths_at, starts_at + (max_sequences + 1) * 4
.equ places_at, lengths_at + max_sequences * 4
.equ tables_at, places_at + max_tokens * 4

.hbm q, max_tokens * heads * head_bytes
.hbm k, max_tokens * heads_kv * head_bytes
.hbm v, max_tokens * heads_kv * head_bytes
.hbm cache, blocks * block_bytes
.hbm out, max_tokens * heads * o_stride

.reg sequences, r1
.reg tokens, r2
.reg sequence, r3
.reg tile, r4
.reg visit, r5          // which of the tile's blocks
.reg head, r6
.reg start, r7          // of the sequence's new tokens
.reg count, r8          // how many there are
.reg past, r9           // tokens before them
.reg tile_start, r10    // of the tile, counted from `start`
.reg tile_count, r11    // tokens of the tile
.reg rows, r12
.reg length, r13        // keys that the tile's last token sees
.reg valid, r14         // of them in this block
.reg limit, r15         // that the tile's first token sees in this block
.reg q_tile, r16        // the tile's queries in the scratchpad
.reg out_tile, r17      // and its results in HBM
.reg even, r18          // 0 or 1, alternates from item to item
.reg visits, r19
.reg is_last, r20       // the tile's last block
.reg s_item, r21
.reg p_item, r22
.reg o_item, r23
.reg state_item, r24
.reg q_item, r25
.reg k_item, r26
.reg a, r27
.reg b, r28
.reg last_head, r29
.reg has_previous, r30
.reg q_even, r31

; The tile whose blocks and queries are ordered next.
.reg next_sequence, r32
.reg next_start, r33
.reg next_even, r34

; The item before.
.reg was_head, r40
.reg was_last, r41
.reg was_rows, r42
.reg was_valid, r43
.reg was_limit, r44
.reg was_p, r45
.reg was_o, r46
.reg was_state, r47
.reg was_v, r48
.reg was_count, r49
.reg was_result, r50
.reg was_out, r51

.op 1, "cache"
.op 2, "attention"

.entry main
.dim S, max=max_sequences, smem=0
.dim T, max=max_tokens, smem=4
.input q, f32, [T, heads, D], hbm=q, stored=bf16
.input k, f32, [T, heads_kv, D], hbm=k, stored=bf16
.input v, f32, [T, heads_kv, D], hbm=v, stored=bf16
.input cache, f32, [blocks, block, 2, heads_kv, D], hbm=cache, stored=bf16
.input starts, i32, [S + 1], smem=starts_at
.input lengths, i32, [S], smem=lengths_at
.input places, i32, [T], smem=places_at
.input tables, i32, [S, max_blocks], smem=tables_at
.output out, f32, [T, heads, D], hbm=out
.output cache_out, f32, [blocks, block, 2, heads_kv, D], hbm=cache, stored=bf16

; Counters: c0 new K and V are there, c1 they are in the cache, c2 queries,
; c3 QK, c4 SM, c5 PV, c6 a result is ready, c7 and stored.

func main {
  mark op=1
  s.load rd=sequences, address=0
  s.load rd=tokens, address=4
  dma.load dst=spm[new_at], src=hbm[k], bytes=token_bytes / 2, n1=tokens, n2=1, n3=1,
           ss1=token_bytes / 2, ds1=token_bytes
  dma.load signal=c0, dst=spm[new_at + token_bytes / 2], src=hbm[v], bytes=token_bytes / 2,
           n1=tokens, n2=1, n3=1, ss1=token_bytes / 2, ds1=token_bytes
  dma.scatter wait0=c0, signal=c1, src=spm[new_at], dst=hbm[cache], table=places_at,
              n=tokens, bytes=token_bytes, stride=token_bytes, bound=blocks * block,
              local_stride=token_bytes

  ring.setup ring=0, slots=slots, base=0, slot_bytes=block_bytes
  s.li rd=last_head, imm=heads_kv - 1
  call callee=order
  mark op=2
  loop index=sequence, count=sequences {
    s.shl rd=a, a=sequence, b=2
    s.load rd=start, address=a + starts_at
    s.load rd=b, address=a + starts_at + 4
    s.load rd=length, address=a + lengths_at
    s.sub rd=count, a=b, b=start
    s.sub rd=past, a=length, b=count
    s.add rd=a, a=count, b=tile_tokens - 1
    s.div rd=a, a=a, b=tile_tokens
    loop index=tile, count=a {
      call callee=order
      s.mul rd=tile_start, a=tile, b=tile_tokens
      s.sub rd=a, a=count, b=tile_start
      s.min rd=tile_count, a=a, b=tile_tokens
      s.mul rd=rows, a=tile_count, b=group
      s.add rd=limit, a=past, b=tile_start
      s.add rd=length, a=limit, b=tile_count
      s.add rd=limit, a=limit, b=1
      s.add rd=a, a=length, b=block - 1
      s.div rd=visits, a=a, b=block
      s.add rd=a, a=start, b=tile_start
      s.mul rd=out_tile, a=a, b=heads * o_stride
      s.mul rd=q_tile, a=q_even, b=heads_kv * q_bytes
      s.xor rd=q_even, a=q_even, b=1
      loop index=visit, count=visits {
        s.mul rd=a, a=visit, b=block
        s.sub rd=a, a=length, b=a
        s.min rd=valid, a=a, b=block
        s.sub rd=a, a=visits, b=visit
        s.lt rd=is_last, a=a, b=2
        loop index=head, count=heads_kv {
          call callee=item
        }
        s.sub rd=limit, a=limit, b=block
      }
    }
  }
  call callee=previous
  halt
}

; Orders the next tile's blocks and loads its queries. What this needs of the
; place of the queries before last is over: QK of all tiles before this one.
func order {
  skip condition=lt, a=next_sequence, b=sequences {
    ; None is left. A load of nothing keeps the lag of QK's wait right.
    dma.load signal=c2, dst=spm[q_at], src=hbm[q], n2=1, n3=1
    ret
  }
  s.shl rd=a, a=next_sequence, b=2
  s.load rd=r52, address=a + starts_at
  s.load rd=r53, address=a + starts_at + 4
  s.load rd=r54, address=a + lengths_at
  s.sub rd=r53, a=r53, b=r52                // new tokens
  s.sub rd=r54, a=r54, b=r53                // tokens before them
  s.sub rd=r55, a=r53, b=next_start
  s.min rd=r55, a=r55, b=tile_tokens        // tokens of the tile
  s.add rd=r54, a=r54, b=next_start
  s.add rd=r54, a=r54, b=r55                // keys that it sees
  s.add rd=r56, a=r54, b=block - 1
  s.div rd=r56, a=r56, b=block              // blocks
  s.mul rd=a, a=r56, b=block
  s.sub rd=a, a=r54, b=a
  s.add rd=a, a=a, b=block
  s.mul rd=a, a=a, b=token_bytes            // valid bytes of the last
  s.mul rd=b, a=next_sequence, b=max_blocks * 4
  ring.table wait0=c1, ring=0, src=hbm[cache], table=b + tables_at, count=r56,
             bytes=block_bytes, tail_bytes=a, stride=block_bytes, bound=blocks, passes=1
  s.add rd=a, a=r52, b=next_start
  s.mul rd=a, a=a, b=heads * head_bytes
  s.mul rd=b, a=next_even, b=heads_kv * q_bytes
  dma.load wait0=c3, signal=c2, dst=spm[b + q_at], src=hbm[a + q], bytes=group * head_bytes,
           n1=r55, n2=heads_kv, n3=1, ss1=heads * head_bytes, ss2=group * head_bytes,
           ds1=group * head_bytes, ds2=q_bytes
  s.xor rd=next_even, a=next_even, b=1
  s.add rd=next_start, a=next_start, b=tile_tokens
  s.lt rd=a, a=next_start, b=r53
  s.mul rd=next_start, a=next_start, b=a
  s.xor rd=a, a=a, b=1
  s.add rd=next_sequence, a=next_sequence, b=a
  ret
}

; QK and SM of one head of a block, and PV of the item before.
func item {
  s.mul rd=s_item, a=even, b=s_bytes
  s.mul rd=p_item, a=even, b=p_bytes
  s.mul rd=o_item, a=head, b=o_bytes
  s.mul rd=state_item, a=head, b=state_bytes
  s.mul rd=q_item, a=head, b=q_bytes
  s.add rd=q_item, a=q_item, b=q_tile
  s.mul rd=k_item, a=head, b=head_bytes
  s.lt rd=a, a=head, b=1
  s.mul rd=a, a=a, b=has_previous
  s.mul rd=a, a=a, b=block_bytes
  s.add rd=k_item, a=k_item, b=a

  ; S is free when SM of the item before last is over. Of the queries' loads the
  ; last one is for the next tile.
  mx.load transpose, src=ring0[k_item]:token_bytes:bf16, k=D, n=valid
  mx.mul wait0=c4-1, wait1=c2-1, signal=c3, dst=acc[s_item]:s_stride:f32,
         src=spm[q_item + q_at]:head_bytes:bf16, m=rows

  skip condition=eq, a=has_previous, b=r0 {
    call callee=previous
  }

  skip condition=ne, a=visit, b=r0 {
    v.fill dst=spm[state_item + state_at]:12:f32, imm=-3.4028234663852886e38, rows=rows, cols=1
    v.fill dst=spm[state_item + state_at + 4]:12:f32, rows=rows, cols=2
    v.fill dst=acc[o_item + o_acc]:o_stride:f32, rows=rows, cols=D
  }
  ; P is free when PV of the item before last is over; O is complete when PV of
  ; this head's block before is.
  v.softmax wait0=c3, wait1=c5-1, group=group, dst=spm[p_item + p_at]:p_stride:bf16,
            a=acc[s_item]:s_stride:f32, state=spm[state_item + state_at]:12:f32,
            scale=0.125, limit=limit, rows=rows, cols=valid
  v.binary wait0=c5-(heads_kv - 1), signal=c4, fn=mul, dst=acc[o_item + o_acc]:o_stride:f32,
           a=acc[o_item + o_acc]:o_stride:f32,
           b=spm[state_item + state_at + 8]:12:f32:bcast, rows=rows, cols=D

  s.add rd=was_head, a=head, b=0
  s.add rd=was_last, a=is_last, b=0
  s.add rd=was_rows, a=rows, b=0
  s.add rd=was_valid, a=valid, b=0
  s.add rd=was_limit, a=limit, b=0
  s.add rd=was_p, a=p_item, b=0
  s.add rd=was_o, a=o_item, b=0
  s.add rd=was_state, a=state_item, b=0
  s.mul rd=was_v, a=head, b=head_bytes
  s.add rd=was_count, a=tile_count, b=0
  s.mul rd=a, a=head, b=group * o_stride
  s.add rd=was_out, a=out_tile, b=a
  s.li rd=has_previous, imm=1
  s.xor rd=even, a=even, b=1
  ret
}

; PV of the item before; after the tile's last block also its result.
func previous {
  skip condition=eq, a=was_head, b=last_head {
    mx.load src=ring0[was_v + token_bytes / 2]:token_bytes:bf16, k=was_valid, n=D
  }
  skip condition=ne, a=was_head, b=last_head {
    mx.load src=pop0[was_v + token_bytes / 2]:token_bytes:bf16, k=was_valid, n=D
  }
  mx.mul wait0=c4, signal=c5, accumulate, row_limit, group=group,
         dst=acc[was_o + o_acc]:o_stride:f32, src=spm[was_p + p_at]:p_stride:bf16,
         m=was_rows, limit=was_limit
  skip condition=eq, a=was_last, b=r0 {
    ; The place of the result is free when the tile before has stored this head's.
    v.binary wait0=c5, wait1=c7-(heads_kv - 1), signal=c6, fn=div,
             dst=spm[was_o + out_at]:o_stride:f32, a=acc[was_o + o_acc]:o_stride:f32,
             b=spm[was_state + state_at + 4]:12:f32:bcast, rows=was_rows, cols=D
    dma.store wait0=c6, signal=c7, src=spm[was_o + out_at], dst=hbm[was_out + out],
              bytes=group * o_stride, n1=was_count, n2=1, n3=1, ss1=group * o_stride,
              ds1=heads * o_stride
  }
  ret
}
