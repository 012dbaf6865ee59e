import { now } from './clock.js';
import type { Deployment } from './deployment.js';
import type { Workspace } from './state.js';
import { addBuild, addWorkspace, resolveParameters } from './routes/workspaces.js';

const AGE_MS = 3_600_000;

/** A user with one workspace that runs. */
export function seedWorkspace(
  deployment: Deployment,
  owner: { readonly username: string; readonly email: string },
  name: string,
  templateName = 'pod-swdev',
): Workspace {
  const template = [...deployment.state.templates.values()].find((one) => one.options.name === templateName);
  if (template === undefined) throw new Error(`no template ${templateName}`);
  const user = deployment.addUser({
    ...owner,
    password: deployment.random.alphanumeric(16),
    status: 'active',
    lastSeenAt: now() - AGE_MS,
  });
  const workspace = addWorkspace(deployment, user, template, name);
  const parameters = resolveParameters(deployment, template, []);
  const build = addBuild(deployment, workspace, template, 'start', user, parameters);
  deployment.provisioning.completeAtOnce(build, workspace, template);
  return workspace;
}

/** Users and running workspaces as an interrupted test leaves them behind. */
export function seedLeftovers(deployment: Deployment, count: number, templateName?: string): void {
  const { random } = deployment;
  for (let index = 0; index < count; index += 1) {
    const name = random.alphanumeric(8);
    seedWorkspace(
      deployment,
      { username: `scaletest-${name}-${index}`, email: `${name}-${index}@scaletest.local` },
      `scaletest-${random.alphanumeric(8)}-${index}`,
      templateName,
    );
  }
}
