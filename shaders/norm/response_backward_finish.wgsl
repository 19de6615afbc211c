// slope[n, c] = the gradient of a channel's norm G, divided by G: with d = weight * products and N = response[n, 0] it is
// (d - mean of d N over channels) * response[n, 1]. products[n, c] = sum of dy * x over the image.
// Sums as in norm/response_finish.
const WG = 64u;

struct Sizes {
  C4: u32,
  CHANNELS: u32,
}

@group(0) @binding(0) var<storage, read> products: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> weight: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> response: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> slope: array<vec4<f32>>;
@group(0) @binding(10) var<uniform> sizes: Sizes;

var<workgroup> sums: array<f32, WG>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let image = group.x;
  var sum = vec4(0.0);
  for (var c = thread; c < sizes.C4; c += WG) {
    sum += weight[c] * products[image * sizes.C4 + c] * response[2u * image * sizes.C4 + c];
  }
  sums[thread] = dot(sum, vec4(1.0));
  for (var half = WG / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (thread < half) { sums[thread] += sums[thread + half]; }
  }
  workgroupBarrier();
  let mean = sums[0] / f32(sizes.CHANNELS);
  for (var c = thread; c < sizes.C4; c += WG) {
    slope[image * sizes.C4 + c] =
      (weight[c] * products[image * sizes.C4 + c] - mean) * response[(2u * image + 1u) * sizes.C4 + c];
  }
}
