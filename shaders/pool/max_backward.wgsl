// dx[n, h, w, c] = addend + sum of dy over the windows whose first maximum is (h, w). One vec4 of channels a thread, which
// looks through every window that holds its pixel: no stored argmax, no two threads that write one place.
//#import common/window
const WG: u32 = 64u;
const N: u32 = 1u;
const H: u32 = 1u;
const W: u32 = 1u;
const OH: u32 = 1u;
const OW: u32 = 1u;
const C4: u32 = 1u; // vec4s of channels
const KH: u32 = 1u;
const KW: u32 = 1u;
const SH: u32 = 1u;
const SW: u32 = 1u;
const PH: u32 = 0u;
const PW: u32 = 0u;
const ADDEND: bool = false;

@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> dy: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> addend: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> dx: array<vec4<f32>>;

// per lane: no pixel of the window before (h, w) is as large as v, none after it is larger
fn wins(v: vec4<f32>, n: u32, h: u32, w: u32, oh: u32, ow: u32, c: u32) -> vec4<bool> {
  var first = vec4(true);
  for (var kh = 0u; kh < KH; kh++) {
    let ih = oh * SH + kh - PH;
    if (ih >= H) { continue; }
    for (var kw = 0u; kw < KW; kw++) {
      let iw = ow * SW + kw - PW;
      if (iw >= W) { continue; }
      let other = x[((n * H + ih) * W + iw) * C4 + c];
      let before = ih < h || (ih == h && iw < w);
      first = first & select(other <= v, other < v, vec4(before));
    }
  }
  return first;
}

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let index = id.x + id.y * groups.x * WG;
  if (index >= N * H * W * C4) { return; }
  let c = index % C4;
  let w = index / C4 % W;
  let h = index / (C4 * W) % H;
  let n = index / (C4 * W * H);
  let v = x[index];
  var sum = vec4(0.0);
  for (var oh = first_window(h + PH, KH, SH); oh < OH && oh * SH <= h + PH; oh++) {
    for (var ow = first_window(w + PW, KW, SW); ow < OW && ow * SW <= w + PW; ow++) {
      let g = dy[((n * OH + oh) * OW + ow) * C4 + c];
      sum += select(vec4(0.0), g, wins(v, n, h, w, oh, ow, c));
    }
  }
  if (ADDEND) { sum += addend[index]; }
  dx[index] = sum;
}
