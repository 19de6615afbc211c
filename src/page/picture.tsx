/** A small picture of an image. */
import type { Thumbnail } from '../api';
import { useCanvas } from './canvas';

/** @param label says what is to be seen; absent where text beside it does */
export function Picture({ thumbnail, label }: { thumbnail: Thumbnail; label?: string }) {
  const { side, pixels } = thumbnail;
  const canvas = useCanvas(
    (context) => context.putImageData(toImageData(pixels, side, side), 0, 0),
    [thumbnail],
  );
  return (
    <canvas
      ref={canvas}
      class="picture"
      width={side}
      height={side}
      role="img"
      aria-label={label ?? thumbnail.image}
      title={thumbnail.image}
    />
  );
}

/** RGB bytes as a canvas takes them. */
export function toImageData(rgb: Uint8Array, width: number, height: number): ImageData {
  const out = new ImageData(width, height);
  for (let i = 0; i < width * height; i++) {
    for (let c = 0; c < 3; c++) out.data[i * 4 + c] = rgb[i * 3 + c];
    out.data[i * 4 + 3] = 255;
  }
  return out;
}
