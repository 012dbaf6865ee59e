import { formatQuantity } from '../judge/format.js';
import { buildShare, type TimeShare } from '../measure/time-share.js';
import { BUILD_PARTS, PARTS, type Part, type Parts, type WorkspaceTime } from '../measure/workspace-time.js';
import { cell, link, table } from './markdown.js';
import { metricNamed, type RunReport } from './run-report.js';

type Times = Pick<RunReport, 'timeShares' | 'timingsUnread' | 'plan' | 'metrics' | 'verdict'>;

const TITLES: Readonly<Record<Part, string>> = {
  user: 'User',
  attempts: 'Failed attempts',
  queue: 'Queue',
  build: 'Build',
  init: 'Init',
  plan: 'Plan',
  graph: 'Graph',
  apply: 'Apply',
  between: 'Rest of build',
  agent: 'Agent',
  client: 'Client',
};
const BUILD_WORDS: Readonly<Partial<Record<Part, string>>> = {
  build: 'not told apart',
  between: 'between the stages',
};
/** Less of the whole than this is not worth a word. */
const LEAST_SHARE = 0.005;
/** From so much on it is said how many provisioners there were. */
const MUCH_QUEUE = 0.1;

const time = (value: number): string => formatQuantity(value, 'seconds');
const count = (value: number): string => formatQuantity(value, 'count');
const percent = (share: number): string => `${Math.round(share * 100)} %`;
const plural = (n: number, one: string, many: string): string => `${count(n)} ${n === 1 ? one : many}`;

/** Where the time of the slow workspaces went, in one sentence a group, and what is not known of it. */
export function whereTheTimeWent(report: Times): readonly string[] {
  return report.timeShares.map((share) => {
    const missing =
      share.withoutStages > 0 && report.timingsUnread !== undefined
        ? ` The stages of ${share.withoutStages} of these builds could not be read: ${report.timingsUnread.reason}.`
        : '';
    return `${share.group}: ${shareSentence(share, report)}${missing}`;
  });
}

function shareSentence(share: TimeShare, report: Times): string {
  const list = rankedParts(share.shares, report).join('; ');
  const slowest = `the slowest ${count(share.slow)} of ${plural(share.created, 'workspace', 'workspaces')}`;
  if (report.verdict.verdict === 'cancelled')
    return `of the time of ${slowest} that were there when the job was cancelled, ${list} (by ${clockName(share)}).`;
  if (share.p95 === undefined) {
    const queued =
      share.stillQueued > 0
        ? `; the build of ${count(share.stillQueued)} was never taken by a provisioner`
        : '';
    return `the P95 falls on runs that failed (${count(share.failed)} of ${count(share.planned)}${queued}). Of the time of ${slowest} that were created, ${list} (by ${clockName(share)}).`;
  }
  return `${list.replace('%', '% of the P95')} (${p95Text(share, share.p95)}).`;
}

function p95Text(share: TimeShare, p95: number): string {
  const { planned, slow } = share;
  // Below twenty, rank ceil(0.95 n) is n.
  const which =
    planned < 20
      ? `the slowest of ${plural(planned, 'workspace', 'workspaces')}`
      : `${count(slow)} of ${count(planned)} workspaces took as long or longer`;
  return `${time(p95)}, ${which}, by ${clockName(share)}`;
}

function clockName({ clock, driver }: Pick<TimeShare, 'clock' | 'driver'>): string {
  if (clock === 'server') return "the server's clock";
  return driver === 'cli' ? "the CLI's clock" : "the gate's own clock";
}

/** The parts in words, the largest first: `71 % was waiting …`, `20 % the build itself (…)`. */
function rankedParts(shares: Parts, report: Times): readonly string[] {
  const share = (part: Part): number => shares[part] ?? 0;
  return [
    {
      share: share('queue'),
      text: `waiting in the provisioner queue${queueContext(share('queue'), report)}`,
    },
    { share: buildShare(shares), text: `the build itself${buildText(shares)}` },
    { share: share('agent'), text: 'waiting for the agent to connect' },
    { share: share('attempts'), text: 'builds that failed and were tried again' },
    { share: share('user'), text: 'making the user, with the sign-in' },
    { share: share('client'), text: "the driver's own requests and polling" },
  ]
    .filter((one) => one.share >= LEAST_SHARE)
    .sort((a, b) => b.share - a.share)
    .map((one, index) => `${percent(one.share)} ${index === 0 ? 'was ' : ''}${one.text}`);
}

