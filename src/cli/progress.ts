/** The progress line on stderr. */
import type { TrainEvent } from '../api';

/** A terminal gets one line that is rewritten; a log gets a line every few seconds. */
const LOG_INTERVAL_MS = 5000;

/** Of a terminal that does not say how wide it is. */
const COLUMNS = 80;

export interface ProgressLine {
  show(text: string): void;
  /** a line of its own, above the progress line */
  note(line: string): void;
}

/** Names come from files: one with an escape sequence in it would write over the terminal. */
export const printable = (text: string): string => text.replace(/[^\P{Cc}\n\t]/gu, '\uFFFD');

export function progressLine(stream: NodeJS.WriteStream): ProgressLine {
  let current = '';
  let lastLog = 0;
  const erase = '\r\u001b[2K';
  return {
    show(text) {
      if (stream.isTTY) {
        stream.write(erase + printable(text).slice(0, (stream.columns || COLUMNS) - 1));
        current = text;
      } else if (text !== '' && performance.now() - lastLog >= LOG_INTERVAL_MS) {
        stream.write(`${printable(text)}\n`);
        lastLog = performance.now();
      }
    },
    note(line) {
      const text = printable(line);
      stream.write(current === '' ? `${text}\n` : `${erase}${text}\n${printable(current)}`);
    },
  };
}

const percent = (fraction: number): string => `${(100 * fraction).toFixed(2)} %`;

/** Turns a run's events into progress and notes. */
export function describeEvents(
  show: (text: string) => void,
  note: (line: string) => void,
): (event: TrainEvent) => void {
  let steps = 0;
  return (event) => {
    switch (event.type) {
      case 'phase':
        return show(event.message);
      case 'note':
        return note(event.message);
      case 'warning':
        return note(`warning: ${event.message}`);
      case 'data':
        for (const { notes } of event.reports) for (const line of notes) note(line);
        return;
      case 'tuned':
        return note(
          `fastest way: ${JSON.stringify(event.timed[0].tuning)}, ${event.timed.map(({ ms }) => ms.toFixed(1)).join(', ')} ms a step`,
        );
      case 'plan':
        steps = event.steps;
        return note(
          `${event.images} training images, ${event.testImages} test images, ${event.classes.length} classes, ${steps} steps`,
        );
      case 'steps':
        return show(stepLine(event, steps));
      case 'resumed':
        return note(`The run goes on from step ${event.step}.`);
      case 'eval':
        return note(
          `${event.which}: accuracy ${percent(event.point.accuracy)}, loss ${event.point.loss.toFixed(4)}`,
        );
    }
  };
}

function stepLine(event: Extract<TrainEvent, { type: 'steps' }>, steps: number): string {
  const last = event.points.at(-1);
  if (!last) return '';
  const eta = Number.isFinite(event.etaSeconds) ? `, ${Math.ceil(event.etaSeconds)} s left` : '';
  return (
    `step ${last.step}/${steps}, epoch ${last.epoch.toFixed(2)}, loss ${last.loss.toFixed(4)}, ` +
    `accuracy ${percent(last.accuracy)}, ${Math.round(event.imagesPerSecond)} images/s${eta}`
  );
}
