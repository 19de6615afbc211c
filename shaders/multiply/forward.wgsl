// y = a * b + addend; a, y: rows of C4 vec4s of channels, each ROWS rows of which share a row of b. One vec4 a thread.
const WG: u32 = 64u;
const ADDEND: bool = false;

struct Sizes {
  SIZE: u32, // vec4s
  C4: u32,
  ROWS: u32,
}

@group(0) @binding(0) var<storage, read> a: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> b: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> addend: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(10) var<uniform> sizes: Sizes;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = id.x + id.y * groups.x * WG;
  if (i >= sizes.SIZE) { return; }
  var v = a[i] * b[i / (sizes.ROWS * sizes.C4) * sizes.C4 + i % sizes.C4];
  if (ADDEND) { v += addend[i]; }
  y[i] = v;
}
