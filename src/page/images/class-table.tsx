/** The classes of the user's images: how many there are of each, some of them, and what becomes of the class. */
import { useMemo, useState } from 'preact/hooks';
import type { ImageSurvey } from '../../api';
import { fieldText } from '../../train/field';
import { parseSetting } from '../../train/settings';
import '../style/images.css';
import { count } from '../format';
import { useGradual } from '../gradual';
import { Picture } from '../picture';
import { config, setSetting, settingError } from '../settings/config';
import { useSorted } from '../sorting';
import { ClassDialog } from './class-dialog';
import { madeOf, renamedTo } from './rename';

interface Row {
  name: string;
  label: number;
  /** images that train and that test */
  train: number;
  test: number;
}

/** So many classes are looked through by name. */
const MANY = 30;
/** Classes that come at a time, with their pictures. */
const AT_ONCE = 20;

export function ClassTable({ survey, test }: { survey: ImageSurvey; test?: ImageSurvey }) {
  const rows = useMemo(() => rowsOf(survey, test), [survey, test]);
  const [wanted, setWanted] = useState('');
  const [opened, setOpened] = useState<string | undefined>(undefined);
  const { sorted, head } = useSorted(rows, COLUMNS);
  const most = Math.max(1, ...rows.map((row) => row.train + row.test));
  const found = useMemo(
    () => (wanted ? sorted.filter(({ name }) => matches(name, wanted)) : sorted),
    [sorted, wanted],
  );
  const { shown, more } = useGradual(found, found, AT_ONCE);
  return (
    <>
      <Parts survey={survey} test={test} />
      <Balance rows={rows} />
      {rows.length > MANY && (
        <input
          type="text"
          aria-label="Find a class"
          placeholder="Find a class"
          value={wanted}
          onInput={(event) => setWanted(event.currentTarget.value)}
        />
      )}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard */}
      <section class="scroll" tabIndex={0} aria-label="Classes of the images">
        <table class="classes">
          <thead>
            <tr>
              {head}
              <th scope="col">Images</th>
            </tr>
          </thead>
          <tbody>
            {shown.map((row) => (
              <tr key={row.name}>
                <th scope="row">
                  <button type="button" class="link" dir="auto" onClick={() => setOpened(row.name)}>
                    {row.name}
                  </button>
                  <Bar train={row.train} test={row.test} most={most} />
                </th>
                <td class="number">{count(row.train)}</td>
                <td class="number">{count(row.test)}</td>
                <td>
                  <span class="pictures">
                    {survey.thumbnails[row.label].map((thumbnail) => (
                      <Picture key={thumbnail.image} thumbnail={thumbnail} />
                    ))}
                  </span>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
        {more}
      </section>
      <Changed originals={survey.originals} />
      {opened !== undefined && survey.classes.includes(opened) && (
        <ClassDialog
          name={opened}
          survey={survey}
          onRename={(name) => rename(survey.originals, opened, name)}
          onClose={() => setOpened(undefined)}
        />
      )}
    </>
  );
}

const COLUMNS = [
  { name: 'Class', by: ({ name }: Row) => name },
  { name: 'Train', by: ({ train }: Row) => train, isNumber: true },
  { name: 'Test', by: ({ test }: Row) => test, isNumber: true },
];

function rowsOf({ classes, parts }: ImageSurvey, test?: ImageSurvey): Row[] {
  const all = [...parts, ...(test?.parts ?? [])];
  const sum = (use: 'train' | 'test', label: number) =>
    all.filter((part) => part.use === use).reduce((total, { perClass }) => total + perClass[label], 0);
  return classes.map((name, label) => ({
    name,
    label,
    train: sum('train', label),
    test: sum('test', label),
  }));
}

const matches = (name: string, wanted: string) => name.toLowerCase().includes(wanted.toLowerCase());

function Bar({ train, test, most }: { train: number; test: number; most: number }) {
  const width = (images: number) => ({ width: `${(100 * images) / most}%` });
  return (
    <span class="bar" aria-hidden="true">
      {train > 0 && <i class="part-train" style={width(train)} />}
      {test > 0 && <i class="part-test" style={width(test)} />}
    </span>
  );
}

/** How the images are shared out. */
function Parts({ survey, test }: { survey: ImageSurvey; test?: ImageSurvey }) {
  const parts = [...survey.parts, ...(test?.parts ?? [])].map(({ use, from, images }) => ({
    kind: use,
    words: `${use === 'train' ? 'train' : 'test'}${from === 'held' ? ' (held out)' : from && from !== use ? ` (part ${from})` : ''}`,
    images,
  }));
  const unused = [...survey.unused, ...(test?.unused ?? [])].map(({ part, images }) => ({
    kind: 'unused',
    words: `part ${part}, not used`,
    images,
  }));
  const all = [...parts, ...unused].filter(({ images }) => images > 0);
  const total = all.reduce((sum, { images }) => sum + images, 0);
  return (
    <div class="parts">
      <span class="bar" aria-hidden="true">
        {all.map(({ kind, words, images }) => (
          <i key={words} class={`part-${kind}`} style={{ width: `${(100 * images) / total}%` }} />
        ))}
      </span>
      <ul aria-label="Parts of the images">
        {all.map(({ kind, words, images }) => (
          <li key={words} class={kind}>
            {count(images)} {words}
          </li>
        ))}
      </ul>
    </div>
  );
}

/** A class of which there are so many times more images than of another is learnt first. */
const UNEVEN = 3;

function Balance({ rows }: { rows: readonly Row[] }) {
  const some = rows.filter(({ train }) => train > 0);
  if (some.length < 2) return null;
  const least = some.reduce((a, b) => (b.train < a.train ? b : a));
  const most = some.reduce((a, b) => (b.train > a.train ? b : a));
  if (most.train < UNEVEN * least.train) return null;
  return (
    <p class="hint">
      Uneven: {count(most.train)} training images of <bdi>{most.name}</bdi>, {count(least.train)} of{' '}
      <bdi>{least.name}</bdi>. Advanced settings can balance the classes.
    </p>
  );
}

/** Names that are not the set's own, and classes that are left out, with the way back. */
function Changed({ originals }: { originals: readonly string[] }) {
  if (settingError('rename') || config.value.settings.rename === '') return null;
  const now = parseSetting('rename', config.value.settings.rename);
  const made = madeOf(originals, now);
  const leftOut = made.get('') ?? [];
  const merged = [...made].filter(([name, olds]) => name !== '' && (olds.length > 1 || olds[0] !== name));
  return (
    <ul class="hint changed-classes" aria-label="Changed classes">
      {merged.map(([name, olds]) => (
        <li key={name}>
          <bdi>{name}</bdi>: {olds.slice(0, 5).join(', ')}
          {olds.length > 5 && ` and ${count(olds.length - 5)} more`}{' '}
          <BackButton what={name} onClick={() => putBack(olds)} />
        </li>
      ))}
      {leftOut.map((name) => (
        <li key={name}>
          <bdi>{name}</bdi>: left out <BackButton what={name} onClick={() => putBack([name])} />
        </li>
      ))}
    </ul>
  );
}

function BackButton({ what, onClick }: { what: string; onClick: () => void }) {
  return (
    <button type="button" class="link" onClick={onClick}>
      Put back<span class="sr-only"> {what}</span>
    </button>
  );
}

function putBack(olds: readonly string[]): void {
  const now = parseSetting('rename', config.value.settings.rename);
  const rest = Object.entries(now).filter(([old]) => !olds.includes(old));
  setSetting('rename', fieldText(Object.fromEntries(rest)));
}

function rename(originals: readonly string[], name: string, to: string): void {
  const now = parseSetting('rename', config.value.settings.rename);
  const olds = madeOf(originals, now).get(name) ?? [];
  setSetting('rename', fieldText(renamedTo(now, olds, to)));
}
