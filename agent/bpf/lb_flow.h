// SPDX-License-Identifier: GPL-2.0-only
// The flow cache: who serves a connection that exists, whatever became of the ring since.
//
// Four ways per bucket. The bucket holds one word per way: tag (32 bits of the hash), sequence, state. The record beside
// it holds key, real server, age and counters. Only the word is shared by compare and exchange:
//   a writer claims a way (state WRITING, sequence + 1), fills the record, publishes the word;
//   a reader reads the word, the record, and the word again: another sequence means that it read two flows.
// x86 keeps the order of loads and of stores by itself, and exchanges are full barriers everywhere. On arm64 the
// reader's three loads need lb_read_barrier() to be more than a word to the compiler; not built for arm64 yet.
#ifndef LB_FLOW_H
#define LB_FLOW_H

#include "lb_ring.h"

#define LB_FLOW_FREE 0
#define LB_FLOW_WRITING 1
#define LB_FLOW_HALF_OPEN 2 /* one packet seen, or SYNs only */
#define LB_FLOW_ESTABLISHED 3
#define LB_FLOW_CLOSING 4 /* FIN or RST seen */

#define LB_WORD_STATE(word) ((__u8)(word))
#define LB_WORD_TAG(word) ((__u32)((word) >> 32))
#define LB_SEQUENCE_MASK 0xffffff00ull
#define LB_SEQUENCE_STEP 0x100ull

struct lb_bucket {
	__u64 way[LB_WAYS];
};

struct lb_flow {
	__be32 saddr[4];
	__be32 daddr[4];
	__be16 sport;
	__be16 dport;
	__u8 proto;
	__u8 family;
	__u16 real;
	__u32 generation;
	__u32 last_seen; /* jiffies */
	__u64 packets;
	__u64 bytes;
};
_Static_assert(sizeof(struct lb_flow) == 64, "a flow is one cache line");

LB_ARRAY(lb_buckets, 65536, struct lb_bucket);
LB_ARRAY(lb_flows, 262144, struct lb_flow);

/* Where a flow stands, or may be put. */
struct lb_place {
	__u64 *word;
	struct lb_flow *flow;
	__u64 seen; /* the word as it was read */
};

#define lb_read_barrier() asm volatile("" ::: "memory")

static __always_inline __u64 lb_word_of(const __u64 *word)
{
	return *(const volatile __u64 *)word;
}

static __always_inline __u32 lb_timeout_of(__u8 state)
{
	if (state == LB_FLOW_ESTABLISHED)
		return lb_config.timeout_established;
	return state == LB_FLOW_CLOSING ? lb_config.timeout_closing : lb_config.timeout_half_open;
}

/* Another CPU may have seen the flow a jiffy after this one read the clock: that is no age of 2^32. */
static __always_inline __u32 lb_age(__u32 last_seen, __u32 now)
{
	__s32 age = now - last_seen;

	return age < 0 ? 0 : age;
}

static __always_inline int lb_is_expired(__u8 state, __u32 last_seen, __u32 now)
{
	return lb_age(last_seen, now) > lb_timeout_of(state);
}

static __always_inline int lb_is_same_flow(const struct lb_flow *flow, const struct lb_packet *packet)
{
	return flow->saddr[0] == packet->saddr && flow->daddr[0] == packet->daddr && flow->sport == packet->sport &&
	       flow->dport == packet->dport && flow->proto == packet->proto && flow->family == LB_FAMILY_IPV4;
}

static __always_inline struct lb_flow *lb_flow_at(__u32 bucket, __u32 way)
{
	__u32 index = bucket * LB_WAYS + way;

	return bpf_map_lookup_elem(&lb_flows, &index);
}

/* 1 where the packet's flow is in the bucket; `real` and `generation` are from one moment. */
static __always_inline int lb_flow_find(struct lb_bucket *bucket, __u32 index, __u32 tag, const struct lb_packet *packet,
					struct lb_place *place, __u32 *real, __u32 *generation)
{
#pragma unroll
	for (__u32 way = 0; way < LB_WAYS; way++) {
		__u64 word = lb_word_of(&bucket->way[way]);

		if (LB_WORD_TAG(word) != tag || LB_WORD_STATE(word) < LB_FLOW_HALF_OPEN)
			continue;

		struct lb_flow *flow = lb_flow_at(index, way);

		if (!flow)
			continue;
		lb_read_barrier();

		int is_same = lb_is_same_flow(flow, packet);

		*real = flow->real;
		*generation = flow->generation;
		lb_read_barrier();
		/* The state may have gone on meanwhile; the sequence may not. */
		if (!is_same || (lb_word_of(&bucket->way[way]) ^ word) & ~0xffull)
			continue;
		place->word = &bucket->way[way];
		place->flow = flow;
		place->seen = word;
		return 1;
	}
	return 0;
}

