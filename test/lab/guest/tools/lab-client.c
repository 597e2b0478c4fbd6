// SPDX-License-Identifier: GPL-2.0-only
// The client of the guest lab:
//
//     lab-client tcp|udp|sctp ADDRESS PORT [count=N] [source=ADDRESS] [sport=PORT] [timeout=MS] [same-socket] [hold]
//
// Sends `count` requests (1), one after the other, each on a flow of its own (`same-socket`: all on one, which is one
// UDP flow), and prints the answer of each as a line, or `failed STEP REASON`: the errno's name, `timeout` or `closed`.
//
// With `hold` it first opens all flows and asks once on each, prints `held`, and then, for each line on standard input,
// asks once more on each flow and prints `asked`; it ends with its input.
#include "lab-net.h"
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>

static enum lab_protocol protocol;
static union lab_address target, source;
static int has_source, timeout_ms = 3000;

static void failed(const char *step, const char *reason)
{
	printf("failed %s %s\n", step, reason);
	fflush(stdout);
}

// 1 when the socket is ready in time; else says so.
static int wait_for(int fd, short events, const char *step)
{
	struct pollfd one = { .fd = fd, .events = events };
	int ready = poll(&one, 1, timeout_ms);
	if (ready == 0)
		failed(step, "timeout");
	else if (ready < 0)
		failed(step, strerrorname_np(errno));
	return ready > 0;
}

// A connected socket, or -1 after it has said why not.
static int open_flow(void)
{
	int error = 0;
	socklen_t size = sizeof(error);
	int fd = lab_socket(protocol, target.any.sa_family);
	if (fd < 0) {
		failed("socket", strerrorname_np(errno));
		return -1;
	}
	if (has_source && bind(fd, &source.any, lab_length(&source)) < 0) {
		failed("bind", strerrorname_np(errno));
		close(fd);
		return -1;
	}
	fcntl(fd, F_SETFL, O_NONBLOCK);
	if (connect(fd, &target.any, lab_length(&target)) == 0)
		return fd;
	if (errno != EINPROGRESS) {
		failed("connect", strerrorname_np(errno));
	} else if (wait_for(fd, POLLOUT, "connect")) {
		getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
		if (error == 0)
			return fd;
		failed("connect", strerrorname_np(error));
	}
	close(fd);
	return -1;
}

static int ask(int fd)
{
	char line[LAB_LINE];
	if (fd < 0) {
		failed("ask", "never-opened");
		return 0;
	}
	if (send(fd, "hello\n", 6, MSG_NOSIGNAL) < 0) {
		failed("send", strerrorname_np(errno));
		return 0;
	}
	if (!wait_for(fd, POLLIN, "answer"))
		return 0;
	ssize_t received = recv(fd, line, sizeof(line), 0);
	if (received <= 0) {
		failed("answer", received == 0 ? "closed" : strerrorname_np(errno));
		return 0;
	}
	fwrite(line, 1, received, stdout);
	fflush(stdout);
	return 1;
}

// With a fixed source port the next connection may come before the old one has timed out: end it by a reset.
static void close_flow(int fd, int by_reset)
{
	struct linger at_once = { 1, 0 };
	if (fd < 0)
		return;
	if (by_reset)
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	close(fd);
}

static void hold(int flows)
{
	char line[LAB_LINE];
	int *fds = calloc(flows, sizeof(int));
	for (int i = 0; i < flows; i++) {
		fds[i] = open_flow();
		if (fds[i] >= 0)
			ask(fds[i]);
	}
	for (puts("held"), fflush(stdout); fgets(line, sizeof(line), stdin) != NULL; puts("asked"), fflush(stdout))
		for (int i = 0; i < flows; i++)
			ask(fds[i]);
}

static int usage(const char *found)
{
	fprintf(stderr,
		"found \"%s\"\nusage: lab-client tcp|udp|sctp ADDRESS PORT [count=N] [source=ADDRESS] [sport=PORT] "
		"[timeout=MS] [same-socket] [hold]\n",
		found);
	return 2;
}

int main(int argc, char **argv)
{
	static const char *const protocols[] = { "tcp", "udp", "sctp" };
	const char *source_address = NULL;
	int count = 1, source_port = 0, is_held = 0, is_same = 0, is_known = 0;
	if (argc < 4)
		return usage("too few words");
	for (int i = 0; i < 3; i++) {
		if (strcmp(argv[1], protocols[i]) == 0) {
			protocol = i;
			is_known = 1;
		}
	}
	if (!is_known)
		return usage(argv[1]);
	if (!lab_parse(argv[2], atoi(argv[3]), &target))
		return usage(argv[2]);
	for (int i = 4; i < argc; i++) {
		if (strncmp(argv[i], "count=", 6) == 0)
			count = atoi(argv[i] + 6);
		else if (strncmp(argv[i], "source=", 7) == 0)
			source_address = argv[i] + 7;
		else if (strncmp(argv[i], "sport=", 6) == 0)
			source_port = atoi(argv[i] + 6);
		else if (strncmp(argv[i], "timeout=", 8) == 0)
			timeout_ms = atoi(argv[i] + 8);
		else if (strcmp(argv[i], "hold") == 0)
			is_held = 1;
		else if (strcmp(argv[i], "same-socket") == 0)
			is_same = 1;
		else
			return usage(argv[i]);
	}
	has_source = source_address != NULL || source_port != 0;
	if (source_address == NULL)
		source_address = target.any.sa_family == AF_INET ? "0.0.0.0" : "::";
	if (!lab_parse(source_address, source_port, &source) || source.any.sa_family != target.any.sa_family)
		return usage(source_address);
	signal(SIGPIPE, SIG_IGN);
	struct rlimit files = { 65536, 65536 };
	setrlimit(RLIMIT_NOFILE, &files);
	if (is_held) {
		hold(count);
		return 0;
	}
	int fd = is_same ? open_flow() : -1;
	if (is_same && fd < 0)
		return 0;
	for (int i = 0; i < count; i++) {
		if (!is_same)
			fd = open_flow();
		if (fd < 0)
			continue;
		ask(fd);
		if (!is_same)
			close_flow(fd, source_port != 0);
	}
	return 0;
}
