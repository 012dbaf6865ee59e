/** What one run of create-workspaces did, as far as its log tells it. */
export interface RunStory {
  index: number;
  startedAtMs: number;
  durationMs: number;
  failed: boolean;
  /** Deterministic ids and names of this run. */
  random: () => number;
}

const server = 'http://127.0.0.1:3000/api/v2';
const agentPollMs = 1_000;

/**
 * The log of one run in the CLI's own words (recorded with v2.36.0): requests with their bodies, the output of
 * terraform, polls of the workspace. Polls, then terraform's waiting lines, fill it up to `bytes`.
 */
export function runLog(story: RunStory, bytes: number): string {
  const ids = namesOf(story);
  const head = beforeBuild(story, ids) + terraformStart(ids);
  const end = story.startedAtMs + story.durationMs;
  const tail = story.failed ? terraformFailed(end, ids) : terraformDone(ids) + agentsConnected(end, ids);
  const poll = story.failed ? '' : agentPoll(end - agentPollMs, ids);
  let fill = bytes - head.length - tail.length;
  let polls = '';
  while (poll !== '' && fill > poll.length) {
    polls += poll;
    fill -= poll.length;
  }
  return (head + waitingLines(fill) + tail.replace('@polls@', polls)).slice(-Math.max(1, bytes));
}

interface Names {
  user: string;
  userId: string;
  workspace: string;
  workspaceId: string;
  buildId: string;
  jobId: string;
  organization: string;
  template: string;
}

function namesOf({ index, random }: RunStory): Names {
  return {
    user: `scaletest-${word(random)}-${index}`,
    userId: uuid(random),
    workspace: `scaletest-${word(random)}-${index}`,
    workspaceId: uuid(random),
    buildId: uuid(random),
    jobId: uuid(random),
    organization: '12a743c8-916d-49fe-97a7-070b148d8343',
    template: '8b4333ab-0be6-4841-80d4-877bc6fc1b64',
  };
}

function beforeBuild({ startedAtMs }: RunStory, ids: Names): string {
  const email = `${ids.user}@scaletest.local`;
  const create = {
    email,
    username: ids.user,
    name: '',
    password: 'Passw0rdPassw0rd',
    login_type: '',
    user_status: null,
    organization_ids: [ids.organization],
  };
  return [
    'Generating user password...\nCreating user:\n',
    exchange(startedAtMs, 174, 'POST', '/users', create, {
      id: ids.userId,
      username: ids.user,
      email,
      status: 'dormant',
    }),
    '\nLogging in as new user...\n',
    exchange(startedAtMs + 175, 85, 'POST', '/users/login'),
    `\tOrg ID:   ${ids.organization}\n\tUsername: ${ids.user}\n\tEmail:    ${email}\n\tPassword: ****************\n`,
    '\nCreating workspace...\n',
    exchange(
      startedAtMs + 261,
      152,
      'POST',
      `/users/${ids.userId}/workspaces`,
      { template_id: ids.template, name: ids.workspace },
      workspaceBody(ids, startedAtMs, 'pending'),
    ),
    'Build is currently queued...\n\nBuild started! Streaming logs below:\n\n',
  ].join('');
}

const terraformStart = (ids: Names): string =>
  [
    'Setting up\n\tinfo:\t\n\nInitializing Terraform Directory',
    '\twarn:\tterraform environment variable: TF_CLI_CONFIG_FILE=/opt/example/tfrc',
    '\tinfo:\tTerraform 1.11.4',
    '\tinfo:\tInitializing the backend...',
    '\tinfo:\tInitializing provider plugins...',
    '\tinfo:\tInstalling provider version: coder/coder v2.18.0...',
    '\tinfo:\tTerraform has created a lock file .terraform.lock.hcl to record the provider',
    'selections it made above. Include this file in your version control repository',
    'you run "terraform init" in the future.',
    '\nPlanning Infrastructure',
    `\tinfo:\tdata.coder_workspace.me: Refresh complete after 0s [id=${ids.workspaceId}]`,
    '\tinfo:\tcoder_agent.main: Plan to create',
    '\tinfo:\tPlan: 3 to add, 0 to change, 0 to destroy.',
    '\nStarting workspace\n\tinfo:\t',
    '\tinfo:\tcoder_agent.main: Creating...\n',
  ].join('\n');

function waitingLines(bytes: number): string {
  let lines = '';
  for (let seconds = 10; ; seconds += 10) {
    const line = `\tinfo:\tterraform_data.agent[0]: Still creating... [${seconds}s elapsed] <waiting & polling>\n`;
    if (lines.length + line.length > bytes) return lines;
    lines += line;
  }
}

const terraformDone = (ids: Names): string =>
  [
    `\tinfo:\tcoder_agent.main: Creation complete after 0s [id=${ids.jobId}]`,
    '\tinfo:\tApply complete! Resources: 3 added, 0 changed, 0 destroyed.',
    '\tinfo:\tOutputs: 0\n\nCleaning Up\n\tinfo:\t\n\n\nBuild succeeded!\n\nWaiting for agents to connect...\n\n@polls@',
  ].join('\n');

