// SPDX-License-Identifier: GPL-2.0-only
// Tunnels: the packet goes to the real server as it is, inside another one. IPIP (RFC 2003, RFC 2473 and the two mixed
// pairs) and GUE without options (draft-ietf-intarea-gue-09 §3), as FOU of Linux takes it apart.
#ifndef LB_TUNNEL_H
#define LB_TUNNEL_H

#include "lb_stats.h"

#define LB_TUNNEL_IPIP 1
#define LB_TUNNEL_GUE 2
#define LB_OUTER_TTL 64
#define LB_DONT_FRAGMENT 0x4000

/* GUE, version 0, a data message without options. */
struct lb_gue {
	__u8 version_and_length;
	__u8 carries; /* number of the protocol inside */
	__be16 flags;
};

/* Bytes that come in front of the packet. */
static __always_inline __u32 lb_overhead(const struct lb_real *real)
{
	__u32 ip = real->family == LB_FAMILY_IPV6 ? sizeof(struct ipv6hdr) : sizeof(struct iphdr);

	if (real->forwarding != LB_TUN)
		return 0;
	return real->tunnel_type == LB_TUNNEL_GUE ? ip + sizeof(struct udphdr) + sizeof(struct lb_gue) : ip;
}

/* A length field of 16 bits. What does not fit is a packet of segments: 0 stands for what the kernel knows. */
static __always_inline __be16 lb_length(__u32 bytes)
{
	return bytes > 0xffff ? 0 : bpf_htons(bytes);
}

/* One port for each flow, so that networks and network cards spread flows; from the dynamic range (RFC 6335 §6). */
static __always_inline __be16 lb_tunnel_port(const struct lb_packet *packet)
{
	__u32 mixed = (packet->saddr[0] ^ packet->saddr[2] ^ packet->saddr[3] ^ ((__u32)packet->sport << 16 | packet->dport)) *
		      0x9e3779b1u;

	return bpf_htons(0xc000 | mixed >> 18);
}

static __always_inline void lb_write_outer_ipv4(struct iphdr *outer, const struct lb_real *real, __u8 tos, __u8 next,
						__u32 bytes)
{
	/* In whole words, and the sum from those: read back in pieces, what was just written is not there yet. */
	__be32 *words = (__be32 *)outer;
	__be32 version = bpf_htonl(0x45000000u | (__u32)tos << 16 | bpf_ntohs(lb_length(bytes)));
	/* Never in pieces, so it needs no number of its own (RFC 6864 §4.1). */
	__be32 fragment = bpf_htonl(LB_DONT_FRAGMENT);
	__be32 carries = bpf_htonl((__u32)LB_OUTER_TTL << 24 | (__u32)next << 16);
	__u64 sum = (__u64)version + fragment + carries + real->outer_saddr[0] + real->addr[0];

	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16 & 0xffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	words[0] = version;
	words[1] = fragment;
	words[2] = carries | (__u32)(~sum & 0xffff) << 16;
	words[3] = real->outer_saddr[0];
	words[4] = real->addr[0];
}

static __always_inline void lb_write_outer_ipv6(struct ipv6hdr *outer, const struct lb_real *real, __u8 tos, __u8 next,
						__u32 bytes)
{
	*(__be32 *)outer = bpf_htonl(6u << 28 | (__u32)tos << 20);
	outer->payload_len = lb_length(bytes - sizeof(*outer));
	outer->nexthdr = next;
	outer->hop_limit = LB_OUTER_TTL;
	__builtin_memcpy(&outer->saddr, real->outer_saddr, sizeof(outer->saddr));
	__builtin_memcpy(&outer->daddr, real->addr, sizeof(outer->daddr));
}

/* DSCP and ECN go along (RFC 6040 §4.1: the copy). */
static __always_inline __u8 lb_tos(const void *inner, __u8 family)
{
	return family == LB_FAMILY_IPV6 ? bpf_ntohs(*(const __be16 *)inner) >> 4 : ((const struct iphdr *)inner)->tos;
}

/* The same as a number that the compiler reckons once: the verifier ties a bound to one register. */
static __always_inline __u32 lb_room(const struct lb_real *real)
{
	__u32 overhead = lb_overhead(real);

	asm volatile("" : "+r"(overhead));
	return overhead & 63;
}

