// THREADS_PER_ROW threads side by side in a workgroup share a row, and add up what each has summed of it. One thread a row waits
// for no barrier. All threads of the workgroup must come by.
//#needs WG
const THREADS_PER_ROW: u32 = 1u; //#required

var<workgroup> row_sums: array<vec4<f32>, WG>;

fn row_sum(own: vec4<f32>, local: u32) -> vec4<f32> {
  if (THREADS_PER_ROW > 1u) {
    workgroupBarrier(); // the sum before this one has been read
    row_sums[local] = own;
    workgroupBarrier();
    var total = vec4(0.0);
    for (var t = 0u; t < THREADS_PER_ROW; t++) { total += row_sums[local / THREADS_PER_ROW * THREADS_PER_ROW + t]; }
    return total;
  }
  return own;
}
