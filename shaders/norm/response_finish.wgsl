// response[n, 0, c] = G / (mean of G over channels + EPS) with G[c] = sqrt(squares[n, c]), the norm of a channel over an image;
// response[n, 1, c] = 1 / (G (mean + EPS)), 0 where G is, which its gradient wants.
// GATE: also gate[n, 0, c] = 1 + weight[c] * response[n, 0, c] and gate[n, 1, c] = bias[c], with which convolutions apply it as they read.
// One workgroup an image: each thread adds every WG-th vec4 of channels, then the threads' sums are added as a tree, both in a
// fixed order.
const WG = 64u;
const EPS: f32 = 1e-6; //#required
const GATE: bool = false;

struct Sizes {
  C4: u32,
  CHANNELS: u32,
}

@group(0) @binding(0) var<storage, read> squares: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> response: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> weight: array<vec4<f32>>; //#if GATE
@group(0) @binding(3) var<storage, read> bias: array<vec4<f32>>; //#if GATE
@group(0) @binding(4) var<storage, read_write> gate: array<vec4<f32>>; //#if GATE
@group(0) @binding(10) var<uniform> sizes: Sizes;

var<workgroup> sums: array<f32, WG>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let image = group.x;
  var sum = vec4(0.0);
  for (var c = thread; c < sizes.C4; c += WG) { sum += sqrt(squares[image * sizes.C4 + c]); }
  sums[thread] = dot(sum, vec4(1.0));
  for (var half = WG / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (thread < half) { sums[thread] += sums[thread + half]; }
  }
  workgroupBarrier();
  let share = 1.0 / (sums[0] / f32(sizes.CHANNELS) + EPS);
  for (var c = thread; c < sizes.C4; c += WG) {
    let norm = sqrt(squares[image * sizes.C4 + c]);
    response[2u * image * sizes.C4 + c] = norm * share;
    if (GATE) {
      gate[2u * image * sizes.C4 + c] = 1.0 + weight[c] * norm * share;
      gate[(2u * image + 1u) * sizes.C4 + c] = bias[c];
    }
    response[(2u * image + 1u) * sizes.C4 + c] = select(vec4(0.0), share / norm, norm > vec4(0.0));
  }
}
