// SPDX-License-Identifier: GPL-2.0-only
// What the server and the client of the guest lab share: addresses as text, sockets of the three protocols.
#ifndef LAB_NET_H
#define LAB_NET_H

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

// The longest line of either side; a request is a few bytes, an answer a name and two addresses with their ports.
#define LAB_LINE 256

enum lab_protocol { LAB_TCP, LAB_UDP, LAB_SCTP };

union lab_address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static inline socklen_t lab_length(const union lab_address *address)
{
	return address->any.sa_family == AF_INET ? sizeof(address->v4) : sizeof(address->v6);
}

// Reads "10.1.0.1" or "fd00:1::1"; 0 when it is neither.
static inline int lab_parse(const char *text, int port, union lab_address *address)
{
	memset(address, 0, sizeof(*address));
	if (inet_pton(AF_INET, text, &address->v4.sin_addr) == 1) {
		address->v4.sin_family = AF_INET;
		address->v4.sin_port = htons(port);
		return 1;
	}
	if (inet_pton(AF_INET6, text, &address->v6.sin6_addr) == 1) {
		address->v6.sin6_family = AF_INET6;
		address->v6.sin6_port = htons(port);
		return 1;
	}
	return 0;
}

// Writes "10.1.0.1 4711".
static inline void lab_format(const union lab_address *address, char *text, size_t size)
{
	char host[INET6_ADDRSTRLEN] = "?";
	int is_v4 = address->any.sa_family == AF_INET;
	inet_ntop(address->any.sa_family,
		  is_v4 ? (const void *)&address->v4.sin_addr : (const void *)&address->v6.sin6_addr, host,
		  sizeof(host));
	snprintf(text, size, "%s %d", host, ntohs(is_v4 ? address->v4.sin_port : address->v6.sin6_port));
}

// A socket of one family only: IPv4 clients are shown as IPv4, and an SCTP association offers addresses of one family.
// SCTP is used in its one-to-one style, which needs no library.
static inline int lab_socket(enum lab_protocol protocol, int family)
{
	int on = 1;
	int fd = socket(family, (protocol == LAB_UDP ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC,
			protocol == LAB_SCTP ? IPPROTO_SCTP : 0);
	if (fd < 0)
		return -1;
	if (family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	return fd;
}

#endif
