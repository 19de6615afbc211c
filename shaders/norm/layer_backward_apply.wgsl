// dx = rstd[row] * (dy * weight - mean(g) - xhat * mean(g * xhat)) + addend; sums[row] holds the two means,
// statistics[row] = (mean, rstd), xhat = (x - mean) * rstd. One vec4 of channels a thread.
//#import common/channels
//#import common/global_index
const WG = 64u;
const ADDEND: bool = false;

struct Sizes {
  SIZE: u32, // vec4s
  C4: u32,
  CHANNELS: u32,
}

@group(0) @binding(0) var<storage, read> dy: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>; //#f16
@group(0) @binding(2) var<storage, read> weight: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> statistics: array<vec2<f32>>;
@group(0) @binding(4) var<storage, read> sums: array<vec2<f32>>;
@group(0) @binding(5) var<storage, read> addend: array<vec4<f32>>; //#if ADDEND
@group(0) @binding(6) var<storage, read_write> dx: array<vec4<f32>>;
@group(0) @binding(10) var<uniform> sizes: Sizes;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let i = global_index(id, workgroups);
  if (i >= sizes.SIZE) { return; }
  let c = i % sizes.C4;
  let s = statistics[i / sizes.C4];
  let m = sums[i / sizes.C4];
  let xhat = (load_x(i) - s.x) * s.y;
  var d = mask_channels(s.y * (dy[i] * weight[c] - m.x - xhat * m.y), c, sizes.CHANNELS);
  if (ADDEND) { d += addend[i]; }
  dx[i] = d;
}
