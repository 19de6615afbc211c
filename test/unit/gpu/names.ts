/** Which names a WGSL text uses and which it declares: as much of a parser as the project's shaders need. */

/** What WGSL itself knows, as far as the shaders use it. */
const BUILT_IN = new Set(
  `alias array arrayLength bitcast break bool case clamp compute const continue default diagnostic dot else enable exp f32 fma fn for inverseSqrt
  function global_invocation_id if i32 let local_invocation_index log loop mat4x4 max min mix num_workgroups off ptr quadBroadcast
  read read_write return select sign sqrt storage struct subgroup_uniformity subgroups switch true false u32 uniform var vec2 vec3
  vec4 while workgroup workgroup_id workgroup_size workgroupBarrier abs binding builtin group
  all any atomic atomicAdd atomicLoad atomicStore cos floor fract pack4x8unorm pow radians round sin storageBarrier
  transpose unpack4x8unorm`.split(/\s+/),
);

const plain = (text: string): string => text.replace(/\/\/.*$/gm, '');

/** Names that a text declares anywhere: constants, variables, functions, types, parameters and members, and helpers for f16. */
export function declaredIn(text: string): Set<string> {
  const declarations = plain(text).matchAll(
    /\b(?:const|let|fn|struct|alias|var(?:<[^>]*>)?)\s+(\w+)|\b(\w+)\s*:/g,
  );
  const helpers = [...text.matchAll(/> (\w+): .*\/\/#f16/g)].flatMap(([, name]) => [
    `load_${name}`,
    `store_${name}`,
  ]);
  return new Set([...declarations].map(([, name, typed]) => name ?? typed).concat(helpers));
}

/** Names that a text uses: no members of anything, but for those of `sizes`, and nothing that WGSL knows itself. */
export function usedIn(text: string): Set<string> {
  const uses = plain(text).matchAll(/(?<![\w.@])(?:sizes\.)?([A-Za-z_]\w*)/g);
  return new Set([...uses].map(([, name]) => name).filter((name) => !BUILT_IN.has(name)));
}
