import { isAtLeast } from '../versions.js';
import type { Frame } from './go-errors.js';

/** Where in Coder's source the errors of create-workspaces come from; the lines moved between the releases. */
export interface Frames {
  createUser: Frame;
  createUserCall: Frame;
  login: Frame;
  createWorkspace: Frame;
  createWorkspaceCall: Frame;
  waitForBuild: Frame;
  buildEnd: Frame;
  waitForAgents: Frame;
  noAgents: Frame;
}

export function framesOf(version: string): Frames {
  const run = 'scaletest/createworkspaces.(*Runner).Run';
  const runFile = 'scaletest/createworkspaces/run.go';
  const user = 'scaletest/createusers.(*Runner).RunReturningUser';
  const userFile = 'scaletest/createusers/run.go';
  const build = 'scaletest/workspacebuild.(*Runner).RunReturningWorkspace';
  const buildFile = 'scaletest/workspacebuild/run.go';
  const createLine = isAtLeast(version, 'v2.32.0') ? 98 : 91;
  return {
    createUser: { caller: run, place: `${runFile}:77` },
    createUserCall: { caller: user, place: `${userFile}:74` },
    login: { caller: user, place: `${userFile}:85` },
    createWorkspace: { caller: run, place: `${runFile}:${createLine}` },
    createWorkspaceCall: { caller: build, place: `${buildFile}:61` },
    waitForBuild: { caller: build, place: `${buildFile}:87` },
    buildEnd: { caller: 'scaletest/workspacebuild.waitForBuild', place: `${buildFile}:229` },
    waitForAgents: { caller: build, place: `${buildFile}:105` },
    noAgents: { caller: run, place: `${runFile}:${createLine + 21}` },
  };
}
