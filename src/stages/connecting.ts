import { CoderApi } from '../coder/api.js';
import { readDeployment, readServer, type DeploymentFacts, type ServerFacts } from '../coder/facts.js';
import { CoderHttp } from '../coder/http.js';
import { establishIdentity, type Identity } from '../coder/identity.js';
import { messageOf } from '../errors.js';
import type { Credential, Inputs } from '../inputs.js';
import { routesToAsk } from '../plan/load-schedule.js';
import type { Plan } from '../plan/plan-types.js';
import { dashboardStepOf, suiteStepsOf, templatesOf } from '../plan/steps.js';
import type { World } from '../world.js';

const STATE = 'session';
const SIGN_OUT_MS = 30_000;
/** Of the 7.5 seconds that the runner gives a cancelled step. */
const SIGN_OUT_AFTER_CANCEL_MS = 1000;

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
  const anonymous = new CoderApi(
    new CoderHttp(deployment.url, world.clock, null, { fetch: world.fetch, headers: inputs.extraHeaders }),
  );
  const server = await readServer(anonymous, world.clock.now());
  const identity = await establishIdentity(anonymous, deployment.credential, world.log);
  const connection = { url: deployment.url, server, identity };
  await noteSession(connection, world);
  return connection;
}

/** A session that post could not know of must not stay. */
async function noteSession(connection: Connection, world: World): Promise<void> {
  const { sessionId } = connection.identity;
  if (sessionId === undefined) return;
  try {
    world.state.save(STATE, sessionId);
  } catch (thrown) {
    await disconnect(connection, world);
    throw thrown;
  }
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

/** Ends the session that this run began. A session that stays is no reason to fail; post ends it when main has no time. */
export async function disconnect(connection: Connection, world: World): Promise<void> {
  const { identity } = connection;
  const time = AbortSignal.timeout(world.cancelled.aborted ? SIGN_OUT_AFTER_CANCEL_MS : SIGN_OUT_MS);
  try {
    await identity.signOut(time);
    if (identity.sessionId !== undefined) world.state.clear(STATE);
  } catch (thrown) {
    world.log.debug(`signing out failed: ${messageOf(thrown)}`);
  }
}

/** The id of a session that main began and could not end; undefined when there is none. */
export function owedSession(world: World): string | undefined {
  const id = world.state.read(STATE);
  return id === '' ? undefined : id;
}

/** Ends main's session by its id: the token is lost with main. It ends by itself in a day, so this fails nothing. */
export async function endOwedSession(id: string, { identity }: Connection, world: World): Promise<void> {
  try {
    await identity.api.revokeKey('me', id);
    world.log.info("main's session was ended");
  } catch (thrown) {
    world.log.warning(`main's session could not be ended: ${messageOf(thrown)}. It ends by itself in a day`);
  }
}
