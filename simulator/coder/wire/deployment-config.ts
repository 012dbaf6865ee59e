import type { Deployment } from '../deployment.js';
import { isAtLeast } from '../versions.js';

const SECOND = 1e9;
const HOUR = 3600 * SECOND;
const AGENT_LABELS = ['agent_name', 'template_name', 'username', 'workspace_name'];

/** Go leaves empty top-level values out. */
function omitEmpty<Value>(value: Value): Value | undefined {
  const isEmpty =
    value === false || value === 0 || value === '' || (Array.isArray(value) && value.length === 0);
  return isEmpty ? undefined : value;
}

function sessionLifetime(deployment: Deployment): Record<string, unknown> {
  const { traits, options } = deployment;
  return {
    default_duration: 24 * HOUR,
    refresh_default_duration: traits.modernKeys ? 720 * HOUR : undefined,
    default_token_lifetime: 168 * HOUR,
    max_token_lifetime: 876_600 * HOUR,
    max_admin_token_lifetime: traits.adminTokenLimit
      ? options.maxAdminTokenLifetimeSeconds * SECOND
      : undefined,
  };
}

/** The part of the configuration that is in use; the real page has every option of the server. */
function configuration(deployment: Deployment): Record<string, unknown> {
  const { traits, options } = deployment;
  const address = new URL(deployment.url).host;
  const newRetention = isAtLeast(options.version, 'v2.36.0');
  return {
    access_url: deployment.url,
    http_address: address,
    autobuild_poll_interval: 60 * SECOND,
    job_hang_detector_interval: 60 * SECOND,
    derp: {
      server: {
        enable: true,
        region_id: 999,
        region_code: 'coder',
        region_name: 'Coder Embedded Relay',
        stun_addresses: ['disable'],
        relay_url: '',
      },
      config: { block_direct: true, force_websockets: false, url: '', path: '' },
    },
    prometheus: {
      enable: options.prometheusEnabled,
      address: '127.0.0.1:2112',
      collect_agent_stats: options.prometheusEnabled,
      collect_db_metrics: options.prometheusEnabled,
      aggregate_agent_stats_by: AGENT_LABELS,
    },
    pprof: { enable: false, address: '127.0.0.1:6060' },
    telemetry: { enable: false, trace: false, url: 'https://telemetry.coder.com' },
    pg_conn_max_open: traits.modernKeys ? 10 : undefined,
    rate_limit: {
      disable_all: options.disableRateLimits,
      api: options.disableRateLimits ? -1 : options.apiRateLimit,
    },
    experiments: omitEmpty(options.experiments),
    metrics_cache_refresh_interval: 4 * HOUR,
    agent_stat_refresh_interval: 30 * SECOND,
    swagger: { enable: false },
    provisioner: {
      daemons: options.provisionerSlots,
      daemon_types: ['terraform'],
      daemon_poll_interval: SECOND,
      daemon_poll_jitter: SECOND / 10,
      force_cancel_interval: 600 * SECOND,
      daemon_psk: '',
    },
    session_lifetime: sessionLifetime(deployment),
    disable_password_auth: omitEmpty(options.passwordAuthDisabled),
    healthcheck: { refresh: 600 * SECOND, threshold_database: 15_000_000 },
    retention: traits.modernKeys
      ? {
          audit_logs: 0,
          connection_logs: 0,
          api_keys: 168 * HOUR,
          workspace_agent_logs: 168 * HOUR,
          boundary_logs: newRetention ? 0 : undefined,
        }
      : undefined,
  };
}

export function deploymentConfig(deployment: Deployment): Record<string, unknown> {
  const { options } = deployment;
  return {
    config: configuration(deployment),
    options: [
      {
        name: 'API Rate Limit',
        description:
          'Maximum number of requests per minute allowed to the API per user, or per IP address for unauthenticated users. Negative values mean no rate limit.',
        flag: 'api-rate-limit',
        env: 'CODER_API_RATE_LIMIT',
        default: '512',
        value: options.disableRateLimits ? -1 : options.apiRateLimit,
        hidden: true,
        value_source: options.apiRateLimit === 512 ? 'default' : 'env',
      },
      {
        name: 'Disable All Rate Limits',
        description: 'Disables all rate limits. This is not recommended in production.',
        flag: 'dangerous-disable-rate-limits',
        env: 'CODER_DANGEROUS_DISABLE_RATE_LIMITS',
        value: options.disableRateLimits,
        hidden: true,
        value_source: options.disableRateLimits ? 'env' : '',
      },
    ],
  };
}
