/**
 * Where clouds serve the identity and the credentials of a machine to whatever runs on it. All of IPv4's
 * link-local range is among them: most clouds use an address of it, and so do agents for containers.
 */
export const metadataAddresses = {
  v4: [
    '169.254.0.0/16', // AWS, Google, OpenStack, Tencent, DigitalOcean, Hetzner and others; ECS and EKS agents
    '168.63.129.16', // Azure's wire server
    '100.100.100.200', // Alibaba
    '192.0.0.192', // Oracle
  ],
  v6: [
    'fd00:ec2::254', // AWS
    'fd00:ec2::23', // EKS
    'fd20:ce::254', // Google
    'fd00:c1::a9fe:a9fe', // Oracle
    'fd00:42::42', // Scaleway
    'fe80::a9fe:a9fe', // OpenStack
  ],
} as const;
