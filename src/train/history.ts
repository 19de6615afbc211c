import type { Snapshot } from '../runtime/snapshot';
import type { KeptArenas, TrainingState } from './checkpoint';
import type { EvalPoint, Figures, StepPoint } from './metrics';

/** A network of a run: what it was at some step, and its figures on the test images. */
export interface Kept {
  snapshot: Snapshot;
  point: EvalPoint;
}

/** The part of a run's state that is its history. */
export type Past = Pick<TrainingState, 'points' | 'evals' | 'stepTimes' | 'waited' | 'best' | 'last'>;

/** What a run has come to so far: its curves, and its best and its last network. */
export class History {
  private points: StepPoint[] = [];
  private evals: EvalPoint[] = [];
  /** milliseconds of each step: where several were read together, their mean */
  private stepTimes: number[] = [];
  private best?: Kept;
  last?: Kept;
  /** evaluations since the best */
  waited = 0;

  /** @param score of figures, the higher the better */
  constructor(private readonly score: (figures: Figures) => number) {}

  addSteps(points: readonly StepPoint[], ms: number): void {
    this.points.push(...points);
    for (const _ of points) this.stepTimes.push(ms);
  }

  /** Keeps an evaluated network, as the best too if no earlier one is as good. */
  addEvaluated(kept: Kept): void {
    this.last = kept;
    this.evals.push(kept.point);
    this.waited++;
    if (this.best && this.score(kept.point) <= this.score(this.best.point)) return;
    this.best = kept;
    this.waited = 0;
  }

  /** Steps whose figures are there. */
  get steps(): number {
    return this.points.length;
  }

  state(): Past {
    const { points, evals, stepTimes, waited } = this;
    const kept = (network?: Kept): KeptArenas | undefined =>
      network && { arenas: network.snapshot.buffers, point: network.point };
    return {
      ...{ points: [...points], evals: [...evals], stepTimes: [...stepTimes], waited },
      ...{ best: kept(this.best), last: kept(this.last) },
    };
  }

  /** What there was after that step. */
  upTo(step: number): Past {
    const { points, evals, stepTimes, ...past } = this.state();
    const first = points.findIndex((point) => point.step > step);
    const end = first < 0 ? points.length : first;
    const kept = evals.filter((point) => point.step <= step);
    return { ...past, points: points.slice(0, end), evals: kept, stepTimes: stepTimes.slice(0, end) };
  }

  /** Goes on from that history. @param snapshotOf makes a snapshot of whole arenas */
  goOn(past: Past, snapshotOf: (arenas: KeptArenas['arenas']) => Snapshot): void {
    const kept = (network?: KeptArenas): Kept | undefined =>
      network && { snapshot: snapshotOf(network.arenas), point: network.point };
    this.points = [...past.points];
    this.evals = [...past.evals];
    this.stepTimes = [...past.stepTimes];
    this.waited = past.waited;
    this.best = kept(past.best);
    // one object where they are one network: what is merged once is not merged twice
    this.last = past.last?.point.step === past.best?.point.step ? this.best : kept(past.last);
  }

  /**
   * The curves, the best network and the last. Where none is better than the network that the run started from, of the figures
   * `base`, that is the best.
   */
  outcome(base?: Figures) {
    const { points, evals, best, last } = this;
    if (!best || !last) throw new Error('the run has not been evaluated');
    // the first steps wait for what a browser compiles late, and a short run has few others
    const [first, ...later] = this.stepTimes;
    const times = later.length > 0 ? later.sort((a, b) => a - b) : [first];
    const isGain = !base || this.score(best.point) > this.score(base);
    return {
      ...{ points, evals, last },
      best: isGain ? best : ('base' as const),
      // those that the last weights have taken: a lost device takes later ones with it
      steps: last.point.step,
      stepMs: times[times.length >> 1] ?? 0,
    };
  }
}
