// SPDX-License-Identifier: GPL-2.0-only
// The flow cache: who serves a connection that exists, whatever became of the ring since.
//
// Four ways per bucket. The bucket holds one word per way: tag (32 bits of the hash), sequence, state. The record behind
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

/* Words and records side by side: a hit costs two cache lines, and mostly one page. */
struct lb_bucket {
	__u64 way[LB_WAYS];
	__u64 pad[LB_WAYS];
	struct lb_flow flow[LB_WAYS];
};
_Static_assert(sizeof(struct lb_bucket) == 320, "a bucket is five cache lines");

LB_ARRAY(lb_buckets, 65536, struct lb_bucket);

/* Where a flow stands, or may be put. */
struct lb_place {
	__u32 way;
	__u64 seen; /* the word as it was read */
};

#define lb_read_barrier() asm volatile("" ::: "memory")

static __always_inline __u64 lb_word_of(const __u64 *word)
{
	return *(const volatile __u64 *)word;
}

/* The verifier forgets the bounds of a number that was on the stack (6.18), so they are made anew at each use. */
static __always_inline __u64 *lb_word_at(struct lb_bucket *bucket, __u32 way)
{
	asm volatile("" : "+r"(way));
	return &bucket->way[way & (LB_WAYS - 1)];
}

static __always_inline __u32 lb_timeout_of(__u8 state, __u8 proto)
{
	if (state == LB_FLOW_ESTABLISHED)
		return proto == IPPROTO_UDP ? lb_config.timeout_udp : lb_config.timeout_established;
	return state == LB_FLOW_CLOSING ? lb_config.timeout_closing : lb_config.timeout_half_open;
}

/* Another CPU may have seen the flow a jiffy after this one read the clock: that is no age of 2^32. */
static __always_inline __u32 lb_age(__u32 last_seen, __u32 now)
{
	__s32 age = now - last_seen;

	return age < 0 ? 0 : age;
}

static __always_inline int lb_is_expired(__u8 state, const struct lb_flow *flow, __u32 now)
{
	return lb_age(flow->last_seen, now) > lb_timeout_of(state, flow->proto);
}

static __always_inline int lb_is_same_flow(const struct lb_flow *flow, const struct lb_packet *packet)
{
	__u64 difference = (lb_pair(&flow->saddr[0]) ^ lb_pair(&packet->saddr[0])) |
			   (lb_pair(&flow->saddr[2]) ^ lb_pair(&packet->saddr[2])) |
			   (lb_pair(&flow->daddr[0]) ^ lb_pair(&packet->daddr[0])) |
			   (lb_pair(&flow->daddr[2]) ^ lb_pair(&packet->daddr[2]));

	/* Behind ports, protocol and family stand other things, in both. */
	return !(difference | (lb_pair(&flow->sport) ^ lb_pair(&packet->sport)) << 16);
}

static __always_inline struct lb_flow *lb_flow_at(struct lb_bucket *bucket, __u32 way)
{
	asm volatile("" : "+r"(way));
	return &bucket->flow[way & (LB_WAYS - 1)];
}

/*
 * The ways that carry a tag, as bits; with `least` LB_FLOW_HALF_OPEN only those that are published. Without branches:
 * followed through four ways with branches, the verifier of 6.18 took 445,000 steps for the whole program, now 2,500.
 */
static __always_inline __u32 lb_ways_with(const struct lb_bucket *bucket, __u32 tag, __u8 least)
{
	__u32 ways = 0;

#pragma unroll
	for (__u32 way = 0; way < LB_WAYS; way++) {
		__u64 word = lb_word_of(&bucket->way[way]);
		__u64 difference = (word >> 32) ^ tag;
		__u64 state = LB_WORD_STATE(word);
		__u64 is_used = (state >> 1 | state >> 2) & 1;

		if (least < LB_FLOW_HALF_OPEN)
			is_used |= state & 1;
		/* Keeps the compiler from making a comparison, and so a branch, of the next line. */
		asm volatile("" : "+r"(difference));
		ways |= (__u32)((difference - 1) >> 63 & is_used) << way;
	}
	return ways;
}

