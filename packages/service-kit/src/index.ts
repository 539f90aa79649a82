export { Gauge, Registry } from 'prom-client';
export * from './control.ts';
export { defineService } from './define-service.ts';
export {
  type ErrorBody,
  errorBody,
  type FailedRequest,
  type GatewayError,
  gatewayError,
} from './gateway-error.ts';
export { signUrl } from './hawk-bewit.ts';
export { type HawkCredentials, type HawkRequest, hawkHeader, hawkMac } from './hawk-header.ts';
export { HawkKey } from './hawk-key.ts';
export { endToEndHeaderObject, endToEndHeaders } from './header-hygiene.ts';
export { type HttpUrl, parseHttpUrl } from './http-url.ts';
export { listen } from './listen.ts';
export { commonOptions, type Option, type OptionTable, wholeNumber } from './option-table.ts';
export { createProxyApp, type ProxyAppOptions } from './proxy-app.ts';
export { rawPath } from './raw-path.ts';
export { Redactor } from './redactor.ts';
export { answerJson, type RelayOptions, type RelayOutcome, relay } from './relay.ts';
export { hasBody, RequestBody, smallBody } from './request-body.ts';
export { RequestMetrics, type ServedRequest } from './request-metrics.ts';
export { type ReverseProxyOptions, reverseProxy } from './reverse-proxy.ts';
export { createServiceApp, type ServiceAppOptions } from './server/service-app.ts';
export { createServiceServer, type ServiceServerOptions } from './server/service-server.ts';
export * from './service.ts';
export { IpAddress, Port, type ServiceConfig, serviceConfigShape } from './service-config.ts';
export { createLogger, type Logger } from './service-logger.ts';
export type { Sidecar } from './sidecar.ts';
export { countStreamed } from './streamed-bytes.ts';
export { type TaskScopesOptions, taskScopes } from './task-scopes.ts';
export { createUpstreamDispatcher, type UpstreamDispatcherOptions } from './upstream-dispatcher.ts';
export { boundWaiting, UpstreamBusyError, type WaitingLimits, waitingLimits } from './waiting-limit.ts';
export { withoutSchemas } from './without-schemas.ts';
