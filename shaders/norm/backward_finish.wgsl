// dbias[c] = sum_b partial[b, 0, c] = sum g, dweight[c] = sum_b partial[b, 1, c] = sum g * xhat.
// BATCH: also bcoef[3, c] = (A, B, C) so that a batch norm in training has dx = A * g + B * x + C
//   = scale * (g - mean(g) - xhat * mean(g * xhat)). coef[4, c] = (mean, rstd, scale, shift).
// PREFIX: bcoef begins with a copy of so many vec4s of `prefix`, the coefficients of the norm before: what the
// convolution's backward pass reads is then one binding.
// LATER: (B, C) of norms of concatenations that begin with x are added, from rows of LATER vec4s.
// REST: B and C are left to the norm before, in rest[2, c], A * g is in the gradient already, and bcoef is (1, B, C) of the
// channels from vec4 FROM on.
// THREADS_PER_VEC4 threads share a vec4 of channels: see norm/batch_finish.
// Variants: one thread a vec4, or 16, 64 or 256 and a barrier, as in norm/batch_finish, where they were measured.
const WG: u32 = 64u; //#required
const THREADS_PER_VEC4: u32 = 1u; //#required
const TERMS_AT_A_TIME: u32 = 1u; //#required // loaded before any is added: a GPU then waits once for all of them
const VEC4S_PER_WORKGROUP = WG / THREADS_PER_VEC4; // vec4s of channels
const BATCH: bool = false;
const REST: bool = false;

struct Sizes {
  ROWS: u32,
  C4: u32,
  BLOCKS: u32,
  PREFIX: u32,
  LATER: u32,
  FROM: u32,
}

@group(0) @binding(0) var<storage, read> partial: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> coef: array<vec4<f32>>; //#if BATCH
@group(0) @binding(2) var<storage, read> prefix: array<vec4<f32>>; //#if PREFIX
@group(0) @binding(3) var<storage, read_write> dweight: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> dbias: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> bcoef: array<vec4<f32>>; //#if BATCH
@group(0) @binding(6) var<storage, read> later: array<vec4<f32>>; //#if LATER
@group(0) @binding(7) var<storage, read_write> rest: array<vec4<f32>>; //#if REST
@group(0) @binding(10) var<uniform> sizes: Sizes;

struct Sums {
  sum: vec4<f32>,
  product: vec4<f32>,
}

var<workgroup> shared_sums: array<Sums, WG>;

@compute @workgroup_size(WG)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  for (var i = group.x * WG + local; i < sizes.PREFIX; i += workgroups.x * WG) { bcoef[i] = prefix[i]; } //#if PREFIX
  let column = local % VEC4S_PER_WORKGROUP;
  let c = group.x * VEC4S_PER_WORKGROUP + column;
  var total = Sums();
  if (c < sizes.C4) {
    for (var b = local / VEC4S_PER_WORKGROUP; b < sizes.BLOCKS; b += TERMS_AT_A_TIME * THREADS_PER_VEC4) {
      var terms: array<Sums, TERMS_AT_A_TIME>;
      //#unroll
      for (var j = 0u; j < TERMS_AT_A_TIME; j++) {
        let block = min(b + j * THREADS_PER_VEC4, sizes.BLOCKS - 1u);
        let live = b + j * THREADS_PER_VEC4 < sizes.BLOCKS;
        terms[j].sum = select(vec4(0.0), partial[2u * block * sizes.C4 + c], live);
        terms[j].product = select(vec4(0.0), partial[(2u * block + 1u) * sizes.C4 + c], live);
      }
      //#unroll
      for (var j = 0u; j < TERMS_AT_A_TIME; j++) {
        total.sum += terms[j].sum;
        total.product += terms[j].product;
      }
    }
  }
  if (THREADS_PER_VEC4 > 1u) {
    shared_sums[local] = total;
    workgroupBarrier();
  }
  if (THREADS_PER_VEC4 > 16u) {
    // of many threads, sixteen take those of the others first
    if (local < 16u * VEC4S_PER_WORKGROUP) {
      for (var t = 16u; t < THREADS_PER_VEC4; t += 16u) {
        total.sum += shared_sums[local + t * VEC4S_PER_WORKGROUP].sum;
        total.product += shared_sums[local + t * VEC4S_PER_WORKGROUP].product;
      }
      shared_sums[local] = total;
    }
    workgroupBarrier();
  }
  if (local >= VEC4S_PER_WORKGROUP || c >= sizes.C4) { return; }
  for (var s = 1u; s < min(THREADS_PER_VEC4, 16u); s++) {
    total.sum += shared_sums[s * VEC4S_PER_WORKGROUP + column].sum;
    total.product += shared_sums[s * VEC4S_PER_WORKGROUP + column].product;
  }
  dbias[c] = total.sum;
  dweight[c] = total.product;
  if (BATCH) {
    let scale = coef[2u * sizes.C4 + c];
    var b = -scale * coef[sizes.C4 + c] * total.product / f32(sizes.ROWS);
    var shift = -scale * total.sum / f32(sizes.ROWS) - b * coef[c];
    b += later[c]; //#if LATER
    shift += later[sizes.LATER + c]; //#if LATER
    if (REST) {
      rest[c] = b;
      rest[sizes.C4 + c] = shift;
    }
    if (c >= sizes.FROM) {
      let own = sizes.C4 - sizes.FROM;
      let to = sizes.PREFIX + c - sizes.FROM;
      bcoef[to] = select(scale, vec4(1.0), REST);
      bcoef[to + own] = b;
      bcoef[to + 2u * own] = shift;
    }
  }
}
