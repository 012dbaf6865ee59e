import { minutes, seconds } from '../units.js';
import { durationFlag, numberFlag, textFlag, type CliSuite } from './cli-suite.js';
import { prebuildsMade, sum, targetsOf, updatesUsers } from './suite-counts.js';

/**
 * The suites of Coder's CLI that have no section of their own in the config. Flags and defaults are those of
 * `coder exp scaletest <suite> --help` from v2.27 to v2.36 and of the state after it.
 */

const TIMEOUTS = ['timeout', 'job-timeout'];
const CLEANUP = ['cleanup-concurrency', 'cleanup-timeout', 'cleanup-job-timeout'];
const TRACING = ['trace', 'trace-coder', 'trace-propagate'];
const SHARED = [...TIMEOUTS, ...CLEANUP, ...TRACING];

export const CLI_SUITE_NAMES = [
  'workspace-updates',
  'autostart',
  'notifications',
  'task-status',
  'dynamic-parameters',
  'prebuilds',
  'bridge',
  'chat',
  'create-users',
] as const;
export type CliSuiteName = (typeof CLI_SUITE_NAMES)[number];

/** So long where the flags of a suite say nothing: the CLI's own default of `--timeout`. */
const USUAL = minutes(30);

export const CLI_SUITES: Readonly<Record<CliSuiteName, CliSuite>> = {
  'workspace-updates': {
    does: 'users listen for updates of their workspaces while these are built',
    since: 'v2.27',
    flags: [
      ...SHARED,
      'parameter',
      'dial-timeout',
      'power-user-percentage',
      'power-user-workspaces',
      'template',
      'workspace-count',
      'workspace-updates-timeout',
    ],
    required: ['workspace-count', 'power-user-workspaces', 'template'],
    runs: (flags) => updatesUsers(flags).users,
    workspaces: (flags) => updatesUsers(flags).workspaces,
    users: (flags) => updatesUsers(flags).users,
    lasts: (flags) =>
      sum(
        durationFlag(flags, 'workspace-updates-timeout', minutes(5)),
        durationFlag(flags, 'dial-timeout', minutes(2)),
      ),
    template: (flags) => textFlag(flags, 'template'),
    parameters: true,
    refusedByLimitsSince: [2, 33],
    leavesCleanup: '--no-cleanup',
  },
  autostart: {
    does: 'workspaces that are all started by their schedule in the same minute',
    since: 'v2.28',
    flags: [
      ...SHARED,
      'parameter',
      'autostart-build-timeout',
      'autostart-delay',
      'autostart-timeout',
      'template',
      'workspace-count',
      'workspace-job-timeout',
    ],
    required: ['workspace-count', 'template'],
    runs: (flags) => numberFlag(flags, 'workspace-count', 0),
    workspaces: (flags) => numberFlag(flags, 'workspace-count', 0),
    users: (flags) => numberFlag(flags, 'workspace-count', 0),
    // The workspace is built, stopped, and built again by its schedule.
    lasts: (flags) =>
      sum(
        seconds(2 * durationFlag(flags, 'workspace-job-timeout', minutes(5))),
        durationFlag(flags, 'autostart-delay', minutes(2)),
        durationFlag(flags, 'autostart-build-timeout', minutes(15)),
        durationFlag(flags, 'autostart-timeout', seconds(0)),
      ),
    least: {
      'autostart-delay': {
        value: minutes(2),
        reason:
          'the server looks at the schedules once a minute, and a shorter delay may have passed by then',
      },
    },
    template: (flags) => textFlag(flags, 'template'),
    parameters: true,
    experiment: { name: 'workspace-build-updates', since: [2, 32] },
    leavesCleanup: '--no-cleanup',
  },
  notifications: {
    does: 'users wait for a notification that template admins get',
    since: 'v2.28',
    flags: [
      ...SHARED,
      'dial-timeout',
      'notification-timeout',
      'owner-user-percentage',
      'reuse-users',
      'smtp-api-url',
      'smtp-request-timeout',
      'template-admin-percentage',
      'user-count',
    ],
    required: ['user-count'],
    runs: (flags) => numberFlag(flags, 'user-count', 0),
    users: (flags) => (textFlag(flags, 'reuse-users') === 'true' ? 0 : numberFlag(flags, 'user-count', 0)),
    lasts: (flags) =>
      sum(
        durationFlag(flags, 'notification-timeout', minutes(10)),
        durationFlag(flags, 'dial-timeout', minutes(10)),
      ),
    leavesCleanup: '--no-cleanup',
    templatesMade: () => ['scaletest-test-template'],
  },
  'task-status': {
    does: 'external agents report the status of their tasks',
    since: 'v2.29',
    flags: [
      ...SHARED,
      'app-slug',
      'baseline-duration',
      'count',
      'org',
      'report-status-duration',
      'report-status-period',
      'template',
      'workspace-name-prefix',
    ],
    required: [],
    runs: (flags) => numberFlag(flags, 'count', 10),
    workspaces: (flags) => numberFlag(flags, 'count', 10),
    // All have five minutes to connect; the CLI has no flag for it.
    lasts: (flags) =>
      sum(
        minutes(5),
        durationFlag(flags, 'baseline-duration', minutes(10)),
        durationFlag(flags, 'report-status-duration', minutes(15)),
      ),
    prefixes: { 'workspace-name-prefix': 'scaletest-' },
    template: (flags) => textFlag(flags, 'template') ?? 'scaletest-task-status',
    needsExternalAgent: true,
    licence: () => 'workspace_external_agent',
    secretLogs: true,
  },
  'dynamic-parameters': {
    does: 'forms whose parameters depend on each other are evaluated at the same time',
    since: 'v2.28',
    flags: [...TIMEOUTS, ...TRACING, 'concurrent-evaluations', 'org', 'provisioner-tag', 'template'],
    required: [],
    runs: (flags) => numberFlag(flags, 'concurrent-evaluations', 100),
    lasts: () => minutes(5),
    setup: minutes(10),
    templatesMade: (flags) => [textFlag(flags, 'template') ?? 'scaletest-dynamic-parameters'],
  },
  prebuilds: {
    does: 'prebuilt workspaces are made and deleted by the reconciler',
    since: 'v2.29',
    flags: [
      ...SHARED,
      'num-preset-prebuilds',
      'num-presets',
      'num-templates',
      'prebuild-workspace-timeout',
      'provisioner-tag',
      'template-version-job-timeout',
    ],
    required: [],
    runs: (flags) => numberFlag(flags, 'num-templates', 1),
    workspaces: prebuildsMade,
    lasts: (flags) =>
      seconds(
        2 * durationFlag(flags, 'template-version-job-timeout', minutes(5)) +
          2 * durationFlag(flags, 'prebuild-workspace-timeout', minutes(10)),
      ),
    licence: () => 'workspace_prebuilds',
    templatesMade: () => ['scaletest-prebuilds-template-'],
    onlyWhenNamed:
      'it pauses the reconciler of prebuilt workspaces for the whole deployment, several times; the gate sees that it goes on afterwards',
    pauses: 'prebuilds',
  },
  bridge: {
    does: 'users send requests through the AI gateway, or in mode direct straight to its upstream',
    since: 'v2.30',
    flags: [
      ...TIMEOUTS,
      ...CLEANUP,
      'concurrent-users',
      'http-timeout',
      'mode',
      'num-messages',
      'provider',
      'request-count',
      'request-payload-size',
      'stream',
      'upstream-url',
    ],
    required: ['concurrent-users', 'provider'],
    runs: (flags) => numberFlag(flags, 'concurrent-users', 0),
    users: (flags) =>
      textFlag(flags, 'mode')?.toLowerCase() === 'bridge' ? numberFlag(flags, 'concurrent-users', 0) : 0,
    lasts: (flags) =>
      seconds(
        numberFlag(flags, 'request-count', 1) * durationFlag(flags, 'http-timeout', seconds(30)) + minutes(2),
      ),
    licence: (flags) => (textFlag(flags, 'mode')?.toLowerCase() === 'bridge' ? 'aibridge' : undefined),
    leavesCleanup: '--no-cleanup',
  },
  chat: {
    does: 'chats of Coder Agents run in the workspaces that were created',
    since: 'v2.34',
    flags: [
      ...SHARED,
      'chats-per-workspace',
      'llm-mock-url',
      'prompt',
      'provider-propagation-wait',
      'target-workspaces',
      'template',
      'turn-start-delay',
      'turns',
      'use-host-login',
    ],
    required: ['chats-per-workspace', 'llm-mock-url'],
    runs: (flags, targets) => targetsOf(flags, targets) * numberFlag(flags, 'chats-per-workspace', 0),
    lasts: (flags) => sum(USUAL, durationFlag(flags, 'turn-start-delay', seconds(0))),
    template: (flags) => textFlag(flags, 'template'),
    needsWorkspaces: true,
    onlyWhenNamed: 'it creates or changes an AI provider of the deployment, which stays as it left it',
    notMeasured: ['turns_requested', 'turn_start_delay_ms'],
  },
  'create-users': {
    does: 'users are created and sign in',
    flags: [...SHARED, 'concurrency', 'count', 'template-admin-percentage'],
    required: ['count'],
    runs: (flags) => numberFlag(flags, 'count', 0),
    users: (flags) => numberFlag(flags, 'count', 0),
    lasts: () => USUAL,
    leavesCleanup: '--no-cleanup',
  },
};

export const isCliSuite = (name: string): name is CliSuiteName => CLI_SUITE_NAMES.some((one) => one === name);

/** Sub-commands of the CLI that are no load, or have a section of their own, with what to do instead. */
export const NO_SUITES: ReadonlyMap<string, string> = new Map(
  Object.entries({
    'create-workspaces': 'it has a section of its own, "create_workspaces"',
    dashboard: 'it has a section of its own, "dashboard"',
    'workspace-traffic': 'it has a section of its own, "workspace_traffic"',
    cleanup: 'the gate cleans up itself, through the API; see input "cleanup"',
    smtp: 'it is a stand-in server; start it in a step before the gate and give its address to "notifications"',
    'llm-mock':
      'it is a stand-in server; start it in a step before the gate and give its address to "bridge" or "chat"',
    agentfake: 'it is a stand-in for agents; start it in a step before the gate',
  }),
);
