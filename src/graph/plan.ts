import type { ArenaLayout, BufferRange, Lowered, Plan, PlannedDispatch } from './ir';
import { type Placement, placeTensors } from './memory';
import { bytesOf, present, type Tensor } from './tensor';

/** Places every tensor of these dispatches; `layout` grows by the persistent ones that it does not know. */
export function planOf(lowered: readonly Lowered[], layout: ArenaLayout): Plan {
  const place = placeTensors(
    lowered.map(({ dispatch }) => ({ reads: present(dispatch.reads), writes: present(dispatch.writes) })),
    layout,
  );
  const range = (t: Tensor): BufferRange => {
    const p = place.ranges.get(t);
    if (!p) throw new Error(`tensor ${t.name} is read but never written`);
    return p;
  };
  const dispatches = lowered.map(({ node, dispatch }): PlannedDispatch => {
    const bindings: Record<string, BufferRange> = {};
    const halves: string[] = [];
    let bytes = 0;
    for (const [name, t] of [...Object.entries(dispatch.reads), ...Object.entries(dispatch.writes)]) {
      if (!t) continue;
      bindings[name] = range(t);
      bytes += bytesOf(t);
      if (t.dtype === 'f16') halves.push(name);
    }
    const { shader, constants, workgroups, flops } = dispatch;
    return {
      shader,
      constants,
      bindings,
      writes: Object.keys(dispatch.writes).filter((name) => bindings[name]),
      halves,
      workgroups,
      flops,
      bytes: dispatch.bytes ?? bytes,
      label: `${node.op.name} ${node.name}`,
      phase: node.phase,
    };
  });
  return {
    dispatches,
    buffers: place.buffers,
    tensors: persistent(place),
    totals: totals(dispatches, place.buffers),
  };
}

function persistent(place: Placement): Plan['tensors'] {
  const out: Plan['tensors'] = {};
  for (const [t, range] of place.ranges) {
    if (t.role === 'activation') continue;
    // an arena is one tensor to the host, in however many parts it is bound
    const whole = t.role === 'arena' ? { offset: 0, bytes: place.buffers[t.name] } : {};
    out[`${t.role}:${t.name}`] = { ...range, ...whole, shape: [...t.shape], padded: [...t.padded] };
  }
  return out;
}

function totals(dispatches: PlannedDispatch[], buffers: Record<string, number>): Plan['totals'] {
  const sum = (f: (d: PlannedDispatch) => number) => dispatches.reduce((a, d) => a + f(d), 0);
  return {
    dispatches: dispatches.length,
    bytes: sum((d) => d.bytes),
    flops: sum((d) => d.flops),
    peakBytes: Object.entries(buffers).reduce((a, [name, b]) => (name.startsWith('input ') ? a : a + b), 0),
  };
}
