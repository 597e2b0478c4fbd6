import type { Algorithms, ServerHostKeyAlgorithm } from 'ssh2'

/** Host key algorithms in the order of preference; no ssh-rsa (SHA-1 signatures) and no DSA. */
const hostKeys: readonly ServerHostKeyAlgorithm[] = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'rsa-sha2-512',
  'rsa-sha2-256',
]

/**
 * What is offered to a server, spelled out so that an update of ssh2 cannot widen it: no SHA-1, no CBC, no group 1.
 *
 * @param knownTypes key types that are pinned for this host. They come first, or a server with several keys would
 *   present one that nobody has seen.
 */
export function algorithmsFor(knownTypes: readonly string[]): Algorithms {
  const isKnown = (algorithm: string) => knownTypes.includes(algorithm.startsWith('rsa-') ? 'ssh-rsa' : algorithm)
  return {
    kex: [
      'curve25519-sha256',
      'curve25519-sha256@libssh.org',
      'ecdh-sha2-nistp256',
      'ecdh-sha2-nistp384',
      'ecdh-sha2-nistp521',
      'diffie-hellman-group16-sha512',
      'diffie-hellman-group18-sha512',
      'diffie-hellman-group14-sha256',
      'diffie-hellman-group-exchange-sha256',
    ],
    serverHostKey: [...hostKeys.filter(isKnown), ...hostKeys.filter((algorithm) => !isKnown(algorithm))],
    // Not chacha20-poly1305: ssh2 1.17 keeps its nonce in one buffer for the whole process, and a connection inside
    // another one (jump host) overwrites it in the middle of a packet.
    cipher: ['aes256-gcm@openssh.com', 'aes128-gcm@openssh.com', 'aes256-ctr', 'aes192-ctr', 'aes128-ctr'],
    hmac: ['hmac-sha2-256-etm@openssh.com', 'hmac-sha2-512-etm@openssh.com', 'hmac-sha2-256', 'hmac-sha2-512'],
    compress: ['none'],
  }
}
