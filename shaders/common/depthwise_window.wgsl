// What a tile of rows from `top` on sees of plane m of the basis, zero outside.
//#import common/depthwise_map
//#needs basis
fn window_of(m: u32, top: u32) -> array<f32, WINDOW_ROWS * KW> {
  var window: array<f32, WINDOW_ROWS * KW>;
  //#unroll
  for (var a = 0u; a < WINDOW_ROWS; a++) {
    // Rows above the kernel have wrapped to huge numbers: one comparison with KH leaves out those on both sides.
    let row = top + a - HALF;
    //#unroll
    for (var b = 0u; b < KW; b++) {
      window[a * KW + b] = select(0.0, basis[(min(row, KH - 1u) * KW + b) * sizes.C4 * 4u + m], row < KH);
    }
  }
  return window;
}
