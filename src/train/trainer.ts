import { Discarded, Stopped } from '../errors';
import { checkGpu, type Gpu } from '../gpu/device';
import type { Plan } from '../graph/ir';
import type { Session } from '../runtime/session';
import type { Snapshot } from '../runtime/snapshot';
import { wholeBatch } from './batches';
import type { TrainingState } from './checkpoint';
import { Checkpoints } from './checkpoints';
import { Diverged, DivergenceWatch, NotFinite } from './divergence';
import { runEvaluation } from './evaluate';
import { goodState } from './good-state';
import { failureBehind } from './halving';
import type { Held } from './held';
import { History, type Kept } from './history';
import { KEPT_ARENAS } from './kept-arenas';
import { LiveLook } from './live-look';
import type { EvalPoint, StepPoint } from './metrics';
import { allFinite, type NonFinite, nonFiniteSentence } from './non-finite';
import type { Control, Ended, Observer } from './observer';
import { evaluationBatch, type ProgramName } from './run-programs';
import { type Training, TrainingSession } from './training-session';

/** Milliseconds between reads of the metrics: often enough to watch, too rare to slow the device. */
const READ_EVERY_MS = 400;
/** Milliseconds of a search for the layer that a divergence began in, at most. */
const MOST_SEARCH_MS = 180_000;

/**
 * A training run on one device: steps and evaluations as programs over the same arenas. The order of the images, crops, flips
 * and dropout depend on the seed alone, so a run repeats bit for bit on the same adapter.
 */
export class Trainer {
  private ended: Ended = 'finished';
  private readonly history: History;
  private watch: DivergenceWatch;
  private readonly checkpoints: Checkpoints<TrainingState>;
  private readonly live?: LiveLook;
  /** the step that this trainer began at */
  private begun = 0;
  /** the newest state of finite numbers, where there is one beside the start */
  private good?: TrainingState;
  /** of a device that was lost on the way, in a sentence */
  failure?: string;
  /** where numbers that are not finite came from, where they ended the run and that was found */
  nonFinite?: NonFinite;

  private constructor(
    private readonly on: TrainingSession,
    private readonly observer: Observer,
  ) {
    const { t, session } = on;
    this.history = new History(on.task.score);
    this.watch = this.watchFrom();
    if (observer.live)
      this.live = new LiveLook(observer.live, t.test, (order, count) => this.lookAt(order, count));
    this.checkpoints = new Checkpoints<TrainingState>({
      minutes: observer.checkpoint ? t.settings.checkpointMinutes : 0,
      read: () => this.state(),
      keep: (state) => {
        if (allFinite({ buffers: state.now })) this.good = state;
        return observer.checkpoint?.(state);
      },
      failed: ({ message }) => {
        // of a lost device the run itself tells
        if (!session.gpu.failure.error) observer.warning(`No checkpoint could be made: ${message}`);
      },
    });
  }

  private watchFrom(seen?: TrainingState['watch']): DivergenceWatch {
    return new DivergenceWatch(
      { ...this.on.t, batch: wholeBatch(this.on.t), stepsPerEpoch: this.stepsPerEpoch },
      seen,
    );
  }

  /** @param from what the run goes on from; default: its start */
  static async create(gpu: Gpu, t: Training, observer: Observer, from?: TrainingState): Promise<Trainer> {
    const trainer = new Trainer(await TrainingSession.create(gpu, t), observer);
    if (from) trainer.goOnFrom(from);
    return trainer;
  }

  /** What the run has come to, between two steps. */
  private async state(): Promise<TrainingState> {
    const { step, phase } = this.on.stepper;
    const state = {
      ...{ step, phase: { ...phase! }, schedule: this.on.t.schedule },
      ...{ ...this.history.state(), watch: structuredClone(this.watch.seen) },
    };
    return { ...state, now: (await this.session.snapshot(...KEPT_ARENAS)).buffers };
  }

  private goOnFrom(state: TrainingState): void {
    this.session.restore(this.session.snapshotOf(state.now));
    this.begun = state.step;
    this.good = state;
    this.on.stepper.goOn(state.step, state.phase);
    this.history.goOn(state, (arenas) => this.session.snapshotOf(arenas));
    this.watch = this.watchFrom(structuredClone(state.watch));
  }

  get session(): Session<ProgramName> {
    return this.on.session;
  }

