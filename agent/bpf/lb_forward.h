// SPDX-License-Identifier: GPL-2.0-only
// To the real server: as the packet is (DR), translated (NAT), or inside another one (tunnel). Never PASS from here: the
// host would answer a service's packet with RST.
#ifndef LB_FORWARD_H
#define LB_FORWARD_H

#include "lb_nat.h"
#include "lb_tunnel.h"

#define LB_AF_INET 2
#define LB_AF_INET6 10

/* LB_NONE where the packet may go to that interface. A packet of segments is measured by the segment. */
static __always_inline enum lb_counter lb_may_leave(const struct lb_packet *packet, const struct lb_real *real)
{
	__u32 bytes = packet->gso_size ? packet->gso_size + packet->header_bytes : packet->ip_bytes;

	if (!real->ifindex)
		return LB_DROP_NO_ROUTE;
	if (packet->ttl <= 1)
		return LB_DROP_TTL;
	if (real->mtu && bytes + lb_overhead(real) > real->mtu)
		return LB_DROP_MTU;
	return LB_NONE;
}

/*
 * One hop less, so that a loop between director and a wrongly set up real server ends. The checksum of IPv4 changes by
 * as much (RFC 1624), which leaves the sum over the header, and with it CHECKSUM_COMPLETE, as it was. IPv6 has none: 1
 * tells that such a sum is to be mended. -1 where the header is not in the frame.
 */
static __always_inline int lb_decrement_ttl(void *data, void *end, const struct lb_packet *packet)
{
	if (packet->family == LB_FAMILY_IPV6) {
		struct ipv6hdr *ip6 = data + packet->l3_offset;

		if ((void *)(ip6 + 1) > end)
			return -1;
		ip6->hop_limit--;
		return 1;
	}

	struct iphdr *ip = data + packet->l3_offset;

	if ((void *)(ip + 1) > end)
		return -1;

	__u32 check = ip->check;

	check += bpf_htons(0x0100);
	ip->check = check + (check >= 0xffff);
	ip->ttl--;
	return 0;
}

static __always_inline void lb_rewrite_macs(struct ethhdr *eth, const __u8 *destination, const __u8 *source)
{
	__builtin_memcpy(eth->h_dest, destination, ETH_ALEN);
	__builtin_memcpy(eth->h_source, source, ETH_ALEN);
}

/* Takes the packet into the real server's VLAN; the kernel carries the tag beside the frame. Packet pointers end here. */
static __always_inline int lb_change_vlan(struct __sk_buff *skb, const struct lb_packet *packet, __u16 vlan)
{
	if (packet->vlan == vlan)
		return 0;
	if (packet->vlan && bpf_skb_vlan_pop(skb))
		return -1;
	return vlan ? bpf_skb_vlan_push(skb, bpf_htons(ETH_P_8021Q), vlan) : 0;
}

static __always_inline int lb_hop_skb(struct __sk_buff *skb, const struct lb_packet *packet)
{
	int sum = lb_decrement_ttl((void *)(long)skb->data, (void *)(long)skb->data_end, packet);

	if (sum < 0)
		return -1;
	/* The hop limit is the lower byte of its word; only a CHECKSUM_COMPLETE is touched. */
	if (sum)
		bpf_csum_update(skb, ~(__u32)bpf_htons(1));
	return 0;
}

static __always_inline int lb_forward_skb(struct __sk_buff *skb, const struct lb_packet *packet,
					   struct lb_translation *to, struct lb_real *real)
{
	enum lb_counter obstacle = lb_may_leave(packet, real);

	if (obstacle)
		return lb_finish(obstacle, TC_ACT_SHOT);

	if (real->forwarding == LB_NAT) {
		lb_nat_to_real(packet, real, to);
		if (lb_translate_skb(skb, packet, to))
			return lb_finish(LB_DROP_TRUNCATED, TC_ACT_SHOT);
	}
	if (lb_hop_skb(skb, packet))
		return lb_finish(LB_DROP_TRUNCATED, TC_ACT_SHOT);
	/* MAC address not known yet: the kernel would ask without a tag. */
	if (!real->is_reachable && (real->vlan || packet->vlan))
		return lb_finish(LB_DROP_NO_NEIGHBOUR, TC_ACT_SHOT);
	if (lb_change_vlan(skb, packet, real->vlan))
		return lb_finish(LB_DROP_VLAN, TC_ACT_SHOT);
	if (real->forwarding == LB_TUN) {
		obstacle = lb_encapsulate_skb(skb, packet, real);
		if (obstacle)
			return lb_finish(obstacle, TC_ACT_SHOT);
	}
	if (!real->is_reachable) {
		/* The kernel asks for the address and keeps the packet meanwhile. */
		struct bpf_redir_neigh next_hop = {};

		/* Translated or encapsulated, the packet says where to, the kernel by which gateway. */
		if (real->forwarding != LB_DR)
			return lb_finish(LB_FWD_NEIGHBOUR, bpf_redirect_neigh(real->ifindex, 0, 0, 0));
		next_hop.nh_family = real->family == LB_FAMILY_IPV6 ? LB_AF_INET6 : LB_AF_INET;
		__builtin_memcpy(next_hop.ipv6_nh, real->addr, sizeof(next_hop.ipv6_nh));
		return lb_finish(LB_FWD_NEIGHBOUR, bpf_redirect_neigh(real->ifindex, &next_hop, sizeof(next_hop), 0));
	}

