// SPDX-License-Identifier: GPL-2.0-only
// Packets, bytes and new connections by real server and by service. Rows by CPU, so that nobody waits for anybody.
#ifndef LB_STATS_H
#define LB_STATS_H

#include "lb_flow.h"

struct lb_stats {
	__u64 packets;
	__u64 bytes;
	__u64 connections;
	__u64 turns; /* of round robin; services only */
	/* Back to the client, where replies pass the director. */
	__u64 reply_packets;
	__u64 reply_bytes;
	__u64 pad[2];
};
_Static_assert(sizeof(struct lb_stats) == 64, "a row is one cache line");

LB_ARRAY(lb_real_stats, 4096, struct lb_stats);
LB_ARRAY(lb_svc_stats, 256, struct lb_stats);

static __always_inline void lb_stats_add(struct lb_stats *stats, const struct lb_packet *packet, __u32 connections)
{
	if (!stats)
		return;
	stats->packets += packet->segments;
	stats->bytes += packet->wire_bytes;
	stats->connections += connections;
}

static __always_inline void lb_account(const struct lb_packet *packet, __u32 real, __u32 service, __u32 connections)
{
	__u32 cpu = bpf_get_smp_processor_id();
	__u32 real_row = cpu * lb_config.reals_max + real;
	__u32 service_row = cpu * lb_config.services_max + service;

	lb_stats_add(bpf_map_lookup_elem(&lb_real_stats, &real_row), packet, connections);
	lb_stats_add(bpf_map_lookup_elem(&lb_svc_stats, &service_row), packet, connections);
}

static __always_inline void lb_stats_add_reply(struct lb_stats *stats, const struct lb_packet *packet)
{
	if (!stats)
		return;
	stats->reply_packets += packet->segments;
	stats->reply_bytes += packet->wire_bytes;
}

static __always_inline void lb_account_reply(const struct lb_packet *packet, __u32 real, __u32 service)
{
	__u32 cpu = bpf_get_smp_processor_id();
	__u32 real_row = cpu * lb_config.reals_max + real;
	__u32 service_row = cpu * lb_config.services_max + service;

	lb_stats_add_reply(bpf_map_lookup_elem(&lb_real_stats, &real_row), packet);
	lb_stats_add_reply(bpf_map_lookup_elem(&lb_svc_stats, &service_row), packet);
}

#endif
