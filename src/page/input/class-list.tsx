/** The classes of the user's images: how many there are of each, and some of them. */
import type { ImageSurvey } from '../../api';
import { count } from '../format';
import { Picture } from '../picture';

export function ClassList({ survey }: { survey: ImageSurvey }) {
  const { classes, parts, thumbnails } = survey;
  const [first, second] = parts;
  const most = Math.max(1, ...first.perClass);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
    <section class="scroll" tabIndex={0} aria-label="Classes of the images">
      <table class="classes">
        <thead>
          <tr>
            <th scope="col">Class</th>
            <th scope="col" class="number">
              {first.use === 'train' ? 'Train' : 'Test'}
            </th>
            {second && (
              <th scope="col" class="number">
                Test
              </th>
            )}
            <th scope="col">Images</th>
          </tr>
        </thead>
        <tbody>
          {classes.map((name, label) => (
            <tr key={name}>
              <th scope="row" dir="auto">
                {name}
                <i class="share" style={{ width: `${(100 * first.perClass[label]) / most}%` }} />
              </th>
              <td class="number">{count(first.perClass[label])}</td>
              {second && <td class="number">{count(second.perClass[label])}</td>}
              <td>
                <span class="pictures">
                  {thumbnails[label].map((thumbnail) => (
                    <Picture key={thumbnail.image} thumbnail={thumbnail} />
                  ))}
                </span>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
