// How a producer cut GRID_ROWS x GRID_COLUMNS pixels an image into BLOCKS blocks (src/ops/blocks.ts, BlockGrid).
// Rows of a matrix are a grid one column wide.
//#needs GRID_ROWS, GRID_COLUMNS, ROWS_PER_BLOCK, COLUMNS_PER_BLOCK

// Pixels of block b.
fn pixels_of(b: u32) -> f32 {
  let across = (sizes.GRID_COLUMNS + sizes.COLUMNS_PER_BLOCK - 1u) / sizes.COLUMNS_PER_BLOCK;
  let down = (sizes.GRID_ROWS + sizes.ROWS_PER_BLOCK - 1u) / sizes.ROWS_PER_BLOCK;
  let rows = min(sizes.ROWS_PER_BLOCK, sizes.GRID_ROWS - sizes.ROWS_PER_BLOCK * (b / across % down));
  return f32(rows * min(sizes.COLUMNS_PER_BLOCK, sizes.GRID_COLUMNS - sizes.COLUMNS_PER_BLOCK * (b % across)));
}
