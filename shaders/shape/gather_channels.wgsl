// y[n, h, w, c] = addend + x[n, h * DOWN / UP, w * DOWN / UP, channel(c)], or addend alone where that is between two pixels or
// outside x. channel(c) = c + OFFSET, or with GROUPS > 1 that of a shuffle: c % GROUPS * (IC / GROUPS) + c / GROUPS.
// One vec4 of channels a thread, gathered lane by lane, since a shift of channels need not be a multiple of four.
const WG: u32 = 64u;
const SIZE: u32 = 1u; // vec4s of y
const H: u32 = 1u;
const W: u32 = 1u;
const C: u32 = 4u;
const IH: u32 = 1u;
const IW: u32 = 1u;
const IC: u32 = 4u;
const DOWN: u32 = 1u;
const UP: u32 = 1u;
const OFFSET: u32 = 0u; // wraps below zero
const GROUPS: u32 = 1u;
const ADDEND: bool = false;

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> addend: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4<f32>>;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = id.x + id.y * groups.x * WG;
  if (i >= SIZE) { return; }
  const C4 = (C + 3u) / 4u;
  const ICP = (IC + 3u) / 4u * 4u;
  let w = i / C4 % W * DOWN;
  let h = i / (C4 * W) % H * DOWN;
  let n = i / (C4 * W * H);
  var v = vec4(0.0);
  if (h % UP == 0u && w % UP == 0u && h / UP < IH && w / UP < IW) {
    let pixel = ((n * IH + h / UP) * IW + w / UP) * ICP;
    for (var lane = 0u; lane < 4u; lane++) {
      let c = i % C4 * 4u + lane;
      var source = c + OFFSET;
      if (GROUPS > 1u) { source = c % GROUPS * (IC / GROUPS) + c / GROUPS; }
      if (c < C && source < IC) { v[lane] = x[pixel + source]; }
    }
  }
  if (ADDEND) { v += addend[i]; }
  y[i] = v;
}
