/** The curves as a table, for those who read rather than look. */
import { useState } from 'preact/hooks';
import { count, percent, significant } from '../format';
import { curveRows } from './curve-rows';
import { stepCount, steps, testPoints } from './state';

export function CurveTable() {
  const [isOpen, setOpen] = useState(false);
  return (
    <details open={isOpen} onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary>The curves as a table</summary>
      {isOpen && stepCount.value > 0 && <Rows />}
    </details>
  );
}

function Rows() {
  const heads = [
    'Epoch',
    'Training loss',
    'Training accuracy',
    'Test loss',
    'Test accuracy',
    'Learning rate',
  ];
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
    <section class="scroll" tabIndex={0} aria-label="The curves as a table">
      <table>
        <thead>
          <tr>
            <th scope="col">Step</th>
            {heads.map((head) => (
              <th key={head} scope="col" class="number">
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {curveRows(steps, testPoints.value).map(({ step, epoch, train, test }) => (
            <tr key={step}>
              <th scope="row">{count(step)}</th>
              {[
                significant(epoch),
                train ? significant(train.loss) : '–',
                train ? percent(train.accuracy) : '–',
                significant(test.loss),
                percent(test.accuracy),
                train ? significant(train.lr) : '–',
              ].map((text, i) => (
                <td class="number" key={heads[i]}>
                  {text}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      <p class="hint">Training figures are means over the steps since the test before.</p>
    </section>
  );
}