  /** How the images of the run get to the GPU. */
  get held(): { train: Held; test: Held } {
    return this.on.held;
  }

  get stepsPerEpoch(): number {
    return this.on.steps.perEpoch;
  }

  /** Of a step of whole batches. */
  stepTotals(): Plan['totals'] {
    return this.on.stepTotals();
  }

  /** Steps taken. */
  private get step(): number {
    return this.on.stepper.step;
  }

  /** Steps that are known to have been taken: those on a device that is lost come to nothing. */
  get told(): number {
    return this.history.steps;
  }

  get totalSteps(): number {
    return this.stepsPerEpoch * this.on.t.settings.epochs;
  }

  /**
   * Trains to the end, or until cancelled. A device that fails or a loss beyond all sense ends it at the last epoch.
   * @throws Stopped where it is cancelled before the first step
   */
  async run(control: Control): Promise<void> {
    try {
      this.ended = await this.train(control);
      await this.checkpoints.settle();
    } catch (error) {
      await this.checkpoints.settle();
      const cause = await this.explained(await failureBehind(this.session.gpu, error), control);
      const { last } = this.history;
      if (!last || cause instanceof Stopped) throw cause;
      const kept = `${cause.message} The weights of step ${last.point.step} are kept.`;
      this.ended = cause instanceof Diverged ? 'diverged' : 'failed';
      if (this.ended === 'failed') this.failure = kept;
      else {
        this.observer.warning(kept);
        await this.keepGood(last);
      }
    }
  }

  /** What ended the run, with where it began where numbers were no longer finite. */
  private async explained(cause: Error, control: Control): Promise<Error> {
    if (!(cause instanceof NotFinite)) return cause;
    const { good } = this;
    this.observer.note?.(
      `The steps since ${good ? `step ${good.step}` : 'the start'} are taken again, to find where numbers were no longer finite.`,
    );
    const since = performance.now();
    const goOn = () => !control.cancelled && performance.now() - since < MOST_SEARCH_MS;
    const search = { on: this.on, from: good, until: this.step, goOn };
    // the run has ended for what it ended for, also where its memory does not do for the search
    this.nonFinite = await import('./find-non-finite')
      .then(({ findNonFinite }) => findNonFinite(search))
      .catch(() => undefined);
    if (!this.nonFinite) return cause;
    return cause.explained(nonFiniteSentence(this.nonFinite, this.on.t.settings.storage));
  }

  /** Of a run that diverged, the last good epoch takes the place of both checkpoints. */
  private async keepGood(kept: Kept): Promise<void> {
    if (this.on.t.settings.checkpointMinutes === 0 || !this.observer.checkpoint) return;
    const { buffers } = await this.session.snapshot(...KEPT_ARENAS);
    const state = goodState(buffers, kept, {
      ...{ past: this.history.upTo(kept.point.step), watch: this.watch.seen },
      ...{ part: this.on.stepper.phase!.part, schedule: this.on.t.schedule },
    });
    await this.observer.checkpoint(state);
    await this.observer.checkpoint(state);
  }

  private async train(control: Control): Promise<Ended> {
    const { epochs } = this.on.t.settings;
    for (let epoch = Math.floor(this.step / this.stepsPerEpoch); epoch < epochs; epoch++) {
      if (control.cancelled) break;
      if (this.isWaitedOut) return 'early';
      await this.on.begin();
      await this.epoch(control);
      await this.evaluate();
      // what is stopped within an epoch was kept before this evaluation: a run that goes on does not make it
      if (this.step % this.stepsPerEpoch > 0) continue;
      const isOver = this.step === this.totalSteps || control.cancelled || this.isWaitedOut;
      await (isOver ? this.checkpoints.keep() : this.checkpoints.endEpoch());
    }
    if (this.step === this.totalSteps) return 'finished';
    if (this.step === this.begun) throw new Stopped();
    return 'stopped';
  }

  private get isWaitedOut(): boolean {
    const { patience } = this.on.t.settings;
    return patience > 0 && this.history.waited >= patience;
  }

