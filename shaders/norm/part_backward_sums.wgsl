// norm/batch_backward_sums where dy is some of a wider tensor's channels, those from FROM on, as a concatenation passes its gradient
// to a batch norm before it. Writes g = dy * act'(scale * x + shift) beside
// partial[s, 0, c] = sum g, partial[s, 1, c] = sum g * xhat, over rows s, s + SPLITS, ..., xhat = (x - mean) * rstd:
// whoever reads the gradient further on then finds it alone. coef[4, c] = (mean, rstd, scale, shift). One vec4 of channels of one
// split a thread. FROM need not be a multiple of four: a vec4 of dy may be in two of the wider tensor.
// In a GhostNet this takes the place of a copy, these sums and norm/batch_backward_apply (docs/performance.md).
//#import common/activation
//#import common/channels
//#import common/global_index
const WG = 64u;

struct Sizes {
  ROWS: u32,
  C4: u32,
  X_PITCH: u32, // of a row where x lies
  CHANNELS: u32,
  SPLITS: u32,
  DY_C4: u32, // vec4s of a row of the wider tensor
  FROM: u32,
}

@group(0) @binding(0) var<storage, read> dy: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>; //#f16
@group(0) @binding(2) var<storage, read> coef: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> partial: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> g: array<vec4<f32>>;
@group(0) @binding(10) var<uniform> sizes: Sizes;

// The c-th vec4 of a row's own channels.
fn part_at(row: u32, c: u32) -> vec4<f32> {
  let own = sizes.FROM / 4u + c;
  let first = row * sizes.DY_C4;
  let a = dy[first + own];
  // of the last vec4 of a row nothing is taken from the next
  let b = dy[first + min(own + 1u, sizes.DY_C4 - 1u)];
  var v = a;
  switch (sizes.FROM % 4u) {
    case 1u: { v = vec4(a.yzw, b.x); }
    case 2u: { v = vec4(a.zw, b.xy); }
    case 3u: { v = vec4(a.w, b.xyz); }
    default: {}
  }
  return mask_channels(v, c, sizes.CHANNELS);
}

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
    let behind = part_at(row, c) * activate_derivative(scale * v + shift);
    g[row * sizes.C4 + c] = behind;
    sum += behind;
    product += behind * (v - mean);
  }
  partial[2u * split * sizes.C4 + c] = sum;
  partial[(2u * split + 1u) * sizes.C4 + c] = product * coef[sizes.C4 + c];
}
