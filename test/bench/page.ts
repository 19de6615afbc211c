/** The page of the benchmark in a browser; each measurement has a page of its own. */
import { measureCase } from './measure-case';

declare global {
  interface Window {
    measureCase: typeof measureCase;
  }
}

window.measureCase = measureCase;
