// How a producer cut LINES x COLUMNS pixels an image into BLOCKS blocks (src/ops/conv-geometry.ts, BlockGrid).
// A plain run of rows is one column wide.

// Pixels of block b.
fn pixels_of(b: u32) -> f32 {
  let across = (sizes.COLUMNS + sizes.BLOCK_COLUMNS - 1u) / sizes.BLOCK_COLUMNS;
  let down = (sizes.LINES + sizes.BLOCK_LINES - 1u) / sizes.BLOCK_LINES;
  let lines = min(sizes.BLOCK_LINES, sizes.LINES - sizes.BLOCK_LINES * (b / across % down));
  return f32(lines * min(sizes.BLOCK_COLUMNS, sizes.COLUMNS - sizes.BLOCK_COLUMNS * (b % across)));
}
