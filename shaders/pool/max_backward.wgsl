// dx[n, h, w, c] = addend + sum of dy over the windows whose first maximum is (h, w). One vec4 of channels a thread, which
// looks through every window that holds its pixel: no stored argmax, no two threads that write one place.
// PROLOGUE: what is read is raw, x = activate(scale * raw + shift) of coef [mean, rstd, scale, shift].
//#import common/window
//#import common/pool
//#import common/input
//#import common/global_index
const WG = 64u;
const ADDEND: bool = false;

@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>; //#f16
@group(0) @binding(1) var<storage, read> dy: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> addend: array<vec4<f32>>; //#if ADDEND
@group(0) @binding(3) var<storage, read_write> dx: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> coef: array<vec4<f32>>; //#if PROLOGUE

// For each of four channels: whether no pixel of the window before (h, w) is as large as v, and none after it is larger.
fn wins(v: vec4<f32>, n: u32, h: u32, w: u32, oh: u32, ow: u32, c: u32) -> vec4<bool> {
  let input = input_coefficients(c, sizes.C4);
  var first = vec4(true);
  for (var kh = 0u; kh < sizes.KH; kh++) {
    let ih = oh * sizes.SH + kh - sizes.PH;
    if (ih >= sizes.H) { continue; }
    for (var kw = 0u; kw < sizes.KW; kw++) {
      let iw = ow * sizes.SW + kw - sizes.PW;
      if (iw >= sizes.W) { continue; }
      let other = prologue(load_x(((n * sizes.H + ih) * sizes.W + iw) * sizes.C4 + c), input);
      let before = ih < h || (ih == h && iw < w);
      first = first & select(other <= v, other < v, vec4(before));
    }
  }
  return first;
}

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let index = global_index(id, workgroups);
  if (index >= sizes.N * sizes.H * sizes.W * sizes.C4) { return; }
  let c = index % sizes.C4;
  let w = index / sizes.C4 % sizes.W;
  let h = index / (sizes.C4 * sizes.W) % sizes.H;
  let n = index / (sizes.C4 * sizes.W * sizes.H);
  let v = prologue(load_x(index), input_coefficients(c, sizes.C4));
  var sum = vec4(0.0);
  for (var oh = first_window(h + sizes.PH, sizes.KH, sizes.SH); oh < sizes.OH && oh * sizes.SH <= h + sizes.PH; oh++) {
    for (var ow = first_window(w + sizes.PW, sizes.KW, sizes.SW); ow < sizes.OW && ow * sizes.SW <= w + sizes.PW; ow++) {
      let g = dy[((n * sizes.OH + oh) * sizes.OW + ow) * sizes.C4 + c];
      sum += select(vec4(0.0), g, wins(v, n, h, w, oh, ow, c));
    }
  }
  if (ADDEND) { sum += addend[index]; }
  dx[index] = sum;
}
