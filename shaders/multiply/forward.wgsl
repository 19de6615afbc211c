// y = FACTOR * a * b + addend; a, y: rows of C4 vec4s of channels, each ROWS_PER_B_ROW rows of which share a row of b. One vec4 a
// thread.
//#import common/global_index
const WG = 64u;
const ADDEND: bool = false;
const FACTOR: f32 = 1.0; //#required

struct Sizes {
  SIZE: u32, // vec4s
  C4: u32,
  ROWS_PER_B_ROW: u32,
}

@group(0) @binding(0) var<storage, read> a: array<vec4<f32>>; //#f16
@group(0) @binding(1) var<storage, read> b: array<vec4<f32>>; //#f16
@group(0) @binding(2) var<storage, read> addend: array<vec4<f32>>; //#if ADDEND //#f16
@group(0) @binding(3) var<storage, read_write> y: array<vec4<f32>>; //#f16
@group(0) @binding(10) var<uniform> sizes: Sizes;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let i = global_index(id, workgroups);
  if (i >= sizes.SIZE) { return; }
  var v = FACTOR * load_a(i) * load_b(i / (sizes.ROWS_PER_B_ROW * sizes.C4) * sizes.C4 + i % sizes.C4);
  if (ADDEND) { v += load_addend(i); }
  store_y(i, v);
}
