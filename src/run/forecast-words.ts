/** A forecast in words. */
import type { AddedForecast, Forecast, MemoryForecast, RepeatedForecast } from './forecast';

/** What a run takes, and what its method adds to fine-tuning, in words. */
export function forecastSentence({ memory, added, repeated }: Forecast): string {
  const parts = memoryText(memory, ['weights', 'optimiser', 'activations', 'images']);
  const needs = `The run needs about ${megabytes(memory.all)} of GPU memory: ${parts}.`;
  return [needs, added && addedSentence(added), repeated && repeatedSentence(repeated)]
    .filter((sentence) => sentence)
    .join(' ');
}

export const memoryText = (
  memory: MemoryForecast,
  parts: readonly ('weights' | 'optimiser' | 'activations' | 'images')[],
): string =>
  parts
    .map((part) => `${part === 'optimiser' ? "the optimiser's state" : part} ${megabytes(memory[part])}`)
    .join(', ');

/** What a method costs beside fine-tuning: something while it trains, nothing once it is merged. */
export function addedSentence({ what, numbers, bytes, flops }: AddedForecast): string {
  const memory = bytes > 0 ? ` and ${megabytes(bytes)}` : '';
  return `Beside fine-tuning its ${what} add ${numbers.toLocaleString('en')} numbers${memory} in training, ${(100 * flops).toFixed(1)} % of a step's work; merged they cost nothing.`;
}

/** What keeping a step within a limit of memory costs. */
export function repeatedSentence({
  limit,
  peak,
  without,
  dispatches,
  bytes,
  flops,
}: RepeatedForecast): string {
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
  return `A step takes ${megabytes(peak)} of the ${megabytes(1e6 * limit)} allowed, and ${megabytes(without)} without a limit: ${dispatches.toLocaleString('en')} dispatches run twice, with the same results, which is ${percent(bytes)} more bytes moved and ${percent(flops)} more floating-point operations.`;
}

const megabytes = (bytes: number): string =>
  bytes >= 999.5e6 ? `${(bytes / 1e9).toPrecision(3)} GB` : `${Number((bytes / 1e6).toPrecision(3))} MB`;
