// The number of a thread within its dispatch, whose workgroups of WG threads fill a row of the grid and then the next
// (workgroupsFor of src/graph/plan.ts folds them into rows where there are more than one dimension may have).
//#needs WG
fn global_index(id: vec3<u32>, workgroups: vec3<u32>) -> u32 {
  return id.x + id.y * workgroups.x * WG;
}
