// y_j[row, c] = the channels of x0, x1, ... side by side, shuffled, and cut into y0, y1, ...: channel c of all y's together is channel
// c % GROUPS * (CHANNELS / GROUPS) + c / GROUPS of all x's.
// NORM0, NORM1: x0, x1 are raw outputs, of which activate(scale * x + shift) is meant, by coef [mean, rstd, scale, shift].
// RESIDUAL: of one y and two x's at most, what is added to it, in the place of x2.
// One vec4 of channels of a y a thread, gathered lane by lane, since no tensor's channels need be a multiple of four. A
// ShuffleNet's unit reads and writes its channels once in the place of five times (concatenation, shuffle, two slices).
//#import common/activation
//#import common/global_index
const WG = 64u;
const X1: bool = false;
const X2: bool = false;
const NORM0: bool = false;
const NORM1: bool = false;
const Y1: bool = false;
const Y2: bool = false;
const RESIDUAL: bool = false;

struct Sizes {
  SIZE: u32, // vec4s of all y's
  GROUPS: u32,
  CHANNELS: u32, // of all x's, or all y's
  X_END0: u32, // the channel behind those of x0
  X_END1: u32,
  X_END2: u32,
  X_PITCH0: u32, // numbers of a row of x0
  X_PITCH1: u32,
  X_PITCH2: u32,
  Y_END0: u32, // the channel behind those of y0
  Y_END1: u32,
  Y_END2: u32,
}

@group(0) @binding(0) var<storage, read> x0: array<f32>; //#f16
@group(0) @binding(1) var<storage, read> x1: array<f32>; //#if X1 //#f16
@group(0) @binding(2) var<storage, read> x2: array<f32>; //#if X2 || RESIDUAL //#f16
@group(0) @binding(3) var<storage, read> coef0: array<f32>; //#if NORM0
@group(0) @binding(4) var<storage, read_write> y0: array<vec4<f32>>; //#f16
@group(0) @binding(5) var<storage, read_write> y1: array<vec4<f32>>; //#if Y1 //#f16
@group(0) @binding(6) var<storage, read_write> y2: array<vec4<f32>>; //#if Y2 //#f16
@group(0) @binding(7) var<storage, read> coef1: array<f32>; //#if NORM1
@group(0) @binding(10) var<uniform> sizes: Sizes;

// A number of a row by its channel among those of all x's.
fn number_at(row: u32, c: u32) -> f32 {
  if (c < sizes.X_END0) {
    let v = load_x0(row * sizes.X_PITCH0 + c);
    if (NORM0) { return activate(vec4(v * coef0[2u * sizes.X_PITCH0 + c] + coef0[3u * sizes.X_PITCH0 + c])).x; }
    return v;
  }
  if (X1) {
    if (c < sizes.X_END1) {
      let own = c - sizes.X_END0;
      let v = load_x1(row * sizes.X_PITCH1 + own);
      if (NORM1) { return activate(vec4(v * coef1[2u * sizes.X_PITCH1 + own] + coef1[3u * sizes.X_PITCH1 + own])).x; }
      return v;
    }
  }
  if (X2) {
    if (c < sizes.X_END2) { return load_x2(row * sizes.X_PITCH2 + c - sizes.X_END1); }
  }
  return 0.0;
}

// The c-th vec4 of a row of a y whose channels are those from `start` to `end` - 1 of all y's.
fn vec4_at(row: u32, c: u32, start: u32, end: u32) -> vec4<f32> {
  var v = vec4(0.0);
  for (var lane = 0u; lane < 4u; lane++) {
    let at = start + 4u * c + lane;
    if (at < end) { v[lane] = number_at(row, at % sizes.GROUPS * (sizes.CHANNELS / sizes.GROUPS) + at / sizes.GROUPS); }
  }
  return v;
}

fn vec4s(start: u32, end: u32) -> u32 {
  return (end - start + 3u) / 4u;
}

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let i = global_index(id, workgroups);
  if (i >= sizes.SIZE) { return; }
  let n0 = vec4s(0u, sizes.Y_END0);
  let n1 = vec4s(sizes.Y_END0, sizes.Y_END1);
  let n2 = vec4s(sizes.Y_END1, sizes.Y_END2);
  let row = i / (n0 + n1 + n2);
  var c = i % (n0 + n1 + n2);
  if (c < n0) {
    var v = vec4_at(row, c, 0u, sizes.Y_END0);
    if (RESIDUAL) {
      let at = 4u * (row * n0 + c);
      v += vec4(load_x2(at), load_x2(at + 1u), load_x2(at + 2u), load_x2(at + 3u));
    }
    store_y0(row * n0 + c, v);
    return;
  }
  c -= n0;
  if (Y1) {
    if (c < n1) { store_y1(row * n1 + c, vec4_at(row, c, sizes.Y_END0, sizes.Y_END1)); }
  }
  if (Y2) {
    if (c >= n1) { store_y2(row * n2 + c - n1, vec4_at(row, c - n1, sizes.Y_END1, sizes.Y_END2)); }
  }
}