  private async epoch(control: Control): Promise<void> {
    let since = performance.now();
    let unread = 0;
    for (let i = this.step % this.stepsPerEpoch; i < this.stepsPerEpoch; i++) {
      const taken = this.on.stepper.take();
      await (this.step === this.begun && this.observer.compiling ? this.observer.compiling(taken) : taken);
      unread++;
      const isLast = i === this.stepsPerEpoch - 1;
      if (
        isLast ||
        control.cancelled ||
        control.paused ||
        // the first step is shown as soon as it is done
        this.step === this.begun + 1 ||
        unread === this.on.steps.readable ||
        performance.now() - since > READ_EVERY_MS
      ) {
        await this.readMetrics(unread, since);
        await this.observer.between?.(this.step, (...tensors) => this.session.read(...tensors));
        if (!isLast && (control.cancelled || control.paused || this.checkpoints.isDue))
          await this.checkpoints.keep();
        // nothing is left to be read in the ring, which an evaluation writes to as well
        if (!control.cancelled && this.live && (control.paused || this.live.isDue))
          await this.live.look(this.step);
        await control.paused;
        since = performance.now();
        unread = 0;
      }
      if (control.discarded) throw new Discarded();
      if (control.cancelled) return;
    }
    this.watch.endEpoch(this.step);
  }

  /** Reads the metrics of the last `count` steps out of the ring. */
  private async readMetrics(count: number, since: number): Promise<void> {
    const [ring] = await this.session.read('output:metrics');
    const ms = (performance.now() - since) / count;
    const fresh: StepPoint[] = [];
    let images = 0;
    for (let step = this.step - count; step < this.step; step++) {
      images += this.on.steps.at(step).batch.rows;
      fresh.push(this.on.pointOf(step, ring));
    }
    let sound = 0;
    try {
      for (const point of fresh) {
        this.watch.step(point, point.step);
        sound++;
      }
    } finally {
      // of a run that ends by a step, those before it are told: they were taken
      const told = fresh.slice(0, sound);
      this.history.addSteps(told, ms);
      if (sound > 0)
        this.observer.steps(told, {
          imagesPerSecond: ((1000 / ms) * images) / count,
          etaSeconds: ((this.totalSteps - this.step) * ms) / 1000,
          stepMs: ms,
        });
    }
  }

  /** Evaluates the network as it stands, or its average, and keeps it if it is the best so far. */
  private async evaluate(): Promise<void> {
    const { settings } = this.on.t;
    const averages = settings.ema > 0;
    const { figures } = await this.runEvaluation(this.evaluated);
    const point: EvalPoint = { step: this.step, epoch: this.step / this.stepsPerEpoch, ...figures };
    if (!Number.isFinite(point.loss))
      throw new NotFinite(`The test loss was ${point.loss} at step ${this.step}`, settings.lr);
    const snapshot = averages
      ? await this.session.averages()
      : await this.session.snapshot('parameters', 'state');
    // an activation can hide a NaN from the loss, never from the file
    if (!allFinite(snapshot))
      throw new NotFinite(`The weights were no longer finite at step ${this.step}`, settings.lr);
    this.history.addEvaluated({ snapshot, point });
    this.observer.evaluated(point);
  }

  /** The program that evaluates what a run keeps: the averages of the weights, where there are any. */
  private get evaluated(): 'evaluate' | 'evaluate average' {
    return this.on.t.settings.ema > 0 ? 'evaluate average' : 'evaluate';
  }

  /** Logits of the first `count` images of that order, as the network stands. */
  private async lookAt(order: Uint32Array<ArrayBuffer>, count: number): Promise<Float32Array> {
    return (await this.runEvaluation(this.evaluated, { order, count, keep: count })).logits;
  }

  /** Logits of the first `images` test images by the network of that snapshot. */
  async logits(snapshot: Snapshot, images: number): Promise<Float32Array> {
    checkGpu(this.session.gpu);
    this.session.restore(snapshot);
    const count = Math.min(images, this.on.t.test.count);
    return (await this.runEvaluation('evaluate', { count, keep: count })).logits;
  }

  private runEvaluation(
    program: 'evaluate' | 'evaluate average',
    part: { order?: Uint32Array<ArrayBuffer>; count?: number; keep?: number } = {},
  ) {
    return runEvaluation(this.session, this.on.task, this.on.feeds.test, {
      ...part,
      program,
      batch: evaluationBatch(this.on.t),
    });
  }

  /** What the run has come to. Where no epoch is better than the network that it started from, that is the best. */
  outcome() {
    return { ...this.history.outcome(this.on.t.base), ended: this.ended };
  }
}
