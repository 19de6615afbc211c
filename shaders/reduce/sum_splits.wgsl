// out[i] = sum_s partial[s, i].
// THREADS_PER_VEC4 threads share a vec4: each adds every THREADS_PER_VEC4-th split in order, then one adds theirs, in order.
// One thread alone needs no barrier.
const WG: u32 = 64u; //#required
const THREADS_PER_VEC4: u32 = 1u; //#required
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
    for (var s = local / VEC4S_PER_WORKGROUP; s < sizes.SPLITS; s += THREADS_PER_VEC4) { sum += partial[s * sizes.SIZE + i]; }
  }
  if (THREADS_PER_VEC4 > 1u) {
    shared_sums[local] = sum;
    workgroupBarrier();
  }
  if (local >= VEC4S_PER_WORKGROUP || i >= sizes.SIZE) { return; }
  for (var t = 1u; t < THREADS_PER_VEC4; t++) { sum += shared_sums[t * VEC4S_PER_WORKGROUP + column]; }
  out[i] = sum;
}
