/** What a run would take, in a line beside Start. */
import { bytes, duration } from '../format';
import { forecasted, forecastTime } from './forecast';

export function ForecastLine() {
  const found = forecasted.value;
  // its room is kept while it is not known: the buttons beside it would move under a pointer
  return (
    <p class="hint forecast-line">
      {found.state === 'ready'
        ? `${timeText()}; ${bytes(found.forecast.memory.all)} of GPU memory`
        : '\u00a0'}
    </p>
  );
}

/** Honest about what it goes by: a step of this size, one of another, or nothing. */
export function timeText(): string {
  const time = forecastTime.value;
  if (!time) return 'Time not known before a first step';
  return `${time.isOwn ? 'About' : 'Very roughly'} ${duration(time.seconds)}`;
}
