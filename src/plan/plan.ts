import type { LoadedConfig } from '../config/load.js';
import { formatDuration } from '../config/units.js';
import { ConfigurationError, type Mistake, type SourceLocation } from '../errors.js';
import { minutes, type Seconds } from '../units.js';
import { isCliSuite } from './cli-suites.js';
import { textFlag } from './cli-suite.js';
import { completeSuite, planCliSuite } from './cli-suite-plan.js';
import { createWorkspacesCommand } from './command.js';
import { planCreateWorkspaces } from './create-workspaces.js';
import { planCriteria, withPlannedSamples } from './criteria.js';
import { dashboardMetrics, planDashboard, withoutUnknownRoutes } from './dashboard.js';
import { withBrowsers } from './dashboard-browser.js';
import { effectsOf } from './effects.js';
import { completeParameters } from './parameters.js';
import { suiteOfMetric } from './metric-names.js';
import type { Criterion, DeploymentOutline, Plan } from './plan-types.js';
import { undecidable } from './samples.js';
import { dashboardStepOf, isCreateStep, isDashboardStep, isSuiteStep } from './steps.js';
import type { SuitePlan } from './suite-plan.js';
import { selectSuites } from './suites.js';
import { planTime } from './time.js';
import { planWorkspaceTraffic } from './workspace-traffic.js';

/** What the plan needs to know beside the config. */
export interface PlanSettings {
  readonly tests: 'all' | readonly string[];
  readonly profile?: string;
  readonly subject?: string;
  readonly maxWorkspaces?: number;
  readonly maxDuration: Seconds;
  readonly cleanupInMain: boolean;
  /** A private folder for the CLI's raw result files, which hold secrets. */
  readonly rawDirectory: string;
}

/**
 * From config and settings to what will be run.
 * @throws ConfigurationError with every reason why such a plan cannot be run.
 */
export function makePlan(loaded: LoadedConfig, settings: PlanSettings): Plan {
  const { suites, leftOut, phases, criteria, mistakes } = outline(loaded, settings);
  const time = planTime(phases, undefined);
  const undecided = criteria.flatMap((criterion): Mistake[] => {
    const message = undecidable(criterion);
    return message === undefined ? [] : [{ message, location: criterionLocation(loaded, criterion) }];
  });
  const effects = effectsOf(phases);
  const refusals = [...mistakes, ...undecided, ...ceilings(effects.workspaces, time.total, settings)];
  if (refusals.length > 0) throw new ConfigurationError(refusals);
  return {
    schema: 1,
    ...(settings.subject !== undefined && { subject: settings.subject }),
    ...(settings.profile !== undefined && { profile: settings.profile }),
    suites,
    ...(leftOut.length > 0 && { leftOut }),
    phases,
    criteria,
    ...(loaded.config.abort_early && { abortEarly: true as const }),
    effects,
    time,
  };
}

interface Outline extends Pick<Plan, 'suites' | 'phases' | 'criteria'> {
  readonly leftOut: readonly string[];
  readonly mistakes: readonly Mistake[];
}

function outline(
  loaded: LoadedConfig,
  settings: Pick<PlanSettings, 'tests' | 'cleanupInMain' | 'rawDirectory'>,
): Outline {
  const { config, locate, builtInProfile } = loaded;
  const { suites, leftOut, mistakes } = selectSuites(config, settings.tests, loaded.locateKey);
  // Without a suite there is nothing to plan, and no other mistake to look for.
  if (suites.length === 0) throw new ConfigurationError(mistakes);
  const planned = planSuites(loaded, suites, settings.rawDirectory);
  const criteria = planCriteria(config.criteria, planned, {
    fewWorkspaces: builtInProfile !== undefined,
    cleanupInMain: settings.cleanupInMain,
    locate: (index, key) => ({ location: locate(['criteria', index, key]) }),
  });
  return {
    suites,
    leftOut,
    phases: planned.map(({ phase }) => phase),
    criteria: criteria.criteria,
    mistakes: [...mistakes, ...criteria.mistakes],
  };
}

/**
 * The criteria of a config for a run that is over, so nothing is refused for what it would do. `tests: all` means the
 * suites that the config configures, and of those that run only when they are named the ones that ran.
 * @throws ConfigurationError
 */
export function criteriaAnew(
  loaded: LoadedConfig,
  run: Plan,
  settings: Pick<PlanSettings, 'tests' | 'cleanupInMain'>,
): readonly Criterion[] {
  const selection = selectSuites(loaded.config, settings.tests, loaded.locateKey);
  const tests = [...selection.suites, ...selection.leftOut.filter((suite) => run.suites.includes(suite))];
  const { criteria, mistakes } = outline(loaded, { ...settings, tests, rawDirectory: '' });
  if (mistakes.length > 0) throw new ConfigurationError(mistakes);
  const samples = new Map(run.criteria.map(({ metric, plannedSamples }) => [metric, plannedSamples]));
  return criteria.map(({ plannedSamples: ofConfig, ...criterion }) => {
    // The run is what was planned, whatever the config says by now.
    const plannedSamples = samples.has(criterion.metric) ? samples.get(criterion.metric) : ofConfig;
    return plannedSamples === undefined ? criterion : { ...criterion, plannedSamples };
  });
}

