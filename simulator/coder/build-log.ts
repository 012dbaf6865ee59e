import type { Deployment } from './deployment.js';
import type { Build, Job } from './state.js';
import { isAtLeast } from './versions.js';

export interface LogLine {
  createdAt: number;
  source: 'provisioner_daemon' | 'provisioner';
  level: 'debug' | 'info' | 'warn' | 'error';
  stage: string;
  output: string;
}

/** A stage of the work: from where to where in the job (as shares of its time), and what it prints. */
interface Stage {
  name: string;
  at: number;
  lines: string[];
}

const ENVIRONMENT = 'warn:terraform environment variable: TF_CLI_CONFIG_FILE=/opt/example/tfrc';
const TERRAFORM = 'info:Terraform 1.11.4';

const LOCK_FILE = [
  'Terraform has created a lock file .terraform.lock.hcl to record the provider',
  'selections it made above. Include this file in your version control repository',
  'so that Terraform can guarantee to make the same selections by default when',
  'you run "terraform init" in the future.',
];
const READY = [
  'You may now begin working with Terraform. Try running "terraform plan" to see',
  'any changes that are required for your infrastructure. All Terraform commands',
  'should now work.',
];
const REMINDER = [
  'If you ever set or change modules or backend configuration for Terraform,',
  'rerun this command to reinitialize your working directory. If you forget, other',
  'commands will detect it and remind you to do so if necessary.',
];

const INIT_LINES = [
  ENVIRONMENT,
  TERRAFORM,
  'info:Initializing the backend...',
  'info:Initializing provider plugins...',
  'info:terraform.io/builtin/terraform is built in to Terraform',
  'info:coder/coder: Finding latest version...',
  'info:Installing provider version: coder/coder v2.18.0...',
  'info:Installed provider version: coder/coder v2.18.0 (unauthenticated)',
  `info:${LOCK_FILE.join('\n')}`,
  'warn:Warning: Incomplete lock file information for providers',
  'warn:Due to your customized provider installation methods, Terraform was forced to calculate lock file checksums locally for the following providers:',
  'warn:  - coder/coder',
  'warn:',
  'warn:The current .terraform.lock.hcl file only includes checksums for linux_amd64, so Terraform running on another platform will fail to install these providers.',
  'warn:',
  'warn:To calculate additional checksums for another platform, run:',
  'warn:  terraform providers lock -platform=linux_amd64',
  'warn:(where linux_amd64 is the platform to generate)',
  'info:Terraform has been successfully initialized!',
  `info:${[...READY, '', ...REMINDER].join('\n')}`,
];

/** Up to v2.30 the initialization is told inside of the planning, line by line. */
const OLD_INIT_LINES = [
  'Initializing the backend...',
  'Initializing provider plugins...',
  '- terraform.io/builtin/terraform is built in to Terraform',
  '- Finding coder/coder versions matching "2.1.3"...',
  '- Installing coder/coder v2.1.3...',
  '- Installed coder/coder v2.1.3 (unauthenticated)',
  ...LOCK_FILE,
  'Warning: Incomplete lock file information for providers',
  'Due to your customized provider installation methods, Terraform was forced to',
  'calculate lock file checksums locally for the following providers:',
  '  - coder/coder',
  'The current .terraform.lock.hcl file only includes checksums for linux_amd64,',
  'so Terraform running on another platform will fail to install these',
  'providers.',
  'To calculate additional checksums for another platform, run:',
  '  terraform providers lock -platform=linux_amd64',
  '(where linux_amd64 is the platform to generate)',
  'Terraform has been successfully initialized!',
  ...READY,
  ...REMINDER,
].map((line) => `debug:${line}`);

/** A start after a failed start finds what is already there, and replaces the rest. */
const REBUILD_PLAN_LINES = [
  'info:data.coder_workspace_owner.me: Refreshing...',
  'info:data.coder_workspace.me: Refreshing...',
  'info:coder_agent.main: Drift detected (update)',
  'info:terraform_data.agent[0]: Plan to replace',
  'info:Plan: 1 to add, 0 to change, 1 to destroy.',
  'warn:Resource replacements:',
  'warn:  -/+ terraform_data.agent[0] (replace)',
  'warn:      ~ replacement reason unavailable',
];

