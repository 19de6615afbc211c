import { type Feed, openFeed } from '../data/feed';
import { balancedOrder, trainingOrder } from '../data/order';
import type { LabelledImages } from '../data/types';
import { Stopped } from '../errors';
import { checkGpu, type Gpu } from '../gpu/device';
import type { Plan } from '../graph/ir';
import type { Tuning } from '../graph/tuning';
import type { StateDict } from '../io/tensor';
import type { Model } from '../model/model';
import { loadState } from '../model/state';
import { adamCorrections } from '../ops/optim/adamw';
import { averageWeight } from '../ops/optim/average';
import { Session } from '../runtime/session';
import type { Snapshot } from '../runtime/snapshot';
import { writeClassWeights } from './balance';
import { type Batch, wholeBatch } from './batches';
import { KEPT_ARENAS, type KeptArenas, type TrainingState } from './checkpoint';
import { Checkpoints } from './checkpoints';
import { Diverged, DivergenceWatch } from './divergence';
import { failureBehind, runEvaluation } from './evaluate';
import { type Part, writeGroups } from './groups';
import { type Held, mostHeld } from './held';
import type { EvalPoint, Figures, StepPoint } from './metrics';
import {
  ADAM_BETAS,
  buildPrograms,
  evaluationBatch,
  heldOf,
  type Program,
  type ProgramName,
  stepName,
} from './programs';
import { learningRate, type Schedule, warmupEnd } from './schedule';
import type { RunSettings } from './settings';
import { Steps } from './steps';
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
  /** of the network that the run starts from, on the test images; absent with a new head, which makes it another one */
  base?: Figures;
  /** how the plans are cut; default: as the device asks */
  tuning?: Tuning;
  /** a set of more bytes is streamed to the GPU; default: as the device asks */
  heldBytes?: number;
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
  /** what a run can go on from; absent: none is made */
  checkpoint?(state: TrainingState): Promise<void> | void;
}

/** How a run came to its end; `early`: no better for as many epochs as it was to wait, `failed`: its device was lost. */
export type Ended = 'finished' | 'stopped' | 'early' | 'diverged' | 'failed';

/** A network of a run: what it was at some step, and its figures on the test images. */
export interface Kept {
  snapshot: Snapshot;
  point: EvalPoint;
}

/** Milliseconds between reads of the metrics: often enough to watch, too rare to slow the device. */
const READ_EVERY_MS = 400;

/**
 * A training run on one device: steps and evaluations as programs over the same arenas. The order of the images, crops, flips
 * and dropout depend on the seed alone, so a run repeats bit for bit on the same adapter.
 */
export class Trainer {
  private step = 0;
  /** what trains now, and the step that its optimiser began at */
  private phase?: { part: Part; start: number };
  private points: StepPoint[] = [];
  private evals: EvalPoint[] = [];
  private stepTimes: number[] = [];
  private best?: Kept;
  private last?: Kept;
  /** evaluations since the best */
  private waited = 0;
  private ended: Ended = 'finished';
  private readonly task: Task;
  private readonly steps: Steps;
  /** over the images that goes on now */
  private pass?: { number: number; order: Uint32Array<ArrayBuffer> };
  private watch: DivergenceWatch;
  private readonly checkpoints: Checkpoints<TrainingState>;
  /** the step that this trainer began at */
  private begun = 0;

  private constructor(
    readonly session: Session<ProgramName>,
    private readonly feeds: { train: Feed; test: Feed },
    readonly program: Program,
    readonly evaluation: Program,
    private readonly t: Training,
    private readonly observer: Observer,
  ) {
    this.task = taskOf(t.model);
    this.steps = new Steps(t);
    this.watch = this.watchFrom();
    this.checkpoints = new Checkpoints<TrainingState>({
      minutes: observer.checkpoint ? t.settings.checkpointMinutes : 0,
      read: () => this.state(),
      keep: (state) => observer.checkpoint?.(state),
      failed: ({ message }) => {
        // of a lost device the run itself tells
        if (!session.gpu.failure.error) observer.warning(`No checkpoint could be made: ${message}`);
      },
    });
  }

