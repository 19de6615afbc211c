// y = addend + x with channels laid out as blocks of R x R pixels, or, with GATHERS, blocks gathered into channels. In the tensor with
// more channels, channel c * STRIDE_C + dy * STRIDE_H + dx * STRIDE_W of pixel (h, w) is channel c of pixel (h * R + dy, w * R + dx) of
// the other. One vec4 of channels of y a thread, gathered lane by lane, since no tensor's channels need be a multiple of four.
//#import common/global_index
const WG = 64u;
const GATHERS: bool = false;
const ADDEND: bool = false;

struct Sizes {
  SIZE: u32, // vec4s of y
  H: u32, // of y
  W: u32,
  C: u32,
  IC: u32, // channels of x
  R: u32,
  STRIDE_C: u32,
  STRIDE_H: u32,
  STRIDE_W: u32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>; //#f16
@group(0) @binding(1) var<storage, read> addend: array<vec4<f32>>; //#if ADDEND
@group(0) @binding(2) var<storage, read_write> y: array<vec4<f32>>; //#f16
@group(0) @binding(10) var<uniform> sizes: Sizes;

fn source(n: u32, h: u32, w: u32, c: u32) -> u32 {
  let r = sizes.R;
  let pitch = (sizes.IC + 3u) / 4u * 4u;
  if (GATHERS) {
    let row = (n * sizes.H + h) * r + c / sizes.STRIDE_H % r;
    return (row * sizes.W * r + w * r + c / sizes.STRIDE_W % r) * pitch + c / sizes.STRIDE_C % sizes.IC;
  }
  let pixel = (n * (sizes.H / r) + h / r) * (sizes.W / r) + w / r;
  return pixel * pitch + c * sizes.STRIDE_C + h % r * sizes.STRIDE_H + w % r * sizes.STRIDE_W;
}

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let i = global_index(id, workgroups);
  if (i >= sizes.SIZE) { return; }
  let c4 = (sizes.C + 3u) / 4u;
  let w = i / c4 % sizes.W;
  let h = i / (c4 * sizes.W) % sizes.H;
  let n = i / (c4 * sizes.W * sizes.H);
  var v = vec4(0.0);
  for (var lane = 0u; lane < 4u; lane++) {
    let c = i % c4 * 4u + lane;
    if (c < sizes.C) { v[lane] = load_x(source(n, h, w, c)); }
  }
  if (ADDEND) { v += addend[i]; }
  store_y(i, v);
}
