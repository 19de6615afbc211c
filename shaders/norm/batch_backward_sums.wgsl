// With g = dy * act'(scale * x + shift) and xhat = (x - mean) * rstd:
// partial[s, 0, c] = sum g, partial[s, 1, c] = sum g * xhat, over rows s, s + SPLITS, ...
// coef[4, c] = (mean, rstd, scale, shift). One vec4 of channels of one split a thread.
// Taken where the producer of dy does not write these sums itself. Where it does, a step takes 370 dispatches and 362 MB in
// the place of 421 and 386 (docs/performance.md).
// GATE: dy is that behind a squeeze-and-excitation, of which this takes the gradient before it: common/squeeze.
//#import common/activation
//#import common/squeeze
//#import common/global_index
const WG = 64u;

struct Sizes {
  ROWS: u32,
  C4: u32,
  X_PITCH: u32, // of a row where x lies
  SPLITS: u32,
  PIXELS: u32, // rows of an image
}

@group(0) @binding(0) var<storage, read> dy: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>; //#f16
@group(0) @binding(2) var<storage, read> coef: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> partial: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> gate: array<vec4<f32>>; //#if GATE //#f16
@group(0) @binding(5) var<storage, read> pooled: array<vec4<f32>>; //#if GATE
@group(0) @binding(10) var<uniform> sizes: Sizes;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let i = global_index(id, workgroups);
  if (i >= sizes.SPLITS * sizes.C4) { return; }
  let c = i % sizes.C4;
  let split = i / sizes.C4;
  let mean = coef[c];
  let scale = coef[2u * sizes.C4 + c];
  let shift = coef[3u * sizes.C4 + c];
  var sum = vec4(0.0);
  var product = vec4(0.0);
  for (var row = split; row < sizes.ROWS; row += sizes.SPLITS) {
    let v = load_x(row * sizes.X_PITCH + c);
    let g = squeezed(dy[row * sizes.C4 + c], row, c) * activate_derivative(scale * v + shift);
    sum += g;
    product += g * (v - mean);
  }
  partial[2u * split * sizes.C4 + c] = sum;
  partial[(2u * split + 1u) * sizes.C4 + c] = product * coef[sizes.C4 + c];
}
