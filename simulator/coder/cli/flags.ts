import { isAtLeast } from '../versions.js';

/**
 * Every flag of `coder exp scaletest`, by release. One line a flag:
 * `name | short | type | default | variable | remarks`, where `-` means none, `""` an empty default, a variable gets the
 * prefix `CODER_SCALETEST_` unless it begins with `=`, and a flag is as old as its command unless `since=` says otherwise.
 */
const GROUPS: Record<string, string> = {
  '@timeout': `
    timeout | - | duration | 30m | TIMEOUT
    job-timeout | - | duration | 5m | JOB_TIMEOUT`,
  '@concurrency': `
    concurrency | - | int | 1 | CONCURRENCY`,
  '@cleanup': `
    cleanup-concurrency | - | int | 1 | CLEANUP_CONCURRENCY
    cleanup-job-timeout | - | duration | 5m | CLEANUP_JOB_TIMEOUT
    cleanup-timeout | - | duration | 30m | CLEANUP_TIMEOUT`,
  '@output': `
    output | - | string-list | text | OUTPUTS`,
  '@prometheus': `
    scaletest-prometheus-address | - | string | 0.0.0.0:21112 | PROMETHEUS_ADDRESS
    scaletest-prometheus-wait | - | duration | 15s | PROMETHEUS_WAIT`,
  '@tracing': `
    trace | - | bool | - | TRACE
    trace-coder | - | bool | - | TRACE_CODER
    trace-honeycomb-api-key | - | string | - | TRACE_HONEYCOMB_API_KEY
    trace-propagate | - | bool | - | TRACE_PROPAGATE`,
  '@parameters': `
    parameter | - | string-list | - | =CODER_RICH_PARAMETER
    rich-parameter-file | - | string | - | =CODER_RICH_PARAMETER_FILE`,
};

