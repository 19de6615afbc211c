/** Pictures of images of a source, brought when they are wanted. */
import { useEffect, useState } from 'preact/hooks';
import type { DataSource, EngineApi, Thumbnail } from '../../api';
import { engine } from '../engine';

export type PictureOptions = Parameters<EngineApi['pictures']>[2];

/** Pictures that are asked for at once. */
const AT_ONCE = 24;

/** Pictures of those images by their names, as far as they have come; what cannot be shown never comes. Without a source none does. */
export function usePictures(
  source: DataSource | undefined,
  images: readonly (string | number)[],
  options?: PictureOptions,
): ReadonlyMap<string, Thumbnail> {
  const [found, setFound] = useState<ReadonlyMap<string, Thumbnail>>(new Map());
  const wanted = images.filter((image) => !found.has(String(image)));
  useEffect(() => {
    let isGone = false;
    const ask = async () => {
      for (let first = 0; source && first < wanted.length && !isGone; first += AT_ONCE) {
        const some = await engine().pictures(source, wanted.slice(first, first + AT_ONCE), options);
        if (!isGone)
          setFound((known) => new Map([...known, ...some.map((one) => [one.image, one] as const)]));
      }
    };
    // the names stay
    ask().catch(() => {});
    return () => {
      isGone = true;
    };
  }, [source, images.join('\n'), options?.side]);
  return found;
}
