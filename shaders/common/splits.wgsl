// A weight's gradient is a sum over pixels, cut into SPLITS. The threads of a workgroup have SHARED_SPLITS of them for each
// column of WG / SHARED_SPLITS threads, and add theirs before one writes the sum: partial has SPLITS / SHARED_SPLITS parts.
// Of 16 channels and 3 x 3 taps at 32 x 32 pixels a step so moves 0.8 MB of sums in the place of 6.3.
//#needs WG
const SHARED_SPLITS: u32 = 1u; //#required // a divisor of WG; 1 waits at no barrier

const COLUMNS = WG / SHARED_SPLITS;

var<workgroup> shared_sums: array<vec4<f32>, 4u * WG>;

// The place of a thread of workgroup `group` among the threads of a split, those of the splits before it counted.
fn column_of(group: u32, local: u32) -> u32 {
  return group * COLUMNS + local % COLUMNS;
}

// Adds four sums over the threads of a column, in order; the first of them has the results. All threads call it.
fn add_splits(sums: array<vec4<f32>, 4>, local: u32) -> array<vec4<f32>, 4> {
  var total = sums;
  if (SHARED_SPLITS > 1u) {
    workgroupBarrier();
    //#unroll
    for (var j = 0u; j < 4u; j++) { shared_sums[j * WG + local] = sums[j]; }
    workgroupBarrier();
    if (local < COLUMNS) {
      for (var s = 1u; s < SHARED_SPLITS; s++) {
        //#unroll
        for (var j = 0u; j < 4u; j++) { total[j] += shared_sums[j * WG + s * COLUMNS + local]; }
      }
    }
  }
  return total;
}