function planLines(build: Build, ownerId: string, hasAgent: boolean): string[] {
  if (build.transition === 'start' && build.number > 1 && hasAgent) return REBUILD_PLAN_LINES;
  const me = `info:data.coder_workspace.me: Refresh complete after 0s [id=${build.workspaceId}]`;
  if (!hasAgent) {
    return [
      'info:data.coder_workspace.me: Refreshing...',
      me,
      'info:terraform_data.vm[0]: Plan to create',
      'info:Plan: 1 to add, 0 to change, 0 to destroy.',
    ];
  }
  return [
    'info:data.coder_workspace.me: Refreshing...',
    'info:data.coder_workspace_owner.me: Refreshing...',
    me,
    `info:data.coder_workspace_owner.me: Refresh complete after 0s [id=${ownerId}]`,
    'info:coder_agent.main: Plan to create',
    'info:terraform_data.agent[0]: Plan to create',
    'info:coder_app.wsecho: Plan to create',
    'info:Plan: 3 to add, 0 to change, 0 to destroy.',
  ];
}

const SUPPRESSED =
  'info:terraform_data.agent[0]: (local-exec): (output suppressed due to sensitive value in config)';

const FAILURE = [
  SUPPRESSED,
  'info:terraform_data.agent[0]: (local-exec) Provisioning errored',
  'info:terraform_data.agent[0]: Creation errored after 0s',
  'error:Error: local-exec provisioner error',
  'error:on main.tf line 23, in resource "terraform_data" "agent":',
  'error:  23:   provisioner "local-exec" {',
  'error:',
  "error:Error running command 'echo InsufficientInstanceCapacity: no capacity in eu-west-1a; exit 1': exit status 1. Output: InsufficientInstanceCapacity: no capacity in eu-west-1a",
  'error:',
];

function applyLines(build: Build, hasAgent: boolean): string[] {
  if (!hasAgent) {
    return [
      'info:terraform_data.vm[0]: Plan to create',
      'info:terraform_data.vm[0]: Creating...',
      `info:terraform_data.vm[0]: Creation complete after 0s [id=${build.job.id}]`,
      ...(build.fate?.fails === true
        ? FAILURE
        : ['info:Apply complete! Resources: 1 added, 0 changed, 0 destroyed.', 'info:Outputs: 0']),
    ];
  }
  const begin = [
    'info:coder_agent.main: Plan to create',
    'info:terraform_data.agent[0]: Plan to create',
    'info:coder_app.wsecho: Plan to create',
    'info:coder_agent.main: Creating...',
    `info:coder_agent.main: Creation complete after 0s [id=${build.id}]`,
    'info:terraform_data.agent[0]: Creating...',
    "info:terraform_data.agent[0]: Provisioning with 'local-exec'...",
    'info:coder_app.wsecho: Creating...',
    SUPPRESSED,
    `info:coder_app.wsecho: Creation complete after 0s [id=${build.job.id}]`,
  ];
  if (build.fate?.fails === true) return [...begin, ...FAILURE];
  return [
    ...begin,
    'info:terraform_data.agent[0]: (local-exec) Provisioning complete',
    `info:terraform_data.agent[0]: Creation complete after 0s [id=${build.job.id}]`,
    'info:Apply complete! Resources: 3 added, 0 changed, 0 destroyed.',
    'info:Outputs: 0',
  ];
}

const DESTROY_FAILURE = [
  'error:Error: local-exec provisioner error',
  'error:',
  'error:Error deleting volume: VolumeInUse: the volume is still attached',
  'error:',
];

function destroyLines(build: Build): string[] {
  if (build.fate?.fails === true) return ['info:coder_agent.main: Destroying...', ...DESTROY_FAILURE];
  return ['info:coder_agent.main: Destroying...', 'info:Destroy complete! Resources: 3 destroyed.'];
}

