// y[n, h, w, c] = addend + x[n, h * DOWN / UP, w * DOWN / UP, channel(c)], or addend alone where that is between two pixels or
// outside x or c < FROM. channel(c) = c + OFFSET, or with GROUPS > 1 that of a shuffle: c % GROUPS * (IC / GROUPS) + c / GROUPS.
// One vec4 of channels a thread, gathered lane by lane, since a shift of channels need not be a multiple of four.
//#import common/global_index
const WG = 64u;
const ADDEND: bool = false;

struct Sizes {
  SIZE: u32, // vec4s of y
  H: u32,
  W: u32,
  C: u32,
  IH: u32,
  IW: u32,
  IC: u32,
  DOWN: u32,
  UP: u32,
  OFFSET: i32,
  GROUPS: u32,
  FROM: u32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>; //#f16
@group(0) @binding(1) var<storage, read> addend: array<vec4<f32>>; //#if ADDEND
@group(0) @binding(2) var<storage, read_write> y: array<vec4<f32>>; //#f16
@group(0) @binding(10) var<uniform> sizes: Sizes;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let i = global_index(id, workgroups);
  if (i >= sizes.SIZE) { return; }
  let c4 = (sizes.C + 3u) / 4u;
  let icp = (sizes.IC + 3u) / 4u * 4u;
  let w = i / c4 % sizes.W * sizes.DOWN;
  let h = i / (c4 * sizes.W) % sizes.H * sizes.DOWN;
  let n = i / (c4 * sizes.W * sizes.H);
  var v = vec4(0.0);
  if (h % sizes.UP == 0u && w % sizes.UP == 0u && h / sizes.UP < sizes.IH && w / sizes.UP < sizes.IW) {
    let pixel = ((n * sizes.IH + h / sizes.UP) * sizes.IW + w / sizes.UP) * icp;
    for (var lane = 0u; lane < 4u; lane++) {
      let c = i % c4 * 4u + lane;
      var source = c + u32(sizes.OFFSET); // wraps below zero
      if (sizes.GROUPS > 1u) { source = c % sizes.GROUPS * (sizes.IC / sizes.GROUPS) + c / sizes.GROUPS; }
      if (c >= sizes.FROM && c < sizes.C && source < sizes.IC) { v[lane] = load_x(pixel + source); }
    }
  }
  if (ADDEND) { v += addend[i]; }
  store_y(i, v);
}