  private watchFrom(seen?: TrainingState['watch']): DivergenceWatch {
    return new DivergenceWatch(
      { ...this.t, batch: wholeBatch(this.t), stepsPerEpoch: this.stepsPerEpoch },
      seen,
    );
  }

  /** @param from what the run goes on from; default: its start */
  static async create(gpu: Gpu, t: Training, observer: Observer, from?: TrainingState): Promise<Trainer> {
    const build = { ...t, tuning: t.tuning ?? gpu.tuning, heldBytes: t.heldBytes ?? mostHeld(gpu) };
    const { program, evaluation, plans } = buildPrograms(build);
    const session = await Session.create(gpu, plans as Record<ProgramName, Plan>);
    loadState(session, t.model, t.start);
    writeClassWeights(session, t.train, t.settings);
    const held = heldOf(build);
    const feeds = {
      train: await openFeed(session, 'train', t.train, held.train),
      test: await openFeed(session, 'test', t.test, held.test),
    };
    // the first read-back makes its staging buffer: do it before the loop
    await session.read('output:metrics');
    const trainer = new Trainer(session, feeds, program, evaluation, t, observer);
    if (from) trainer.goOnFrom(from);
    return trainer;
  }

  /** What the run has come to, between two steps. */
  private async state(): Promise<TrainingState> {
    const { step, best, last, waited } = this;
    const kept = (network?: Kept): KeptArenas | undefined =>
      network && { arenas: network.snapshot.buffers, point: network.point };
    const state = {
      ...{ step, waited, phase: { ...this.phase! }, schedule: this.t.schedule },
      ...{ points: [...this.points], evals: [...this.evals], stepTimes: [...this.stepTimes] },
      ...{ watch: structuredClone(this.watch.seen), best: kept(best), last: kept(last) },
    };
    return { ...state, now: (await this.session.snapshot(...KEPT_ARENAS)).buffers };
  }

  private goOnFrom(state: TrainingState): void {
    const kept = (network?: KeptArenas): Kept | undefined =>
      network && { snapshot: this.session.snapshotOf(network.arenas), point: network.point };
    this.session.restore(this.session.snapshotOf(state.now));
    this.begun = state.step;
    this.step = state.step;
    this.phase = { ...state.phase };
    this.writeGroups();
    this.points = [...state.points];
    this.evals = [...state.evals];
    this.stepTimes = [...state.stepTimes];
    this.waited = state.waited;
    this.watch = this.watchFrom(structuredClone(state.watch));
    this.best = kept(state.best);
    // one object where they are one network: what is merged once is not merged twice
    this.last = state.last?.point.step === state.best?.point.step ? this.best : kept(state.last);
  }

  /** How the images of the run get to the GPU. */
  get held(): { train: Held; test: Held } {
    const of = ({ count, held }: Feed): Held => ({ images: count, held });
    return { train: of(this.feeds.train), test: of(this.feeds.test) };
  }

  get stepsPerEpoch(): number {
    return this.steps.perEpoch;
  }

  /** Of a step of whole batches: dispatches and work of all its runs, and the memory of the largest. */
  stepTotals(): Plan['totals'] {
    const totals = this.steps
      .at(0)
      .micro.map((piece) => this.session.plans[stepName(this.t, 'all', piece)].totals);
    const sum = (of: (t: Plan['totals']) => number) => totals.reduce((a, t) => a + of(t), 0);
    return {
      dispatches: sum((t) => t.dispatches),
      bytes: sum((t) => t.bytes),
      flops: sum((t) => t.flops),
      peakBytes: Math.max(...totals.map((t) => t.peakBytes)),
    };
  }

