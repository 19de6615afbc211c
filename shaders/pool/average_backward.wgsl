// dx[n, h, w, c] = addend + sum of dy / size over the windows that hold (h, w); size as in average_forward.
// GATE: the addend is multiplied with gate[n, c]: with it the gradient behind the product of a squeeze-and-excitation, this makes the
// gradient before that in one pass. One vec4 of channels a thread.
//#import common/window
//#import common/pool
//#import common/global_index
const WG = 64u;
const COUNT_PAD: bool = true; //#required
const ADDEND: bool = false;
const GATE: bool = false; // beside ADDEND

@group(0) @binding(0) var<storage, read> dy: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> addend: array<vec4<f32>>; //#if ADDEND
@group(0) @binding(3) var<storage, read> gate: array<vec4<f32>>; //#if GATE //#f16
@group(0) @binding(2) var<storage, read_write> dx: array<vec4<f32>>;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let index = global_index(id, workgroups);
  if (index >= sizes.N * sizes.H * sizes.W * sizes.C4) { return; }
  let c = index % sizes.C4;
  let w = index / sizes.C4 % sizes.W;
  let h = index / (sizes.C4 * sizes.W) % sizes.H;
  let n = index / (sizes.C4 * sizes.W * sizes.H);
  var sum = vec4(0.0);
  // The loops go over windows and not over taps: a global pool has one window of many taps.
  for (var oh = first_window(h + sizes.PH, sizes.KH, sizes.SH); oh < sizes.OH && oh * sizes.SH <= h + sizes.PH; oh++) {
    for (var ow = first_window(w + sizes.PW, sizes.KW, sizes.SW); ow < sizes.OW && ow * sizes.SW <= w + sizes.PW; ow++) {
      var size = places_padded(oh * sizes.SH, sizes.KH, sizes.PADDED_H) * places_padded(ow * sizes.SW, sizes.KW, sizes.PADDED_W);
      if (!COUNT_PAD) { size = places_inside(oh * sizes.SH - sizes.PH, sizes.KH, sizes.H) * places_inside(ow * sizes.SW - sizes.PW, sizes.KW, sizes.W); }
      sum += dy[((n * sizes.OH + oh) * sizes.OW + ow) * sizes.C4 + c] / size;
    }
  }
  if (ADDEND) {
    var added = addend[index];
    if (GATE) { added *= load_gate(n * sizes.C4 + c); }
    sum += added;
  }
  dx[index] = sum;
}
