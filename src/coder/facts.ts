import { messageOf } from '../errors.js';
import type { CoderApi } from './api.js';
import type { ProvisionerDaemon, Template, User } from './api-schemas.js';
import { DeploymentFunctions } from './deployment-functions.js';
import { keyIdOf } from './identity.js';
import { unknownRoutes, type AskedRoute } from './known-routes.js';
import { listScaletestResources, type ScaletestResources } from './scaletest-resources.js';
import { parseVersion, type CoderVersion } from './version.js';

/** A fact that was asked for: known, or the sentence why not. */
export type Fact<T> =
  { readonly known: true; readonly value: T } | { readonly known: false; readonly reason: string };

export interface TemplateFacts {
  readonly template: Template;
  /** External sign-ins (git hosts) that every user of the template has to make in a browser. */
  readonly requiredSignIns: readonly string[];
  readonly parameters: readonly {
    readonly name: string;
    readonly required: boolean;
    readonly ephemeral: boolean;
    readonly defaultValue: string;
    readonly options: readonly string[];
  }[];
}

export interface ServerFacts {
  readonly versionText: string;
  readonly version: CoderVersion | undefined;
  /** The server's clock, to whole seconds. */
  readonly time: Date;
}

/** What the deployment says about itself before the load. */
export interface DeploymentFacts {
  readonly server: ServerFacts;
  readonly user: Fact<User>;
  readonly credentialExpiry: Fact<Date>;
  readonly passwordLogin: Fact<boolean>;
  readonly rateLimit: Fact<{ off: boolean; perMinute: number }>;
  readonly templates: Fact<readonly Template[]>;
  /** The templates that the plan uses and that are there, by name. */
  readonly used: ReadonlyMap<string, Fact<TemplateFacts>>;
  readonly daemons: Fact<readonly ProvisionerDaemon[]>;
  readonly leftovers: Fact<ScaletestResources>;
  /** Of the routes that were asked for, the ids of those that the server does not know. */
  readonly unknownRoutes: Fact<readonly string[]>;
  /** Only where the plan has suites that depend on them. */
  readonly suites?: SuiteFacts;
}

/** What some suites of the CLI need. */
export interface SuiteFacts {
  /** The features of the licence that are on. */
  readonly features: Fact<readonly string[]>;
  readonly experiments: Fact<readonly string[]>;
  /** Whether somebody has paused the reconciler of prebuilt workspaces. */
  readonly prebuildsPaused: Fact<boolean>;
  /** Of the templates that the plan uses, those with an agent outside of Coder. */
  readonly externalAgents: Fact<readonly string[]>;
}

/** What a plan wants to know of a deployment. */
export interface Questions {
  readonly templates: readonly string[];
  readonly routes: readonly AskedRoute[];
  /** Whether to ask for what suites of the CLI need. */
  readonly suites?: boolean;
}

/** @throws ApiError when the deployment cannot be reached at all or is not Coder. */
export async function readServer(api: CoderApi, now: Date): Promise<ServerFacts> {
  const { version, serverTime } = await api.buildInfo();
  return { versionText: version, version: parseVersion(version), time: serverTime ?? now };
}

/** Asks for everything that READY checks. A failing call makes one fact unknown and never hides the others. */
export async function readDeployment(
  server: ServerFacts,
  api: CoderApi,
  token: string,
  questions: Questions,
): Promise<DeploymentFacts> {
  const [user, credentialExpiry, passwordLogin, rateLimit, templates] = await Promise.all([
    attempt(() => api.me()),
    attempt(() => api.keyExpiry(keyIdOf(token))),
    attempt(() => api.passwordLoginEnabled()),
    attempt(
      async () =>
        (await api.rateLimit()) ?? Promise.reject(new Error('the server does not tell its rate limits')),
    ),
    attempt(() => api.templates()),
  ]);
  const used = new Map<string, Fact<TemplateFacts>>();
  for (const template of templates.known ? templates.value : []) {
    if (questions.templates.includes(template.name))
      used.set(template.name, await attempt(() => readTemplate(api, template)));
  }
  const ownUserId = user.known ? user.value.id : '';
  return {
    server,
    user,
    credentialExpiry,
    passwordLogin,
    rateLimit,
    templates,
    used,
    daemons: await attempt(() => readDaemons(api, used)),
    leftovers: await attempt(() => listScaletestResources(api, { ownUserId })),
    unknownRoutes: await attempt(() =>
      unknownRoutes(api, questions.routes, templates.known ? templates.value[0] : undefined),
    ),
    ...(questions.suites === true && { suites: await readSuiteFacts(api, used) }),
  };
}

async function readSuiteFacts(
  api: CoderApi,
  used: ReadonlyMap<string, Fact<TemplateFacts>>,
): Promise<SuiteFacts> {
  const functions = new DeploymentFunctions(api.http);
  const templates = [...used.values()].flatMap((fact) => (fact.known ? [fact.value.template] : []));
  const [features, experiments, prebuildsPaused, externalAgents] = await Promise.all([
    attempt(() => functions.features()),
    attempt(() => functions.experiments()),
    attempt(() => functions.prebuildsPaused()),
    attempt(() => functions.withExternalAgent(templates)),
  ]);
  return { features, experiments, prebuildsPaused, externalAgents };
}

async function attempt<T>(ask: () => Promise<T>): Promise<Fact<T>> {
  try {
    return { known: true, value: await ask() };
  } catch (thrown) {
    return { known: false, reason: messageOf(thrown) };
  }
}

async function readTemplate(api: CoderApi, template: Template): Promise<TemplateFacts> {
  const parameters = await api.parameters(template.active_version_id);
  return {
    template,
    requiredSignIns: await api.requiredSignIns(template.active_version_id),
    parameters: parameters.map((parameter) => ({
      name: parameter.name,
      required: parameter.required,
      ephemeral: parameter.ephemeral,
      defaultValue: parameter.default_value,
      options: parameter.options.map(({ value }) => value),
    })),
  };
}

async function readDaemons(
  api: CoderApi,
  used: ReadonlyMap<string, Fact<TemplateFacts>>,
): Promise<ProvisionerDaemon[]> {
  const organizations = new Set(
    [...used.values()].flatMap((fact) => (fact.known ? [fact.value.template.organization_id] : [])),
  );
  const lists = await Promise.all(
    [...organizations].map((organization) => api.provisionerDaemons(organization)),
  );
  return lists.flat();
}

/** Daemons that take jobs. Old servers list the offline ones too, and tell no status. */
export const workingDaemons = (daemons: readonly ProvisionerDaemon[]): readonly ProvisionerDaemon[] =>
  daemons.filter(({ status }) => status !== 'offline');
