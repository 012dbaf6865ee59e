import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Deployment } from './deployment.js';
import { METRICS_TYPE } from './metrics.js';

/** The metrics page of one replica on a port of its own (CODER_PROMETHEUS_ADDRESS). */
export interface MetricsPage {
  url: string;
  /** The headers of each request. */
  seen: IncomingHttpHeaders[];
}

/** Opens a page for each replica, without any authentication, as coderd does with Prometheus on. */
export class MetricsPages {
  readonly #servers: Server[] = [];

  constructor(private readonly deployment: Deployment) {}

  open(): Promise<MetricsPage[]> {
    return Promise.all(this.deployment.replicas.list.map((_, index) => this.#openOne(index)));
  }

  close(): void {
    for (const server of this.#servers.splice(0)) {
      server.close();
      server.closeAllConnections();
    }
  }

  async #openOne(index: number): Promise<MetricsPage> {
    const seen: IncomingHttpHeaders[] = [];
    const server = createServer((request, response) => {
      seen.push(request.headers);
      const replica = this.deployment.replicas.list[index];
      response.writeHead(replica === undefined ? 503 : 200, { 'Content-Type': METRICS_TYPE });
      response.end(replica?.metrics.text(this.deployment, replica.startedAt));
    });
    this.#servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, seen };
  }
}
