import { dropAlpha, hasText, ImageError, type ImageFormat, orDamaged, type Size, viewOf } from './format';

/**
 * The first frame of a GIF, as Pillow shows it: transparent pixels have their colour of the palette, and what the frame
 * does not cover has the transparent colour, or the palette's first where there is none.
 */
export const gif: ImageFormat = {
  name: 'GIF',
  recognises: (bytes) => bytes.length >= 13 && (hasText(bytes, 0, 'GIF87a') || hasText(bytes, 0, 'GIF89a')),
  size: (bytes) => ({ width: viewOf(bytes).getUint16(6, true), height: viewOf(bytes).getUint16(8, true) }),
  async decode(bytes, size) {
    const { GifReader } = await import('omggif');
    const { file, transparent } = firstFrameOnly(bytes);
    return orDamaged('GIF', () => drawFrame(new GifReader(file as Buffer), file, transparent ?? 0, size));
  },
};

type Reader = import('omggif').GifReader;

/** @param background index of the colour that surrounds the frame */
function drawFrame(
  reader: Reader,
  file: Uint8Array,
  background: number,
  { width, height }: Size,
): Uint8Array<ArrayBuffer> {
  const { x, y, width: across, height: down, palette_offset: palette } = reader.frameInfo(0);
  if (x + across > width || y + down > height)
    throw new ImageError("the GIF's first frame reaches beyond its canvas");
  if (palette === null) throw new ImageError('the GIF has no palette');
  const rgba = new Uint8Array(width * height * 4);
  const colour = file.subarray(palette + 3 * background, palette + 3 * background + 3);
  for (let at = 0; at < rgba.length; at += 4) rgba.set(colour, at);
  reader.decodeAndBlitFrameRGBA(0, rgba);
  // the reader draws with alpha 255, and leaves out what the file lacks
  for (let row = y; row < y + down; row++) {
    for (let at = (row * width + x) * 4 + 3; at < (row * width + x + across) * 4; at += 4) {
      if (rgba[at] === 0) throw new ImageError('the GIF is cut off');
    }
  }
  return dropAlpha(rgba);
}

/**
 * The file up to the end of its first frame, since an animation may have frames without end. No colour is transparent in
 * it, so that every pixel is drawn; which one was is told apart.
 */
function firstFrameOnly(bytes: Uint8Array): { file: Uint8Array; transparent?: number } {
  const file = bytes.slice();
  let transparent: number | undefined;
  let at = 13 + paletteBytes(file[10]);
  for (; at < file.length && file[at] === 0x21; at = afterBlocks(file, at + 2)) {
    const isControl = file[at + 1] === 0xf9 && file[at + 2] === 4;
    if (!isControl) continue;
    transparent = file[at + 3] & 1 ? file[at + 6] : undefined;
    file[at + 3] &= ~1;
  }
  if (at + 11 > file.length) throw new ImageError('the GIF is cut off');
  if (file[at] !== 0x2c) throw new ImageError('the GIF holds no picture');
  const end = afterBlocks(file, at + 10 + paletteBytes(file[at + 9]) + 1);
  const whole = new Uint8Array(end + 1);
  whole.set(file.subarray(0, end));
  whole[end] = 0x3b;
  return { file: whole, transparent };
}

function paletteBytes(packed: number): number {
  return packed & 0x80 ? 3 * (2 << (packed & 7)) : 0;
}

/** The place after a chain of blocks, each with its length before it, which ends with an empty one. */
function afterBlocks(file: Uint8Array, from: number): number {
  let at = from;
  while (at < file.length && file[at] !== 0) at += 1 + file[at];
  if (at >= file.length) throw new ImageError('the GIF is cut off');
  return at + 1;
}
