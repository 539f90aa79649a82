import {
  anyMethod,
  empty,
  errorComponents,
  inPath,
  jsonSchema,
  openApi,
  operation,
  refused,
  text,
} from '@docker-worker/service-kit/open-api';
import { z } from 'zod';

const Credentials = z.object({
  clientId: z.string(),
  accessToken: z.string(),
  certificate: z.string().nullish().describe('Of temporary credentials, as JSON text.'),
});

/** The routes as an OpenAPI document. */
export function openApiDocument(version: string): object {
  const paths = {
    '/bewit': {
      post: {
        ...operation('Sign a URL for one hour', {
          303: {
            ...text('The signed URL, as the body and as the address of the redirect.'),
            headers: { Location: { description: 'The same.', schema: { type: 'string', format: 'uri' } } },
          },
          400: refused('The body is no absolute http or https URL without a user name.'),
        }),
        requestBody: body('text/plain', { type: 'string', format: 'uri' }),
      },
    },
    '/credentials': {
      put: {
        ...operation('Replace the credentials; stand-alone only', {
          200: empty('From the next request on they are used.'),
          400: refused('The body is not what it should be.'),
        }),
        requestBody: body('application/json', jsonSchema(Credentials)),
      },
    },
    '/api/{service}/{version}/{path}': forwarded('Call a service below the root URL', {
      service: 'A service of the deployment, as `queue`.',
      version: 'The version of its API, as `v1`.',
      path: 'Everything that follows, slashes and the query included.',
    }),
    '/{service}/{version}/{path}': forwarded('The same in the short form', {
      service: 'A service of the deployment, whose name has no dot.',
      version: 'The version of its API.',
      path: 'Everything that follows.',
    }),
    '/{host}/{path}': forwarded('Call another host by https', {
      host: 'A host name with a dot in it, as `tools.example.com`.',
      path: 'Everything that follows.',
    }),
  };
  const description =
    'Signs requests with the credentials and the scopes that it was given, and forwards them. Answers of the services come back as they are.';
  return openApi({ title: 'tc-proxy', version, description, paths, components: errorComponents });
}

function forwarded(summary: string, parameters: Record<string, string>): object {
  const call = operation(summary, {
    default: empty('The answer of the service, whatever it is.'),
    400: text('The path is not encoded as it must be.'),
    403: refused('The host is loopback, link-local or a metadata service, or hosts are turned off.'),
    404: text('No service and no host is named.'),
    502: refused('The service could not be reached, or hung up.'),
    504: refused('The service did not answer in time.'),
  });
  return { ...inPath(parameters), ...anyMethod(call) };
}

function body(type: string, schema: object): object {
  return { required: true, content: { [type]: { schema } } };
}