/** How many provisioners there were for how many builds, where the queue matters. */
function queueContext(share: number, { plan, metrics }: Times): string {
  const inFlight = metricNamed(metrics, 'create_workspaces.all.peak_in_flight');
  const building = metricNamed(metrics, 'create_workspaces.all.peak_building');
  if (share < MUCH_QUEUE || inFlight?.shape !== 'count') return '';
  const flight = `${plural(inFlight.value, 'build', 'builds')} in flight`;
  const { slots, slotsKnown } = plan.time;
  const peak = building?.shape === 'count' ? building.value : undefined;
  if (slotsKnown && peak === slots) return `: ${plural(slots, 'slot', 'slots')} for ${flight}`;
  // A provisioner that is listed may work for others, have other tags, or be gone since a minute: no slot of these builds.
  const atOnce = peak === undefined ? '' : `, of which at most ${count(peak)} ran at once`;
  const listed = slotsKnown ? ` (${plural(slots, 'provisioner was', 'provisioners were')} listed)` : '';
  return `: ${flight}${atOnce}${listed}`;
}

function buildText(shares: Parts): string {
  const stages = BUILD_PARTS.flatMap((part) => {
    const share = shares[part] ?? 0;
    return share < LEAST_SHARE ? [] : [{ share, text: `${percent(share)} ${BUILD_WORDS[part] ?? part}` }];
  }).sort((a, b) => b.share - a.share);
  const isWhole = stages.length === 1 && shares.build !== undefined;
  return stages.length === 0 || isWhole ? '' : ` (${stages.map(({ text }) => text).join(', ')})`;
}

/** The slowest workspaces of each group with their parts, and the two clocks beside each other. */
export function slowestTables(report: Times & Pick<RunReport, 'environment'>): string | undefined {
  const tables = report.timeShares.map((share) =>
    [
      slowestTable(share, report.environment),
      unmatchedSentence(share),
      scriptsSentence(share),
      clockSentence(share),
    ]
      .filter((part) => part !== undefined)
      .join('\n\n'),
  );
  if (tables.length === 0) return undefined;
  const { timingsUnread: unread } = report;
  const notes = [
    "Queue, build and agent are the server's times. Rest of build: what the provisioner does between Terraform's stages. Client: what the driver's clock has beyond the server's, its requests and polling. Old servers (v2.21) time only parts of the stages, so that more is left between them. The links lead to the builds for as long as the workspaces are there.",
    ...(unread === undefined
      ? []
      : [`The stages of ${plural(unread.builds, 'build', 'builds')} could not be read: ${unread.reason}.`]),
  ];
  return [...tables, ...notes.map(cell)].join('\n\n');
}

function slowestTable({ group, slowest }: TimeShare, environment: string): string {
  const parts = PARTS.filter((part) => slowest.some((one) => one.parts[part] !== undefined));
  const hasScripts = slowest.some(({ scripts }) => scripts !== undefined);
  const header = [
    'Total',
    ...parts.map((part) => TITLES[part]),
    ...(hasScripts ? ['Scripts, after it'] : []),
  ];
  const rows = slowest.map((one) => [
    link(one.workspace, buildUrl(environment, one)),
    ...[one.total, ...parts.map((part) => one.parts[part]), ...(hasScripts ? [one.scripts] : [])].map(
      (value) => (value === undefined ? '' : time(value)),
    ),
  ]);
  return table([cell(group), ...header], rows, ['left', ...header.map(() => 'right' as const)]);
}

/** The page of a build in Coder's dashboard. */
function buildUrl(environment: string, { owner, workspace, build }: WorkspaceTime): string {
  return `${environment}/@${encodeURIComponent(owner)}/${encodeURIComponent(workspace)}/builds/${build}`;
}

function unmatchedSentence({ unmatched }: TimeShare): string | undefined {
  if (unmatched === 0) return undefined;
  return cell(
    `Of ${plural(unmatched, 'run that passed', 'runs that passed')} the workspace was not found, so their time is not told apart.`,
  );
}

function scriptsSentence({ scripts }: TimeShare): string | undefined {
  if (scripts === undefined) return undefined;
  const login = scripts.blockLogin ? '; nobody gets in before they are done' : '';
  return cell(
    `After the connection the start-up scripts took another ${time(scripts.p95)} (P95 of ${plural(scripts.workspaces, 'workspace', 'workspaces')}), which the provisioning time does not include${login}.`,
  );
}

/** By how much driver and server differ, and why. */
export function clockSentence(share: TimeShare): string | undefined {
  if (share.clocks === undefined) return undefined;
  const { gap, user, client, workspaces } = share.clocks;
  const ofUser =
    user === undefined
      ? ''
      : `${time(user)} from the user's creation to the request for the workspace, with the sign-in, and `;
  const shorter =
    gap.smallest < 0
      ? ` In at least one of them the server's span is the longer one, by ${time(-gap.smallest)}.`
      : '';
  return cell(
    `The two clocks: ${clockName(share)} has ${time(Math.max(0, gap.median))} more than the server's in the middle of ${plural(workspaces, 'workspace', 'workspaces')}, at most ${time(Math.max(0, gap.largest))}: ${ofUser}${time(client)} in the client, whose requests and polling the server does not see (medians).${shorter}`,
  );
}
