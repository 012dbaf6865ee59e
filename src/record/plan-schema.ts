import { z } from 'zod';
import type { Expectation } from '../config/expectation.js';
import { CLI_SUITE_NAMES } from '../plan/cli-suites.js';
import type {
  CliSuiteStep,
  CreateWorkspacesStep,
  Criterion,
  DashboardBrowserStep,
  DashboardStep,
  Plan,
  TrafficMode,
  WorkspaceTrafficStep,
} from '../plan/plan-types.js';
import type { Seconds } from '../units.js';

/** The shape of plan.json. */

const text = z.string();
const number = z.number();
const secondsSchema = z.custom<Seconds>((value) => typeof value === 'number');
const texts = z.record(text, text);
const location = z.object({ file: text, line: number, column: number });
const owner = z.enum(['scaletest-users', 'token-user']);
const command = z.array(text);
const ofCli = { jobTimeout: secondsSchema, timeout: secondsSchema, resultFile: text, command };

const createStep: z.ZodType<CreateWorkspacesStep> = z.object({
  suite: z.literal('create-workspaces'),
  group: text,
  template: text,
  count: number,
  concurrency: number,
  driver: z.enum(['auto', 'cli', 'api']),
  owner,
  expectedP95: secondsSchema,
  retries: number,
  parameters: texts,
  parametersComplete: z.boolean(),
  ...ofCli,
});

const probeRoute = z.object({
  id: text,
  path: text,
  weight: number.exactOptional(),
  method: z.enum(['GET', 'POST', 'DELETE', 'PATCH', 'PUT']).exactOptional(),
  body: text.exactOptional(),
});

const dashboardStep: z.ZodType<DashboardStep> = z.object({
  suite: z.literal('dashboard'),
  users: number,
  usersWithoutWorkspace: number,
  duration: secondsSchema,
  alone: secondsSchema,
  timeout: secondsSchema,
  seed: number,
  work: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('visits'), mix: text, unknownRoutes: z.array(text) }),
    z.object({ kind: z.literal('probe'), rate: number, routes: z.array(probeRoute) }),
  ]),
});

const trafficMode = z.custom<TrafficMode>(
  (value) => typeof value === 'string' && /^(web-terminal|ssh|app:.*)$/.test(value),
);

const trafficStep: z.ZodType<WorkspaceTrafficStep> = z.object({
  suite: z.literal('workspace-traffic'),
  workspaces: number,
  template: text.exactOptional(),
  owner,
  mode: trafficMode,
  bytesPerTick: number,
  tickInterval: secondsSchema,
  metricsPort: number,
  ...ofCli,
});

const flag = z.union([text, number, z.boolean()]);

const cliSuiteStep: z.ZodType<CliSuiteStep> = z.object({
  suite: z.enum(CLI_SUITE_NAMES),
  flags: z.record(text, z.union([flag, z.array(flag)])),
  places: z.record(text, location),
  plannedRuns: number,
  workspaces: number,
  users: number,
  template: text.exactOptional(),
  parameters: z.array(text),
  around: secondsSchema,
  ...ofCli,
});

const browserStep: z.ZodType<DashboardBrowserStep> = z.object({
  suite: z.literal('dashboard-browser'),
  wanted: z.enum(['auto', 'always']),
  users: number,
  interval: secondsSchema,
  jitter: secondsSchema,
  metricsPort: number,
  ...ofCli,
});

const expectation: z.ZodType<Expectation> = z.object({
  text,
  aggregate: z.union([
    z.object({ kind: z.literal('quantile'), q: number, name: text }),
    z.object({ kind: z.enum(['max', 'min', 'mean', 'count', 'value']) }),
  ]),
  operator: z.enum(['<', '<=', '>', '>=', '==']),
  threshold: number,
  unit: z.enum(['seconds', 'ratio', 'count', 'bytes_per_second']),
});

const criterion: z.ZodType<Criterion> = z.object({
  id: text,
  title: text,
  requirement: text.exactOptional(),
  metric: text,
  expect: expectation,
  warn: expectation.exactOptional(),
  minSamples: number.exactOptional(),
  informational: z.boolean(),
  abort: z.literal(true).exactOptional(),
  parts: z.array(text).exactOptional(),
  whereSeen: z.literal(true).exactOptional(),
  disabled: z.object({ reason: text }).exactOptional(),
  origin: z.enum(['config', 'default', 'criteria']),
  plannedSamples: number.exactOptional(),
});

export const planSchema: z.ZodType<Plan> = z.object({
  schema: z.literal(1),
  subject: text.exactOptional(),
  profile: text.exactOptional(),
  suites: z.array(text),
  leftOut: z.array(text).exactOptional(),
  phases: z.array(
    z.object({
      name: text,
      title: text,
      steps: z.array(z.union([createStep, dashboardStep, trafficStep, cliSuiteStep, browserStep])),
    }),
  ),
  // As they were written, with their keys in their order: they stand in verdict.json again.
  criteria: z.array(z.custom<Criterion>((value) => criterion.safeParse(value).success, 'no criterion')),
  abortEarly: z.literal(true).exactOptional(),
  effects: z.object({ workspaces: number, users: number, notificationsPerAdmin: number }),
  time: z.object({
    load: secondsSchema,
    cleanup: secondsSchema,
    total: secondsSchema,
    jobMinutes: number,
    slots: number,
    slotsKnown: z.boolean(),
  }),
});
