/** The figures of all layers: what the pictures and curves show, as a table. */
import { useState } from 'preact/hooks';
import { breakable } from '../breakable';
import { count, significant } from '../format';
import { useGradual } from '../gradual';
import { course, layerNow, nowName } from './view';

export function LayersTable() {
  const [isOpen, setOpen] = useState(false);
  return (
    <details open={isOpen} onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary>Figures of all layers</summary>
      {isOpen && <Table />}
    </details>
  );
}

function Table() {
  const { before, now } = course.value;
  const { shown, more } = useGradual(before, before);
  const show = (value: number | undefined) =>
    value === undefined || Number.isNaN(value) ? '–' : significant(value);
  const hasNow = now.length > 0;
  const head = (name: string) => (
    <>
      <th scope="col" class="number">
        {name}
      </th>
      {hasNow && (
        <th scope="col" class="number">
          {nowName.value}
        </th>
      )}
    </>
  );
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
    <section class="scroll" tabIndex={0} aria-label="Redundancy of all layers">
      <table>
        <thead>
          <tr>
            <th scope="col">Layer</th>
            <th scope="col" class="number">
              Kernels
            </th>
            {head('Mean KL')}
            {head('Mean cosine')}
            {head('Effective rank')}
          </tr>
        </thead>
        <tbody>
          {shown.map((layer) => {
            const after = layerNow(layer.name);
            return (
              <tr key={layer.name}>
                <th scope="row">{breakable(layer.name)}</th>
                <td class="number">{count(layer.planes)}</td>
                {(['divergence', 'cosine', 'effectiveRank'] as const).flatMap((figure) => [
                  <td key={figure} class="number">
                    {show(layer[figure])}
                  </td>,
                  hasNow && (
                    <td key={`${figure} now`} class="number">
                      {show(after?.[figure])}
                    </td>
                  ),
                ])}
              </tr>
            );
          })}
        </tbody>
      </table>
      {more}
    </section>
  );
}
