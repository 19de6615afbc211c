/** The fair comparison of the run that is shown: another method for as long, then other seeds, and what it came to. */
import { useEffect, useState } from 'preact/hooks';
import { comparePaired } from '../../analysis/uncertainty';
import type { Method, TrainJob } from '../../api';
import { isFairPair } from '../../report/arms';
import { compareSeeds, methodName, seedsText, verdictOf } from '../../report/comparison';
import { isGpuFree } from '../gpu-use';
import { follow } from '../run/follow';
import { runBeside } from '../run/run';
import { entries, entryOf } from '../saved/entries';
import { type EndedEntry, hasReport, readNamed, SEEDS, summaryOf } from './arms';
import { type Planned, runAll } from './queue';

/** @param id of the run that is shown */
export function Fair({ id, job }: { id: string; job?: TrainJob }) {
  const shown = entryOf(id);
  if (!shown || !hasReport(shown)) return null;
  const ended = entries.value.filter((one) => one.deleted === undefined).filter(hasReport);
  const fair = ended.filter((one) => isFairPair(summaryOf(shown), summaryOf(one)));
  const sameSeed = fair.filter(({ seed }) => seed === shown.seed);
  const partner = sameSeed.find(({ method }) => method === 'finetune') ?? sameSeed[0];
  return (
    <div class="fair">
      {partner ? (
        <>
          <Verdict shown={shown} partner={partner} />
          <Seeds shown={shown} partner={partner} ended={ended} job={job} />
        </>
      ) : (
        <Beside shown={shown} job={job} />
      )}
    </div>
  );
}

function Beside({ shown, job }: { shown: EndedEntry; job?: TrainJob }) {
  const method: Method = shown.method === 'finetune' ? 'refocus' : 'finetune';
  if (!job)
    return (
      <p class="hint">
        Its network and images are not in this browser: choose the same files, and train by another method for
        a comparison.
      </p>
    );
  return (
    <button
      type="button"
      class="button small"
      disabled={!isGpuFree.value}
      onClick={() => follow(runBeside(job, { method }))}
    >
      {method === 'finetune' ? 'Fine-tune' : 'Refocus'} beside it
    </button>
  );
}

const capitalised = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** Which of the two told more test images right, and what that is worth. */
function Verdict({ shown, partner }: { shown: EndedEntry; partner: EndedEntry }) {
  const [sentence, setSentence] = useState<string | undefined>(undefined);
  // the method that is in question stands against fine-tuning
  const [reference, other] = shown.method === 'finetune' ? [shown, partner] : [partner, shown];
  useEffect(() => {
    let isGone = false;
    Promise.all([readNamed(reference), readNamed(other)]).then(
      ([one, two]) => {
        const paired = comparePaired(one.predictions.last, two.predictions.last);
        const names = [reference, other].map(({ method }) => methodName(method).toLowerCase());
        const words = paired
          ? capitalised(verdictOf([names[0], names[1]], paired))
          : 'The two were not tested on the same images, one by one.';
        if (!isGone) setSentence(words);
      },
      () => {},
    );
    return () => {
      isGone = true;
    };
  }, [reference.id, other.id, reference.state, other.state]);
  return sentence ? <p class="verdict">{sentence}</p> : null;
}

interface SeedsProps {
  shown: EndedEntry;
  partner: EndedEntry;
  ended: readonly EndedEntry[];
  job?: TrainJob;
}

/** One seed is no proof: what several say, and the runs that are missing by one click. */
function Seeds({ shown, partner, ended, job }: SeedsProps) {
  const [reference, other] = shown.method === 'finetune' ? [shown, partner] : [partner, shown];
  const found = compareSeeds(summaryOf(reference), summaryOf(other), ended.map(summaryOf));
  const missing = plannedFor(found?.seeds ?? [shown.seed], [shown, partner], ended);
  return (
    <>
      {found && <p>{seedsText(found)}</p>}
      {missing.length > 0 && (
        <p>
          {!found && 'One seed is no proof. '}
          {job ? (
            <button
              type="button"
              class="button small"
              disabled={!isGpuFree.value}
              onClick={() => runAll(job, missing)}
            >
              Run {missing.length} more for {SEEDS} seeds of both
            </button>
          ) : (
            'Its network and images are not in this browser, so other seeds cannot be run from here.'
          )}
        </p>
      )}
    </>
  );
}

/** The runs that are missing to three seeds of both methods. */
function plannedFor(
  seeds: readonly number[],
  arms: readonly [EndedEntry, EndedEntry],
  ended: readonly EndedEntry[],
): Planned[] {
  const wanted = new Set(seeds);
  for (let seed = arms[0].seed + 1; wanted.size < SEEDS; seed++) wanted.add(seed);
  return [...wanted].flatMap((seed) =>
    arms
      .filter(({ method }) => !isThere(seed, method, arms, ended))
      .map(({ method }) => ({ method: method as Method, seed })),
  );
}

const isThere = (
  seed: number,
  method: string,
  [one, two]: readonly [EndedEntry, EndedEntry],
  ended: readonly EndedEntry[],
): boolean => {
  const opposite = one.method === method ? two : one;
  return ended.some(
    (run) =>
      run.seed === seed &&
      run.method === method &&
      (run.state === 'finished' || run.state === 'early') &&
      isFairPair(summaryOf(run), summaryOf(opposite)),
  );
};
