/** A run that a click begins is followed: its course comes into sight, where nothing that shows it is. */
import { effect } from '@preact/signals';
import { bringToTop } from '../place';
import { isBusy } from './state';

const COURSE = '#step-2 .progress';
/** What moves as a run goes on. */
const LIVE = `${COURSE}, #step-2 .curves, .live-panel, #redundancy`;

/** Pixels of it that tell an eye that it is there. */
const SEEN = 40;

/** Whether some of it stands between the window's top and the run's bar. */
function isInSight(element: Element): boolean {
  const { top, bottom, height } = element.getBoundingClientRect();
  const bar = document.querySelector('.run-bar')!.getBoundingClientRect().top;
  return height > 0 && bottom > SEEN && top < Math.min(innerHeight, bar) - SEEN;
}

function bringCourse(): void {
  const course = document.querySelector(COURSE);
  if (!course || [...document.querySelectorAll(LIVE)].some(isInSight)) return;
  const isCalm = matchMedia('(prefers-reduced-motion: reduce)').matches;
  bringToTop(course, isCalm ? 'instant' : 'smooth');
}

/** @param run has been asked for by a click; it may refuse to begin, and then nothing moves */
export function follow(run: Promise<unknown>): void {
  const leave = effect(() => {
    // once what it shows is there
    if (isBusy.value) requestAnimationFrame(bringCourse);
  });
  run.finally(leave);
}
