// da = FACTOR * dy * b and db = FACTOR * dy * a, all of one shape. One vec4 a thread.
//#import common/global_index
const WG = 64u;
const FACTOR: f32 = 1.0; //#required

struct Sizes {
  SIZE: u32, // vec4s
}

@group(0) @binding(0) var<storage, read> dy: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> a: array<vec4<f32>>; //#f16
@group(0) @binding(2) var<storage, read> b: array<vec4<f32>>; //#f16
@group(0) @binding(3) var<storage, read_write> da: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> db: array<vec4<f32>>;
@group(0) @binding(10) var<uniform> sizes: Sizes;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let i = global_index(id, workgroups);
  if (i >= sizes.SIZE) { return; }
  let d = FACTOR * dy[i];
  da[i] = d * load_b(i);
  db[i] = d * load_a(i);
}
