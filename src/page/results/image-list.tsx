/** Images of a run's test set: their names, and what they look like where that can be shown; large by a click. */
import { useMemo, useState } from 'preact/hooks';
import type { DataSource, TestPrediction } from '../../api';
import { count, percent } from '../format';
import { ImageDialog, nameOf } from '../images/image-dialog';
import { usePictures } from '../images/pictures';
import { Picture } from '../picture';

/** Images that are shown at once. */
const SHOWN = 24;

interface ImageListProps {
  /** absent where the images are not here: their names stand alone */
  source?: DataSource;
  images: readonly TestPrediction[];
}

export function ImageList({ source, images }: ImageListProps) {
  const [shown, setShown] = useState(SHOWN);
  const [large, setLarge] = useState<number | undefined>(undefined);
  const visible = images.slice(0, shown);
  const pictures = usePictures(
    source,
    visible.map(({ image }) => image),
  );
  const seen = useMemo(
    () => images.map((one) => ({ image: one.image, caption: <Told one={one} /> })),
    [images],
  );
  if (images.length === 0) return <p class="hint">None.</p>;
  return (
    <>
      <ul class="image-list">
        {visible.map((one, i) => {
          const picture = pictures.get(String(one.image));
          return (
            <li key={one.image}>
              <button
                type="button"
                class="frame"
                aria-label={`${nameOf(one.image)}, large`}
                disabled={!source}
                onClick={() => setLarge(i)}
              >
                {picture && <Picture thumbnail={picture} />}
              </button>
              <span>
                <b dir="auto">{nameOf(one.image)}</b>
                <small>
                  <Told one={one} />
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
      {source && large !== undefined && (
        <ImageDialog
          title="Test images"
          source={source}
          images={seen}
          start={large}
          onClose={() => setLarge(undefined)}
        />
      )}
    </>
  );
}

function Told({ one: { label, predicted, probability } }: { one: TestPrediction }) {
  return (
    <>
      <bdi>{label}</bdi>,{' '}
      {label !== predicted && (
        <>
          told <bdi>{predicted}</bdi>{' '}
        </>
      )}
      {percent(probability, 0)}
    </>
  );
}