/** What each suite adds, in the order of their phases. */
function planSuites(
  loaded: LoadedConfig,
  suites: readonly string[],
  rawDirectory: string,
): readonly SuitePlan[] {
  const { config, builtInProfile } = loaded;
  const { create_workspaces: workspaces, dashboard, workspace_traffic: traffic } = config;
  const created = suites.includes('create-workspaces') ? workspaces : undefined;
  const provisioning = builtInProfile?.provisioning ?? 'p95';
  return [
    created && planCreateWorkspaces(created, { rawDirectory, provisioning }),
    suites.includes('dashboard') && dashboard
      ? withBrowsers(
          planDashboard(dashboard, config.api_probe, {
            count: created?.owner === 'scaletest-users' ? created.count : 0,
          }),
          dashboard,
          rawDirectory,
        )
      : undefined,
    created && suites.includes('workspace-traffic') && traffic
      ? planWorkspaceTraffic(traffic, created, rawDirectory)
      : undefined,
    ...otherSuites(loaded, suites, rawDirectory),
  ].filter((suite) => suite !== undefined);
}

/** After the guide's own, one after the other as the config has them. */
function otherSuites(
  { config, locateKey }: LoadedConfig,
  selected: readonly string[],
  rawDirectory: string,
): readonly SuitePlan[] {
  const groups = Object.values(config.create_workspaces?.templates ?? {});
  return Object.entries(config.suites ?? {}).flatMap(([name, flags]) => {
    if (!isCliSuite(name) || !selected.includes(name)) return [];
    const found = groups.filter(({ template }) =>
      [undefined, template].includes(textFlag(flags, 'template')),
    );
    return [
      planCliSuite(name, flags, {
        rawDirectory,
        targets: found.reduce((sum, { count }) => sum + count, 0),
        locateFlag: (flag) => locateKey(['suites', name], flag),
      }),
    ];
  });
}

/** Where the user can change what makes a criterion undecidable: its own entry, or the count of its group. */
function criterionLocation({ config, locate }: LoadedConfig, criterion: Criterion): SourceLocation {
  const index = config.criteria.findIndex(({ id }) => id === criterion.id);
  if (index >= 0) return locate(['criteria', index, 'expect']);
  const suite = suiteOfMetric(criterion.metric);
  if (isCliSuite(suite)) return locate(['suites', suite]);
  if (criterion.metric.startsWith('api.'))
    return locate(['dashboard', criterion.origin === 'config' ? 'targets' : 'duration']);
  const group = /^create_workspaces\.([^.]+)\./.exec(criterion.metric)?.[1] ?? '';
  return locate(['create_workspaces', 'templates', group, 'count']);
}

/** Why a plan is above the ceilings of the inputs. */
export function ceilings(
  workspaces: number,
  total: Seconds,
  settings: Pick<PlanSettings, 'maxWorkspaces' | 'maxDuration'>,
): Mistake[] {
  const refusals: Mistake[] = [];
  if (settings.maxWorkspaces !== undefined && workspaces > settings.maxWorkspaces) {
    refusals.push({
      message: `the plan has ${workspaces} workspaces, above the ceiling of ${settings.maxWorkspaces} (input "max-workspaces"); raise it, or choose a smaller profile`,
    });
  }
  if (total > settings.maxDuration) {
    refusals.push({
      message: `the plan may take ${formatDuration(minutes(Math.ceil(total / 60)))} with its clean-up, above the ceiling of ${formatDuration(settings.maxDuration)} (input "max-duration"); raise it or shorten the "timeout" of the groups and suites`,
    });
  }
  return refusals;
}

export interface CompletedPlan {
  readonly plan: Plan;
  readonly problems: readonly string[];
}

/** Fills in what only the deployment knows: the templates' parameters and the provisioner slots. */
export function completePlan(plan: Plan, outline: DeploymentOutline): CompletedPlan {
  const problems: string[] = [];
  const unknownRoutes = outline.unknownRoutes ?? [];
  const phases = plan.phases.map((phase) => ({
    ...phase,
    steps: phase.steps.map((step) => {
      if (isDashboardStep(step)) return withoutUnknownRoutes(step, unknownRoutes);
      if (isSuiteStep(step)) {
        const completed = completeSuite(step, outline.parameters.get(step.template ?? ''));
        problems.push(...completed.problems);
        return completed.step;
      }
      if (!isCreateStep(step)) return step;
      const known = outline.parameters.get(step.template);
      if (known === undefined) return step;
      const completed = completeParameters(
        { ...step, place: `create_workspaces.templates.${step.group}.parameters` },
        known,
      );
      problems.push(...completed.problems);
      const complete = {
        ...step,
        parameters: completed.values,
        parametersComplete: completed.problems.length === 0,
      };
      return { ...complete, command: createWorkspacesCommand(complete) };
    }),
  }));
  const time = planTime(phases, outline.slots, outline.deletion);
  const load = unknownRoutes.length === 0 ? undefined : dashboardStepOf({ phases });
  if (load === undefined) return { plan: { ...plan, phases, time }, problems };
  const metrics = dashboardMetrics(load);
  const criteria = plan.criteria.map((criterion) => withPlannedSamples(criterion, metrics));
  const undecided = criteria.flatMap((criterion) =>
    criterion.metric.startsWith('api.') ? (undecidable(criterion) ?? []) : [],
  );
  return { plan: { ...plan, phases, criteria, time }, problems: [...problems, ...undecided] };
}
