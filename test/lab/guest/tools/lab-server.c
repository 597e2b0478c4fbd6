// SPDX-License-Identifier: GPL-2.0-only
// The server of the guest lab: `lab-server NAME PORT…` answers on each port, in TCP, UDP and SCTP, IPv4 and IPv6, one
// line for each line or datagram:
//
//     NAME CLIENT-ADDRESS CLIENT-PORT OWN-ADDRESS OWN-PORT
//
// and an HTTP response with that line to a GET. It prints its process number and goes into the background once it
// listens, so that who started it can go on at once.
//
// With `on=ADDRESS` it listens on that address only.
#include "lab-net.h"
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>

#define MAX_ENDPOINTS 8192

enum kind { LISTENER, STREAM, DATAGRAMS };

static struct pollfd endpoints[MAX_ENDPOINTS];
static enum kind kinds[MAX_ENDPOINTS];
static int count;
static const char *name;

static void add(int fd, enum kind kind)
{
	if (count == MAX_ENDPOINTS) {
		close(fd);
		return;
	}
	endpoints[count] = (struct pollfd){ .fd = fd, .events = POLLIN };
	kinds[count++] = kind;
}

static void drop(int index)
{
	close(endpoints[index].fd);
	count--;
	endpoints[index] = endpoints[count];
	kinds[index] = kinds[count];
}

static int compose(const union lab_address *client, const union lab_address *own, char *line)
{
	char from[64], to[64];
	lab_format(client, from, sizeof(from));
	lab_format(own, to, sizeof(to));
	return snprintf(line, LAB_LINE, "%s %s %s\n", name, from, to);
}

static void open_listener(enum lab_protocol protocol, const union lab_address *address)
{
	int on = 1, family = address->any.sa_family;
	int fd = lab_socket(protocol, family);
	if (fd < 0 && protocol == LAB_SCTP) {
		fprintf(stderr, "no SCTP here: %s\n", strerror(errno));
		return;
	}
	if (fd < 0 || bind(fd, &address->any, lab_length(address)) < 0 ||
	    (protocol != LAB_UDP && listen(fd, 1024) < 0)) {
		char text[64];
		lab_format(address, text, sizeof(text));
		fprintf(stderr, "%s: %s\n", text, strerror(errno));
		exit(1);
	}
	if (protocol == LAB_UDP) {
		// The answer must leave from the address that was asked: a VIP where the director does not translate.
		if (family == AF_INET)
			setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on));
		else
			setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on));
	}
	add(fd, protocol == LAB_UDP ? DATAGRAMS : LISTENER);
}

static void open_port(int port, const union lab_address *only)
{
	static const char *const wildcards[] = { "0.0.0.0", "::" };
	for (enum lab_protocol protocol = LAB_TCP; protocol <= LAB_SCTP; protocol++) {
		if (only != NULL) {
			union lab_address address = *only;
			if (address.any.sa_family == AF_INET)
				address.v4.sin_port = htons(port);
			else
				address.v6.sin6_port = htons(port);
			open_listener(protocol, &address);
			continue;
		}
		for (int i = 0; i < 2; i++) {
			union lab_address address;
			lab_parse(wildcards[i], port, &address);
			open_listener(protocol, &address);
		}
	}
}