/* Number of the lowest bit of 1 to 15; two bits of the constant for each. */
static __always_inline __u32 lb_first_way(__u32 ways)
{
	return 0x12131210u >> ((ways & 15) * 2) & 3;
}

/*
 * The way that a flow is put in where that is free, by its tag. It is looked at first and by itself, so that the processor
 * need not wait for the words before it fetches the record: they are not in its caches where flows are many.
 */
static __always_inline __u32 lb_preferred_way(__u32 tag)
{
	return tag & (LB_WAYS - 1);
}

/* 1 where the packet's flow is in that way; `real` and `generation` are from one moment. */
static __always_inline int lb_flow_is_at(struct lb_bucket *bucket, __u32 way, __u32 tag, const struct lb_packet *packet,
					 struct lb_place *place, struct lb_flow **found, __u32 *real, __u32 *generation)
{
	__u64 word = lb_word_of(lb_word_at(bucket, way));
	struct lb_flow *flow = lb_flow_at(bucket, way);

	if (LB_WORD_TAG(word) != tag || LB_WORD_STATE(word) < LB_FLOW_HALF_OPEN)
		return 0;
	lb_read_barrier();

	int is_same = lb_is_same_flow(flow, packet);

	*real = flow->real;
	*generation = flow->generation;
	lb_read_barrier();
	/* The state may have gone on meanwhile; the sequence may not, and the tag was another's before this read. */
	if (!is_same || (lb_word_of(lb_word_at(bucket, way)) ^ word) & ~0xffull)
		return 0;
	place->way = way;
	place->seen = word;
	*found = flow;
	return 1;
}

/* 1 where the packet's flow is in the bucket. Several ways carry one tag where a client socket talks to several services. */
static __always_inline int lb_flow_find(struct lb_bucket *bucket, __u32 tag, const struct lb_packet *packet,
					struct lb_place *place, struct lb_flow **found, __u32 *real, __u32 *generation)
{
	__u32 preferred = lb_preferred_way(tag);

	if (lb_flow_is_at(bucket, preferred, tag, packet, place, found, real, generation))
		return 1;

	__u32 ways = lb_ways_with(bucket, tag, LB_FLOW_HALF_OPEN) & ~(1u << preferred);

	for (__u32 i = 0; i < LB_WAYS && ways; i++, ways &= ways - 1) {
		if (lb_flow_is_at(bucket, lb_first_way(ways), tag, packet, place, found, real, generation))
			return 1;
	}
	return 0;
}

/*
 * Whether another way holds the packet's flow, or is being written and might. Of two CPUs with one flow in two ways, at
 * least one sees the other's claim.
 */
static __always_inline int lb_flow_is_elsewhere(struct lb_bucket *bucket, __u32 tag, __u32 own,
						const struct lb_packet *packet)
{
	__u32 others = lb_ways_with(bucket, tag, LB_FLOW_WRITING) & ~(1u << own);

	for (__u32 i = 0; i < LB_WAYS && others; i++, others &= others - 1) {
		__u32 way = lb_first_way(others);

		if (LB_WORD_STATE(lb_word_of(lb_word_at(bucket, way))) == LB_FLOW_WRITING ||
		    lb_is_same_flow(lb_flow_at(bucket, way), packet))
			return 1;
	}
	return 0;
}

/* How much a way is worth keeping: 0 free, then expired, closing and half-open, oldest first; more than that: not ours. */
#define LB_KEEP 0xffffffffffull
static __always_inline __u64 lb_worth(const struct lb_bucket *bucket, __u64 word, __u32 way, __u32 now)
{
	__u8 state = LB_WORD_STATE(word);

	if (state == LB_FLOW_FREE)
		return 0;
	if (state == LB_FLOW_WRITING)
		return LB_KEEP;

	__u32 age = lb_age(bucket->flow[way].last_seen, now);

	if (age > lb_timeout_of(state, bucket->flow[way].proto))
		return 1;
	/* A new flow is half-open, and never drives out an established one. */
	return state == LB_FLOW_ESTABLISHED ? LB_KEEP : 0x100000000ull - age;
}

