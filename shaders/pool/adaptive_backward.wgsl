// dx[n, h, w, c] = addend + sum of dy / size over the windows that hold (h, w): common/adaptive. One vec4 of channels a thread.
//#import common/adaptive
//#import common/global_index
const WG = 64u;
const ADDEND: bool = false;

@group(0) @binding(0) var<storage, read> dy: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> addend: array<vec4<f32>>; //#if ADDEND
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
  // The windows that hold a pixel are, the other way round, its window among them.
  for (var oh = adaptive_start(h, sizes.OH, sizes.H); oh < adaptive_end(h, sizes.OH, sizes.H); oh++) {
    let rows = adaptive_end(oh, sizes.H, sizes.OH) - adaptive_start(oh, sizes.H, sizes.OH);
    for (var ow = adaptive_start(w, sizes.OW, sizes.W); ow < adaptive_end(w, sizes.OW, sizes.W); ow++) {
      let columns = adaptive_end(ow, sizes.W, sizes.OW) - adaptive_start(ow, sizes.W, sizes.OW);
      sum += dy[((n * sizes.OH + oh) * sizes.OW + ow) * sizes.C4 + c] / f32(rows * columns);
    }
  }
  if (ADDEND) { sum += addend[index]; }
  dx[index] = sum;
}
