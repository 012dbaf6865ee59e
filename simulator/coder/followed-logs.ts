import { type ApiError, routeNotFound } from './answers.js';
import type { Deployment } from './deployment.js';
import { goJson } from './go-json.js';
import { logSince } from './routes/builds.js';
import type { Build, Job } from './state.js';
import type { ServerSocket } from './websocket.js';

const LOOK_MS = 100;

export interface Followed {
  route: string;
  follow: (socket: ServerSocket) => void;
}

interface Source {
  route: string;
  job: Job;
  build?: Build;
}

const BUILD_LOGS = /^\/api\/v2\/workspacebuilds\/([^/]+)\/logs$/;
const DRY_RUN_LOGS = /^\/api\/v2\/templateversions\/[^/]+\/dry-run\/([^/]+)\/logs$/;
const QUIET_ROUTES = [
  { path: /^\/api\/v2\/notifications\/inbox\/watch$/, route: '/api/v2/notifications/inbox/watch' },
  { path: /^\/api\/v2\/workspaces\/[^/]+\/watch-ws$/, route: '/api/v2/workspaces/{workspace}/watch-ws' },
  {
    path: /^\/api\/v2\/workspaceagents\/[^/]+\/watch-metadata-ws$/,
    route: '/api/v2/workspaceagents/{workspaceagent}/watch-metadata-ws',
  },
];

function logSource(deployment: Deployment, path: string): Source | null {
  const build = deployment.state.builds.get(BUILD_LOGS.exec(path)?.[1] ?? '');
  if (build !== undefined) {
    return { route: '/api/v2/workspacebuilds/{workspacebuild}/logs', job: build.job, build };
  }
  const run = deployment.state.dryRuns.get(DRY_RUN_LOGS.exec(path)?.[1] ?? '');
  if (run === undefined) return null;
  return { route: '/api/v2/templateversions/{templateversion}/dry-run/{jobID}/logs', job: run.job };
}

function followLog(deployment: Deployment, source: Source, after: number, socket: ServerSocket): void {
  let last = after;
  const look = (): void => {
    // Asked first: what is printed until the end must still be sent after it.
    const ended = source.job.completedAt !== null;
    for (const line of logSince(deployment, source.job, last, source.build)) {
      socket.send(`${goJson(line)}
`);
      last = Number(line.id);
    }
    if (ended) {
      clearInterval(timer);
      socket.close('done');
    }
  };
  const timer = setInterval(look, LOOK_MS);
  socket.onClose(() => clearInterval(timer));
  look();
}

/** What a WebSocket request is after, or why it is refused. */
export function followedBySocket(
  deployment: Deployment,
  { path, query }: { path: string; query: URLSearchParams },
): Followed | ApiError {
  const quiet = QUIET_ROUTES.find((one) => one.path.test(path));
  // Nothing ever happens on these: they are held open, as the dashboard holds them.
  if (quiet !== undefined) return { route: quiet.route, follow: () => undefined };
  const source = logSource(deployment, path);
  if (source === null) return routeNotFound();
  const after = Number(query.get('after') ?? '0');
  return { route: source.route, follow: (socket) => followLog(deployment, source, after, socket) };
}
