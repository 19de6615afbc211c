/** A forecast in words. */
import type { AddedForecast, Forecast, MemoryForecast } from './forecast';

/** What a run takes, and what its method adds to fine-tuning, in words. */
export function forecastSentence({ memory, added }: Forecast): string {
  const parts = memoryText(memory, ['weights', 'optimiser', 'activations', 'images']);
  const needs = `The run needs about ${megabytes(memory.all)} of GPU memory: ${parts}.`;
  return added ? `${needs} ${addedSentence(added)}` : needs;
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

const megabytes = (bytes: number): string =>
  bytes >= 999.5e6 ? `${(bytes / 1e9).toPrecision(3)} GB` : `${Number((bytes / 1e6).toPrecision(3))} MB`;
