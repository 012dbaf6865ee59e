import { now } from './clock.js';
import type { Deployment } from './deployment.js';
import { addBuild, addWorkspace, resolveParameters } from './routes/workspaces.js';

const AGE_MS = 3_600_000;

/** Users and running workspaces as an interrupted test leaves them behind. */
export function seedLeftovers(deployment: Deployment, count: number, templateName = 'pod-swdev'): void {
  const template = [...deployment.state.templates.values()].find((one) => one.options.name === templateName);
  if (template === undefined) throw new Error(`no template ${templateName}`);
  const { random } = deployment;
  for (let index = 0; index < count; index += 1) {
    const name = random.alphanumeric(8);
    const owner = deployment.addUser({
      username: `scaletest-${name}-${index}`,
      email: `${name}-${index}@scaletest.local`,
      password: random.alphanumeric(16),
      status: 'active',
      lastSeenAt: now() - AGE_MS,
    });
    const workspace = addWorkspace(
      deployment,
      owner,
      template,
      `scaletest-${random.alphanumeric(8)}-${index}`,
    );
    const parameters = resolveParameters(deployment, template, []);
    const build = addBuild(deployment, workspace, template, 'start', owner, parameters);
    deployment.provisioning.completeAtOnce(build, workspace, template);
  }
}
