// partial[s, kh, kw, i, o] = sum over the s-th of SPLITS splits of the rows (n, oh) of x[n, ih, iw, first(o) + i] * dy[n,
//   oh, ow, o]
// One weight of one split a thread; reduce/sum_splits adds the splits in order, so the result does not depend on timing.
//#import common/direct
//#import common/global_index
const WG = 64u;

@group(0) @binding(0) var<storage, read> x: array<f32>; //#f16
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read_write> partial: array<f32>;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let index = global_index(id, workgroups);
  let size = sizes.KH * sizes.KW * sizes.CIG * sizes.COP;
  if (index >= sizes.SPLITS * size) { return; }
  let split = index / size;
  let o = index % sizes.COP;
  let i = index / sizes.COP % sizes.CIG;
  let kw = index / (sizes.COP * sizes.CIG) % sizes.KW;
  let kh = index / (sizes.COP * sizes.CIG * sizes.KW) % sizes.KH;
  var sum = 0.0;
  if (o < sizes.CO && i < sizes.CI_GROUP) {
    let c = o / sizes.CO_GROUP * sizes.CI_GROUP + i;
    let rows = (sizes.N * sizes.OH + sizes.SPLITS - 1u) / sizes.SPLITS;
    for (var row = split * rows; row < min((split + 1u) * rows, sizes.N * sizes.OH); row++) {
      let ih = row % sizes.OH * sizes.SH + kh * sizes.DH - sizes.PH;
      if (ih >= sizes.H) { continue; }
      let xs = (row / sizes.OH * sizes.H + ih) * sizes.W;
      for (var ow = 0u; ow < sizes.OW; ow++) {
        let iw = ow * sizes.SW + kw * sizes.DW - sizes.PW;
        if (iw < sizes.W) { sum += load_x((xs + iw) * sizes.CIP + c) * dy[(row * sizes.OW + ow) * sizes.COP + o]; }
      }
    }
  }
  partial[index] = sum;
}
