import { type Feed, ResidentFeed } from '../data/feed';
import { trainingOrder } from '../data/order';
import type { LabelledImages } from '../data/types';
import { UserError } from '../errors';
import { checkGpu, type Gpu } from '../gpu/device';
import type { Tuning } from '../graph/tuning';
import type { StateDict } from '../io/tensor';
import type { Model } from '../model/model';
import { loadState } from '../model/state';
import { METRICS_RING } from '../ops/loss/cross-entropy';
import { adamCorrections } from '../ops/optim/adamw';
import { Session } from '../runtime/session';
import type { Snapshot } from '../runtime/snapshot';
import { failureBehind, runEvaluation } from './evaluate';
import type { EvalPoint, StepPoint } from './metrics';
import { ADAM_BETAS, buildPrograms, evaluationBatch, type Program, stepsPerEpoch } from './programs';
import { learningRate, type Schedule } from './schedule';
import type { RunSettings } from './settings';
import { type Task, taskOf } from './task';

/** A job with everything loaded. */
export interface Training {
  /** with its RefConvs */
  model: Model;
  /** the state that training starts from, maps included */
  start: StateDict;
  train: LabelledImages;
  test: LabelledImages;
  settings: RunSettings;
  schedule: Schedule;
  /** how the plans are cut; default: as the device asks */
  tuning?: Tuning;
}

/** Set from outside while a run goes on; looked at after every step. */
export interface Control {
  cancelled: boolean;
  /** pending while the run is paused */
  paused?: Promise<void>;
}

export interface Observer {
  steps(points: StepPoint[], imagesPerSecond: number, etaSeconds: number): void;
  evaluated(point: EvalPoint): void;
  warning(message: string): void;
}

/** Milliseconds between reads of the metrics: often enough to watch, too rare to slow the device. */
const READ_EVERY_MS = 400;

/**
 * A training run on one device: the step and the evaluation as two programs over the same arenas. The order of the
 * images, crops, flips and dropout depend on the seed alone, so a run repeats bit for bit on the same adapter.
 */
export class Trainer {
  private step = 0;
  private points: StepPoint[] = [];
  private evals: EvalPoint[] = [];
  private stepTimes: number[] = [];
  private best?: { snapshot: Snapshot; point: EvalPoint };
  private last?: { snapshot: Snapshot; point: EvalPoint };
  private readonly task: Task;

  private constructor(
    readonly session: Session<'train' | 'evaluate'>,
    private readonly feeds: { train: Feed; test: Feed },
    readonly program: Program,
    readonly evaluation: Program,
    private readonly t: Training,
    private readonly observer: Observer,
  ) {
    this.task = taskOf(t.model);
  }

  static async create(gpu: Gpu, t: Training, observer: Observer): Promise<Trainer> {
    const { program, evaluation } = buildPrograms({ ...t, tuning: t.tuning ?? gpu.tuning });
    const session = await Session.create(gpu, { train: program.plan, evaluate: evaluation.plan });
    loadState(session, t.model, t.start);
    const feeds = {
      train: new ResidentFeed(session, 'train', t.train),
      test: new ResidentFeed(session, 'test', t.test),
    };
    // the first read-back makes its staging buffer: do it before the loop
    await session.read('output:metrics');
    return new Trainer(session, feeds, program, evaluation, t, observer);
  }

  get stepsPerEpoch(): number {
    return stepsPerEpoch(this.t);
  }

  get totalSteps(): number {
    return this.stepsPerEpoch * this.t.settings.epochs;
  }

  /** Trains to the end, or until cancelled. A device that fails or a loss that is not finite ends it at the last epoch. */
  async run(control: Control): Promise<void> {
    try {
      for (let epoch = 0; epoch < this.t.settings.epochs && !control.cancelled; epoch++) {
        await this.epoch(epoch, control);
        await this.evaluate();
      }
    } catch (error) {
      const cause = await failureBehind(this.session.gpu, error);
      if (!this.last) throw cause;
      this.observer.warning(`${cause.message} The weights of step ${this.last.point.step} are kept.`);
    }
  }

