// y = f(x) * SCALE where a random number in 0 to 1 is at least P, else 0; + addend. The number is a function of (seed, step, KEY,
// element), or with ROWS of (seed, step, KEY, sample), so the backward pass draws it again. One vec4 of channels a thread.
// PROLOGUE: x is raw, f(x) = activate(scale * x + shift) of coef [mean, rstd, scale, shift].
//#import common/input
//#import common/rng
//#import common/step
//#import common/global_index
const WG = 64u;
const P: f32 = 0.5; //#required
const SCALE: f32 = 2.0; //#required
const ROWS: bool = false; //#required
const ADDEND: bool = false;

struct Sizes {
  SIZE: u32, // vec4s
  IMAGE: u32, // vec4s a sample
  C4: u32, // vec4s of channels
  KEY: u32,
}

@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>; //#f16
@group(0) @binding(1) var<storage, read> addend: array<vec4<f32>>; //#if ADDEND //#f16
@group(0) @binding(2) var<storage, read_write> y: array<vec4<f32>>; //#f16
@group(0) @binding(3) var<uniform> step: Step;
@group(0) @binding(4) var<storage, read> coef: array<vec4<f32>>; //#if PROLOGUE
@group(0) @binding(10) var<uniform> sizes: Sizes;

// A number from 0 to below 1 of 24 bits, which f32 holds exactly.
fn uniform_f32(counter: u32) -> f32 {
  return f32(random_u32(step.seed, step.step, sizes.KEY, counter) >> 8u) / 16777216.0;
}

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let i = global_index(id, workgroups);
  if (i >= sizes.SIZE) { return; }
  var r: vec4<f32>;
  if (ROWS) { r = vec4(uniform_f32(i / sizes.IMAGE)); }
  else { r = vec4(uniform_f32(4u * i), uniform_f32(4u * i + 1u), uniform_f32(4u * i + 2u), uniform_f32(4u * i + 3u)); }
  let x_here = prologue(load_x(i), input_coefficients(i % sizes.C4, sizes.C4));
  var v = select(vec4(0.0), x_here * SCALE, r >= vec4(P));
  if (ADDEND) { v += load_addend(i); }
  store_y(i, v);
}
