// SPDX-License-Identifier: GPL-2.0-only
// NAT: the packet gets the real server's address and port, and what comes back gets those of the service again.
//
// A reply belongs to a connection, never to a real server's port alone: health checks and whoever administers the real
// server pass untouched. Both directions share one record of the flow cache. The bucket is found by the client's address
// and port, which are the source on the way in and the destination on the way back.
#ifndef LB_NAT_H
#define LB_NAT_H

#include "lb_checksum.h"
#include "lb_stats.h"

/* Addresses and ports that replies come from; asked first, so that other traffic pays for one look-up. */
struct lb_nat_key {
	__be32 addr[4];
	__be16 port;
	__u8 proto;
	__u8 family;
};
_Static_assert(sizeof(struct lb_nat_key) == 20, "padding in a key makes look-ups miss");

struct lb_nat_end {
	__u32 services; /* how many have it */
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, struct lb_nat_key);
	__type(value, struct lb_nat_end);
} lb_nat_ends SEC(".maps");

/* Whether replies pass the director: then they must find a record. */
static __always_inline int lb_is_translated(const struct lb_real *real)
{
	return real->forwarding == LB_NAT || real->forwarding == LB_FULLNAT;
}

static __always_inline void lb_copy_address(__be32 *to, const __be32 *from)
{
	__builtin_memcpy(to, from, 4 * sizeof(*to));
}

static __always_inline int lb_is_same_address(const __be32 *one, const __be32 *other)
{
	return !((lb_pair(&one[0]) ^ lb_pair(&other[0])) | (lb_pair(&one[2]) ^ lb_pair(&other[2])));
}

/* The packet of a client as the real server gets it. */
static __always_inline void lb_nat_to_real(const struct lb_packet *packet, const struct lb_real *real,
					   struct lb_translation *to)
{
	lb_copy_address(to->saddr, packet->saddr);
	to->sport = packet->sport;
	lb_copy_address(to->daddr, real->addr);
	to->dport = real->port;
}

static __always_inline int lb_is_nat_end(const __be32 *address, __be16 port, __u8 proto, __u8 family)
{
	struct lb_nat_key key = { .port = port, .proto = proto, .family = family };

	lb_copy_address(key.addr, address);
	return bpf_map_lookup_elem(&lb_nat_ends, &key) != 0;
}

/* Whether replies of the flow in this record come from that address and port. */
static __always_inline struct lb_real *lb_nat_real_of(const struct lb_flow *flow, const __be32 *address, __be16 port)
{
	struct lb_real *real = lb_real_at(flow->real);

	return real && real->forwarding == LB_NAT && real->generation == flow->generation &&
			       real->use == LB_REAL_IN_USE && real->port == port &&
			       lb_is_same_address(real->addr, address) ?
		       real :
		       0;
}

static __always_inline int lb_is_client_of(const struct lb_flow *flow, const __be32 *address, __be16 port, __u8 proto,
					   __u8 family)
{
	return lb_is_same_address(flow->saddr, address) && flow->sport == port && flow->proto == proto &&
	       flow->family == family;
}

/*
 * Two services may have one real server, and one client socket may talk to both: where both are in NAT mode, replies
 * could be of either. Whether a new flow to this real server would be the second of such a pair.
 */
static __always_inline int lb_nat_clashes(struct lb_bucket *bucket, __u32 tag, const struct lb_packet *packet,
					  const struct lb_real *real)
{
	__u32 ways = lb_ways_with(bucket, tag, LB_FLOW_HALF_OPEN);

	for (__u32 i = 0; i < LB_WAYS && ways; i++, ways &= ways - 1) {
		struct lb_flow *flow = lb_flow_at(bucket, lb_first_way(ways));

		if (lb_is_client_of(flow, packet->saddr, packet->sport, packet->proto, packet->family) &&
		    !lb_is_same_flow(flow, packet) && lb_nat_real_of(flow, real->addr, real->port))
			return 1;
	}
	return 0;
}

/*
 * 1 where the packet is a reply to a client of ours; `to` is what the client shall get. Record, word, and record again as
 * in lb_flow_find.
 */
static __always_inline int lb_nat_find(struct lb_packet *packet, struct lb_translation *to)
{
	__u64 hash = lb_client_hash(packet->daddr, packet->dport, packet->proto, packet->family);
	__u32 tag = hash >> 32;
	__u32 index = (__u32)hash & lb_config.bucket_mask;
	struct lb_bucket *bucket = bpf_map_lookup_elem(&lb_buckets, &index);
	__u32 now = (__u32)bpf_jiffies64();

	if (!bucket)
		return 0;

	__u32 ways = lb_ways_with(bucket, tag, LB_FLOW_HALF_OPEN);

	for (__u32 i = 0; i < LB_WAYS && ways; i++, ways &= ways - 1) {
		struct lb_place place = { .way = lb_first_way(ways) };
		struct lb_flow *flow = lb_flow_at(bucket, place.way);

		place.seen = lb_word_of(lb_word_at(bucket, place.way));
		lb_read_barrier();

		if (!lb_is_client_of(flow, packet->daddr, packet->dport, packet->proto, packet->family))
			continue;

		struct lb_real *real = lb_nat_real_of(flow, packet->saddr, packet->sport);

		if (!real || lb_is_expired(LB_WORD_STATE(place.seen), flow, now))
			continue;
		lb_copy_address(to->saddr, flow->daddr);
		to->sport = flow->dport;
		lb_read_barrier();
		if (LB_WORD_TAG(place.seen) != tag || LB_WORD_STATE(place.seen) < LB_FLOW_HALF_OPEN ||
		    (lb_word_of(lb_word_at(bucket, place.way)) ^ place.seen) & ~0xffull)
			continue;
		lb_copy_address(to->daddr, packet->daddr);
		to->dport = packet->dport;
		lb_flow_touch(bucket, &place, flow, packet, now);
		lb_account_reply(packet, flow->real, real->service);
		return 1;
	}
	return 0;
}

/* LB_NONE: it is a reply. Else why it passes, or is dropped. */
static __always_inline enum lb_counter lb_find_reply(struct lb_packet *packet, struct lb_translation *to)
{
	if (!lb_translates() || !packet->has_ports ||
	    !lb_is_nat_end(packet->saddr, packet->sport, packet->proto, packet->family))
		return LB_PASS_NO_SERVICE;
	if (!lb_nat_find(packet, to))
		return LB_PASS_NO_FLOW;
	return packet->defect;
}

#endif
