import { z } from 'zod';
import { ExpectationError, parseExpectation } from './expectation.js';
import { parseDuration, parseRatio, QuantityError } from './units.js';

/** The config file's shape. Every object is strict: an unknown key is a mistake, never passed over. */

const count = z.number({ error: 'a whole number is needed' }).int('a whole number is needed');
const positiveCount = count.min(1, 'at least 1 is needed');

const duration = z
  .string({ error: 'a duration with a unit is needed, like "2m"' })
  .transform((text, context) => transformed(context, () => parseDuration(text)))
  .refine((value) => value > 0, 'a duration above zero is needed');

const share = z
  .union([z.string(), z.number()], { error: 'a share is needed, like "99%"' })
  .transform((value, context) => transformed(context, () => parseRatio(value)));

const expectation = z
  .string({ error: 'an expectation is needed, like "p95 < 2m"' })
  .transform((text, context) => transformed(context, () => parseExpectation(text)));

function transformed<T>(context: z.RefinementCtx, parse: () => T): T {
  try {
    return parse();
  } catch (thrown) {
    if (!(thrown instanceof QuantityError) && !(thrown instanceof ExpectationError)) throw thrown;
    const offset = thrown instanceof ExpectationError ? thrown.offset : 0;
    context.addIssue({ code: 'custom', message: thrown.message, params: { offset }, input: context.value });
    return z.NEVER;
  }
}

/** Template and group names end up in commands, file names and metric names. */
const name = z
  .string({ error: 'a name is needed' })
  .regex(/^[A-Za-z0-9][A-Za-z0-9_-]*$/, 'a name has letters, digits, "-" and "_" only');

const parameterValue = z
  .union([z.string(), z.number(), z.boolean()], { error: 'a text, a number or true/false is needed' })
  .transform(String);

const group = z.strictObject({
  template: name,
  count: positiveCount,
  concurrency: positiveCount,
  expected_p95: duration,
  requirement: z.string().min(1, 'a requirement has a name').optional(),
  parameters: z.record(z.string(), parameterValue).default({}),
  timeout: duration.optional(),
  job_timeout: duration.optional(),
  retry: count.min(0, 'a number of retries is 0 or more').default(0),
});

const createWorkspaces = z.strictObject({
  count: positiveCount,
  success_rate: share.prefault('99%'),
  driver: z.enum(['auto', 'cli', 'api']).default('auto'),
  owner: z.enum(['scaletest-users', 'token-user']).default('scaletest-users'),
  simultaneous: positiveCount.optional(),
  templates: z
    .record(name, group)
    .refine((groups) => Object.keys(groups).length > 0, 'at least one group of workspaces is needed'),
});

const dashboard = z.strictObject({
  concurrency: positiveCount,
  duration,
  targets: z
    .strictObject({
      p95_latency_ms: z.number().positive('a number of milliseconds above 0 is needed').optional(),
      p99_latency_ms: z.number().positive('a number of milliseconds above 0 is needed').optional(),
    })
    .optional(),
  browser: z.enum(['auto', 'always', 'never']).default('auto'),
});

/** Below the deployment's address, as it is sent: what a request line may hold. */
const requestPath = z
  .string({ error: 'a path is needed, like "/api/v2/templates"' })
  .regex(
    /^\/[\x21-\x7e]*$/,
    'a path below the deployment is needed, like "/api/v2/templates?limit=25", with other characters escaped',
  )
  .refine(
    (path) => !/[{}]/.test(path),
    'a path is sent as it is written; it has no placeholders like {user}',
  );

const probeRoute = z.union([
  requestPath.transform((path) => ({ path })),
  z.strictObject({
    id: z
      .string()
      .regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, 'an id has small letters, digits and single "-" only')
      .optional(),
    path: requestPath,
    weight: z.number().positive('a weight above 0 is needed').optional(),
    method: z.enum(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']).optional(),
    body: z.unknown().optional(),
  }),
]);

const apiProbe = z.strictObject({
  rate: z.number({ error: 'a number of calls a second is needed' }).positive('a rate above 0 is needed'),
  routes: z.array(probeRoute).min(1, 'at least one route is needed'),
});

