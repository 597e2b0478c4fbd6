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

/* A real server of a service. Two cache lines; the second one is for tunnels alone. */
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
	__u8 forwarding;   /* enum lb_forwarding */
	__u16 vlan;        /* tag of its frames on that interface; 0 = none */
	__be16 tunnel_port;
	__u8 tunnel_type; /* 1 IPIP, 2 GUE */
	__u8 pad[3];
	__u32 active; /* flows, for least connections: counted here, set right by the agent's sweep */
	__be32 outer_saddr[4]; /* the director's own address on the way there */
	__u8 pad_line[48];
};
_Static_assert(sizeof(struct lb_real) == 128, "a real server is two cache lines");

#define LB_REAL_FREE 0
#define LB_REAL_IN_USE 1
#define LB_STATE_OFFLINE 2

LB_ARRAY(lb_reals, 4096, struct lb_real);

/* Two words as one: what is compared and hashed together is read together. They must stand at a multiple of 8. */
typedef __u64 __attribute__((may_alias)) lb_two_words;

static __always_inline __u64 lb_pair(const void *words)
{
	/* No memcpy: clang knows no alignment here, and would read byte by byte. */
	return *(const lb_two_words *)words;
}

static __always_inline __u64 lb_mix(__u64 hash, __u64 word)
{
	hash = (hash ^ word) * 0x9e3779b97f4a7c15ull;
	return hash ^ (hash >> 32);
}

static __always_inline __u64 lb_finish_hash(__u64 hash)
{
	hash *= 0xd6e8feb86659fd93ull;
	hash ^= hash >> 29;
	hash *= 0xbf58476d1ce4e5b9ull;
	return hash ^ (hash >> 32);
}

/* Mixes one address in; the words that IPv4 leaves empty cost nothing. */
static __always_inline __u64 lb_mix_address(__u64 hash, const __be32 *address, __u8 family, __u32 beside)
{
	if (family == LB_FAMILY_IPV6) {
		hash = lb_mix(hash, lb_pair(&address[2]));
		hash = lb_mix(hash, (__u64)address[1]);
	}
	return lb_mix(hash, (__u64)address[0] << 32 | beside);
}

/*
 * Of the client's side alone: packets of both directions find one bucket. Two services that one client socket talks to
 * share bucket and tag; the record tells them apart.
 */
static __always_inline __u64 lb_client_hash(const __be32 *address, __be16 port, __u8 proto, __u8 family)
{
	__u64 hash = lb_mix_address(lb_config.flow_secret[0], address, family, (__u32)port << 16 | proto);

	return lb_finish_hash(hash + lb_config.flow_secret[1]);
}

/* Of the whole flow, alike on all directors. */
static __always_inline __u64 lb_ring_hash(const struct lb_packet *packet)
{
	__u64 hash = lb_mix_address(lb_config.ring_seed, packet->saddr, packet->family,
				    (__u32)packet->sport << 16 | packet->dport);

	return lb_finish_hash(lb_mix_address(hash, packet->daddr, packet->family, packet->proto));
}

/* Of the client's address alone, alike on all directors. */
static __always_inline __u64 lb_source_hash(const struct lb_packet *packet)
{
	return lb_finish_hash(lb_mix_address(lb_config.ring_seed, packet->saddr, packet->family, 0));
}

static __always_inline __u64 lb_slot_of(__u64 hash)
{
	return (hash >> 32) * LB_RING_SIZE >> 32;
}

/* Index of the real server that a slot names, 0 where it names none. */
static __always_inline __u32 lb_ring_slot(const struct lb_ring *ring, __u64 slot)
{
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
