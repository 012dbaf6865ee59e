/**
 * Since which release a server answers routes whose objects (a workspace, a build) are not there before the load, so
 * that they cannot be asked for. From the routers of coder/coder's releases (coderd/coderd.go).
 */
export const ROUTES_SINCE: Readonly<Record<string, readonly [major: number, minor: number]>> = {
  'build-timings': [2, 17],
  'agent-containers': [2, 20],
  // Before, only with the experiment "workspace-sharing".
  'workspace-acl': [2, 32],
};
