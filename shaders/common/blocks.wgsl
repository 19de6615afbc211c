// How a producer cut LINES x COLUMNS pixels an image into BLOCKS blocks (src/ops/conv-geometry.ts, BlockGrid).
// A plain run of rows is one column wide.
const BLOCKS: u32 = 1u;
const LINES: u32 = 1u;
const BLOCK_LINES: u32 = 1u;
const COLUMNS: u32 = 1u;
const BLOCK_COLUMNS: u32 = 1u;

// Pixels of block b.
fn pixels_of(b: u32) -> f32 {
  const ACROSS = (COLUMNS + BLOCK_COLUMNS - 1u) / BLOCK_COLUMNS;
  const DOWN = (LINES + BLOCK_LINES - 1u) / BLOCK_LINES;
  let lines = min(BLOCK_LINES, LINES - BLOCK_LINES * (b / ACROSS % DOWN));
  return f32(lines * min(BLOCK_COLUMNS, COLUMNS - BLOCK_COLUMNS * (b % ACROSS)));
}
