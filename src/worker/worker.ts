/** The engine in a worker of its own: the page never waits for it. */
import * as Comlink from 'comlink';
import { createEngine } from '../engine';
import './thrown';

Comlink.expose(createEngine());