const COMMANDS: Record<string, { since: string; summary: string; flags: string }> = {
  cleanup: {
    since: 'v2.0.0',
    summary: 'Cleanup scaletest workspaces, then cleanup scaletest users.',
    flags: `
    @cleanup
    template | - | string | - | CLEANUP_TEMPLATE | since=v2.4.0`,
  },
  'create-workspaces': {
    since: 'v2.0.0',
    summary:
      'Creates many users, then creates a workspace for each user and waits for them finish building and fully come online. Optionally runs a command inside each workspace, and connects to the workspace over WireGuard.',
    flags: `
    @concurrency
    @timeout
    @cleanup
    @output
    @tracing
    parameter | - | string-list | - | =CODER_RICH_PARAMETER | since=v2.3.0
    rich-parameter-file | - | string | - | =CODER_RICH_PARAMETER_FILE | since=v2.3.0
    connect-hold | - | duration | 30s | CONNECT_HOLD
    connect-interval | - | duration | 1s | CONNECT_INTERVAL
    connect-mode | - | enum:derp,direct | derp | CONNECT_MODE
    connect-timeout | - | duration | 5s | CONNECT_TIMEOUT
    connect-url | - | string | - | CONNECT_URL
    count | c | int | 1 | COUNT
    max-failures | - | int | 0 | MAX_FAILURES | since=v2.30.0
    no-cleanup | - | bool | - | NO_CLEANUP
    no-wait-for-agents | - | bool | - | NO_WAIT_FOR_AGENTS
    retry | - | int | 0 | RETRY | since=v2.8.0
    run-command | - | string | - | RUN_COMMAND
    run-expect-output | - | string | - | RUN_EXPECT_OUTPUT
    run-expect-timeout | - | bool | - | RUN_EXPECT_TIMEOUT
    run-log-output | - | bool | - | RUN_LOG_OUTPUT
    run-timeout | - | duration | 5s | RUN_TIMEOUT
    template | t | string | - | TEMPLATE | by-hand
    use-host-login | - | bool | false | USE_HOST_LOGIN`,
  },
  dashboard: {
    since: 'v2.0.0',
    summary: 'Generate traffic to the HTTP API to simulate use of the dashboard.',
    flags: `
    @concurrency
    @timeout
    @cleanup
    @output
    @prometheus
    @tracing
    headless | - | bool | true | DASHBOARD_HEADLESS | since=v2.2.1
    interval | - | duration | 10s | DASHBOARD_INTERVAL | since=v2.2.1
    jitter | - | duration | 5s | DASHBOARD_JITTER | since=v2.2.1
    rand-seed | - | int | 0 | DASHBOARD_RAND_SEED | since=v2.2.1
    target-users | - | string | - | DASHBOARD_TARGET_USERS | since=v2.7.0`,
  },
  'workspace-traffic': {
    since: 'v2.0.0',
    summary: 'Generate traffic to scaletest workspaces through coderd',
    flags: `
    @concurrency
    @timeout
    @cleanup
    @output
    @prometheus
    @tracing
    app | - | string | "" | WORKSPACE_TRAFFIC_APP | since=v2.7.0
    bytes-per-tick | - | int | 1024 | WORKSPACE_TRAFFIC_BYTES_PER_TICK
    disable-direct | - | bool | false | WORKSPACE_TRAFFIC_DISABLE_DIRECT_CONNECTIONS | since=v2.27.0
    ssh | - | bool | "" | WORKSPACE_TRAFFIC_SSH
    target-workspaces | - | string | - | TARGET_WORKSPACES | since=v2.7.0
    template | t | string | - | TEMPLATE | since=v2.4.0
    tick-interval | - | duration | 100ms | WORKSPACE_TRAFFIC_TICK_INTERVAL
    use-host-login | - | bool | false | USE_HOST_LOGIN | since=v2.15.0
    workspace-proxy-url | - | string | "" | WORKSPACE_PROXY_URL | since=v2.19.0`,
  },
  'workspace-updates': {
    since: 'v2.27.0',
    summary: 'Simulate the load of Coder Desktop clients receiving workspace updates',
    flags: `
    @timeout
    @cleanup
    @output
    @prometheus
    @tracing
    @parameters
    dial-timeout | - | duration | 2m | DIAL_TIMEOUT
    no-cleanup | - | bool | - | NO_CLEANUP
    power-user-percentage | - | float | 50.0 | POWER_USER_PERCENTAGE
    power-user-workspaces | - | int | - | POWER_USER_WORKSPACES | required
    template | t | string | - | TEMPLATE | required
    workspace-count | c | int | - | WORKSPACE_COUNT | required
    workspace-updates-timeout | - | duration | 5m | WORKSPACE_UPDATES_TIMEOUT`,
  },
  autostart: {
    since: 'v2.28.0',
    summary: 'Replicate a thundering herd of autostarting workspaces',
    flags: `
    @timeout
    @cleanup
    @output
    @tracing
    @parameters
    scaletest-prometheus-address | - | string | 0.0.0.0:21112 | PROMETHEUS_ADDRESS | removed=v2.32.0
    scaletest-prometheus-wait | - | duration | 15s | PROMETHEUS_WAIT | removed=v2.32.0
    autostart-build-timeout | - | duration | 15m | AUTOSTART_BUILD_TIMEOUT | since=v2.32.0
    autostart-delay | - | duration | 2m | AUTOSTART_DELAY
    autostart-timeout | - | duration | 5m | AUTOSTART_TIMEOUT | removed=v2.32.0
    no-cleanup | - | bool | - | NO_CLEANUP
    template | t | string | - | TEMPLATE | required
    workspace-count | c | int | - | WORKSPACE_COUNT | required
    workspace-job-timeout | - | duration | 5m | WORKSPACE_JOB_TIMEOUT`,
  },
  'dynamic-parameters': {
    since: 'v2.28.0',
    summary: 'Generates load on the Coder server evaluating dynamic parameters',
    flags: `
    @timeout
    @output
    @prometheus
    @tracing
    concurrent-evaluations | - | int | 100 | -
    org | O | string | - | =CODER_ORGANIZATION
    provisioner-tag | - | string-list | - | -
    template | - | string | scaletest-dynamic-parameters | -`,
  },
  notifications: {
    since: 'v2.28.0',
    summary: 'Simulate notification delivery by creating many users listening to notifications.',
    flags: `
    @timeout
    @cleanup
    @output
    @prometheus
    @tracing
    dial-timeout | - | duration | 10m | DIAL_TIMEOUT
    no-cleanup | - | bool | - | NO_CLEANUP
    notification-timeout | - | duration | 10m | NOTIFICATION_TIMEOUT
    smtp-api-url | - | string | - | SMTP_API_URL
    smtp-request-timeout | - | duration | 5m | SMTP_REQUEST_TIMEOUT | since=v2.29.0
    template-admin-percentage | - | float | 20.0 | NOTIFICATION_TEMPLATE_ADMIN_PERCENTAGE | since=v2.29.0
    user-count | c | int | - | NOTIFICATION_USER_COUNT | required`,
  },
  smtp: {
    since: 'v2.28.0',
    summary: 'Start a mock SMTP server for testing',
    flags: `
    api-port | - | int | - | SMTP_API_PORT
    host-address | - | string | localhost | SMTP_HOST_ADDRESS
    purge-at-count | - | int | 100000 | SMTP_PURGE_AT_COUNT
    smtp-port | - | int | - | SMTP_PORT`,
  },
  prebuilds: {
    since: 'v2.29.0',
    summary: 'Creates prebuild workspaces on the Coder server.',
    flags: `
    @timeout
    @cleanup
    @output
    @prometheus
    @tracing
    num-preset-prebuilds | - | int | 1 | PREBUILDS_NUM_PRESET_PREBUILDS
    num-presets | - | int | 1 | PREBUILDS_NUM_PRESETS
    num-templates | - | int | 1 | PREBUILDS_NUM_TEMPLATES
    prebuild-workspace-timeout | - | duration | 10m | PREBUILDS_WORKSPACE_TIMEOUT
    provisioner-tag | - | string-list | - | - | since=v2.32.0
    skip-cleanup | - | bool | - | PREBUILDS_SKIP_CLEANUP
    template-version-job-timeout | - | duration | 5m | PREBUILDS_TEMPLATE_VERSION_JOB_TIMEOUT`,
  },
  'task-status': {
    since: 'v2.29.0',
    summary: 'Generates load on the Coder server by simulating task status reporting',
    flags: `
    @timeout
    @cleanup
    @output
    @prometheus
    @tracing
    app-slug | - | string | ai-agent | -
    baseline-duration | - | duration | 10m | -
    count | - | int | 10 | -
    org | O | string | - | =CODER_ORGANIZATION
    report-status-duration | - | duration | 15m | -
    report-status-period | - | duration | 10s | -
    template | - | string | scaletest-task-status | -
    workspace-name-prefix | - | string | scaletest-task-status | -`,
  },
  bridge: {
    since: 'v2.30.0',
    summary: 'Generate load on the AI Gateway service.',
    flags: `
    @timeout
    @cleanup
    @output
    @prometheus
    concurrent-users | c | int | - | BRIDGE_CONCURRENT_USERS | required
    http-timeout | - | duration | 30s | BRIDGE_HTTP_TIMEOUT
    mode | - | enum:bridge,direct | direct | BRIDGE_MODE
    no-cleanup | - | bool | - | NO_CLEANUP
    num-messages | - | int | 1 | BRIDGE_NUM_MESSAGES
    provider | - | enum:completions,messages,responses | - | BRIDGE_PROVIDER | required
    request-count | - | int | 1 | BRIDGE_REQUEST_COUNT
    request-payload-size | - | int | 1024 | BRIDGE_REQUEST_PAYLOAD_SIZE
    stream | - | bool | - | BRIDGE_STREAM
    upstream-url | - | string | - | BRIDGE_UPSTREAM_URL`,
  },
  'llm-mock': {
    since: 'v2.30.0',
    summary: 'Start a mock LLM API server for testing',
    flags: `
    address | - | string | localhost | LLM_MOCK_ADDRESS
    artificial-latency | - | duration | 0s | LLM_MOCK_ARTIFICIAL_LATENCY
    pprof-address | - | string | 127.0.0.1:6060 | LLM_MOCK_PPROF_ADDRESS
    pprof-enable | - | bool | false | LLM_MOCK_PPROF_ENABLE
    response-payload-size | - | int | 0 | LLM_MOCK_RESPONSE_PAYLOAD_SIZE
    trace-enable | - | bool | false | LLM_MOCK_TRACE_ENABLE`,
  },
  agentfake: {
    since: 'v2.34.0',
    summary: 'Run fake external agents against workspaces of the given template.',
    flags: `
    connection-report-duration | - | duration | 5s | AGENTFAKE_CONNECTION_REPORT_DURATION | since=v2.35.0
    connection-report-interval | - | duration | 30s | AGENTFAKE_CONNECTION_REPORT_INTERVAL | since=v2.35.0
    expected-agents | - | int | 0 | AGENTFAKE_EXPECTED_AGENTS | since=v2.35.0
    expected-agents-tolerance | - | int | 0 | AGENTFAKE_EXPECTED_AGENTS_TOLERANCE | since=v2.35.0
    owner | - | string | - | AGENTFAKE_OWNER
    postgres-connection-auth | - | enum:password,awsiamrds | password | =CODER_PG_CONNECTION_AUTH | since=v2.35.0
    postgres-url | - | string | - | =CODER_PG_CONNECTION_URL | since=v2.35.0 by-hand
    prometheus-address | - | string | 0.0.0.0:21112 | AGENTFAKE_PROMETHEUS_ADDRESS | since=v2.35.0
    template | - | string | - | AGENTFAKE_TEMPLATE | by-hand`,
  },
  chat: {
    since: 'v2.34.0',
    summary: 'Generate Coder Agents load.',
    flags: `
    @timeout
    @cleanup
    @output
    @prometheus
    @tracing
    chats-per-workspace | - | int | - | - | required
    llm-mock-url | - | string | - | - | required
    prompt | - | string | "Reply with one short sentence." | -
    provider-propagation-wait | - | duration | 15s | - | since=v2.35.0 hidden
    target-workspaces | - | string | - | TARGET_WORKSPACES
    template | t | string | - | TEMPLATE
    turn-start-delay | - | duration | 0s | -
    turns | - | int | 10 | -
    use-host-login | - | bool | false | USE_HOST_LOGIN`,
  },
};

