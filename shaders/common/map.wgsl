// A map of several groups over a dense basis (src/ops/refocus/dense.ts).
struct Sizes {
  P: u32, // planes a map group
  I: u32,
  IP: u32,
  O: u32,
  OP: u32,
}

@group(0) @binding(10) var<uniform> sizes: Sizes;
