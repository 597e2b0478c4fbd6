// SPDX-License-Identifier: GPL-2.0-only
// Which real server a packet belongs to: the flow cache is asked before the ring.
#ifndef LB_SELECT_H
#define LB_SELECT_H

#include "lb_nat.h"
#include "lb_schedule.h"

/* How often another real server is looked for. */
#define LB_OTHER_ATTEMPTS 8

static __always_inline int lb_is_syn(const struct lb_packet *packet)
{
	return (packet->tcp_flags & (LB_TCP_SYN | LB_TCP_ACK | LB_TCP_RST | LB_TCP_FIN)) == LB_TCP_SYN;
}

/* Whether the packet may go to another server than the one before: UDP has nothing to break. */
static __always_inline int lb_may_move(const struct lb_packet *packet)
{
	return packet->proto == IPPROTO_UDP || lb_is_syn(packet);
}

/* A packet that may move finds the entry of an earlier one: may it go on using it? */
static __always_inline int lb_may_reuse(const struct lb_place *place, const struct lb_real *real)
{
	return LB_WORD_STATE(place->seen) != LB_FLOW_CLOSING && !real->is_down && real->state != LB_STATE_OFFLINE;
}

/* Another real server than the ring's choice, whose replies would be ambiguous; 0 where there is none. */
static __always_inline __u32 lb_pick_other(const struct lb_packet *packet, struct lb_bucket *bucket, __u32 tag,
					   __u32 service)
{
	struct lb_ring *ring = bpf_map_lookup_elem(&lb_ring, &service);
	__u64 hash = lb_ring_hash(packet);

	lb_count(LB_FLOW_AMBIGUOUS);
	if (!ring)
		return 0;
	for (__u32 attempt = 0; attempt < LB_OTHER_ATTEMPTS; attempt++) {
		hash = lb_finish_hash(hash + 0x9e3779b97f4a7c15ull);

		__u32 id = lb_ring_slot(ring, lb_slot_of(hash));
		struct lb_real *real = id ? lb_real_at(id) : 0;

		if (real && real->use == LB_REAL_IN_USE && !lb_nat_clashes(bucket, tag, packet, real))
			return id;
	}
	return 0;
}

/* A flow that is not remembered, or no longer valid; `has_place` where its old entry is to be replaced. */
static __always_inline struct lb_real *lb_select_new(struct lb_packet *packet, struct lb_bucket *bucket, __u32 tag,
						     struct lb_place *place, int has_place, __u32 now,
						     enum lb_counter *verdict)
{
	struct lb_service *service = lb_service_of(packet);

	if (!service) {
		*verdict = LB_PASS_NO_SERVICE;
		return 0;
	}

	/* Dropped, not passed: the host would answer with RST. */
	if (lb_is_stopped()) {
		*verdict = LB_DROP_STOPPED;
		return 0;
	}

	__u32 id = lb_schedule(packet, service);
	struct lb_real *real = id ? lb_real_at(id) : 0;
	struct lb_cpu *row = lb_this_cpu();

	if (!real || !row || real->use != LB_REAL_IN_USE) {
		*verdict = LB_DROP_NO_SERVER;
		return 0;
	}

	if (real->forwarding == LB_NAT && lb_nat_clashes(bucket, tag, packet, real)) {
		id = lb_pick_other(packet, bucket, tag, service->id);
		real = id ? lb_real_at(id) : 0;
		if (!real) {
			*verdict = LB_DROP_AMBIGUOUS;
			return 0;
		}
	}

	int is_put = 0, is_answered = lb_is_translated(real) && !(packet->tcp_flags & LB_TCP_RST);

	/* What ends a connection needs no entry, but for an answer to find its way back. */
	if (is_answered || !(packet->tcp_flags & (LB_TCP_RST | LB_TCP_FIN))) {
		if (!lb_may_insert(row, now))
			lb_count(LB_FLOW_CAPPED);
		else if (has_place || lb_flow_room(bucket, row, tag, now, place))
			is_put = lb_flow_put(bucket, place, tag, packet, id, real->generation, now);
		else
			lb_count(LB_FLOW_FULL);
	}
	if (is_put)
		lb_count_flow(service, real);
	if (is_answered && !is_put) {
		*verdict = LB_DROP_NO_RECORD;
		return 0;
	}
	/* A UDP flow that is not remembered would count as a connection with each of its packets. */
	lb_account(packet, id, service->id, packet->proto == IPPROTO_UDP ? is_put : lb_is_syn(packet));
	return real;
}

/* The real server, or null with the verdict set: not a service, or nobody to serve it. */
static __always_inline struct lb_real *lb_select(struct lb_packet *packet, enum lb_counter *verdict)
{
	__u64 hash = lb_client_hash(packet->saddr, packet->sport, packet->proto, packet->family);
	__u32 tag = hash >> 32;
	__u32 now = (__u32)bpf_jiffies64();
	__u32 index = (__u32)hash & lb_config.bucket_mask;
	struct lb_bucket *bucket = bpf_map_lookup_elem(&lb_buckets, &index);
	struct lb_place place = {};
	struct lb_flow *flow = 0;
	__u32 id = 0, generation = 0;
	int is_known;

	if (!bucket) {
		*verdict = LB_DROP_NO_SERVER;
		return 0;
	}
	is_known = lb_flow_find(bucket, tag, packet, &place, &flow, &id, &generation);
	if (is_known) {
		struct lb_real *real = lb_real_at(id);
		int is_alive = real && real->generation == generation && real->use == LB_REAL_IN_USE &&
			       !lb_is_expired(LB_WORD_STATE(place.seen), flow, now);

		if (is_alive && (!lb_may_move(packet) || lb_may_reuse(&place, real))) {
			lb_flow_touch(bucket, &place, flow, packet, now);
			lb_account(packet, id, real->service, 0);
			return real;
		}
		lb_count(LB_FLOW_OVER);
	}
	return lb_select_new(packet, bucket, tag, &place, is_known, now, verdict);
}

#endif
