declare module 'docker-modem/lib/http.js' {
  const transports: { http: typeof import('node:http'); https: typeof import('node:https') };
  // biome-ignore lint/style/noDefaultExport: what a CommonJS module exports
  export default transports;
}