const GLOBAL_FLAGS = `
    url | - | url | - | =CODER_URL
    debug-options | - | bool | - | -
    token | - | string | - | =CODER_SESSION_TOKEN
    agent-token | - | string | - | =CODER_AGENT_TOKEN | removed=v2.27.0 hidden
    agent-token-file | - | string | - | =CODER_AGENT_TOKEN_FILE | removed=v2.27.0 hidden
    agent-url | - | url | - | =CODER_AGENT_URL | removed=v2.27.0 hidden
    no-version-warning | - | bool | - | =CODER_NO_VERSION_WARNING
    no-feature-warning | - | bool | - | =CODER_NO_FEATURE_WARNING
    header | - | string-list | - | =CODER_HEADER
    header-command | - | string | - | =CODER_HEADER_COMMAND
    no-open | - | bool | - | =CODER_NO_OPEN | hidden
    force-tty | - | bool | - | =CODER_FORCE_TTY
    verbose | v | bool | - | =CODER_VERBOSE
    disable-direct-connections | - | bool | - | =CODER_DISABLE_DIRECT_CONNECTIONS
    disable-network-telemetry | - | bool | - | =CODER_DISABLE_NETWORK_TELEMETRY
    client-tls-ca-file | - | string | - | =CODER_CLIENT_TLS_CA_FILE | since=v2.34.0
    client-tls-cert-file | - | string | - | =CODER_CLIENT_TLS_CERT_FILE | since=v2.34.0
    client-tls-key-file | - | string | - | =CODER_CLIENT_TLS_KEY_FILE | since=v2.34.0
    use-keyring | - | bool | true | =CODER_USE_KEYRING | since=v2.29.0
    debug-http | - | bool | - | - | hidden
    global-config | - | string | - | =CODER_CONFIG_DIR
    version | - | bool | - | - | hidden`;

