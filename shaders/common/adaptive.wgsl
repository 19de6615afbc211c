// An adaptive average pooling of x [N, H, W, C4] to y [N, OH, OW, C4], vec4s of channels: window i of a side is
// floor(i * H / OH) up to but not including ceil((i + 1) * H / OH), as PyTorch has it.
struct Sizes {
  N: u32,
  H: u32,
  W: u32,
  OH: u32,
  OW: u32,
  C4: u32, // vec4s of channels
}

@group(0) @binding(10) var<uniform> sizes: Sizes;

fn adaptive_start(i: u32, size: u32, windows: u32) -> u32 {
  return i * size / windows;
}

fn adaptive_end(i: u32, size: u32, windows: u32) -> u32 {
  return ((i + 1u) * size + windows - 1u) / windows;
}
