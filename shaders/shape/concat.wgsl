// y[row] = x0[row], x1[row] without its first SKIP channels, x2[row] ... side by side. One vec4 of channels a thread, gathered lane
// by lane, since an input's channels need not be a multiple of four. As many inputs as leave one of eight buffers to y.
//#import common/global_index
const WG = 64u;
const HAS2: bool = false;
const HAS3: bool = false;
const HAS4: bool = false;
const HAS5: bool = false;
const HAS6: bool = false;

struct Sizes {
  SIZE: u32, // vec4s of y
  CHANNELS: u32, // of y
  SKIP: u32,
  END0: u32, // the channel of y behind those of x0
  END1: u32,
  END2: u32,
  END3: u32,
  END4: u32,
  END5: u32,
  END6: u32,
  PITCH0: u32, // numbers of a row of x0
  PITCH1: u32,
  PITCH2: u32,
  PITCH3: u32,
  PITCH4: u32,
  PITCH5: u32,
  PITCH6: u32,
}

@group(0) @binding(0) var<storage, read> x0: array<f32>; //#f16
@group(0) @binding(1) var<storage, read> x1: array<f32>; //#f16
@group(0) @binding(2) var<storage, read> x2: array<f32>; //#if HAS2 //#f16
@group(0) @binding(3) var<storage, read> x3: array<f32>; //#if HAS3 //#f16
@group(0) @binding(4) var<storage, read> x4: array<f32>; //#if HAS4 //#f16
@group(0) @binding(5) var<storage, read> x5: array<f32>; //#if HAS5 //#f16
@group(0) @binding(6) var<storage, read> x6: array<f32>; //#if HAS6 //#f16
@group(0) @binding(7) var<storage, read_write> y: array<vec4<f32>>; //#f16
@group(0) @binding(10) var<uniform> sizes: Sizes;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let i = global_index(id, workgroups);
  if (i >= sizes.SIZE) { return; }
  let c4 = (sizes.CHANNELS + 3u) / 4u;
  let row = i / c4;
  var v = vec4(0.0);
  for (var lane = 0u; lane < 4u; lane++) {
    let c = i % c4 * 4u + lane;
    if (c < sizes.END0) { v[lane] = load_x0(row * sizes.PITCH0 + c); }
    else if (c < sizes.END1) { v[lane] = load_x1(row * sizes.PITCH1 + c - sizes.END0 + sizes.SKIP); }
    if (HAS2) {
      if (c >= sizes.END1 && c < sizes.END2) { v[lane] = load_x2(row * sizes.PITCH2 + c - sizes.END1); }
    }
    if (HAS3) {
      if (c >= sizes.END2 && c < sizes.END3) { v[lane] = load_x3(row * sizes.PITCH3 + c - sizes.END2); }
    }
    if (HAS4) {
      if (c >= sizes.END3 && c < sizes.END4) { v[lane] = load_x4(row * sizes.PITCH4 + c - sizes.END3); }
    }
    if (HAS5) {
      if (c >= sizes.END4 && c < sizes.END5) { v[lane] = load_x5(row * sizes.PITCH5 + c - sizes.END4); }
    }
    if (HAS6) {
      if (c >= sizes.END5 && c < sizes.END6) { v[lane] = load_x6(row * sizes.PITCH6 + c - sizes.END5); }
    }
  }
  store_y(i, v);
}
