// y[n, oh, ow, c] = the mean of x over the window of (oh, ow): common/adaptive. One vec4 of channels a thread.
//#import common/adaptive
//#import common/global_index
const WG = 64u;

@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>; //#f16
@group(0) @binding(1) var<storage, read_write> y: array<vec4<f32>>; //#f16

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let index = global_index(id, workgroups);
  if (index >= sizes.N * sizes.OH * sizes.OW * sizes.C4) { return; }
  let c = index % sizes.C4;
  let ow = index / sizes.C4 % sizes.OW;
  let oh = index / (sizes.C4 * sizes.OW) % sizes.OH;
  let n = index / (sizes.C4 * sizes.OW * sizes.OH);
  let top = adaptive_start(oh, sizes.H, sizes.OH);
  let bottom = adaptive_end(oh, sizes.H, sizes.OH);
  let left = adaptive_start(ow, sizes.W, sizes.OW);
  let right = adaptive_end(ow, sizes.W, sizes.OW);
  var sum = vec4(0.0);
  for (var h = top; h < bottom; h++) {
    for (var w = left; w < right; w++) { sum += load_x(((n * sizes.H + h) * sizes.W + w) * sizes.C4 + c); }
  }
  store_y(index, sum / f32((bottom - top) * (right - left)));
}
