import type { Feed } from '../data/feed';
import { balancedOrder, trainingOrder } from '../data/order';
import type { LabelledImages } from '../data/types';
import type { Model } from '../model/model';
import { adamCorrections } from '../ops/optim/adamw';
import { averageWeight } from '../ops/optim/average';
import type { Session } from '../runtime/session';
import type { StepUniform } from '../runtime/step';
import type { Batch } from './batches';
import { type Part, writeGroups } from './groups';
import { ADAM_BETAS } from './programs';
import { type ProgramName, stepName } from './run-programs';
import { endsWarmup, learningRate, type Schedule } from './schedule';
import type { RunSettings } from './settings';
import type { Steps } from './steps';

/** What steps are taken of. */
interface Job {
  model: Model;
  train: LabelledImages;
  settings: RunSettings;
  schedule: Schedule;
}

type RunProgram = (program: ProgramName, step: StepUniform) => Promise<void>;

/** Takes a run's steps one after the other: which images, by which program, at which rate. */
export class Stepper {
  /** steps taken */
  step = 0;
  /** what trains now, and the step that its optimiser began at */
  phase?: { part: Part; start: number };
  /** over the images that goes on now */
  private pass?: { number: number; order: Uint32Array<ArrayBuffer> };

  constructor(
    private readonly session: Session<ProgramName>,
    private readonly images: Feed,
    private readonly t: Job,
    private readonly steps: Steps,
  ) {}

  /** Begins to train a part, with a fresh optimiser, where that is not what trains already. */
  begin(part: Part): void {
    if (this.phase?.part === part) return;
    this.goOn(this.step, { part, start: this.step });
    if (this.step > 0) this.session.clear('momentum', 'second moment');
  }

  /** Goes on where a run had come to. */
  goOn(step: number, phase: { part: Part; start: number }): void {
    this.step = step;
    this.phase = { ...phase };
    const { model, settings } = this.t;
    const plan = this.session.plans[phase.part === 'head' ? 'head' : 'train'];
    writeGroups(this.session, plan, model, settings, phase.part);
  }

  /**
   * Takes a batch, whole or in micro-batches whose gradients add up.
   * @param run what runs a program; default: the session
   */
  async take(run: RunProgram = (program, step) => this.run(program, step)): Promise<void> {
    this.refresh();
    const { batch, micro } = this.steps.at(this.step);
    const pass = this.steps.passOf(this.step);
    const order = this.orderOf(pass);
    await this.images.ready(batch.first, batch.rows);
    const batchWeight =
      micro.length > 1 ? this.steps.weight(this.step, order, this.t.train.labels) : undefined;
    const first = this.steps.runsBefore(this.step);
    for (const [k, piece] of micro.entries()) {
      const program = stepName(this.t, this.phase!.part, piece);
      await run(program, { ...this.uniform(piece), epoch: pass, step: first + k, batchWeight });
    }
    this.step++;
  }

  private async run(program: ProgramName, step: StepUniform): Promise<void> {
    await this.session.runAsCompiled(program, step);
    await this.session.backpressure();
  }

  /** What the optimiser has gathered is left behind where the warm-up ends, if the run is to do so. */
  private refresh(): void {
    const { settings, schedule } = this.t;
    if (settings.freshOptimizer && this.step > 0 && endsWarmup(schedule, this.step)) this.restart();
  }

  /** Goes on with a fresh optimiser. */
  restart(): void {
    this.phase = { ...this.phase!, start: this.step };
    this.session.clear('momentum', 'second moment');
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
    this.images.begin(order);
    return order;
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
}