static void answer_datagram(int fd)
{
	union lab_address client, own;
	char request[LAB_LINE], line[LAB_LINE], control[CMSG_SPACE(sizeof(struct in6_pktinfo))];
	struct iovec data = { request, sizeof(request) };
	struct msghdr message = { &client, sizeof(client), &data, 1, control, sizeof(control), 0 };
	socklen_t length = sizeof(own);
	if (recvmsg(fd, &message, MSG_DONTWAIT) < 0 || getsockname(fd, &own.any, &length) < 0)
		return;
	struct cmsghdr *info = CMSG_FIRSTHDR(&message);
	if (info == NULL)
		return;
	if (info->cmsg_level == IPPROTO_IP) {
		struct in_pktinfo *asked = (struct in_pktinfo *)CMSG_DATA(info);
		own.v4.sin_addr = asked->ipi_addr;
		asked->ipi_spec_dst = asked->ipi_addr;
		asked->ipi_ifindex = 0;
	} else {
		struct in6_pktinfo *asked = (struct in6_pktinfo *)CMSG_DATA(info);
		own.v6.sin6_addr = asked->ipi6_addr;
		asked->ipi6_ifindex = 0;
	}
	data = (struct iovec){ line, compose(&client, &own, line) };
	sendmsg(fd, &message, MSG_DONTWAIT);
}

// One answer per line; 0 when the connection is to be closed. A line arrives in one piece: it is a few bytes long.
static int answer_stream(int fd)
{
	union lab_address client, own;
	char request[4096], line[LAB_LINE], response[LAB_LINE + 128];
	socklen_t client_length = sizeof(client), own_length = sizeof(own);
	ssize_t received = recv(fd, request, sizeof(request), MSG_DONTWAIT);
	if (received < 0 && errno == EAGAIN)
		return 1;
	if (received <= 0 || getpeername(fd, &client.any, &client_length) < 0 ||
	    getsockname(fd, &own.any, &own_length) < 0)
		return 0;
	int length = compose(&client, &own, line);
	if (received >= 4 && memcmp(request, "GET ", 4) == 0) {
		int size = snprintf(response, sizeof(response),
				    "HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s", length,
				    line);
		send(fd, response, size, MSG_NOSIGNAL);
		return 0;
	}
	for (ssize_t i = 0; i < received; i++)
		if (request[i] == '\n' && send(fd, line, length, MSG_NOSIGNAL) < 0)
			return 0;
	return 1;
}

static void go_into_background(void)
{
	pid_t child = fork();
	if (child < 0) {
		perror("fork");
		exit(1);
	}
	if (child > 0) {
		printf("%d\n", child);
		exit(0);
	}
	setsid();
	if (freopen("/dev/null", "r", stdin) == NULL || freopen("/dev/null", "w", stdout) == NULL ||
	    freopen("/dev/null", "w", stderr) == NULL)
		exit(1);
}

int main(int argc, char **argv)
{
	union lab_address only;
	int has_only = 0;
	if (argc < 3) {
		fprintf(stderr, "usage: lab-server NAME [on=ADDRESS] PORT…\n");
		return 2;
	}
	struct rlimit files = { MAX_ENDPOINTS + 64, MAX_ENDPOINTS + 64 };
	setrlimit(RLIMIT_NOFILE, &files);
	signal(SIGPIPE, SIG_IGN);
	name = argv[1];
	for (int i = 2; i < argc; i++) {
		if (strncmp(argv[i], "on=", 3) == 0) {
			has_only = lab_parse(argv[i] + 3, 0, &only);
			if (!has_only) {
				fprintf(stderr, "%s: expected an IPv4 or IPv6 address\n", argv[i]);
				return 2;
			}
			continue;
		}
		open_port(atoi(argv[i]), has_only ? &only : NULL);
	}
	go_into_background();
	for (;;) {
		if (poll(endpoints, count, -1) < 0 && errno != EINTR)
			return 1;
		// Downwards: the last one takes the place of one that is dropped, and has had its turn.
		for (int i = count - 1; i >= 0; i--) {
			if (endpoints[i].revents == 0)
				continue;
			if (kinds[i] == LISTENER) {
				int fd = accept4(endpoints[i].fd, NULL, NULL, SOCK_CLOEXEC);
				if (fd >= 0)
					add(fd, STREAM);
			} else if (kinds[i] == DATAGRAMS) {
				answer_datagram(endpoints[i].fd);
			} else if (!answer_stream(endpoints[i].fd)) {
				drop(i);
			}
		}
	}
}
