/** Which adapter the environment asks for. */

export type AdapterChoice = 'any' | 'gpu' | 'software';

/** The environment's REFOCUS_ADAPTER: `gpu`, `software`, or any where it says neither. */
export function adapterChoice(): AdapterChoice {
  const choice = process.env.REFOCUS_ADAPTER;
  return choice === 'gpu' || choice === 'software' ? choice : 'any';
}