/** The CLI's flag for the mode "app" takes the slug of a workspace app. */
const trafficMode = z
  .string({ error: 'a mode is needed: "web-terminal", "ssh" or "app:<slug>"' })
  .regex(
    /^(web-terminal|ssh|app:[a-z0-9]+(-[a-z0-9]+)*)$/,
    'a mode is "web-terminal", "ssh" or "app:<slug>"',
  );

const workspaceTraffic = z.strictObject({
  bytes_per_tick: positiveCount,
  tick_interval: duration,
  duration,
  mode: trafficMode.default('web-terminal'),
});

const flagScalar = z.union([z.string(), z.number(), z.boolean()], {
  error: 'a text, a number, true/false or a list of them is needed; for a flag without a value write true',
});

/** The value of a flag of the CLI, as it is passed on: a list gives the flag several times. */
const flagValue = z.union([flagScalar, z.array(flagScalar).min(1, 'at least one value is needed')], {
  error: 'a text, a number, true/false or a list of them is needed; for a flag without a value write true',
});

/** Any other suite of the CLI, by the CLI's own names of its flags. */
const cliSuite = z.record(z.string(), flagValue, {
  error: 'the flags of the suite are needed, like "user-count: 20", or {} for none',
});

const criterionDetails = {
  id: z
    .string({ error: 'an id is needed' })
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, 'an id has letters, digits, ".", "-" and "_" only'),
  title: z.string().optional(),
  requirement: z.string().optional(),
};

const activeCriterion = z.strictObject({
  ...criterionDetails,
  metric: z.string({ error: 'the name of a metric is needed' }),
  expect: expectation,
  warn: expectation.optional(),
  min_samples: positiveCount.optional(),
  informational: z.boolean().default(false),
  abort: z.boolean().default(false),
});

const disabledCriterion = z.strictObject({
  ...criterionDetails,
  disabled: z.literal(true),
  reason: z.string({ error: 'a criterion that is taken out needs a reason' }).min(1, 'a reason is needed'),
});

const criterion = z.union([activeCriterion, disabledCriterion]);

const sections = {
  create_workspaces: createWorkspaces.optional(),
  dashboard: dashboard.optional(),
  workspace_traffic: workspaceTraffic.optional(),
  api_probe: apiProbe.optional(),
  suites: z.record(z.string(), cliSuite).optional(),
  criteria: z.array(criterion).default([]),
  abort_early: z.boolean().default(false),
  cleanup: z.strictObject({ orphan: z.boolean().default(false) }).prefault({}),
  load: z.strictObject({ proxy: z.boolean() }).optional(),
};

export const configSchema = z.strictObject({
  version: z.literal(1, 'the only version is 1').optional(),
  profiles: z.record(z.string(), z.record(z.string(), z.unknown())).default({}),
  ...sections,
});

export type Config = z.infer<typeof configSchema>;
export type CreateWorkspacesConfig = z.infer<typeof createWorkspaces>;
export type WorkspaceTrafficConfig = z.infer<typeof workspaceTraffic>;
export type DashboardConfig = z.infer<typeof dashboard>;
export type ApiProbeConfig = z.infer<typeof apiProbe>;
export type SuiteFlags = z.infer<typeof cliSuite>;
export type FlagValue = z.infer<typeof flagValue>;
export type GroupConfig = z.infer<typeof group>;
export type CriterionConfig = z.infer<typeof criterion>;
export type ActiveCriterionConfig = z.infer<typeof activeCriterion>;

/** The keys of one object of the config, for suggestions at a mistyped one. `*` stands for any name. */
export const KNOWN_KEYS: ReadonlyMap<string, readonly string[]> = new Map(
  Object.entries({
    '': ['version', 'profiles', ...Object.keys(sections)],
    create_workspaces: Object.keys(createWorkspaces.shape),
    'create_workspaces.templates.*': Object.keys(group.shape),
    dashboard: Object.keys(dashboard.shape),
    'dashboard.targets': ['p95_latency_ms', 'p99_latency_ms'],
    workspace_traffic: Object.keys(workspaceTraffic.shape),
    api_probe: Object.keys(apiProbe.shape),
    'api_probe.routes.*': ['id', 'path', 'weight', 'method', 'body'],
    'criteria.*': [...Object.keys(activeCriterion.shape), 'disabled', 'reason'],
    cleanup: ['orphan'],
    load: ['proxy'],
  }),
);
