/** What a run's networks say of the test images: class by class, image by image. */
import type { ComponentChildren } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import type { TestPrediction } from '../../api';
import { methodName } from '../../report/comparison';
import { count } from '../format';
import { type FinishedRun, finished } from '../run/state';
import { entryOf } from '../saved/entries';
import { CalibrationView } from './calibration';
import { ClassFiguresTable } from './class-table';
import { ConfusionView } from './confusion';
import { changed, confusionOf, isOfSame, wrongOf } from './figures';
import { ImageList } from './image-list';

type Which = 'base' | 'last' | 'best';

export function TestImages({ run }: { run: FinishedRun }) {
  const { report, predictions } = run.result;
  const there = (['last', 'best', 'base'] as const).filter((which) => predictions[which]);
  const [which, setWhich] = useState<Which>('last');
  const chosen = predictions[which]!;
  const source = run.job && (run.job.test ?? run.job.train);
  const confusion = useMemo(() => confusionOf(report.classes, chosen), [chosen]);
  const { base: before } = predictions;
  const base = useMemo(() => before && confusionOf(report.classes, before), [before]);
  const wrong = useMemo(() => wrongOf(chosen), [chosen]);
  return (
    <section aria-labelledby="images-title" class="test-images">
      <h3 id="images-title">The test images, one by one</h3>
      {there.length > 1 && (
        <label class="row hint">
          Network
          <select value={which} onChange={(event) => setWhich(event.currentTarget.value as Which)}>
            {there.map((one) => (
              <option key={one} value={one}>
                {one}
              </option>
            ))}
          </select>
        </label>
      )}
      <Fold title="Recall, precision and accuracy of each class">
        <ClassFiguresTable
          confusion={confusion}
          evaluation={which === 'base' ? undefined : report.evaluation[which]}
          base={which === 'base' ? undefined : base}
        />
      </Fold>
      <Fold title="Which classes are taken for which">
        <ConfusionView confusion={confusion} source={source} />
      </Fold>
      <Fold title="Is it right as often as it is sure? (calibration)">
        <CalibrationView predictions={chosen} />
      </Fold>
      <Fold title={`${count(wrong.length)} wrong, the surest first`}>
        <ImageList source={source} images={wrong} />
      </Fold>
      {othersOf(run, which).map(({ name, before }) => (
        <Changed key={name} name={name} before={before} after={chosen} source={source} />
      ))}
    </section>
  );
}

const methodOf = ({ result }: FinishedRun) => result.report.settings.method;

/** What other networks say of the same images: the one that the run started from, and those of runs by other methods. */
function othersOf(run: FinishedRun, which: Which): { name: string; before: TestPrediction[] }[] {
  const { predictions } = run.result;
  const chosen = predictions[which]!;
  const base = predictions.base && which !== 'base' ? [{ name: 'the base', before: predictions.base }] : [];
  const rivals = finished.value.filter((other) => which !== 'base' && methodOf(other) !== methodOf(run));
  const others = rivals.flatMap((other) => {
    const before = other.result.predictions[which] ?? other.result.predictions.last;
    const isOnly = rivals.filter((one) => methodOf(one) === methodOf(other)).length === 1;
    const name = methodName(methodOf(other)).toLowerCase();
    const told = isOnly ? name : `${name} (${entryOf(other.id)?.name ?? 'another run'})`;
    return before && isOfSame(before, chosen) ? [{ name: told, before }] : [];
  });
  return [...base, ...others];
}

/** A part that is built when it is opened. */
function Fold({ title, children }: { title: string; children: ComponentChildren }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <details class="more" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{title}</summary>
      {isOpen && children}
    </details>
  );
}

type Source = NonNullable<FinishedRun['job']>['train'] | undefined;

interface ChangedProps {
  name: string;
  before: TestPrediction[];
  after: TestPrediction[];
  source: Source;
}

function Changed({ name, before, after, source }: ChangedProps) {
  const { gained, lost } = useMemo(() => changed(before, after), [before, after]);
  return (
    <>
      <Fold title={`${count(gained.length)} gained against ${name}`}>
        <ImageList source={source} images={gained} />
      </Fold>
      <Fold title={`${count(lost.length)} lost against ${name}`}>
        <ImageList source={source} images={lost} />
      </Fold>
    </>
  );
}
