// SPDX-License-Identifier: GPL-2.0-only
// Which real server a new flow goes to. All schedulers read the service's ring, which the agent fills; they differ in
// where they look:
//   mh       at the hash of the whole flow: the ring is Maglev's
//   sh       at the hash of the client's address: all its flows meet one server
//   rr, wrr  at one slot after the other: the ring is an interleaving of the members
//   lc, wlc  at LB_DRAWS slots, and take the one with the fewest flows for its weight
#ifndef LB_SCHEDULE_H
#define LB_SCHEDULE_H

#include "lb_stats.h"

enum lb_scheduler {
	LB_SCHED_MH = 1,
	LB_SCHED_SH,
	LB_SCHED_RR,
	LB_SCHED_WRR,
	LB_SCHED_LC,
	LB_SCHED_WLC,
};

/*
 * Two would do to keep servers even (Mitzenmacher, "The Power of Two Choices", 2001); with eight, the emptier of two
 * servers is missed once in 2^8.
 */
#define LB_DRAWS 8
/* CPUs begin apart, so that their first flows do not all meet the first member. */
#define LB_TURN_APART 8191

static __always_inline __u64 lb_turn(__u32 service)
{
	__u32 cpu = bpf_get_smp_processor_id();
	__u32 row = cpu * lb_config.services_max + service;
	struct lb_stats *stats = bpf_map_lookup_elem(&lb_svc_stats, &row);

	return stats ? (stats->turns++ + (__u64)cpu * LB_TURN_APART) % LB_RING_SIZE : 0;
}

/* The least loaded of several draws; the first of equal ones, which the hash has chosen. */
static __always_inline __u32 lb_least(const struct lb_ring *ring, __u64 hash, int is_weighted)
{
	__u32 best = 0;
	__u64 best_flows = 0, best_weight = 1;

	for (int draw = 0; draw < LB_DRAWS; draw++) {
		__u32 id = lb_ring_slot(ring, lb_slot_of(hash));
		struct lb_real *real = id ? lb_real_at(id) : 0;

		hash = lb_finish_hash(hash + 0x9e3779b97f4a7c15ull);
		if (!real)
			continue;

		/* One more than there are: of two idle servers the heavier comes first. */
		__u64 flows = (__u64)*(volatile __u32 *)&real->active + 1;
		__u64 weight = is_weighted ? real->weight : 1;

		if (!best || flows * best_weight < best_flows * weight) {
			best = id;
			best_flows = flows;
			best_weight = weight;
		}
	}
	return best;
}

/* Index of the real server, 0 where the ring names none. */
static __always_inline __u32 lb_schedule(const struct lb_packet *packet, const struct lb_service *service)
{
	__u32 id = service->id;
	struct lb_ring *ring = bpf_map_lookup_elem(&lb_ring, &id);

	if (!ring)
		return 0;
	switch (service->scheduler) {
	case LB_SCHED_SH:
		return lb_ring_slot(ring, lb_slot_of(lb_source_hash(packet)));
	case LB_SCHED_RR:
	case LB_SCHED_WRR:
		return lb_ring_slot(ring, lb_turn(id));
	case LB_SCHED_LC:
		return lb_least(ring, lb_ring_hash(packet), 0);
	case LB_SCHED_WLC:
		return lb_least(ring, lb_ring_hash(packet), 1);
	default:
		return lb_ring_slot(ring, lb_slot_of(lb_ring_hash(packet)));
	}
}

/* A flow that is remembered counts for those schedulers that ask; the agent's sweep sets the number right. */
static __always_inline void lb_count_flow(const struct lb_service *service, struct lb_real *real)
{
	if (service->scheduler >= LB_SCHED_LC)
		__sync_fetch_and_add(&real->active, 1);
}

#endif
