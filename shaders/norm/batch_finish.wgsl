// Merges the splits' (mean, M2) in order (Chan, Golub, LeVeque 1979), then
// coef[4, c] = (mean, rstd, weight * rstd, bias - mean * weight * rstd) with rstd = 1 / sqrt(M2 / ROWS + EPS), and
// running = (1 - MOMENTUM) * running + MOMENTUM * (mean; M2 / (ROWS - 1)). One vec4 of channels a thread.
const WG: u32 = 64u;
const ROWS: u32 = 2u;
const C4: u32 = 1u;
const SPLITS: u32 = 1u;
const MOMENTUM: f32 = 0.1;
const EPS: f32 = 1e-5;

@group(0) @binding(0) var<storage, read> partial: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> weight: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> bias: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> coef: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> running_mean: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> running_var: array<vec4<f32>>;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let c = id.x + id.y * groups.x * WG;
  if (c >= C4) { return; }
  var count = 0.0;
  var mean = vec4(0.0);
  var m2 = vec4(0.0);
  for (var s = 0u; s < SPLITS; s++) {
    let rows = f32((ROWS - s + SPLITS - 1u) / SPLITS);
    let delta = partial[2u * s * C4 + c] - mean;
    let share = rows / (count + rows);
    mean += delta * share;
    m2 += partial[(2u * s + 1u) * C4 + c] + delta * delta * (count * share);
    count += rows;
  }
  let rstd = 1.0 / sqrt(m2 / f32(ROWS) + EPS);
  let scale = weight[c] * rstd;
  coef[c] = mean;
  coef[C4 + c] = rstd;
  coef[2u * C4 + c] = scale;
  coef[3u * C4 + c] = bias[c] - mean * scale;
  running_mean[c] = (1.0 - MOMENTUM) * running_mean[c] + MOMENTUM * mean;
  running_var[c] = (1.0 - MOMENTUM) * running_var[c] + MOMENTUM * m2 / f32(ROWS - 1u);
}
