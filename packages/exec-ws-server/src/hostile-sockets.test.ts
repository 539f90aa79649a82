import { testHostileSockets } from '@docker-worker/service-kit/testing/hostile-sockets';
import { startServer } from './testing/start-server.ts';

// No session is opened, so there need not be a container.
testHostileSockets({ open: () => startServer('none'), path: '/', status: 404 });
