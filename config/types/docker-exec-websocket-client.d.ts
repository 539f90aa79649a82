declare module 'docker-exec-websocket-client' {
  export const DockerExecClient: new (options: object) => unknown;
}