	struct ethhdr *eth = (void *)(long)skb->data;

	if ((void *)(eth + 1) > (void *)(long)skb->data_end)
		return lb_finish(LB_DROP_TRUNCATED, TC_ACT_SHOT);
	lb_rewrite_macs(eth, real->mac, real->source_mac);
	return lb_finish(LB_FWD, bpf_redirect(real->ifindex, 0));
}

/* XDP cannot keep a packet until ARP is answered: TCP sends it again, and the agent asks for the address meanwhile. */
static __always_inline int lb_find_macs(struct xdp_md *xdp, const struct lb_packet *packet, const struct lb_real *real,
					struct bpf_fib_lookup *fib)
{
	fib->l4_protocol = packet->proto;
	fib->tot_len = packet->ip_bytes;
	fib->ifindex = real->ifindex;
	if (real->family == LB_FAMILY_IPV6) {
		fib->family = LB_AF_INET6;
		/* Two copies: one from a chosen address would keep the whole packet in memory, for every packet. */
		if (real->forwarding == LB_TUN)
			__builtin_memcpy(fib->ipv6_src, real->outer_saddr, sizeof(fib->ipv6_src));
		else
			__builtin_memcpy(fib->ipv6_src, packet->saddr, sizeof(fib->ipv6_src));
		__builtin_memcpy(fib->ipv6_dst, real->addr, sizeof(fib->ipv6_dst));
	} else {
		fib->family = LB_AF_INET;
		fib->ipv4_src = real->forwarding == LB_TUN ? real->outer_saddr[0] : packet->saddr[0];
		fib->ipv4_dst = real->addr[0];
	}
	return bpf_fib_lookup(xdp, fib, sizeof(*fib), BPF_FIB_LOOKUP_DIRECT | BPF_FIB_LOOKUP_OUTPUT) ==
		       BPF_FIB_LKUP_RET_SUCCESS &&
	       fib->ifindex == real->ifindex;
}

static __always_inline int lb_forward_xdp(struct xdp_md *xdp, const struct lb_packet *packet,
					   struct lb_translation *to, struct lb_real *real)
{
	enum lb_counter obstacle = lb_may_leave(packet, real);
	struct bpf_fib_lookup fib = {};
	int is_reachable = real->is_reachable;

	if (obstacle)
		return lb_finish(obstacle, XDP_DROP);
	if (packet->vlan != real->vlan)
		return lb_finish(LB_DROP_VLAN, XDP_DROP);
	if (!is_reachable && (real->vlan || !lb_find_macs(xdp, packet, real, &fib)))
		return lb_finish(LB_DROP_NO_NEIGHBOUR, XDP_DROP);
	if (real->forwarding == LB_NAT) {
		lb_nat_to_real(packet, real, to);
		if (lb_translate_xdp(xdp, packet, to))
			return lb_finish(LB_DROP_TRUNCATED, XDP_DROP);
	}

	if (lb_decrement_ttl((void *)(long)xdp->data, (void *)(long)xdp->data_end, packet) < 0)
		return lb_finish(LB_DROP_TRUNCATED, XDP_DROP);
	if (real->forwarding == LB_TUN) {
		obstacle = lb_encapsulate_xdp(xdp, packet, real);
		if (obstacle)
			return lb_finish(obstacle, XDP_DROP);
	}

	struct ethhdr *eth = (void *)(long)xdp->data;

	if ((void *)(eth + 1) > (void *)(long)xdp->data_end)
		return lb_finish(LB_DROP_TRUNCATED, XDP_DROP);
	if (is_reachable)
		lb_rewrite_macs(eth, real->mac, real->source_mac);
	else
		lb_rewrite_macs(eth, fib.dmac, fib.smac);
	return lb_finish(is_reachable ? LB_FWD : LB_FWD_NEIGHBOUR, bpf_redirect(real->ifindex, 0));
}

#endif
