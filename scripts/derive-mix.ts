import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import * as prettier from 'prettier';
import { z } from 'zod';
import type { Batch, Call, Mix, Page, Poll, Route } from '../src/load/mix.js';

/*
 * Writes src/load/mix-data.ts from the recording of the real dashboard: `tsx scripts/derive-mix.ts`. The rules:
 *
 * 1. A recorded phase that ends in "page load" or "page load then idle" is a page. Its calls keep their recorded order.
 * 2. The HTML document starts when the visit arrives. The first API calls start after it by the recorded time, in which
 *    the browser loads and runs the site: the client's own work, so it is in the schedule and no latency.
 * 3. Calls that began at most BURST_GAP_MS after the call before them are one burst, and start together.
 * 4. Each later burst waits for the end of the call of the burst before it that began last (latency-check aside). If one of its paths holds an
 *    id, it also waits for the first call of the page whose answer names that id (PROVIDERS). The recording holds no
 *    ends, so this is the least that explains its order.
 * 5. A call that began IDLE_AFTER_MS or later is a poll; its period is the time since the same call before it.
 * 6. WebSockets are taken out: every user keeps the inbox open, and the two watches of the workspace page are not opened.
 * 7. Ids are replaced by placeholders that say what they are ids of. Calls of the same method and path are one route.
 */

export const RECORDING = 'golden/v2.36.0/dashboard-calls-member.json';
const SHARED = path.resolve(import.meta.dirname, '../../shared');
const TARGET = path.resolve(import.meta.dirname, '../src/load/mix-data.ts');

const BURST_GAP_MS = 25;
const IDLE_AFTER_MS = 20_000;
/** The recording's own times vary by less than this. */
const PERIOD_STEP_MS = 5_000;

const recordingShape = z.object({
  role: z.string(),
  calls: z.array(
    z.object({ phase: z.string(), ms: z.number(), method: z.string(), url: z.string(), type: z.string() }),
  ),
});
type Recorded = z.infer<typeof recordingShape>['calls'][number];

/** What an id stands for, by the part of the path before it. */
const IDS: Readonly<Record<string, string>> = {
  templates: 'template',
  workspaces: 'workspace',
  workspacebuilds: 'build',
  templateversions: 'templateVersion',
  workspaceagents: 'agent',
};
/** The calls whose answers name those ids. */
const PROVIDERS = [
  '/api/v2/workspaces?limit=25&offset=0&q=owner%3Ame',
  '/api/v2/users/{user}/workspace/{workspaceName}?include_deleted=true',
];
const OUT_OF_POOL = ['document', 'latency-check', 'buildinfo'];

/**
 * Bodies of POST /authcheck, in the order of a page's calls; the last one serves all further ones. The dashboard asks for
 * such permissions; nothing is written, and at most ten checks may name a resource_id.
 */
const check = (resource: object, action: string): object => ({ object: resource, action });
const SITE_CHECKS = {
  viewDeploymentConfig: check({ resource_type: 'deployment_config' }, 'read'),
  viewAllUsers: check({ resource_type: 'user' }, 'read'),
  createGroup: check({ resource_type: 'group' }, 'create'),
  viewAuditLog: check({ resource_type: 'audit_log' }, 'read'),
  createTemplates: check({ resource_type: 'template', any_org: true }, 'create'),
  updateTemplates: check({ resource_type: 'template', any_org: true }, 'update'),
};
const CREATE_CHECKS = {
  createWorkspace: check({ resource_type: 'workspace', owner_id: 'me', any_org: true }, 'create'),
};
const WORKSPACE_CHECKS = {
  readWorkspace: check({ resource_type: 'workspace', resource_id: '{workspace}', owner_id: 'me' }, 'read'),
  updateWorkspace: check(
    { resource_type: 'workspace', resource_id: '{workspace}', owner_id: 'me' },
    'update',
  ),
  updateTemplate: check({ resource_type: 'template', resource_id: '{template}' }, 'update'),
};
const BODIES: Readonly<Record<string, readonly object[]>> = {
  workspaces: [SITE_CHECKS, CREATE_CHECKS, WORKSPACE_CHECKS],
  templates: [SITE_CHECKS],
  workspace: [WORKSPACE_CHECKS],
};
/** How often a page is visited beside the others: the workspaces page is where the dashboard begins. */
const WEIGHTS: Readonly<Record<string, number>> = { workspaces: 2, workspace: 2, templates: 1 };