/* How much a way is worth keeping: 0 free, then expired, closing and half-open, oldest first; more than that: not ours. */
#define LB_KEEP 0xffffffffffull
static __always_inline __u64 lb_worth(__u64 word, __u32 bucket, __u32 way, __u32 now)
{
	__u8 state = LB_WORD_STATE(word);

	if (state == LB_FLOW_FREE)
		return 0;
	if (state == LB_FLOW_WRITING)
		return LB_KEEP;

	struct lb_flow *flow = lb_flow_at(bucket, way);

	if (!flow)
		return LB_KEEP;

	__u32 age = lb_age(flow->last_seen, now);

	if (age > lb_timeout_of(state))
		return 1;
	/* A new flow is half-open, and never drives out an established one. */
	return state == LB_FLOW_ESTABLISHED ? LB_KEEP : 0x100000000ull - age;
}

/* Chooses the way to put a new flow in. 0 where all four are established flows. */
static __always_inline int lb_flow_room(struct lb_bucket *bucket, __u32 index, __u32 now, struct lb_place *place)
{
	__u64 best = LB_KEEP;

#pragma unroll
	for (__u32 way = 0; way < LB_WAYS; way++) {
		__u64 word = lb_word_of(&bucket->way[way]);
		__u64 worth = lb_worth(word, index, way, now);

		if (worth < best) {
			best = worth;
			place->word = &bucket->way[way];
			place->flow = lb_flow_at(index, way);
			place->seen = word;
		}
	}
	if (best == LB_KEEP || !place->flow)
		return 0;
	if (best > 1)
		lb_count(LB_FLOW_EVICTED);
	return 1;
}

/* Inserts of one CPU are capped for each window: a flood may not turn the whole cache over. */
static __always_inline int lb_may_insert(__u32 now)
{
	struct lb_cpu *row = lb_this_cpu();
	__u32 window = now >> (lb_config.insert_window_shift & 31);

	if (!row)
		return 0;
	if (row->insert_window != window) {
		row->insert_window = window;
		row->inserts = 0;
	}
	return row->inserts++ < lb_config.insert_cap;
}

/* Whether another way of the bucket is being given the same tag right now. */
static __always_inline int lb_has_rival(struct lb_bucket *bucket, const __u64 *own, __u32 tag)
{
	int rivals = 0;

#pragma unroll
	for (__u32 way = 0; way < LB_WAYS; way++) {
		__u64 word = lb_word_of(&bucket->way[way]);

		if (&bucket->way[way] != own && LB_WORD_TAG(word) == tag && LB_WORD_STATE(word) != LB_FLOW_FREE)
			rivals++;
	}
	return rivals;
}

/* Claims the place and publishes the flow there. Where another CPU was faster nothing is remembered. */
static __always_inline void lb_flow_put(struct lb_bucket *bucket, struct lb_place *place, __u32 tag,
					const struct lb_packet *packet, __u32 real, __u32 generation, __u32 now)
{
	__u64 sequence = (place->seen + LB_SEQUENCE_STEP) & LB_SEQUENCE_MASK;
	__u64 named = (__u64)tag << 32 | sequence;
	struct lb_flow *flow = place->flow;

	if (__sync_val_compare_and_swap(place->word, place->seen, named | LB_FLOW_WRITING) != place->seen) {
		lb_count(LB_FLOW_RACE);
		return;
	}
	/* Of two CPUs with the same flow in two ways, at least one sees the other's claim and gives way. */
	if (lb_has_rival(bucket, place->word, tag)) {
		__sync_lock_test_and_set(place->word, sequence | LB_FLOW_FREE);
		lb_count(LB_FLOW_RACE);
		return;
	}
	flow->saddr[0] = packet->saddr;
	flow->saddr[1] = flow->saddr[2] = flow->saddr[3] = 0;
	flow->daddr[0] = packet->daddr;
	flow->daddr[1] = flow->daddr[2] = flow->daddr[3] = 0;
	flow->sport = packet->sport;
	flow->dport = packet->dport;
	flow->proto = packet->proto;
	flow->family = LB_FAMILY_IPV4;
	flow->real = real;
	flow->generation = generation;
	flow->last_seen = now;
	flow->packets = packet->segments;
	flow->bytes = packet->wire_bytes;
	__sync_lock_test_and_set(place->word, named | LB_FLOW_HALF_OPEN);
	lb_count(LB_FLOW_NEW);
}

/* One more packet of a flow that is known. */
static __always_inline void lb_flow_touch(struct lb_place *place, const struct lb_packet *packet, __u32 now)
{
	struct lb_flow *flow = place->flow;
	__u8 state = LB_WORD_STATE(place->seen);
	__u8 next = state;

	if (flow->last_seen != now)
		flow->last_seen = now;
	flow->packets += packet->segments;
	flow->bytes += packet->wire_bytes;
	if (packet->tcp_flags & (LB_TCP_FIN | LB_TCP_RST))
		next = LB_FLOW_CLOSING;
	else if (state == LB_FLOW_HALF_OPEN && !(packet->tcp_flags & LB_TCP_SYN))
		next = LB_FLOW_ESTABLISHED;
	/* Lost to another CPU, or to a new owner of the way: then it is not ours to say. */
	if (next != state)
		__sync_val_compare_and_swap(place->word, place->seen, (place->seen & ~0xffull) | next);
}

#endif
