/** Whether a network is right as often as it is sure: the reliability diagram, with its numbers. */
import { useMemo } from 'preact/hooks';
import { type CalibrationBin, calibrationOf } from '../../analysis/calibration';
import type { TestPrediction } from '../../api';
import { count, percent } from '../format';

/** Side of the diagram in its own units. */
const SIDE = 100;

export function CalibrationView({ predictions }: { predictions: readonly TestPrediction[] }) {
  const { bins, error, confidence } = useMemo(() => calibrationOf(predictions), [predictions]);
  const accuracy =
    predictions.filter(({ label, predicted }) => label === predicted).length / predictions.length;
  const filled = bins.filter(isFilled);
  const difference = confidence - accuracy;
  return (
    <>
      <p>
        Expected calibration error <b>{percent(error, 1)}</b>: on average it is {percent(confidence, 1)} sure,
        and right {percent(accuracy, 1)} of the time
        {Math.abs(difference) >= 0.01 &&
          (difference > 0 ? ', so it is too sure' : ', so it is right more often than it says')}
        .
      </p>
      <figure class="reliability">
        <svg
          viewBox={`0 0 ${SIDE} ${SIDE}`}
          role="img"
          aria-label={`Accuracy by confidence, in ${bins.length} bins`}
        >
          {filled.map(({ from, to, accuracy: right, confidence: sure }) => (
            <g key={from}>
              <rect
                class="bar-accuracy"
                x={SIDE * from}
                y={SIDE * (1 - right)}
                width={SIDE * (to - from)}
                height={SIDE * right}
              />
              <rect
                class="bar-gap"
                x={SIDE * from}
                y={SIDE * (1 - Math.max(right, sure))}
                width={SIDE * (to - from)}
                height={SIDE * Math.abs(right - sure)}
              />
            </g>
          ))}
          <line x1={0} y1={SIDE} x2={SIDE} y2={0} />
        </svg>
        <figcaption>
          Across: how sure it is of the class it tells. Up: how often that is right. On the dashed line both
          are the same; the other shade is the distance.
        </figcaption>
      </figure>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard */}
      <section class="scroll" tabIndex={0} aria-label="Calibration by bins">
        <table>
          <thead>
            <tr>
              <th scope="col">Confidence</th>
              <th scope="col" class="number">
                Images
              </th>
              <th scope="col" class="number">
                Sure
              </th>
              <th scope="col" class="number">
                Right
              </th>
            </tr>
          </thead>
          <tbody>
            {filled.map(({ from, to, images, confidence: sure, accuracy: right }) => (
              <tr key={from}>
                <th scope="row">
                  {percent(from, 0)} to {percent(to, 0)}
                </th>
                <td class="number">{count(images)}</td>
                <td class="number">{percent(sure, 1)}</td>
                <td class="number">{percent(right, 1)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </>
  );
}

const isFilled = (bin: CalibrationBin): bin is Required<CalibrationBin> => bin.images > 0;