  get totalSteps(): number {
    return this.stepsPerEpoch * this.t.settings.epochs;
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
      const cause = await failureBehind(this.session.gpu, error);
      if (!this.last || cause instanceof Stopped) throw cause;
      this.ended = cause instanceof Diverged ? 'diverged' : 'failed';
      this.observer.warning(`${cause.message} The weights of step ${this.last.point.step} are kept.`);
    }
  }

  private async train(control: Control): Promise<Ended> {
    const { epochs, headEpochs } = this.t.settings;
    for (let epoch = Math.floor(this.step / this.stepsPerEpoch); epoch < epochs; epoch++) {
      if (control.cancelled) break;
      if (this.isWaitedOut) return 'early';
      this.begin(epoch < headEpochs ? 'head' : 'all');
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
    const { patience } = this.t.settings;
    return patience > 0 && this.waited >= patience;
  }

  /** Takes one step of everything and nothing else: no test, no watch over the loss. */
  async explore(): Promise<StepPoint> {
    this.begin('all');
    await this.takeStep();
    const [ring] = await this.session.read('output:metrics');
    return this.pointOf(this.step - 1, ring);
  }

  /** Begins to train a part, with a fresh optimiser, where that is not what trains already. */
  private begin(part: Part): void {
    if (this.phase?.part === part) return;
    this.phase = { part, start: this.step };
    this.writeGroups();
    if (this.step > 0) this.session.clear('momentum', 'second moment');
  }

  private writeGroups(): void {
    const { part } = this.phase!;
    const { model, settings } = this.t;
    writeGroups(this.session, this.session.plans[part === 'head' ? 'head' : 'train'], model, settings, part);
  }

  /** What the optimiser has gathered is left behind where the warm-up ends, if the run is to do so. */
  private refresh(): void {
    const { settings, schedule } = this.t;
    if (!settings.freshOptimizer || this.step === 0 || this.step !== warmupEnd(schedule)) return;
    this.phase = { ...this.phase!, start: this.step };
    this.session.clear('momentum', 'second moment');
  }

  private async epoch(control: Control): Promise<void> {
    let since = performance.now();
    let unread = 0;
    for (let i = this.step % this.stepsPerEpoch; i < this.stepsPerEpoch; i++) {
      this.refresh();
      await this.takeStep();
      unread++;
      const isLast = i === this.stepsPerEpoch - 1;
      if (
        isLast ||
        control.cancelled ||
        control.paused ||
        // the first step is shown as soon as it is done
        this.step === this.begun + 1 ||
        unread === this.steps.readable ||
        performance.now() - since > READ_EVERY_MS
      ) {
        await this.readMetrics(unread, since);
        if (!isLast && (control.cancelled || control.paused || this.checkpoints.isDue))
          await this.checkpoints.keep();
        await control.paused;
        since = performance.now();
        unread = 0;
      }
      if (control.cancelled) return;
    }
    this.watch.endEpoch(this.step);
  }

  /** The order of a pass over the images; begins the pass where it has not begun. */
  private orderOf(pass: number): Uint32Array<ArrayBuffer> {
    if (this.pass?.number === pass) return this.pass.order;
    const { train, settings } = this.t;
    const order =
      settings.balance === 'sampler'
        ? balancedOrder(train.labels, train.classes.length, settings.seed, pass)
        : trainingOrder(train.count, settings.seed, pass);
    this.pass = { number: pass, order };
    this.feeds.train.begin(order);
    return order;
  }

  /** Takes a batch, whole or in micro-batches whose gradients add up. */
  private async takeStep(): Promise<void> {
    const { batch, micro } = this.steps.at(this.step);
    const pass = this.steps.passOf(this.step);
    const order = this.orderOf(pass);
    await this.feeds.train.ready(batch.first, batch.rows);
    const batchWeight =
      micro.length > 1 ? this.steps.weight(this.step, order, this.t.train.labels) : undefined;
    const run = this.steps.runsBefore(this.step);
    for (const [k, piece] of micro.entries()) {
      const program = stepName(this.t, this.phase!.part, piece);
      this.session.run(program, { ...this.uniform(piece), epoch: pass, step: run + k, batchWeight });
      await this.session.backpressure();
    }
    this.step++;
  }

  private uniform({ first, rows }: Batch) {
    const { settings, schedule } = this.t;
    return {
      seed: settings.seed,
      batchOffset: first,
      rows,
      lr: learningRate(schedule, this.step),
      ...adamCorrections(this.step - this.phase!.start + 1, ADAM_BETAS),
      averageWeight: averageWeight(settings.ema, this.step + 1),
    };
  }

  /** Reads the metrics of the last `count` steps out of the ring. */
  private async readMetrics(count: number, since: number): Promise<void> {
    const [ring] = await this.session.read('output:metrics');
    const ms = (performance.now() - since) / count;
    this.stepTimes.push(ms);
    const fresh: StepPoint[] = [];
    let images = 0;
    for (let step = this.step - count; step < this.step; step++) {
      images += this.steps.at(step).batch.rows;
      fresh.push(this.pointOf(step, ring));
    }
    for (const point of fresh) this.watch.step(point, point.step);
    this.points.push(...fresh);
    this.observer.steps(fresh, ((1000 / ms) * images) / count, ((this.totalSteps - this.step) * ms) / 1000);
  }

  /** What a step came to, by the ring of metrics. */
  private pointOf(step: number, ring: Float32Array): StepPoint {
    return {
      step: step + 1,
      epoch: (step + 1) / this.stepsPerEpoch,
      lr: learningRate(this.t.schedule, step),
      ...this.task.figures(this.steps.metrics(step, ring, this.task.sums)),
    };
  }

  /** Evaluates the network as it stands, or its average, and keeps it if it is the best so far. */
  private async evaluate(): Promise<void> {
    const { settings } = this.t;
    const averages = settings.ema > 0;
    const { figures } = await this.runEvaluation(averages ? 'evaluate average' : 'evaluate');
    const point: EvalPoint = { step: this.step, epoch: this.step / this.stepsPerEpoch, ...figures };
    if (!Number.isFinite(point.loss))
      throw new Diverged(`The test loss was ${point.loss} at step ${this.step}`, settings.lr);
    const snapshot = averages
      ? await this.session.averages()
      : await this.session.snapshot('parameters', 'state');
    // an activation can hide a NaN from the loss, never from the file
    const finite = [...snapshot.buffers.values()].every((numbers) => numbers.every(Number.isFinite));
    if (!finite) throw new Diverged(`The weights were no longer finite at step ${this.step}`, settings.lr);
    this.last = { snapshot, point };
    this.waited++;
    if (!this.best || this.task.score(point) > this.task.score(this.best.point)) {
      this.best = this.last;
      this.waited = 0;
    }
    this.evals.push(point);
    this.observer.evaluated(point);
  }

  /** Logits of the first `images` test images by the network of that snapshot. */
  async logits(snapshot: Snapshot, images: number): Promise<Float32Array> {
    checkGpu(this.session.gpu);
    this.session.restore(snapshot);
    const count = Math.min(images, this.t.test.count);
    return (await this.runEvaluation('evaluate', { count, keep: count })).logits;
  }

  private runEvaluation(
    program: 'evaluate' | 'evaluate average',
    part: { count?: number; keep?: number } = {},
  ) {
    return runEvaluation(this.session, this.task, this.feeds.test, {
      ...part,
      program,
      batch: evaluationBatch(this.t),
    });
  }

  /** Whether its device was lost on the way. */
  get isFailed(): boolean {
    return this.ended === 'failed';
  }

  /** What the run has come to. Where no epoch is better than the network that it started from, that is the best. */
  outcome() {
    if (!this.best || !this.last) throw new Error('the run has not been evaluated');
    const times = [...this.stepTimes].sort((a, b) => a - b);
    const { base } = this.t;
    const isGain = !base || this.task.score(this.best.point) > this.task.score(base);
    return {
      points: this.points,
      evals: this.evals,
      best: isGain ? this.best : ('base' as const),
      last: this.last,
      ended: this.ended,
      // those that the last weights have taken: a lost device takes later ones with it
      steps: this.last.point.step,
      stepMs: times[times.length >> 1] ?? 0,
    };
  }
}
