import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { z } from 'zod';
import { messageOf } from '../errors.js';
import type { Inputs } from '../inputs.js';
import { listFiles } from '../results-directory.js';
import type { World } from '../world.js';

const STATE = 'upload';
const uploadSchema = z.object({
  directory: z.string(),
  name: z.string(),
  retentionDays: z.number().optional(),
});
export type Upload = z.infer<typeof uploadSchema>;

/**
 * What will be uploaded at the end. An artifact's name has to be unique in a run, also among the legs of a matrix, which
 * share the job's name and may start in the same second.
 */
export function planUpload(inputs: Inputs, directory: string, world: World): Upload | undefined {
  if (!inputs.uploadArtifact) return undefined;
  const job = world.job.name.replace(/[":<>|*?\r\n\\/]/g, '-');
  const name =
    inputs.artifactName ??
    `scaletest-${job}-${path.basename(directory)}-attempt-${world.job.attempt}-${randomBytes(2).toString('hex')}`;
  return {
    directory,
    name,
    ...(inputs.retentionDays !== undefined && { retentionDays: inputs.retentionDays }),
  };
}

/** From here on post uploads the evidence if main does not come to it. */
export function oweUpload(upload: Upload | undefined, world: World): void {
  if (upload !== undefined) world.state.save(STATE, JSON.stringify(upload));
}

/** What main left to upload; undefined when nothing. */
export function owedUpload(world: World): Upload | undefined {
  const text = world.state.read(STATE);
  return text === '' ? undefined : uploadSchema.parse(JSON.parse(text));
}

/** Uploads the evidence. Trouble with it warns and changes no verdict. */
export async function uploadEvidence(
  { directory, name, retentionDays }: Upload,
  world: World,
): Promise<void> {
  try {
    const files = await listFiles(directory);
    const uploaded = await world.log.group('Upload the evidence', () =>
      world.artifacts.upload({
        name,
        directory,
        files,
        ...(retentionDays !== undefined && { retentionDays }),
      }),
    );
    world.step.setOutput('artifact-id', uploaded.id);
    world.step.setOutput('artifact-url', uploaded.url);
    world.log.info(`Evidence uploaded as the artifact "${name}"`);
  } catch (thrown) {
    world.log.warning(
      `the evidence could not be uploaded: ${messageOf(thrown)}. It is in ${directory} until the job ends; the verdict is not changed`,
    );
  }
  world.state.clear(STATE);
}
