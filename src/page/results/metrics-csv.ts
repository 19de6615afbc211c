import type { TrainResult } from '../../api';
import { toCsv } from '../csv';

/** Every step, and every evaluation as a row of its own. */
export function metricsCsv({ metrics, evals }: Pick<TrainResult, 'metrics' | 'evals'>): string {
  const header = ['step', 'epoch', 'loss', 'accuracy', 'lr', 'test_loss', 'test_accuracy'];
  const rows = [
    ...metrics.map((p) => [p.step, p.epoch, p.loss, p.accuracy, p.lr, null, null]),
    ...evals.map((p) => [p.step, p.epoch, null, null, null, p.loss, p.accuracy]),
  ].sort((a, b) => (a[0] ?? 0) - (b[0] ?? 0));
  return toCsv(header, rows);
}