/* Fills the room in front of the packet, `offset` bytes into the frame. -1 where it is not there. */
static __always_inline int lb_write_outer(void *data, void *end, __u32 offset, const struct lb_packet *packet,
					  const struct lb_real *real, __u32 overhead, __u32 inner_bytes)
{
	__u8 carries = packet->family == LB_FAMILY_IPV6 ? IPPROTO_IPV6 : IPPROTO_IPIP;
	int is_gue = real->tunnel_type == LB_TUNNEL_GUE, is_ipv6 = real->family == LB_FAMILY_IPV6;
	__u8 next = is_gue ? IPPROTO_UDP : carries;
	void *outer = data + offset;
	struct udphdr *udp;

	if (outer + overhead + sizeof(struct iphdr) > end)
		return -1;

	__u8 tos = lb_tos(outer + overhead, packet->family);

	/* Where no GUE is written, what is inside is longer than that. */
	if (is_ipv6) {
		if (outer + sizeof(struct ipv6hdr) + sizeof(*udp) + sizeof(struct lb_gue) > end)
			return -1;
		lb_write_outer_ipv6(outer, real, tos, next, inner_bytes + overhead);
		udp = outer + sizeof(struct ipv6hdr);
	} else {
		if (outer + sizeof(struct iphdr) + sizeof(*udp) + sizeof(struct lb_gue) > end)
			return -1;
		lb_write_outer_ipv4(outer, real, tos, next, inner_bytes + overhead);
		udp = outer + sizeof(struct iphdr);
	}
	/* The type stands before the packet, behind a tag if there is one. */
	__be16 *type = data + (offset > sizeof(struct ethhdr) ? sizeof(struct ethhdr) + 2 : 2 * ETH_ALEN);

	*type = is_ipv6 ? bpf_htons(ETH_P_IPV6) : bpf_htons(ETH_P_IP);
	if (is_gue) {
		struct lb_gue *gue = (void *)(udp + 1);

		udp->source = lb_tunnel_port(packet);
		udp->dest = real->tunnel_port;
		udp->len = lb_length(inner_bytes + sizeof(*udp) + sizeof(*gue));
		/* None is needed in a tunnel, over IPv6 neither (RFC 6935); what is inside has its own. */
		udp->check = 0;
		gue->version_and_length = 0;
		gue->carries = carries;
		gue->flags = 0;
	}
	return 0;
}

/* LB_NONE, or why it cannot. The packet has no tag in the frame here. */
static __always_inline enum lb_counter lb_encapsulate_skb(struct __sk_buff *skb, const struct lb_packet *packet,
							  const struct lb_real *real)
{
	/* Short frames have padding behind the packet; BIG TCP has no length in it. */
	__u32 inner_bytes = packet->ip_bytes ? packet->ip_bytes : skb->len - sizeof(struct ethhdr);
	/* Segments are as long as before: that they fit has been seen to. */
	__u32 overhead = lb_room(real);
	__u64 flags = BPF_F_ADJ_ROOM_FIXED_GSO;

	flags |= real->family == LB_FAMILY_IPV6 ? BPF_F_ADJ_ROOM_ENCAP_L3_IPV6 : BPF_F_ADJ_ROOM_ENCAP_L3_IPV4;
	if (real->tunnel_type == LB_TUNNEL_GUE)
		flags |= BPF_F_ADJ_ROOM_ENCAP_L4_UDP;
	/* It is refused for a packet that is in a tunnel already, where the kernel could not cut it up. */
	if (bpf_skb_adjust_room(skb, overhead, BPF_ADJ_ROOM_MAC, flags))
		return LB_DROP_NO_ROOM;
	if (lb_write_outer((void *)(long)skb->data, (void *)(long)skb->data_end, sizeof(struct ethhdr), packet, real,
			   overhead, inner_bytes))
		return LB_DROP_TRUNCATED;
	return LB_NONE;
}

/* The same at XDP. Behind the Ethernet header a tag may stand: 18 bytes move to the front, whatever the last 4 are. */
static __always_inline enum lb_counter lb_encapsulate_xdp(struct xdp_md *xdp, const struct lb_packet *packet,
							  const struct lb_real *real)
{
	__u32 overhead = lb_room(real);

	if (bpf_xdp_adjust_head(xdp, -(int)overhead))
		return LB_DROP_NO_ROOM;

	void *data = (void *)(long)xdp->data, *end = (void *)(long)xdp->data_end;

	if (data + sizeof(struct ethhdr) + LB_VLAN_TAG > end ||
	    data + overhead + sizeof(struct ethhdr) + LB_VLAN_TAG > end)
		return LB_DROP_TRUNCATED;
	__u64 *front = data;
	const __u64 *back = data + overhead;

	/* Words: a memcpy of unknown alignment goes byte by byte. */
	front[0] = back[0];
	front[1] = back[1];
	*(__u16 *)(front + 2) = *(const __u16 *)(back + 2);
	if (lb_write_outer(data, end, packet->l3_offset, packet, real, overhead, packet->ip_bytes))
		return LB_DROP_TRUNCATED;
	return LB_NONE;
}

#endif
