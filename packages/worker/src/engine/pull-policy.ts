/** When an image is pulled: though there is one of that name, too; if there is none; or not at all. */
export const pullPolicies = ['always', 'missing', 'never'] as const;
export type PullPolicy = (typeof pullPolicies)[number];