const terraformFailed = (atMs: number, ids: Names): string =>
  [
    '\tinfo:\tterraform_data.agent[0]: (local-exec) Provisioning errored\n\terror:\tError: local-exec provisioner error',
    '\terror:\ton main.tf line 23, in resource "terraform_data" "agent":',
    '\terror:\t\n\terror:\tError running command: InsufficientInstanceCapacity: no capacity in eu-west-1a',
    '\terror:\t\n\nCleaning Up\n\tinfo:\t',
    exchange(atMs - 20, 20, 'GET', `/workspacebuilds/${ids.buildId}`, undefined, {
      id: ids.buildId,
      status: 'failed',
    }),
    '\nBuild failed with error "terraform apply: exit status 1".\nSee logs above for more details.\n\n',
  ].join('\n');

const agentPoll = (atMs: number, ids: Names): string =>
  `${workspaceRequest(atMs, ids, 'connecting')}\tAgent "main" is connecting\n\n`;

const agentsConnected = (atMs: number, ids: Names): string =>
  `${workspaceRequest(atMs, ids, 'connected')}\tAgent "main" is connected\n\nAgents connected!\n\n`;

const workspaceRequest = (atMs: number, ids: Names, agent: string): string =>
  exchange(atMs, 101, 'GET', `/workspaces/${ids.workspaceId}`, undefined, workspaceBody(ids, atMs, agent));

/** About 3 kB, like the recorded answers: most of a result file is this object, again and again. */
function workspaceBody(ids: Names, atMs: number, agent: string): object {
  const at = new Date(atMs).toISOString();
  const template = { template_id: ids.template, template_name: 'pod-swdev', template_icon: '' };
  const owner = { owner_id: ids.userId, owner_name: ids.user, owner_avatar_url: '' };
  const organization = { organization_id: ids.organization, organization_name: 'coder' };
  const job = {
    id: ids.jobId,
    created_at: at,
    started_at: at,
    completed_at: at,
    status: agent === 'pending' ? 'pending' : 'succeeded',
    tags: { owner: '', scope: 'organization' },
    queue_position: 0,
    queue_size: 0,
    ...organization,
    input: { workspace_build_id: ids.buildId },
    type: 'workspace_build',
    metadata: { template_version_name: '', ...template, template_display_name: '' },
    logs_overflowed: false,
  };
  const apps = [
    { id: ids.jobId, url: 'http://localhost:9', slug: 'wsec', sharing_level: 'owner', health: 'disabled' },
  ];
  const agents = [
    {
      id: ids.jobId,
      parent_id: null,
      created_at: at,
      updated_at: at,
      status: agent,
      lifecycle_state: 'ready',
      name: 'main',
      architecture: 'amd64',
      operating_system: 'linux',
      version: 'v2.36.0',
      apps,
      connection_timeout_seconds: 120,
      troubleshooting_url: 'https://coder.com/docs/admin/templates/troubleshooting',
      display_apps: ['vscode', 'ssh_helper', 'port_forwarding_helper', 'web_terminal'],
      startup_script_behavior: 'non-blocking',
    },
  ];
  const latest_build = {
    id: ids.buildId,
    created_at: at,
    workspace_id: ids.workspaceId,
    workspace_name: ids.workspace,
    workspace_owner_id: ids.userId,
    workspace_owner_name: ids.user,
    template_version_name: 'repulsive_tucker12',
    build_number: 1,
    transition: 'start',
    initiator_id: ids.userId,
    initiator_name: ids.user,
    job,
    reason: 'initiator',
    resources: [
      { id: ids.jobId, workspace_transition: 'start', type: 'terraform_data', name: 'agent', agents },
    ],
    status: agent === 'pending' ? 'pending' : 'running',
    matched_provisioners: { count: 3, available: 3, most_recently_seen: at },
  };
  return {
    id: ids.workspaceId,
    created_at: at,
    updated_at: at,
    ...owner,
    ...organization,
    ...template,
    latest_build,
    outdated: false,
    name: ids.workspace,
    last_used_at: at,
    health: { healthy: true, failing_agents: [] },
    automatic_updates: 'never',
    is_prebuild: false,
    task_id: null,
  };
}

/** A request and its answer in the CLI's debug log; a body is the text of the JSON, quoted once more. */
function exchange(
  atMs: number,
  tookMs: number,
  method: string,
  path: string,
  sent?: object,
  got?: object,
): string {
  const line = (at: number, what: string, body: object | undefined): string =>
    `${logTime(at)} [debu]  sdk ${what}  method=${method}  url=${server}${path}${body ? `  body=${quoted(body)}` : ''}`;
  const status = method === 'POST' ? 201 : 200;
  const answer = line(atMs + tookMs, 'response', got);
  return `${line(atMs, 'request', sent)}\n${answer}  status=${status}  trace_id=""  span_id=""\n`;
}

const quoted = (body: object): string => JSON.stringify(`${JSON.stringify(body)}\n`);

const logTime = (atMs: number): string => new Date(atMs).toISOString().replace('T', ' ').replace('Z', '');

const letters = 'ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz123456789';

const word = (random: () => number): string =>
  Array.from({ length: 8 }, () => letters[Math.floor(random() * letters.length)] ?? 'a').join('');

function uuid(random: () => number): string {
  const hex = Array.from({ length: 32 }, () => Math.floor(random() * 16).toString(16)).join('');
  const variant = '89ab'[Math.floor(random() * 4)] ?? '8';
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20)}`;
}
