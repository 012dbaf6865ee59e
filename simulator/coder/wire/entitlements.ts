import type { Deployment } from '../deployment.js';
import { isAtLeast } from '../versions.js';

/** Feature names of v2.36.0, and which of them v2.21.3 does not have. */
const FEATURES = [
  'access_control',
  'advanced_template_scheduling',
  'ai_governance_user_limit',
  'aibridge',
  'appearance',
  'audit_log',
  'boundary',
  'browser_only',
  'connection_log',
  'control_shared_ports',
  'custom_roles',
  'external_provisioner_daemons',
  'external_token_encryption',
  'high_availability',
  'managed_agent_limit',
  'multiple_external_auth',
  'multiple_organizations',
  'scim',
  'service_accounts',
  'task_batch_actions',
  'template_rbac',
  'user_limit',
  'user_role_management',
  'workspace_batch_actions',
  'workspace_external_agent',
  'workspace_prebuilds',
  'workspace_proxy',
];
const NOT_IN_OLD = [
  'ai_governance_user_limit',
  'aibridge',
  'boundary',
  'connection_log',
  'managed_agent_limit',
  'service_accounts',
  'task_batch_actions',
  'workspace_external_agent',
  'workspace_prebuilds',
];
const LICENSED_USERS = 500;

export function entitlementFeatures(deployment: Deployment, activeUsers: number): Record<string, unknown> {
  const { licensed, version } = deployment.options;
  const names = isAtLeast(version, 'v2.25.0')
    ? FEATURES
    : FEATURES.filter((name) => !NOT_IN_OLD.includes(name));
  return Object.fromEntries(
    names.map((name) => {
      const feature = { entitlement: licensed ? 'entitled' : 'not_entitled', enabled: licensed };
      if (name !== 'user_limit') return [name, feature];
      const limit = licensed ? LICENSED_USERS : undefined;
      return [name, { ...feature, limit, actual: activeUsers }];
    }),
  );
}