/*
 * Chooses the way to put a new flow in. 0 where all four are established flows. The best so far stands in the CPU's row:
 * kept in registers, each of the four ways would double the verifier's paths.
 */
static __always_inline int lb_flow_room(struct lb_bucket *bucket, struct lb_cpu *cpu, __u32 tag, __u32 now,
					struct lb_place *place)
{
	volatile struct lb_cpu *row = cpu;

	place->way = lb_preferred_way(tag);
	place->seen = lb_word_of(lb_word_at(bucket, place->way));
	if (LB_WORD_STATE(place->seen) == LB_FLOW_FREE)
		return 1;

	row->best = LB_KEEP;
#pragma unroll
	for (__u32 way = 0; way < LB_WAYS; way++) {
		__u64 word = lb_word_of(&bucket->way[way]);
		__u64 worth = lb_worth(bucket, word, way, now);

		if (worth < row->best) {
			row->best = worth;
			row->best_word = word;
			row->best_way = way;
		}
	}
	if (row->best == LB_KEEP)
		return 0;
	place->way = row->best_way & (LB_WAYS - 1);
	place->seen = row->best_word;
	if (row->best > 1)
		lb_count(LB_FLOW_EVICTED);
	return 1;
}

/* Inserts of one CPU are capped for each window: a flood may not turn the whole cache over. */
static __always_inline int lb_may_insert(struct lb_cpu *row, __u32 now)
{
	__u32 window = now >> (lb_config.insert_window_shift & 31);

	if (row->insert_window != window) {
		row->insert_window = window;
		row->inserts = 0;
	}
	return row->inserts++ < lb_config.insert_cap;
}

/* Claims the place and publishes the flow there; 0 where another CPU was faster: then nothing is remembered. */
static __always_inline int lb_flow_put(struct lb_bucket *bucket, const struct lb_place *place, __u32 tag,
					const struct lb_packet *packet, __u32 real, __u32 generation, __u32 now)
{
	__u64 sequence = (place->seen + LB_SEQUENCE_STEP) & LB_SEQUENCE_MASK;
	__u64 named = (__u64)tag << 32 | sequence;
	__u32 way = place->way & (LB_WAYS - 1);
	__u64 *word = lb_word_at(bucket, way);
	struct lb_flow *flow = lb_flow_at(bucket, way);

	if (__sync_val_compare_and_swap(word, place->seen, named | LB_FLOW_WRITING) != place->seen) {
		lb_count(LB_FLOW_RACE);
		return 0;
	}
	if (lb_flow_is_elsewhere(bucket, tag, way, packet)) {
		__sync_lock_test_and_set(word, sequence | LB_FLOW_FREE);
		lb_count(LB_FLOW_RACE);
		return 0;
	}
	__builtin_memcpy(flow->saddr, packet->saddr, sizeof(flow->saddr));
	__builtin_memcpy(flow->daddr, packet->daddr, sizeof(flow->daddr));
	flow->sport = packet->sport;
	flow->dport = packet->dport;
	flow->proto = packet->proto;
	flow->family = packet->family;
	flow->real = real;
	flow->generation = generation;
	flow->last_seen = now;
	flow->packets = packet->segments;
	flow->bytes = packet->wire_bytes;
	__sync_lock_test_and_set(word, named | LB_FLOW_HALF_OPEN);
	lb_count(LB_FLOW_NEW);
	return 1;
}

/* One more packet of a flow that is known. */
static __always_inline void lb_flow_touch(struct lb_bucket *bucket, const struct lb_place *place, struct lb_flow *flow,
					  const struct lb_packet *packet, __u32 now)
{
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
		__sync_val_compare_and_swap(lb_word_at(bucket, place->way), place->seen,
					    (place->seen & ~0xffull) | next);
}

#endif
