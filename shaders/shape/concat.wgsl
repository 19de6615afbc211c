// y[row, c] = a[row, c] for c < CA, b[row, c - CA + SKIP] after. One vec4 of channels a thread, gathered lane by lane, since CA
// need not be a multiple of four.
//#import common/global_index
const WG = 64u;

struct Sizes {
  SIZE: u32, // vec4s of y
  CA: u32,
  CB: u32, // channels of b, its first SKIP ones too
  SKIP: u32,
}

@group(0) @binding(0) var<storage, read> a: array<f32>; //#f16
@group(0) @binding(1) var<storage, read> b: array<f32>; //#f16
@group(0) @binding(2) var<storage, read_write> y: array<vec4<f32>>; //#f16
@group(0) @binding(10) var<uniform> sizes: Sizes;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let i = global_index(id, workgroups);
  if (i >= sizes.SIZE) { return; }
  let c4 = (sizes.CA + sizes.CB - sizes.SKIP + 3u) / 4u;
  let cap = (sizes.CA + 3u) / 4u * 4u;
  let cbp = (sizes.CB + 3u) / 4u * 4u;
  let row = i / c4;
  var v = vec4(0.0);
  for (var lane = 0u; lane < 4u; lane++) {
    let c = i % c4 * 4u + lane;
    if (c < sizes.CA) { v[lane] = load_a(row * cap + c); }
    else if (c < sizes.CA + sizes.CB - sizes.SKIP) { v[lane] = load_b(row * cbp + c - sizes.CA + sizes.SKIP); }
  }
  store_y(i, v);
}