function buildStages(deployment: Deployment, build: Build): Stage[] {
  const workspace = deployment.state.workspaces.get(build.workspaceId);
  const template = deployment.state.templateByVersion(build.templateVersionId);
  const hasAgent = template === undefined || deployment.templateOptions(template).hasAgent;
  const doing = { start: 'Starting workspace', stop: 'Stopping workspace', delete: 'Cleaning up' }[
    build.transition
  ];
  const work = build.transition === 'start' ? applyLines(build, hasAgent) : destroyLines(build);
  const plan = planLines(build, workspace?.ownerId ?? '', hasAgent);
  const apply: Stage = { name: doing, at: 0.55, lines: ['info:', ENVIRONMENT, TERRAFORM, ...work] };
  const last: Stage = { name: 'Cleaning Up', at: 1, lines: ['info:'] };
  if (!isAtLeast(deployment.options.version, 'v2.31.0')) {
    const lines = [ENVIRONMENT, ...OLD_INIT_LINES, TERRAFORM, ...plan];
    return [
      { name: 'Setting up', at: 0, lines: ['info:'] },
      { name: 'Planning infrastructure', at: 0.1, lines },
      apply,
      last,
    ];
  }
  const graph: Stage = { name: 'Graphing Infrastructure', at: 0.85, lines: [ENVIRONMENT] };
  return [
    { name: 'Setting up', at: 0, lines: ['info:'] },
    { name: 'Initializing Terraform Directory', at: 0.1, lines: INIT_LINES },
    { name: 'Planning Infrastructure', at: 0.35, lines: [ENVIRONMENT, TERRAFORM, ...plan] },
    apply,
    ...(build.fate?.fails === true ? [] : [graph]),
    last,
  ];
}

function dryRunStages(version: string): Stage[] {
  if (!isAtLeast(version, 'v2.31.0')) {
    return [
      { name: 'Setting up', at: 0, lines: ['info:'] },
      { name: 'Detecting persistent resources', at: 0.4, lines: [ENVIRONMENT, ...OLD_INIT_LINES] },
      { name: 'Cleaning Up', at: 1, lines: ['info:'] },
    ];
  }
  return [
    { name: 'Setting up', at: 0, lines: ['info:'] },
    { name: 'Initializing Terraform Directory', at: 0.15, lines: INIT_LINES },
    { name: 'Detecting persistent resources', at: 0.4, lines: [ENVIRONMENT, TERRAFORM] },
    { name: 'Graphing Infrastructure', at: 0.7, lines: [ENVIRONMENT] },
    { name: 'Cleaning Up', at: 1, lines: ['info:'] },
  ];
}

function splitLevel(line: string): Pick<LogLine, 'level' | 'output'> {
  const colon = line.indexOf(':');
  const level = line.slice(0, colon);
  const output = line.slice(colon + 1);
  return { level: level === 'debug' || level === 'warn' || level === 'error' ? level : 'info', output };
}

const plannedLogs = new WeakMap<Job, LogLine[]>();

/** The whole log that the job will have written when it is through; known as soon as it has begun. */
function plannedLog(deployment: Deployment, job: Job, begin: number, build?: Build): LogLine[] {
  const known = plannedLogs.get(job);
  if (known !== undefined) return known;
  const stages =
    build === undefined ? dryRunStages(deployment.options.version) : buildStages(deployment, build);
  const lines = stages.flatMap((stage) =>
    stage.lines.map((line, index): LogLine => ({
      createdAt: begin + stage.at * job.plannedMs + index * 0.01,
      source: line === 'info:' ? 'provisioner_daemon' : 'provisioner',
      stage: stage.name,
      ...splitLevel(line),
    })),
  );
  plannedLogs.set(job, lines);
  return lines;
}

/** What the job has printed until `time`. */
export function jobLog(deployment: Deployment, job: Job, time: number, build?: Build): LogLine[] {
  // A job that nobody took has no log.
  if (job.startedAt === null || job.workerId === null) return [];
  const lines = plannedLog(deployment, job, job.startedAt, build);
  const isThrough = job.completedAt !== null && job.canceledAt === null;
  if (isThrough) return lines;
  const end = Math.min(time, job.completedAt ?? Infinity);
  return lines.filter((line) => line.createdAt <= end);
}
