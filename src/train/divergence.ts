import type { LabelledImages } from '../data/types';
import { UserError } from '../errors';
import type { WatchState } from './checkpoint';
import type { Figures } from './metrics';

/** A run that has left all sense; its message says what to change. */
export class Diverged extends UserError {
  constructor(what: string, lr: number, more = '') {
    const lower = lowerRate(lr);
    super(`${what}: choose a lower learning rate, such as ${lower}, or clip the gradient.${more}`, {
      lr: lower,
    });
  }
}

/** One whose numbers are infinite or NaN. */
export class NotFinite extends Diverged {
  constructor(
    private readonly what: string,
    private readonly lr: number,
    more?: string,
  ) {
    super(what, lr, more);
  }

  /** The same with a sentence on where it began. */
  explained(sentence: string): NotFinite {
    return new NotFinite(this.what, this.lr, ` ${sentence}`);
  }
}

/** Whether a run ended so. What comes from another context has lost its class, and is known by its remedy. */
export const isDivergence = (error: unknown): error is UserError =>
  error instanceof UserError && error.remedy?.lr !== undefined;

/** A rate that a run which diverged may try next. */
export const lowerRate = (lr: number): number => Number((lr / 10).toPrecision(3));

/** The start is the mean over so many images, or over an epoch of fewer. */
const START_IMAGES = 64;
/** What the loss is now is the median over the steps of so many images: a step that stands out does not count. */
const RECENT_IMAGES = 256;
const RECENT_STEPS = 5;
/** A loss so many times the start's is no bad luck. */
const RISE = 10;

interface Watched {
  train: Pick<LabelledImages, 'labels' | 'classes'>;
  settings: { lr: number };
  /** images a step */
  batch: number;
  stepsPerEpoch: number;
}

/**
 * Tells a run whose numbers are finite and worth nothing: its loss is ten times the start's, and above that of guessing; or an
 * epoch's accuracy is that of guessing, where it was far above.
 */
export class DivergenceWatch {
  /** accuracy of always guessing the commonest class */
  private readonly chance: number;

  /** @param seen of the steps before, where a run goes on */
  constructor(
    private readonly watched: Watched,
    readonly seen: WatchState = {
      start: { steps: 0, loss: 0, accuracy: 0 },
      epoch: { steps: 0, accuracy: 0 },
      recent: [],
      bestEpoch: 0,
    },
  ) {
    const { labels, classes } = watched.train;
    const counts = new Array<number>(classes.length).fill(0);
    for (const label of labels) counts[label]++;
    this.chance = Math.max(...counts) / labels.length;
  }

  /**
   * Takes the figures of a step.
   * @throws Diverged
   */
  step({ loss, accuracy }: Figures, step: number): void {
    const { batch, stepsPerEpoch, settings } = this.watched;
    const { start, epoch, recent } = this.seen;
    if (!Number.isFinite(loss)) throw new NotFinite(`The loss was ${loss} at step ${step}`, settings.lr);
    const isStart = start.steps < Math.min(Math.ceil(START_IMAGES / batch), stepsPerEpoch);
    // what has left all sense at the second step is no part of the start
    if (isStart && !(loss > this.limit)) {
      start.steps++;
      start.loss += loss;
      start.accuracy += accuracy;
    }
    epoch.steps++;
    epoch.accuracy += accuracy;
    recent.push(loss);
    const steps = Math.max(RECENT_STEPS, Math.min(Math.ceil(RECENT_IMAGES / batch), stepsPerEpoch));
    if (recent.length < steps) return;
    const now = recent.toSorted((a, b) => a - b)[steps >> 1];
    recent.shift();
    if (now > this.limit)
      throw new Diverged(
        `The loss was ${short(now)} at step ${step}, ${short(start.loss / start.steps)} at the start`,
        settings.lr,
      );
  }

  /** The loss above which a run is lost; none before its first step. */
  private get limit(): number {
    const { steps, loss } = this.seen.start;
    const guessing = Math.log(this.watched.train.classes.length);
    return steps === 0 ? Number.POSITIVE_INFINITY : Math.max((RISE * loss) / steps, guessing);
  }

  /**
   * Ends an epoch.
   * @throws Diverged
   */
  endEpoch(step: number): void {
    const { chance, seen } = this;
    const { start, epoch } = seen;
    const accuracy = epoch.accuracy / epoch.steps;
    const best = Math.max(seen.bestEpoch, start.accuracy / start.steps);
    const wasFarAbove = best > (1 + chance) / 2;
    if (wasFarAbove && accuracy < chance + 0.1 * (best - chance)) {
      throw new Diverged(
        `The training accuracy of the epoch up to step ${step} was ${percent(accuracy)}, no more than guessing, after ${percent(best)}`,
        this.watched.settings.lr,
      );
    }
    seen.bestEpoch = Math.max(seen.bestEpoch, accuracy);
    epoch.steps = 0;
    epoch.accuracy = 0;
  }
}

const short = (x: number): string => String(Number(x.toPrecision(3)));
const percent = (fraction: number): string => `${(100 * fraction).toFixed(1)} %`;
