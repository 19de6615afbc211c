// dx[n, h, w, c] = addend + sum of dy / size over the windows that hold (h, w); size as in average_forward.
// One vec4 of channels a thread.
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
const COUNT_PAD: bool = true;
const ADDEND: bool = false;

@group(0) @binding(0) var<storage, read> dy: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> addend: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> dx: array<vec4<f32>>;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let index = id.x + id.y * groups.x * WG;
  if (index >= N * H * W * C4) { return; }
  let c = index % C4;
  let w = index / C4 % W;
  let h = index / (C4 * W) % H;
  let n = index / (C4 * W * H);
  var sum = vec4(0.0);
  // over the windows (first places, not taps): a global pool has one
  for (var oh = first_window(h + PH, KH, SH); oh < OH && oh * SH <= h + PH; oh++) {
    for (var ow = first_window(w + PW, KW, SW); ow < OW && ow * SW <= w + PW; ow++) {
      var size = f32(KH * KW);
      if (!COUNT_PAD) { size = places_inside(oh * SH - PH, KH, H) * places_inside(ow * SW - PW, KW, W); }
      sum += dy[((n * OH + oh) * OW + ow) * C4 + c] / size;
    }
  }
  if (ADDEND) { sum += addend[index]; }
  dx[index] = sum;
}