/** Refusals by configuration, which every dashboard there gets and which say nothing about the load. */
const ANSWERS: Readonly<Record<string, readonly number[]>> = {
  'agent-containers': [403],
  'workspace-acl': [403],
};

/** A recorded address with the names of what its ids stand for. */
function withPlaceholders(url: string): string {
  return url
    .replace(/^\/@\{scaletest-name\}\/\{scaletest-name\}/, '/@{user}/{workspaceName}')
    .replace(
      /\/users\/\{scaletest-name\}\/workspace\/\{scaletest-name\}/,
      '/users/{user}/workspace/{workspaceName}',
    )
    .replace('owner:{scaletest-name}', 'owner:{user}')
    .replace(/cache_bust=[^&]+/, 'cache_bust={nonce}')
    .replaceAll(/\/([a-z]+)\/\{uuid\}/g, (whole, collection: string) => {
      const name = IDS[collection];
      return name === undefined ? whole : `/${collection}/{${name}}`;
    });
}

/** `GET /api/v2/templates/{template}/versions` is `template.versions`: short, and the same for every version. */
function routeId(method: string, pattern: string, isDocument: boolean): string {
  if (isDocument) return 'document';
  const parts = pattern.replace(/^\/(api\/v2\/)?/, '').split('/');
  const words = parts.map((part, index) => {
    const isId = part.startsWith('{');
    // The collection before an id is said by the id's own name.
    if (!isId && parts[index + 1]?.startsWith('{') === true) return '';
    return isId ? part.slice(1, -1) : part;
  });
  const name = words
    .filter((word) => word !== '')
    .join('-')
    .replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  return method === 'GET' || name === 'authcheck' ? name : `${method.toLowerCase()}-${name}`;
}

export function deriveMix(recording: unknown): Mix {
  const { role, calls } = recordingShape.parse(recording);
  const routes = new Map<string, Route>();
  const routeOf = ({ method, url, type }: Recorded): string => {
    const isDocument = type === 'document';
    const pattern = isDocument ? '/*' : (withPlaceholders(url).split('?')[0] ?? url);
    const id = routeId(method, pattern, isDocument);
    const known = routes.get(id);
    if (known !== undefined && (known.pattern !== pattern || known.method !== method))
      throw new Error(`two routes would be called ${id}: ${known.pattern} and ${pattern}`);
    if (method !== 'GET' && method !== 'POST') throw new Error(`${method} ${url} would change something`);
    if (!isDocument && pattern.includes('{uuid}')) throw new Error(`nobody said what the ids in ${url} are`);
    const answers = ANSWERS[id];
    routes.set(id, { id, method, pattern, pool: !OUT_OF_POOL.includes(id), ...(answers && { answers }) });
    return id;
  };
  const pages: Page[] = [];
  const polls = new Map<string, Poll>();
  const phases = [...new Set(calls.map(({ phase }) => phase))].filter((phase) => phase.includes('page load'));
  for (const phase of phases) {
    const id = phase.split(',')[0] ?? phase;
    const all = calls.filter((call) => call.phase === phase && call.type !== 'websocket');
    const loaded = all.filter(({ ms }) => ms < IDLE_AFTER_MS);
    pages.push({ id, weight: WEIGHTS[id] ?? 1, batches: batchesOf(id, loaded, routeOf) });
    for (const [index, call] of all.entries()) {
      if (call.ms < IDLE_AFTER_MS) continue;
      const before = all.slice(0, index).findLast(({ url }) => url === call.url);
      if (before === undefined) throw new Error(`${call.url} is asked once, late: no poll`);
      const everyMs = Math.round((call.ms - before.ms) / PERIOD_STEP_MS) * PERIOD_STEP_MS;
      polls.set(call.url, { everyMs, call: callOf(call, routeOf, []) });
    }
  }
  const socket = calls.find(({ type, url }) => type === 'websocket' && url.includes('inbox'))?.url;
  if (socket === undefined) throw new Error('the recording has no inbox WebSocket');
  return {
    version: 'v2.36.0-member-1',
    provenance: {
      coder: 'v2.36.0',
      file: RECORDING,
      recorded: '2026-11-23',
      role,
      own: [
        'bodies of POST /authcheck: the recording holds none',
        'refusals that are answers: containers are forbidden where a template has no dev containers, sharing where it is off',
        'weights of the pages and the time between visits: the recording holds one visit of each page',
      ],
      leftOut: [
        'the page change without a page load (its calls are those of the templates page)',
        ...new Set(
          calls
            .filter(({ type, url }) => type === 'websocket' && url !== socket)
            .map(({ url }) => `WebSocket ${withPlaceholders(url)}`),
        ),
      ],
    },
    routes: [...routes.values()],
    pages,
    polls: [...polls.values()].sort((left, right) => left.everyMs - right.everyMs),
    socket,
  };
}

