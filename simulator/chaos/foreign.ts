import { z } from 'zod';
import type { CoderDeployment } from '../coder/server.js';
import { latestBuild } from '../coder/state.js';

/** What others have on the deployment: it has to be there unchanged. */
export interface Foreign {
  readonly users: readonly string[];
  readonly workspaces: readonly { readonly id: string; readonly name: string; readonly buildId: string }[];
  /** A token of the gate's own user. */
  readonly token: string;
}

/** Real users, as every deployment has them; some have names that are nearly those of a scale test. */
const USERS = [
  { username: 'lisa', email: 'lisa@example.com', workspace: 'dev' },
  { username: 'scaletester', email: 'scaletest@scaletest.local.example.com', workspace: 'my-scaletest-0' },
  { username: 'my-scaletest-1', email: 'scaletest-1@example.com', workspace: 'scaletest' },
];
const TOKEN = 'my-scaletest-gate-token';
const idOf = z.object({ id: z.string() });

/** Makes the users and their workspaces as they would be made. */
export async function makeForeign(deployment: CoderDeployment): Promise<Foreign> {
  const { state } = deployment;
  const [template] = state.templates.values();
  const organization = z.array(idOf).parse(await call(deployment, 'GET', '/api/v2/organizations'))[0];
  const users: string[] = [];
  const workspaces: string[] = [];
  for (const { workspace, ...user } of USERS) {
    const { id } = idOf.parse(
      await call(deployment, 'POST', '/api/v2/users', {
        ...user,
        password: 'quite-a-Horse-battery-9',
        login_type: 'password',
        organization_ids: [organization?.id],
      }),
    );
    users.push(id);
    const made = await call(deployment, 'POST', `/api/v2/users/${id}/workspaces`, {
      name: workspace,
      template_id: template?.id,
    });
    workspaces.push(idOf.parse(made).id);
  }
  await call(deployment, 'POST', '/api/v2/users/me/keys/tokens', { token_name: TOKEN, lifetime: 3.6e12 });
  return { users, workspaces: workspaces.map((id) => workspaceIn(state, id)), token: TOKEN };
}

function workspaceIn(state: CoderDeployment['state'], id: string): Foreign['workspaces'][number] {
  const workspace = state.workspaces.get(id);
  if (workspace === undefined) throw new Error('the workspace of a real user is missing');
  return { id, name: workspace.name, buildId: latestBuild(workspace).id };
}

async function call(
  { url, ownerToken }: CoderDeployment,
  method: 'GET' | 'POST',
  route: string,
  body?: unknown,
): Promise<unknown> {
  const answer = await fetch(`${url}${route}`, {
    method,
    headers: { 'Coder-Session-Token': ownerToken, 'Content-Type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  if (!answer.ok) throw new Error(`${method} ${route} answered ${answer.status}: ${await answer.text()}`);
  return answer.json();
}
