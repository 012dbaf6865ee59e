import { Router } from '../router.js';
import { addBuildRoutes } from './builds.js';
import { addDashboardRoutes } from './dashboard.js';
import { addDeploymentRoutes } from './deployment-info.js';
import { addDryRunRoutes } from './dry-runs.js';
import { addProvisionerRoutes } from './provisioners.js';
import { addTemplateRoutes } from './templates.js';
import { addTokenRoutes } from './tokens.js';
import { addUserRoutes } from './users.js';
import { addWorkspaceRoutes } from './workspaces.js';

export function apiRoutes(version: string): Router {
  const router = new Router();
  addDeploymentRoutes(router, version);
  addUserRoutes(router);
  addTokenRoutes(router);
  addTemplateRoutes(router);
  addDryRunRoutes(router);
  addWorkspaceRoutes(router);
  addBuildRoutes(router);
  addProvisionerRoutes(router);
  addDashboardRoutes(router, version);
  return router;
}