export type FlagType = 'int' | 'float' | 'bool' | 'string' | 'string-list' | 'duration' | 'enum' | 'url';

export interface Flag {
  name: string;
  short: string | null;
  type: FlagType;
  choices: string[];
  default: string | null;
  env: string | null;
  required: boolean;
  requiredByHand: boolean;
  hidden: boolean;
  since: string;
  removedIn: string | null;
}

export interface Command {
  name: string;
  summary: string;
  since: string;
  flags: Flag[];
}

const TYPES: FlagType[] = ['int', 'float', 'bool', 'string', 'string-list', 'duration', 'enum', 'url'];

function readFlag(line: string, commandSince: string): Flag {
  const [name = '', short = '-', typeText = '', fallback = '-', variable = '-', remarks = ''] = line
    .split('|')
    .map((cell) => cell.trim());
  const [kind = '', choices = ''] = typeText.split(':');
  const type = TYPES.find((one) => one === kind);
  if (type === undefined) throw new Error(`flag table: ${line}`);
  const words = remarks.split(' ');
  const remark = (key: string): string | null => {
    return words.find((word) => word.startsWith(`${key}=`))?.slice(key.length + 1) ?? null;
  };
  return {
    name,
    short: short === '-' ? null : short,
    type,
    choices: choices === '' ? [] : choices.split(','),
    default: fallback === '-' ? null : fallback.replace(/^"(.*)"$/, '$1'),
    env:
      variable === '-' ? null : variable.startsWith('=') ? variable.slice(1) : `CODER_SCALETEST_${variable}`,
    required: words.includes('required'),
    requiredByHand: words.includes('by-hand'),
    hidden: words.includes('hidden'),
    since: remark('since') ?? commandSince,
    removedIn: remark('removed'),
  };
}

function tableLines(table: string): string[] {
  return table
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .flatMap((line) => (line.startsWith('@') ? tableLines(GROUPS[line] ?? '') : [line]));
}

function flagsOf(table: string, commandSince: string, version: string): Flag[] {
  return tableLines(table)
    .map((line) => readFlag(line, commandSince))
    .filter((flag) => isAtLeast(version, flag.since))
    .filter((flag) => flag.removedIn === null || !isAtLeast(version, flag.removedIn))
    .sort((left, right) => (left.name < right.name ? -1 : 1));
}

/** The sub-commands of a release, with exactly its flags. */
export function commandsOf(version: string): Command[] {
  return Object.entries(COMMANDS)
    .filter(([, { since }]) => isAtLeast(version, since))
    .map(([name, { since, summary, flags }]) => ({
      name,
      summary,
      since,
      flags: flagsOf(flags, since, version),
    }))
    .sort((left, right) => (left.name < right.name ? -1 : 1));
}

export function globalFlagsOf(version: string): Flag[] {
  return flagsOf(GLOBAL_FLAGS, 'v2.0.0', version);
}
