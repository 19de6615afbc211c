/** Images of a run's test set: their names, and what they look like where that can be shown. */
import { useEffect, useState } from 'preact/hooks';
import type { DataSource, TestPrediction, Thumbnail } from '../../api';
import { engine } from '../engine';
import { count, percent } from '../format';
import { Picture } from '../picture';

/** Images that are shown at once. */
const SHOWN = 24;

interface ImageListProps {
  source: DataSource;
  images: readonly TestPrediction[];
}

export function ImageList({ source, images }: ImageListProps) {
  const [shown, setShown] = useState(SHOWN);
  const [thumbnails, setThumbnails] = useState<ReadonlyMap<string, Thumbnail>>(new Map());
  const visible = images.slice(0, shown);
  useEffect(() => {
    let isGone = false;
    const wanted = visible.map(({ image }) => image).filter((image) => !thumbnails.has(String(image)));
    if (wanted.length === 0) return;
    engine()
      .pictures(source, wanted)
      .then(
        (found) => {
          if (isGone) return;
          setThumbnails(new Map([...thumbnails, ...found.map((one) => [one.image, one] as const)]));
        },
        // the names stay
        () => {},
      );
    return () => {
      isGone = true;
    };
  }, [source, images, shown]);
  if (images.length === 0) return <p class="hint">None.</p>;
  return (
    <>
      <ul class="image-list">
        {visible.map(({ image, label, predicted, probability }) => {
          const thumbnail = thumbnails.get(String(image));
          return (
            <li key={image}>
              <span class="frame">{thumbnail && <Picture thumbnail={thumbnail} />}</span>
              <span>
                <b dir="auto">{typeof image === 'number' ? `image ${image}` : image}</b>
                <small>
                  <bdi>{label}</bdi>,{' '}
                  {label !== predicted && (
                    <>
                      told <bdi>{predicted}</bdi>{' '}
                    </>
                  )}
                  {percent(probability, 0)}
                </small>
              </span>
            </li>
          );
        })}
      </ul>
      {images.length > shown && (
        <button type="button" class="link" onClick={() => setShown(shown + SHOWN)}>
          {count(images.length - shown)} more
        </button>
      )}
    </>
  );
}
