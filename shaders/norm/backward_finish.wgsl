// dbias[c] = sum_s partial[s, 0, c] = sum g, dweight[c] = sum_s partial[s, 1, c] = sum g * xhat, splits in order.
// BATCH: also bcoef[3, c] = (A, B, C) so that a batch norm in training has dx = A * g + B * x + C
//   = scale * (g - mean(g) - xhat * mean(g * xhat)). coef[4, c] = (mean, rstd, scale, shift). A vec4 of channels a thread.
const WG: u32 = 64u;
const ROWS: u32 = 1u;
const C4: u32 = 1u;
const SPLITS: u32 = 1u;
const BATCH: bool = false;

@group(0) @binding(0) var<storage, read> partial: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> coef: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> dweight: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> dbias: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> bcoef: array<vec4<f32>>;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let c = id.x + id.y * groups.x * WG;
  if (c >= C4) { return; }
  var sum = vec4(0.0);
  var product = vec4(0.0);
  for (var s = 0u; s < SPLITS; s++) {
    sum += partial[2u * s * C4 + c];
    product += partial[(2u * s + 1u) * C4 + c];
  }
  dbias[c] = sum;
  dweight[c] = product;
  if (BATCH) {
    let scale = coef[2u * C4 + c];
    let b = -scale * coef[C4 + c] * product / f32(ROWS);
    bcoef[c] = scale;
    bcoef[C4 + c] = b;
    bcoef[2u * C4 + c] = -scale * sum / f32(ROWS) - b * coef[c];
  }
}
