// dx = A * g + B * x + C + addend in TRAINING, else scale * g + addend, with g = dy * act'(scale * x + shift).
// WIDE_ADDEND: the addend is the first channels of a tensor of ADDEND_C4 vec4s, a gradient of which a concatenation passes them on.
// coef[4, c] = (mean, rstd, scale, shift), bcoef[3, c] = (A, B, C). One vec4 of channels a thread.
// Taken where the readers of dx do not apply this themselves. Where they do, a step takes 319 dispatches and 331 MB in the
// place of 370 and 362 (docs/performance.md).
// GATE: dy is that behind a squeeze-and-excitation, of which this takes the gradient before it: common/squeeze.
//#import common/activation
//#import common/squeeze
//#import common/global_index
const WG = 64u;
const TRAINING: bool = false;
const ADDEND: bool = false;
const WIDE_ADDEND: bool = false; // without ADDEND

struct Sizes {
  SIZE: u32, // vec4s
  C4: u32,
  X_PITCH: u32, // of a row where x lies
  PIXELS: u32, // rows of an image
  ADDEND_C4: u32,
}

@group(0) @binding(0) var<storage, read> dy: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>; //#f16
@group(0) @binding(2) var<storage, read> coef: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> bcoef: array<vec4<f32>>; //#if TRAINING
@group(0) @binding(4) var<storage, read> addend: array<vec4<f32>>; //#if ADDEND || WIDE_ADDEND
@group(0) @binding(5) var<storage, read_write> dx: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read> gate: array<vec4<f32>>; //#if GATE //#f16
@group(0) @binding(7) var<storage, read> pooled: array<vec4<f32>>; //#if GATE
@group(0) @binding(10) var<uniform> sizes: Sizes;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let i = global_index(id, workgroups);
  if (i >= sizes.SIZE) { return; }
  let c = i % sizes.C4;
  let scale = coef[2u * sizes.C4 + c];
  let v = load_x(i / sizes.C4 * sizes.X_PITCH + c);
  let g = squeezed(dy[i], i / sizes.C4, c) * activate_derivative(scale * v + coef[3u * sizes.C4 + c]);
  var d = scale * g;
  if (TRAINING) { d = bcoef[c] * g + bcoef[sizes.C4 + c] * v + bcoef[2u * sizes.C4 + c]; }
  if (ADDEND) { d += addend[i]; }
  if (WIDE_ADDEND) { d += addend[i / sizes.C4 * sizes.ADDEND_C4 + c]; }
  dx[i] = d;
}
