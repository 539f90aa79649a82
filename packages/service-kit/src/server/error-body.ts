/** A failed request in Taskcluster's own form, so that its clients show the message. */
export interface ErrorBody {
  code: string;
  message: string;
  requestInfo: { method: string; params: object; payload: object; time: string };
}

export function errorBody(code: string, message: string, method: string): ErrorBody {
  return { code, message, requestInfo: { method, params: {}, payload: {}, time: new Date().toISOString() } };
}
