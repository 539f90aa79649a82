// TypeScript through swc, ES modules as they are. Each package names this file as its preset.
// biome-ignore lint/style/noDefaultExport: jest reads the default export
export default {
  testEnvironment: 'node',
  testMatch: ['<rootDir>/src/**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '\\.ts$': [
      '@swc/jest',
      {
        jsc: {
          target: 'es2024',
          parser: { syntax: 'typescript' },
          experimental: { keepImportAttributes: true },
        },
        module: { type: 'es6' },
      },
    ],
  },
  // Workspace packages export their TypeScript sources, which are reached through node_modules links.
  transformIgnorePatterns: ['/node_modules/(?!@docker-worker/)'],
  testTimeout: 30_000,
};
