import { type Feed, openFeed } from '../data/feed';
import type { LabelledImages } from '../data/types';
import type { Gpu } from '../gpu/device';
import type { Plan } from '../graph/ir';
import type { Tuning } from '../graph/tuning';
import type { StateDict } from '../io/tensor';
import type { Model } from '../model/model';
import { loadState } from '../model/state';
import { readyForLimit } from '../passes/limit';
import { Session } from '../runtime/session';
import { writeClassWeights } from './balance';
import { type Held, mostHeld } from './held';
import type { Figures, StepPoint } from './metrics';
import { buildPrograms, heldOf, type ProgramName, stepName } from './run-programs';
import { learningRate, roundStarts, type Schedule } from './schedule';
import type { RunSettings } from './settings';
import { Stepper } from './stepper';
import { Steps } from './steps';
import { taskOf } from './task';
import type { Task } from './task-types';

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

/** A training on a device: network and images there, its programs compiled as they are needed, its steps to be taken one by one. */
export class TrainingSession {
  readonly task: Task;
  readonly steps: Steps;
  readonly stepper: Stepper;

  private constructor(
    readonly session: Session<ProgramName>,
    readonly feeds: { train: Feed; test: Feed },
    readonly t: Training,
    /** with what the device decides */
    readonly build: Training & { tuning: Tuning },
  ) {
    this.task = taskOf(t.model);
    this.steps = new Steps(t);
    this.stepper = new Stepper(session, feeds.train, t, this.steps);
  }

  static async create(gpu: Gpu, t: Training): Promise<TrainingSession> {
    const build = { ...t, tuning: t.tuning ?? gpu.tuning, heldBytes: t.heldBytes ?? mostHeld(gpu) };
    await readyForLimit(t.settings);
    const session = await Session.open<ProgramName>(
      gpu,
      buildPrograms(build).plans as Record<ProgramName, Plan>,
    );
    loadState(session, t.model, t.start);
    writeClassWeights(session, t.train, t.settings);
    const held = heldOf(build);
    const { targets } = taskOf(t.model);
    const feeds = {
      train: await openFeed(session, 'train', t.train, held.train, targets?.of(t.train)),
      test: await openFeed(session, 'test', t.test, held.test, targets?.of(t.test)),
    };
    // the first read-back makes its staging buffer: do it before the loop
    await session.read('output:metrics');
    return new TrainingSession(session, feeds, t, build);
  }

  /** Begins what the next step begins: a part that trains, or a round with merged kernels for bases, fresh maps and optimiser. */
  async begin(stepper = this.stepper): Promise<void> {
    const { model, start, settings } = this.t;
    const epoch = Math.floor(stepper.step / this.steps.perEpoch);
    stepper.begin(epoch < settings.headEpochs ? 'head' : 'all');
    const isBegun = stepper.step % this.steps.perEpoch > 0;
    if (isBegun || !roundStarts(settings).includes(epoch)) return;
    // what merges comes with the first run that needs it
    const { mergeState } = await import('../model/merge');
    const { readState } = await import('../model/read-state');
    const snapshot = await this.session.snapshot('parameters', 'state');
    const trained = await readState(snapshot, model, start);
    loadState(this.session, model, await mergeState(model, trained));
    stepper.restart();
  }

  /** How the images of the run get to the GPU. */
  get held(): { train: Held; test: Held } {
    const of = ({ count, held }: Feed): Held => ({ images: count, held });
    return { train: of(this.feeds.train), test: of(this.feeds.test) };
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

  /** Takes one step of everything and nothing else: no test, no watch over the loss. */
  async explore(): Promise<StepPoint> {
    this.stepper.begin('all');
    await this.stepper.take();
    const [ring] = await this.session.read('output:metrics');
    return this.pointOf(this.stepper.step - 1, ring);
  }

  /** What a step came to, by the ring of metrics. */
  pointOf(step: number, ring: Float32Array): StepPoint {
    return {
      step: step + 1,
      epoch: (step + 1) / this.steps.perEpoch,
      lr: learningRate(this.t.schedule, step),
      ...this.task.figures(this.steps.metrics(step, ring, this.task.sums)),
    };
  }
}
