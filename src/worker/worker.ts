/** The engine in a worker of its own: the page never waits for it. */
import * as Comlink from 'comlink';
import type { EngineApi, TrainEvent } from '../api';
import { createEngine } from '../engine';
import './thrown';

const engine = createEngine();

/** A checkpoint may be hundreds of megabytes: it is handed over, for the page would stand still while it is copied. */
const handedOver = (event: TrainEvent): TrainEvent =>
  event.type === 'checkpoint' ? Comlink.transfer(event, [event.bytes.buffer]) : event;

Comlink.expose({
  ...engine,
  train: (job, onEvent) => engine.train(job, onEvent && ((event) => onEvent(handedOver(event)))),
} satisfies EngineApi);
