// partial[s, kh, kw, i, o] = sum over the s-th of SPLITS runs of rows (n, oh) of x[n, ih, iw, first(o) + i] * dy[n, oh, ow, o]
// One weight of one split a thread; conv/sum_splits adds the splits in order, so the result does not depend on timing.
const WG: u32 = 64u;
const N: u32 = 1u;
const H: u32 = 1u;
const W: u32 = 1u;
const OH: u32 = 1u;
const OW: u32 = 1u;
const CIP: u32 = 4u;
const COP: u32 = 4u;
const CO: u32 = 4u;
const CI_GROUP: u32 = 4u;
const CIG: u32 = 4u;
const CO_GROUP: u32 = 4u;
const KH: u32 = 1u;
const KW: u32 = 1u;
const SH: u32 = 1u;
const SW: u32 = 1u;
const PH: u32 = 0u;
const PW: u32 = 0u;
const DH: u32 = 1u;
const DW: u32 = 1u;
const SPLITS: u32 = 1u;

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read_write> partial: array<f32>;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let index = id.x + id.y * groups.x * WG;
  const SIZE = KH * KW * CIG * COP;
  if (index >= SPLITS * SIZE) { return; }
  let split = index / SIZE;
  let o = index % COP;
  let i = index / COP % CIG;
  let kw = index / (COP * CIG) % KW;
  let kh = index / (COP * CIG * KW) % KH;
  var sum = 0.0;
  if (o < CO && i < CI_GROUP) {
    let c = o / CO_GROUP * CI_GROUP + i;
    const ROWS = (N * OH + SPLITS - 1u) / SPLITS;
    for (var row = split * ROWS; row < min((split + 1u) * ROWS, N * OH); row++) {
      let ih = row % OH * SH + kh * DH - PH;
      if (ih >= H) { continue; }
      let xs = (row / OH * H + ih) * W;
      for (var ow = 0u; ow < OW; ow++) {
        let iw = ow * SW + kw * DW - PW;
        if (iw < W) { sum += x[(xs + iw) * CIP + c] * dy[(row * OW + ow) * COP + o]; }
      }
    }
  }
  partial[index] = sum;
}
