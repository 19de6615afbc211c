// Operands of a product of matrices in workgroup memory, SLICE vec4s of the channels that are summed over at a time.
// The WG threads stand in LANES columns: thread t owns the rows t / LANES + r * ROW_STEP, r < TILE, of the workgroup's tile
// and its columns t % LANES + q * LANES, q < QUADS; a column is the vec4 `channels_of` of the channels of the result.
const ROW_STEP: u32 = 8u; //#required // WG / LANES
const SLICE: u32 = 4u; //#required
const STAGED: u32 = 512u; //#required // SLICE * (VALUES + WEIGHTS), or 2 * QUADS * WG where a workgroup's sums take more
const LANES = WG / ROW_STEP;
const TILE_ROWS = TILE * ROW_STEP;
const TILE_COLUMNS = QUADS * LANES;
// vec4s a k: one more than there are, lest threads that stage neighbouring k all meet in one bank
const VALUES = TILE_ROWS + 1u;
const WEIGHTS = 4u * TILE_COLUMNS + 1u;

var<workgroup> staged: array<vec4<f32>, STAGED>;

fn channels_of(column: u32, left: u32) -> u32 {
  return left + column % LANES + column / LANES * sizes.GROUPS;
}

fn stage_value(k: u32, row: u32, value: vec4<f32>) {
  staged[k * VALUES + row] = value;
}

// One of the four rows of weights that belong to k (or, transposed, to the column).
fn stage_weights(k: u32, j: u32, column: u32, weights: vec4<f32>) {
  staged[SLICE * VALUES + k * WEIGHTS + j * TILE_COLUMNS + column] = weights;
}

fn staged_value(k: u32, row: u32) -> vec4<f32> {
  return staged[k * VALUES + row];
}

fn staged_weights(k: u32, column: u32) -> mat4x4<f32> {
  let at = SLICE * VALUES + k * WEIGHTS + column;
  return mat4x4(staged[at], staged[at + TILE_COLUMNS], staged[at + 2u * TILE_COLUMNS], staged[at + 3u * TILE_COLUMNS]);
}

// A thread's q-th pair of sums over its rows, in the place of what was staged, for the thread that adds up the column.
fn share_sums(local: u32, q: u32, first: vec4<f32>, second: vec4<f32>) {
  staged[(2u * q) * WG + local] = first;
  staged[(2u * q + 1u) * WG + local] = second;
}

// The pair that the thread of a column at a row shared.
fn shared_sums(column: u32, row: u32) -> array<vec4<f32>, 2> {
  let at = 2u * (column / LANES) * WG + row * LANES + column % LANES;
  return array(staged[at], staged[at + WG]);
}