  private async epoch(epoch: number, control: Control): Promise<void> {
    const { settings, train } = this.t;
    this.feeds.train.begin(trainingOrder(train.count, settings.seed, epoch));
    let since = performance.now();
    let unread = 0;
    for (let i = 0; i < this.stepsPerEpoch; i++) {
      await this.feeds.train.ready(i * settings.batch, settings.batch);
      this.session.run('train', this.uniform(epoch, i));
      this.step++;
      unread++;
      await this.session.backpressure();
      const stop = control.cancelled || i === this.stepsPerEpoch - 1;
      if (
        stop ||
        control.paused ||
        // the first step is shown as soon as it is done
        this.step === 1 ||
        unread === METRICS_RING / 2 ||
        performance.now() - since > READ_EVERY_MS
      ) {
        await this.readMetrics(unread, since);
        await control.paused;
        since = performance.now();
        unread = 0;
      }
      if (control.cancelled) return;
    }
  }

  private uniform(epoch: number, i: number) {
    const { settings, schedule } = this.t;
    return {
      step: this.step,
      seed: settings.seed,
      epoch,
      batchOffset: i * settings.batch,
      rows: settings.batch,
      lr: learningRate(schedule, this.step),
      ...adamCorrections(this.step + 1, ADAM_BETAS),
    };
  }

  /** Reads the metrics of the last `count` steps out of the ring. */
  private async readMetrics(count: number, since: number): Promise<void> {
    const [ring] = await this.session.read('output:metrics');
    const ms = (performance.now() - since) / count;
    this.stepTimes.push(ms);
    const fresh: StepPoint[] = [];
    for (let step = this.step - count; step < this.step; step++) {
      const row = ring.subarray((step % METRICS_RING) * this.task.sums);
      fresh.push({
        step: step + 1,
        epoch: (step + 1) / this.stepsPerEpoch,
        lr: learningRate(this.t.schedule, step),
        ...this.task.figures(row),
      });
    }
    const bad = fresh.find((p) => !Number.isFinite(p.loss));
    if (bad) throw diverged(`loss was ${bad.loss}`, bad.step);
    this.points.push(...fresh);
    this.observer.steps(
      fresh,
      (1000 / ms) * this.t.settings.batch,
      ((this.totalSteps - this.step) * ms) / 1000,
    );
  }

  /** Evaluates the network as it stands, and keeps it if it is the best so far. */
  private async evaluate(): Promise<void> {
    const { figures } = await this.runEvaluation();
    const point: EvalPoint = { step: this.step, epoch: this.step / this.stepsPerEpoch, ...figures };
    if (!Number.isFinite(point.loss)) throw diverged(`test loss was ${point.loss}`, this.step);
    const snapshot = await this.session.snapshot('parameters', 'state');
    // an activation can hide a NaN from the loss, never from the file
    const finite = [...snapshot.buffers.values()].every((numbers) => numbers.every(Number.isFinite));
    if (!finite) throw diverged('weights were no longer finite', this.step);
    this.last = { snapshot, point };
    if (!this.best || this.task.score(point) > this.task.score(this.best.point)) this.best = this.last;
    this.evals.push(point);
    this.observer.evaluated(point);
  }

  /** Logits of the first `images` test images by the network of that snapshot. */
  async logits(snapshot: Snapshot, images: number): Promise<Float32Array> {
    checkGpu(this.session.gpu);
    this.session.restore(snapshot);
    const count = Math.min(images, this.t.test.count);
    return (await this.runEvaluation({ count, keep: count })).logits;
  }

  private runEvaluation(part: { count?: number; keep?: number } = {}) {
    return runEvaluation(this.session, this.task, this.feeds.test, {
      ...part,
      batch: evaluationBatch(this.t),
    });
  }

  /** What the run has come to. */
  outcome() {
    if (!this.best || !this.last) throw new Error('the run has not been evaluated');
    const times = [...this.stepTimes].sort((a, b) => a - b);
    return {
      points: this.points,
      evals: this.evals,
      best: this.best,
      last: this.last,
      // those that the last weights have taken: a lost device takes later ones with it
      steps: this.last.point.step,
      stepMs: times[times.length >> 1] ?? 0,
    };
  }
}

const diverged = (what: string, step: number): UserError =>
  new UserError(`The ${what} at step ${step}: choose a lower learning rate, or clip the gradient.`);
