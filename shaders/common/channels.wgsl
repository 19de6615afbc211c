// Zero in the channels at or past `channels`, for the c4-th vec4 of channels.
fn mask_channels(v: vec4<f32>, c4: u32, channels: u32) -> vec4<f32> {
  return select(vec4(0.0), v, vec4(c4 * 4u) + vec4(0u, 1u, 2u, 3u) < vec4(channels));
}
