import { z } from 'zod';

const ImageName = z.string().describe('Name of the image as `docker pull` takes it, with an optional tag');

const ArtifactPath = z
  .string()
  .describe('Name of the artifact that holds the image, as `docker save` writes it');

const NamedImage = z
  .strictObject({ type: z.literal('docker-image'), name: ImageName })
  .describe('An image from a registry');

const IndexedImage = z
  .strictObject({
    type: z.literal('indexed-image'),
    namespace: z.string().describe('Index namespace; it is looked up for every task'),
    path: ArtifactPath,
  })
  .describe('An image that is an artifact of the task found in the index');

const TaskImage = z
  .strictObject({
    type: z.literal('task-image'),
    taskId: z.string().describe('The task that made the image; its latest run counts'),
    path: ArtifactPath,
  })
  .describe('An image that is an artifact of another task');

/** The image objects by their `type`, with the properties that each requires. */
export const imageObjects = {
  'docker-image': NamedImage,
  'indexed-image': IndexedImage,
  'task-image': TaskImage,
} as const;

export const Image = z
  .union([ImageName, z.discriminatedUnion('type', [NamedImage, IndexedImage, TaskImage])])
  .meta({ description: 'The Docker image that the task runs in', examples: ['ubuntu:24.04'] });
export type Image = z.infer<typeof Image>;
