import { type Answer, ApiError, forbidden, ok, routeNotFound } from '../answers.js';
import { type Call, findUser, jsonBody, param, requireOrganization, unknownUser } from '../calls.js';
import { now, rfc3339 } from '../clock.js';
import { METRICS_TYPE } from '../metrics.js';
import type { Router } from '../router.js';
import { jobStatus, latestBuild } from '../state.js';
import { serverTraits } from '../versions.js';
import { deploymentConfig } from '../wire/deployment-config.js';
import { entitlementFeatures } from '../wire/entitlements.js';
import { provisionerApiVersion } from './provisioners.js';

const MINUTES = 60_000;

function buildInfo({ deployment }: Call): Answer {
  const { options, traits } = deployment;
  const hash = options.buildVersionSuffix.replace('+', '');
  return ok({
    external_url: `https://github.com/coder/coder${hash === '' ? '' : `/commit/${hash}`}`,
    version: deployment.buildVersion,
    dashboard_url: deployment.url,
    telemetry: false,
    workspace_proxy: false,
    agent_api_version: '1.0',
    provisioner_api_version: provisionerApiVersion(options.version),
    upgrade_message: '',
    deployment_id: deployment.id,
    webpush_public_key: traits.newestKeys ? 'BFkiZes01dAAdrACRUSQWM0frpvjmxrbjNYTp6Bh9SbJ' : undefined,
  });
}

function requireOwner(call: Call): void {
  if (!call.deployment.isOwner(call.caller.user)) throw forbidden();
}

function enterpriseOnly({ deployment }: Call): void {
  if (deployment.options.agpl) throw routeNotFound();
}

function deploymentStats(call: Call): Answer {
  requireOwner(call);
  const time = now();
  const collected = time - (time % (MINUTES / 2));
  const counts = { pending: 0, building: 0, running: 0, failed: 0, stopped: 0 };
  for (const workspace of call.deployment.state.liveWorkspaces()) {
    const { job, transition } = latestBuild(workspace);
    const status = jobStatus(job);
    if (status === 'pending') counts.pending += 1;
    else if (status === 'running' || status === 'canceling') counts.building += 1;
    else if (status === 'failed' || status === 'canceled') counts.failed += 1;
    else if (transition === 'start') counts.running += 1;
    else counts.stopped += 1;
  }
  const silent = counts.running === 0;
  return ok({
    aggregated_from: rfc3339(collected - 15 * MINUTES),
    collected_at: rfc3339(collected),
    next_update_at: rfc3339(collected + MINUTES / 2),
    workspaces: {
      ...counts,
      connection_latency_ms: { P50: silent ? -1 : 0.471, P95: silent ? -1 : 1.5974 },
      rx_bytes: 196_219 * counts.running,
      tx_bytes: 179_484 * counts.running,
    },
    session_count: { vscode: 0, ssh: 0, jetbrains: 0, reconnecting_pty: 0 },
  });
}

function entitlements(call: Call): Answer {
  enterpriseOnly(call);
  const { deployment } = call;
  const time = now();
  const active = deployment.state.liveUsers().filter((user) => user.status === 'active').length;
  return ok({
    features: entitlementFeatures(deployment, active),
    warnings: [],
    errors: [],
    has_license: deployment.options.licensed,
    trial: false,
    require_telemetry: false,
    refreshed_at: rfc3339(time - (time % (10 * MINUTES))),
  });
}

function replicas(call: Call): Answer {
  enterpriseOnly(call);
  const { deployment } = call;
  requireOwner(call);
  return ok(
    deployment.replicas.list.map(({ id, hostname, startedAt }) => ({
      id,
      hostname,
      created_at: rfc3339(startedAt),
      relay_address: '',
      region_id: 999,
      error: '',
      database_latency: 159,
    })),
  );
}

function regions({ deployment }: Call): Answer {
  return ok({
    regions: [
      {
        id: deployment.id,
        name: 'primary',
        display_name: 'Default',
        icon_url: '/emojis/1f3e1.png',
        healthy: true,
        path_app_url: deployment.url,
        wildcard_hostname: '',
      },
    ],
  });
}

/** One route for reading and writing; without the licence both are refused. */
function prebuildSettings(call: Call): Answer {
  enterpriseOnly(call);
  const { deployment } = call;
  if (!deployment.traits.prebuildSettings) throw routeNotFound();
  if (!deployment.options.licensed) {
    throw new ApiError(403, 'Workspace Prebuilds is a Premium feature. Contact sales!');
  }
  if (call.method === 'PUT') {
    requireOwner(call);
    deployment.state.reconciliationPaused = jsonBody(call).reconciliation_paused === true;
  }
  return ok({ reconciliation_paused: deployment.state.reconciliationPaused });
}

function workspaceQuota(call: Call): Answer {
  enterpriseOnly(call);
  requireOrganization(call, param(call, 'organization'));
  findUser(call, param(call, 'user'));
  return ok({ credits_consumed: 0, budget: -1 });
}

const SECTION = { severity: 'ok', healthy: true, warnings: [], error: null };

function debugHealth(call: Call): Answer {
  requireOwner(call);
  const { deployment } = call;
  return ok({
    time: rfc3339(now()),
    healthy: true,
    severity: 'ok',
    derp: SECTION,
    access_url: { ...SECTION, access_url: deployment.url, reachable: true, status_code: 200 },
    websocket: { ...SECTION, body: '', code: 101 },
    database: { ...SECTION, reachable: true, latency: '170us', latency_ms: 0, threshold_ms: 15 },
    workspace_proxy: SECTION,
    provisioner_daemons: { severity: 'ok', warnings: [], error: null, items: [] },
    coder_version: deployment.buildVersion,
  });
}

export function addDeploymentRoutes(router: Router, version: string): void {
  router.add('GET /api/v2', () => ok({ message: '👋' }), { open: true, slash: true });
  router.add('GET /api/v2/buildinfo', buildInfo, { open: true });
  router.add('GET /api/v2/entitlements', entitlements, { open: true });
  router.add('GET /api/v2/deployment/config', (call) => {
    requireOwner(call);
    return ok(deploymentConfig(call.deployment));
  });
  router.add('GET /api/v2/deployment/stats', deploymentStats);
  router.add('GET /api/v2/experiments', ({ deployment }) => ok(deployment.options.experiments), {
    slash: true,
  });
  router.add('GET /api/v2/regions', regions);
  router.add('GET /api/v2/replicas', replicas, { slash: true });
  router.add('GET /api/v2/prebuilds/settings', prebuildSettings);
  router.add('PUT /api/v2/prebuilds/settings', prebuildSettings);
  router.add('GET /api/v2/organizations/{organization}/members/{user}/workspace-quota', workspaceQuota);
  router.add('GET /api/v2/debug/health', debugHealth);
  if (serverTraits(version).hasDebugMetrics) {
    router.add('GET /api/v2/debug/metrics', (call) => {
      requireOwner(call);
      const { metrics, startedAt } = call.deployment.replicas.of(call.request.socket);
      return { status: 200, text: metrics.text(call.deployment, startedAt), contentType: METRICS_TYPE };
    });
  } else {
    // Older servers take the word for the name of a user.
    router.add('GET /api/v2/debug/{user}', (call) => {
      requireOwner(call);
      throw unknownUser(param(call, 'user'));
    });
  }
}
