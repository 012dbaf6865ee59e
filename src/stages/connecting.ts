import { CoderApi } from '../coder/api.js';
import { readDeployment, readServer, type DeploymentFacts, type ServerFacts } from '../coder/facts.js';
import { ApiError, CoderHttp } from '../coder/http.js';
import { establishIdentity, type Identity } from '../coder/identity.js';
import type { Credential, Inputs } from '../inputs.js';
import { routesToAsk } from '../plan/load-schedule.js';
import type { Plan } from '../plan/plan-types.js';
import { dashboardStepOf, suiteStepsOf, templatesOf } from '../plan/steps.js';
import type { World } from '../world.js';

/** The deployment under test, signed in to. */
export interface Connection {
  readonly url: string;
  readonly server: ServerFacts;
  readonly identity: Identity;
}

/** What has to be there for a connection; parseInputs has seen to it in every mode but plan. */
export function deploymentOf(inputs: Inputs): { url: string; credential: Credential } | undefined {
  const { coderUrl: url, credential } = inputs;
  return url === undefined || credential === undefined ? undefined : { url, credential };
}

/** @throws ApiError when the deployment cannot be reached, is not Coder, or refuses the sign-in. */
export async function connect(inputs: Inputs, world: World): Promise<Connection> {
  const deployment = deploymentOf(inputs);
  if (deployment === undefined) throw new Error('a deployment is needed, but none was given');
  const anonymous = new CoderApi(new CoderHttp(deployment.url, world.clock));
  const server = await readServer(anonymous, world.clock.now());
  const identity = await establishIdentity(anonymous, deployment.credential, world.log);
  return { url: deployment.url, server, identity };
}

/** Everything about the deployment that the plan has to know. */
export function readFacts(connection: Connection, plan: Plan): Promise<DeploymentFacts> {
  const { api, token } = connection.identity;
  const dashboard = dashboardStepOf(plan);
  return readDeployment(connection.server, api, token, {
    templates: templatesOf(plan),
    routes: dashboard === undefined ? [] : routesToAsk(dashboard),
    suites: suiteStepsOf(plan).length > 0,
  });
}

/** Ends the session that this run began. A session that stays is no reason to fail. */
export async function disconnect(connection: Connection, world: World): Promise<void> {
  await connection.identity.signOut().catch((thrown: unknown) => {
    world.log.debug(`signing out failed: ${thrown instanceof ApiError ? thrown.message : String(thrown)}`);
  });
}
