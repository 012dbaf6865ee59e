import type { CliBehaviour, DeploymentOptions } from '../../simulator/coder/options.js';
import type { ActionRun, RunActionOptions } from '../../simulator/runner/runner.js';
import { inWorld, readJson, type E2eWorld } from './support.js';

export interface SuiteRunOptions {
  readonly cli?: Partial<CliBehaviour>;
  readonly deployment?: Partial<DeploymentOptions>;
  readonly run?: Partial<RunActionOptions>;
  readonly inputs?: Record<string, string>;
}

/** A run of the other suites of a config. */
export function suites(
  config: string,
  { cli = {}, deployment = {}, run = {}, inputs = {} }: SuiteRunOptions,
  check: (finished: ActionRun, world: E2eWorld) => void,
): Promise<void> {
  return inWorld({ ...deployment, cli }, async (world) => {
    check(await world.run(config, { ...run, inputs: { tests: 'all', ...inputs } }), world);
  });
}

export const metricsOf = (run: ActionRun): Record<string, Record<string, unknown>> =>
  Object.fromEntries(
    (readJson(run, 'metrics.json') as { metrics: { name: string }[] }).metrics.map((metric) => [
      metric.name,
      { ...metric },
    ]),
  );

export const NOTIFICATIONS = 'suites:\n  notifications: { user-count: 5 }\n';
export const PREBUILDS = 'suites:\n  prebuilds: { num-templates: 2 }\n';
/** With the Premium features. */
export const licensed: Partial<DeploymentOptions> = { licensed: true };
