// SPDX-License-Identifier: GPL-2.0-only
// The ring: which real server a new flow belongs to. The agent fills it (Maglev) and changes slot by slot, so that no
// packet ever finds it half empty.
#ifndef LB_RING_H
#define LB_RING_H

#include "lb_vip.h"

struct lb_ring {
	__u16 slot[LB_RING_SIZE]; /* index in lb_reals; 0 = nobody */
};

LB_ARRAY(lb_ring, 256, struct lb_ring);

/* A real server of a service. One cache line. */
struct lb_real {
	__be32 addr[4];
	__u32 generation; /* of the index: what a flow remembers must be the same, else its server has gone */
	__u32 ifindex;    /* leads to it directly; 0 = none does */
	__u8 mac[6];
	__u8 source_mac[6];
	__u16 service; /* index in lb_svc_info */
	__be16 port;
	__u32 mtu; /* of the interface; 0 = not known */
	__u16 weight;
	__u8 family;
	__u8 use;          /* 0 free, 1 in use, 2 quarantined: a flow may still name the index */
	__u8 state;        /* 0 enabled, 1 drain, 2 offline */
	__u8 is_down;      /* by its health check */
	__u8 is_reachable; /* mac, source_mac and ifindex are valid */
	__u8 pad[13];
};
_Static_assert(sizeof(struct lb_real) == 64, "a real server is one cache line");

#define LB_REAL_FREE 0
#define LB_REAL_IN_USE 1
#define LB_STATE_OFFLINE 2

LB_ARRAY(lb_reals, 4096, struct lb_real);

static __always_inline __u64 lb_mix(__u64 hash, __u64 word)
{
	hash = (hash ^ word) * 0x9e3779b97f4a7c15ull;
	return hash ^ (hash >> 32);
}

static __always_inline __u64 lb_hash(__u64 seed, __u64 seed2, const struct lb_packet *packet)
{
	__u64 hash = lb_mix(seed, (__u64)packet->saddr << 32 | (__u32)packet->sport << 16 | packet->dport);

	hash = lb_mix(hash + seed2, (__u64)packet->daddr << 32 | packet->proto);
	hash *= 0xd6e8feb86659fd93ull;
	hash ^= hash >> 29;
	hash *= 0xbf58476d1ce4e5b9ull;
	return hash ^ (hash >> 32);
}

/* Index of the real server that the ring names, 0 where it names none. */
static __always_inline __u32 lb_ring_pick(const struct lb_packet *packet, __u32 service)
{
	struct lb_ring *ring = bpf_map_lookup_elem(&lb_ring, &service);

	if (!ring)
		return 0;

	__u64 hash = lb_hash(lb_config.ring_seed, 0, packet);
	__u64 slot = (hash >> 32) * LB_RING_SIZE >> 32;

	/* The verifier of 6.1 does not follow the product; the compiler must not drop the check either. */
	asm volatile("" : "+r"(slot));
	if (slot >= LB_RING_SIZE)
		return 0;
	return *(volatile __u16 *)&ring->slot[slot];
}

static __always_inline struct lb_real *lb_real_at(__u32 index)
{
	return bpf_map_lookup_elem(&lb_reals, &index);
}

#endif
