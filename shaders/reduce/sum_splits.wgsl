// out[i] = sum_s partial[s, i].
// THREADS_PER_VEC4 threads share a vec4: each adds every THREADS_PER_VEC4-th split, then sixteen add theirs and one the
// sixteen's, in order.
// One thread alone needs no barrier.
const WG: u32 = 64u; //#required
const THREADS_PER_VEC4: u32 = 1u; //#required
const TERMS_AT_A_TIME: u32 = 1u; //#required // loaded before any is added: a GPU then waits once for all of them
const VEC4S_PER_WORKGROUP = WG / THREADS_PER_VEC4;

struct Sizes {
  SIZE: u32, // vec4s of out
  SPLITS: u32,
}

@group(0) @binding(0) var<storage, read> partial: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> out: array<vec4<f32>>;
@group(0) @binding(10) var<uniform> sizes: Sizes;

var<workgroup> shared_sums: array<vec4<f32>, WG>;

@compute @workgroup_size(WG)
fn main(
  @builtin(workgroup_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let column = local % VEC4S_PER_WORKGROUP;
  let i = (id.x + id.y * workgroups.x) * VEC4S_PER_WORKGROUP + column;
  var sum = vec4(0.0);
  if (i < sizes.SIZE) {
    for (var s = local / VEC4S_PER_WORKGROUP; s < sizes.SPLITS; s += TERMS_AT_A_TIME * THREADS_PER_VEC4) {
      var terms: array<vec4<f32>, TERMS_AT_A_TIME>;
      //#unroll
      for (var j = 0u; j < TERMS_AT_A_TIME; j++) {
        let split = s + j * THREADS_PER_VEC4;
        terms[j] = select(vec4(0.0), partial[min(split, sizes.SPLITS - 1u) * sizes.SIZE + i], split < sizes.SPLITS);
      }
      //#unroll
      for (var j = 0u; j < TERMS_AT_A_TIME; j++) { sum += terms[j]; }
    }
  }
  if (THREADS_PER_VEC4 > 1u) {
    shared_sums[local] = sum;
    workgroupBarrier();
  }
  if (THREADS_PER_VEC4 > 16u) {
    // of many threads, sixteen take those of the others first
    if (local < 16u * VEC4S_PER_WORKGROUP) {
      for (var t = 16u; t < THREADS_PER_VEC4; t += 16u) { sum += shared_sums[local + t * VEC4S_PER_WORKGROUP]; }
      shared_sums[local] = sum;
    }
    workgroupBarrier();
  }
  if (local >= VEC4S_PER_WORKGROUP || i >= sizes.SIZE) { return; }
  for (var t = 1u; t < min(THREADS_PER_VEC4, 16u); t++) { sum += shared_sums[t * VEC4S_PER_WORKGROUP + column]; }
  out[i] = sum;
}
