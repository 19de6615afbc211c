// y = act(coef[2, c] * x + coef[3, c]) + residual, with ACTIVATE_LAST act(coef[2, c] * x + coef[3, c] + residual); one vec4 of
// channels a thread.
// X1, X2: the norms of other tensors x1 and x2, without activation, are added to the residual: branches that are added up.
// CHANNELS masks the padding channels where act(0) is not 0 (sigmoid, hardsigmoid).
// Taken where the readers of y do not apply this themselves. Where they do, a step takes 421 dispatches and 386 MB in the
// place of 457 and 441; with RESIDUAL it takes 457 and 441 in the place of 467 and 443 (docs/performance.md).
//#import common/activation
//#import common/channels
//#import common/global_index
const WG = 64u;
const RESIDUAL: bool = false;
const ACTIVATE_LAST: bool = false;
const X1: bool = false;
const X2: bool = false;

struct Sizes {
  SIZE: u32, // vec4s
  CHANNELS: u32,
}

@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>; //#f16
@group(0) @binding(1) var<storage, read> coef: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> residual: array<vec4<f32>>; //#if RESIDUAL //#f16
@group(0) @binding(3) var<storage, read_write> y: array<vec4<f32>>; //#f16
@group(0) @binding(4) var<storage, read> x1: array<vec4<f32>>; //#if X1 //#f16
@group(0) @binding(5) var<storage, read> coef1: array<vec4<f32>>; //#if X1
@group(0) @binding(6) var<storage, read> x2: array<vec4<f32>>; //#if X2 //#f16
@group(0) @binding(7) var<storage, read> coef2: array<vec4<f32>>; //#if X2
@group(0) @binding(10) var<uniform> sizes: Sizes;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let i = global_index(id, workgroups);
  if (i >= sizes.SIZE) { return; }
  let c4 = (sizes.CHANNELS + 3u) / 4u;
  let c = i % c4;
  var v = coef[2u * c4 + c] * load_x(i) + coef[3u * c4 + c];
  if (!ACTIVATE_LAST) { v = activate(v); }
  if (RESIDUAL) { v += load_residual(i); }
  if (X1) { v += coef1[2u * c4 + c] * load_x1(i) + coef1[3u * c4 + c]; }
  if (X2) { v += coef2[2u * c4 + c] * load_x2(i) + coef2[3u * c4 + c]; }
  if (ACTIVATE_LAST) { v = activate(v); }
  store_y(i, mask_channels(v, c, sizes.CHANNELS));
}
