/** Files of a set that want a look: left out, the same as others, turned by EXIF data. */
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import type { ImageSurvey } from '../../api';
import { skippedCsv } from '../../data/report';
import { download } from '../files';
import { count } from '../format';
import { readData } from '../input/sources';
import { config, setSetting } from '../settings/config';
import { ImageDialog } from './image-dialog';

/** So many are named; the rest is in the file, or in the window. */
const NAMED = 100;

export function Findings({ survey, test }: { survey: ImageSurvey; test?: ImageSurvey }) {
  const both = [survey, ...(test ? [test] : [])];
  const skipped = both.flatMap((one) => one.skipped);
  const rotated = both.flatMap((one) => one.rotated);
  const equal = both.flatMap((one) => one.equal);
  const wrong = equal.filter(({ classes }) => classes.length > 1).length;
  const [seen, setSeen] = useState<readonly string[] | undefined>(undefined);
  const source = test && seen?.every((image) => test.rotated.includes(image)) ? 'test' : 'train';
  return (
    <div class="findings">
      {skipped.length > 0 && (
        <Fold title={`${files(skipped.length)} left out`}>
          <ul>
            {skipped.slice(0, NAMED).map(({ path, reason }) => (
              <li key={path}>
                <b dir="auto">{path}</b>: {reason}
              </li>
            ))}
          </ul>
          <button
            type="button"
            class="link"
            onClick={() => download('skipped.csv', skippedCsv(skipped), 'text/csv')}
          >
            skipped.csv
          </button>
        </Fold>
      )}
      {equal.length > 0 && (
        <Fold
          title={`${equal.length === 1 ? '1 image is' : `${count(equal.length)} images are`} there several times${wrong > 0 ? `, ${count(wrong)} in several classes` : ''}`}
        >
          <ul>
            {equal.slice(0, NAMED).map(({ images, classes }) => (
              <li key={images[0]}>
                <button type="button" class="link" onClick={() => setSeen(images)}>
                  {images.slice(0, 4).join(', ')}
                  {images.length > 4 && ` and ${count(images.length - 4)} more`}
                </button>
                {classes.length > 1 && <b class="error"> {classes.join(', ')}: one label at most is right</b>}
              </li>
            ))}
          </ul>
        </Fold>
      )}
      {rotated.length > 0 && (
        <Fold title={`${files(rotated.length)} with an EXIF rotation`}>
          <p class="hint">
            {config.value.settings.exif === 'apply'
              ? 'They are turned upright. '
              : 'It is ignored, as torchvision’s loader does. '}
            <button
              type="button"
              class="link"
              onClick={() => setSetting('exif', config.value.settings.exif === 'apply' ? 'ignore' : 'apply')}
            >
              {config.value.settings.exif === 'apply' ? 'Ignore it' : 'Turn them upright'}
            </button>{' '}
            <button type="button" class="link" onClick={() => setSeen(rotated)}>
              Look at them
            </button>
          </p>
          <ul>
            {rotated.slice(0, NAMED).map((path) => (
              <li key={path} dir="auto">
                {path}
              </li>
            ))}
          </ul>
        </Fold>
      )}
      {seen && (
        <ImageDialog
          title={files(seen.length)}
          source={readData()[source] ?? readData().train}
          images={seen.map((image) => ({ image }))}
          onClose={() => setSeen(undefined)}
        />
      )}
    </div>
  );
}

const files = (number: number) => (number === 1 ? '1 file' : `${count(number)} files`);

function Fold({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <details class="more">
      <summary>{title}</summary>
      {children}
    </details>
  );
}