function batchesOf(page: string, loaded: readonly Recorded[], routeOf: (call: Recorded) => string): Batch[] {
  const [document, ...api] = loaded;
  const [first] = api;
  if (document?.type !== 'document' || first === undefined) throw new Error(`${page} does not load a page`);
  const urls = api.map(({ url }) => withPlaceholders(url));
  const provider = urls.findIndex((url) => PROVIDERS.includes(url));
  const isPooled = (url: string): boolean => !OUT_OF_POOL.some((id) => url.startsWith(`/${id}`));
  let previousLast: number | undefined;
  let authChecks = 0;
  const bursts: number[][] = [];
  for (const [index, call] of api.entries()) {
    const before = api[index - 1];
    if (before === undefined || call.ms - before.ms > BURST_GAP_MS) bursts.push([]);
    bursts.at(-1)?.push(index);
  }
  const calls: Call[] = [];
  for (const burst of bursts) {
    const [burstStart = 0] = burst;
    const needsId = burst.some((index) =>
      /\{(template|workspace|build|templateVersion|agent)\}/.test(urls[index] ?? ''),
    );
    const waitsFor = [
      ...new Set([
        ...(previousLast === undefined ? [] : [previousLast]),
        ...(needsId && provider >= 0 && provider < burstStart ? [provider] : []),
      ]),
    ].sort((left, right) => left - right);
    for (const index of burst) {
      const recorded = api[index];
      if (recorded === undefined) continue;
      const isCheck = recorded.url === '/api/v2/authcheck';
      const bodies = BODIES[page] ?? [SITE_CHECKS];
      calls.push(
        callOf(recorded, routeOf, waitsFor, isCheck ? (bodies[authChecks] ?? bodies.at(-1)) : undefined),
      );
      if (isCheck) authChecks += 1;
    }
    previousLast = burst.findLast((index) => isPooled(api[index]?.url ?? '')) ?? previousLast;
  }
  return [
    { afterMs: 0, calls: [callOf(document, routeOf, [])] },
    { afterMs: first.ms - document.ms, calls },
  ];
}

function callOf(
  recorded: Recorded,
  routeOf: (call: Recorded) => string,
  waitsFor: readonly number[],
  body?: object,
): Call {
  return {
    route: routeOf(recorded),
    path: withPlaceholders(recorded.url),
    waitsFor,
    ...(body !== undefined && { body: JSON.stringify({ checks: body }) }),
  };
}

/** The module that holds the mix. */
export async function mixModule(recording: unknown): Promise<string> {
  const text = [
    "import type { Mix } from './mix.js';",
    '',
    `/** Written by scripts/derive-mix.ts from ../shared/${RECORDING}; do not edit. */`,
    `export const dashboardMix: Mix = ${JSON.stringify(deriveMix(recording))};`,
  ].join('\n');
  const config = await prettier.resolveConfig(TARGET);
  return prettier.format(text, { ...config, parser: 'typescript' });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  writeFileSync(TARGET, await mixModule(JSON.parse(readFileSync(path.join(SHARED, RECORDING), 'utf8'))));
}
