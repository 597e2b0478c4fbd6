// SPDX-License-Identifier: GPL-2.0-only
// Sums that stay right when addresses and ports change (RFC 1624, equation 3). The arithmetic is one; what is done with
// it is the hook's own:
//   XDP sees whole checksums and changes them by itself.
//   An skb may hold half of one (CHECKSUM_PARTIAL: the sum over the pseudo header, the device adds the rest) or a sum over
//   the whole packet beside it (CHECKSUM_COMPLETE). Only the kernel knows which, so bpf_l4_csum_replace is told what
//   changed: addresses as part of the pseudo header, ports as not (net/core/utils.c, inet_proto_csum_replace_by_diff).
#ifndef LB_CHECKSUM_H
#define LB_CHECKSUM_H

#include "lb_vip.h"

#define LB_TCP_CHECK 16 /* where the checksum stands in its header */
#define LB_UDP_CHECK 6
/* Header offsets lie within LB_MAX_HEADERS; a mask says so where the verifier has forgotten. */
#define LB_OFFSET_MASK 255

/* What a sum gains when one address takes the place of another. Not folded: 64 bits hold many of these. */
static __always_inline __u64 lb_change_of_address(const __be32 *before, const __be32 *after, __u8 family)
{
	__u64 change = (__u64)(__u32)~before[0] + after[0];

	if (family == LB_FAMILY_IPV6) {
#pragma unroll
		for (__u32 i = 1; i < 4; i++)
			change += (__u64)(__u32)~before[i] + after[i];
	}
	return change;
}

static __always_inline __u64 lb_change_of_port(__be16 before, __be16 after)
{
	return (__u64)(__u16)~before + after;
}

static __always_inline __u32 lb_fold32(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	return (sum & 0xffffffff) + (sum >> 32);
}

static __always_inline __u16 lb_fold16(__u64 sum)
{
	__u32 half = lb_fold32(sum);

	half = (half & 0xffff) + (half >> 16);
	return (half & 0xffff) + (half >> 16);
}

static __always_inline __u16 lb_mend(__u16 check, __u64 change)
{
	return ~lb_fold16((__u16)~check + change);
}

static __always_inline __u64 lb_changes_of_addresses(const struct lb_packet *packet, const struct lb_translation *to)
{
	return lb_change_of_address(packet->saddr, to->saddr, packet->family) +
	       lb_change_of_address(packet->daddr, to->daddr, packet->family);
}

static __always_inline __u64 lb_changes_of_ports(const struct lb_packet *packet, const struct lb_translation *to)
{
	return lb_change_of_port(packet->sport, to->sport) + lb_change_of_port(packet->dport, to->dport);
}

static __always_inline __u32 lb_check_offset(const struct lb_packet *packet)
{
	return packet->l4_offset + (packet->proto == IPPROTO_UDP ? LB_UDP_CHECK : LB_TCP_CHECK);
}

/* Addresses, the IPv4 header's own checksum, ports. The checksum behind the ports is the caller's. */
static __always_inline int lb_write_ends(void *data, void *end, const struct lb_packet *packet,
					 const struct lb_translation *to, __u64 change)
{
	__u32 l3 = packet->l3_offset, l4 = packet->l4_offset;

	asm volatile("" : "+r"(l3), "+r"(l4));

	__be16 *ports = data + (l4 & LB_OFFSET_MASK);

	if (packet->family == LB_FAMILY_IPV6) {
		struct ipv6hdr *ip6 = data + (l3 & LB_OFFSET_MASK);

		if ((void *)(ip6 + 1) > end)
			return -1;
		__builtin_memcpy(&ip6->saddr, to->saddr, sizeof(to->saddr));
		__builtin_memcpy(&ip6->daddr, to->daddr, sizeof(to->daddr));
	} else {
		struct iphdr *ip = data + (l3 & LB_OFFSET_MASK);

		if ((void *)(ip + 1) > end)
			return -1;
		ip->saddr = to->saddr[0];
		ip->daddr = to->daddr[0];
		ip->check = lb_mend(ip->check, change);
	}
	if ((void *)(ports + 2) > end)
		return -1;
	ports[0] = to->sport;
	ports[1] = to->dport;
	return 0;
}

/* A UDP checksum of 0 is none, and stays none; where mending gives 0 it is written as 0xffff (RFC 768). */
static __always_inline int lb_translate_xdp(struct xdp_md *xdp, const struct lb_packet *packet,
					    const struct lb_translation *to)
{
	void *data = (void *)(long)xdp->data, *end = (void *)(long)xdp->data_end;
	__u64 change = lb_changes_of_addresses(packet, to);

	if (lb_write_ends(data, end, packet, to, change))
		return -1;

	__u32 offset = lb_check_offset(packet);

	asm volatile("" : "+r"(offset));

	__u16 *check = data + (offset & LB_OFFSET_MASK);

	if ((void *)(check + 1) > end)
		return -1;

	__u16 before = *check;

	if (packet->proto == IPPROTO_UDP && !before)
		return 0;

	__u16 after = lb_mend(before, change + lb_changes_of_ports(packet, to));

	*check = packet->proto == IPPROTO_UDP && !after ? 0xffff : after;
	return 0;
}

/*
 * Packet pointers end here. A UDP checksum that is a half (GSO) may be 0 and must be changed all the same.
 * The kernel takes a change of the pseudo header out of a CHECKSUM_COMPLETE as IPv4 has it, whose header makes up for it;
 * IPv6 has nothing that would, so it is put back.
 */
static __always_inline int lb_translate_skb(struct __sk_buff *skb, const struct lb_packet *packet,
					    const struct lb_translation *to)
{
	__u64 change = lb_changes_of_addresses(packet, to);
	__u32 addresses = lb_fold32(change), ports = lb_fold32(lb_changes_of_ports(packet, to));
	__u32 offset = lb_check_offset(packet);
	__u64 flags = packet->proto == IPPROTO_UDP && !packet->gso_size ? BPF_F_MARK_MANGLED_0 : 0;

	if (lb_write_ends((void *)(long)skb->data, (void *)(long)skb->data_end, packet, to, change) ||
	    bpf_l4_csum_replace(skb, offset, 0, addresses, flags | BPF_F_PSEUDO_HDR) ||
	    bpf_l4_csum_replace(skb, offset, 0, ports, flags))
		return -1;
	if (packet->family == LB_FAMILY_IPV6)
		bpf_csum_update(skb, addresses);
	return 0;
}

#endif
