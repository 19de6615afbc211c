// out_j[i] = sum_s partial_j[s, i] for j = 0 to 3, one vec4 a thread, splits in order: reduce/sum_splits for four sums at
// once, the weight gradients of four layers. Threads go to the sums one after the other.
// Taken for the weight gradients of a step by fours: 303 dispatches in the place of 342 (docs/performance.md).
//#import common/global_index
const WG = 64u;

struct Sizes {
  SIZE0: u32, // vec4s of out0
  SIZE1: u32,
  SIZE2: u32,
  SIZE3: u32,
  SPLITS0: u32,
  SPLITS1: u32,
  SPLITS2: u32,
  SPLITS3: u32,
}

@group(0) @binding(0) var<storage, read> partial0: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> partial1: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> partial2: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> partial3: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> out0: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> out1: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read_write> out2: array<vec4<f32>>;
@group(0) @binding(7) var<storage, read_write> out3: array<vec4<f32>>;
@group(0) @binding(10) var<uniform> sizes: Sizes;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  var i = global_index(id, workgroups);
  var sum = vec4(0.0);
  if (i < sizes.SIZE0) {
    for (var s = 0u; s < sizes.SPLITS0; s++) { sum += partial0[s * sizes.SIZE0 + i]; }
    out0[i] = sum;
    return;
  }
  i -= sizes.SIZE0;
  if (i < sizes.SIZE1) {
    for (var s = 0u; s < sizes.SPLITS1; s++) { sum += partial1[s * sizes.SIZE1 + i]; }
    out1[i] = sum;
    return;
  }
  i -= sizes.SIZE1;
  if (i < sizes.SIZE2) {
    for (var s = 0u; s < sizes.SPLITS2; s++) { sum += partial2[s * sizes.SIZE2 + i]; }
    out2[i] = sum;
    return;
  }
  i -= sizes.SIZE2;
  if (i >= sizes.SIZE3) { return; }
  for (var s = 0u; s < sizes.SPLITS3; s++) { sum += partial3[s * sizes.SIZE3 + i]; }
  out3[i] = sum;
}
