import { Respond, seeOther } from '../api/answer.ts';
import type { Identity } from '../auth/authenticator.ts';
import { authorize } from '../auth/authorize.ts';
import { issueCredentials } from '../auth/certificate.ts';
import { ApiError } from '../errors.ts';
import { type Artifact, type Content, objectName } from './artifacts.ts';
import type { Queue } from './queue.ts';
import { isClaimed, type TaskRecord } from './task-record.ts';

const MINUTE_MS = 60_000;
const PUT_LIFE_MS = 45 * MINUTE_MS;
const GET_LIFE_MS = 30 * MINUTE_MS;
const OBJECT_CREDENTIALS_MS = 24 * 60 * MINUTE_MS;

/** An artifact of a run, as a caller asks for it. */
export interface ArtifactRequestPath {
  taskId: string;
  /** Default: the latest run. */
  runId?: string;
  name: string;
}

/** Throws ResourceNotFound when the task has never been scheduled. */
export function latestRun(queue: Queue, taskId: string): number {
  const { runs } = queue.lifecycle.get(taskId);
  if (runs.length === 0) throw new ApiError('ResourceNotFound', "Task doesn't have any runs");
  return runs.length - 1;
}

/** Redirects to the content. The caller needs the scopes of all names that links lead through. */
export function redirectToArtifact(queue: Queue, path: ArtifactRequestPath, identity: Identity): Respond {
  const { runId, artifact } = follow(queue, path, identity);
  const { storageType } = artifact;
  const headers = { 'x-taskcluster-artifact-storage-type': storageType };
  if (storageType === 'error') return new Respond(424, artifact.details, headers);
  const url = urlOf(queue, path.taskId, runId, artifact);
  return seeOther(url, { storageType, url }, headers);
}

/** Says where the content is, or how to get at it. */
export function describeArtifact(queue: Queue, path: ArtifactRequestPath, identity: Identity): object {
  const { runId, artifact } = follow(queue, path, identity);
  const { storageType, details } = artifact;
  if (storageType === 'error') return { storageType, ...details };
  if (storageType !== 'object') return { storageType, url: urlOf(queue, path.taskId, runId, artifact) };
  const name = objectName(path.taskId, runId, artifact.name);
  const credentials = issueCredentials(queue.signer, {
    clientId: `artifact-download/${path.taskId}/${runId}`,
    scopes: [`object:download:${name}`],
    expiry: untilExpiry(artifact),
  });
  return { storageType, name, credentials };
}

function follow(queue: Queue, { taskId, runId, name }: ArtifactRequestPath, identity: Identity) {
  const run = runId === undefined ? latestRun(queue, taskId) : Number(runId);
  const artifact = queue.artifacts.follow(taskId, run, name, (names) =>
    authorize(identity, { AllOf: names.map((each) => `queue:get-artifact:${each}`) }),
  );
  return { runId: run, artifact };
}

/** What the worker needs to upload the content of an artifact it has created. */
export function uploadOf(queue: Queue, record: TaskRecord, runId: number, artifact: Artifact): object {
  const { storageType, contentType, details } = artifact;
  if (storageType === 's3') {
    const expires = new Date(Date.now() + PUT_LIFE_MS);
    const putUrl = queue.blobs.putUrl(details.blobId, contentType, expires);
    return { storageType, contentType, expires: expires.toJSON(), putUrl };
  }
  if (storageType !== 'object') return { storageType };
  const { projectId } = record.task;
  const { uploadId } = details;
  const name = objectName(record.taskId, runId, artifact.name);
  queue.objects.beginUpload(name, { projectId, uploadId, expires: artifact.expires });
  const run = record.runs[runId];
  const worker = isClaimed(run) ? `/on/${run.workerGroup}/${run.workerId}` : '';
  const credentials = issueCredentials(queue.signer, {
    clientId: `artifact-upload/${record.taskId}/${runId}${worker}`,
    scopes: [`object:upload:${projectId}:${name}`],
    expiry: untilExpiry(artifact),
  });
  return { storageType, name, projectId, uploadId, expires: artifact.expires, credentials };
}

function urlOf(
  queue: Queue,
  taskId: string,
  runId: number,
  artifact: Exclude<Content, { storageType: 'error' }>,
): string {
  switch (artifact.storageType) {
    case 's3':
      return queue.blobs.getUrl(artifact.details.blobId, new Date(Date.now() + GET_LIFE_MS));
    case 'object':
      return queue.objects.downloadUrl(objectName(taskId, runId, artifact.name)).url;
    case 'reference':
      return artifact.details.url;
  }
}

function untilExpiry(artifact: Artifact): Date {
  return new Date(Math.min(Date.now() + OBJECT_CREDENTIALS_MS, Date.parse(artifact.expires)));
}
