// A map over all planes of a depthwise basis (src/ops/refocus/dense.ts). A thread makes ROWS_PER_TILE rows of what it
// writes at a time and sees WINDOW_ROWS rows of the planes under them.
const KH: u32 = 1u; //#required
const KW: u32 = 1u; //#required
const K: u32 = 1u; //#required // the map's kernel, odd
const ROWS_PER_TILE: u32 = 1u; //#required
const TILES: u32 = 1u; //#required // of ROWS_PER_TILE rows
const WINDOW_ROWS: u32 = 1u; //#required
const HALF = K / 2u;

struct Sizes {
  C: u32,
  C4: u32, // vec4s of channels
  SPLITS: u32,
}

@group(0) @binding(10) var<uniform> sizes: Sizes;
