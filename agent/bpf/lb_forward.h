// SPDX-License-Identifier: GPL-2.0-only
// Direct routing: the packet goes to the real server as it is, under other MAC addresses. Never PASS from here: the host
// would answer a service's packet with RST.
#ifndef LB_FORWARD_H
#define LB_FORWARD_H

#include "lb_stats.h"

#define LB_AF_INET 2

/* LB_NONE where the packet may go to that interface. A packet of segments is measured by the segment. */
static __always_inline enum lb_counter lb_may_leave(const struct lb_packet *packet, const struct lb_real *real)
{
	__u32 bytes = packet->gso_size ? packet->gso_size + packet->header_bytes : packet->ip_bytes;

	if (!real->ifindex)
		return LB_DROP_NO_ROUTE;
	if (packet->ttl <= 1)
		return LB_DROP_TTL;
	if (real->mtu && bytes > real->mtu)
		return LB_DROP_MTU;
	return LB_NONE;
}

/*
 * One hop less, so that a loop between director and a wrongly set up real server ends. The checksum changes by as much
 * (RFC 1624), which leaves the sum over the header, and with it CHECKSUM_COMPLETE, as it was.
 */
static __always_inline void lb_decrement_ttl(struct iphdr *ip)
{
	__u32 check = ip->check;

	check += bpf_htons(0x0100);
	ip->check = check + (check >= 0xffff);
	ip->ttl--;
}

static __always_inline void lb_rewrite_macs(struct ethhdr *eth, const __u8 *destination, const __u8 *source)
{
	__builtin_memcpy(eth->h_dest, destination, ETH_ALEN);
	__builtin_memcpy(eth->h_source, source, ETH_ALEN);
}

static __always_inline int lb_forward_skb(struct __sk_buff *skb, const struct lb_packet *packet, struct lb_real *real)
{
	enum lb_counter obstacle = lb_may_leave(packet, real);

	if (obstacle)
		return lb_finish(obstacle, TC_ACT_SHOT);

	struct ethhdr *eth = (void *)(long)skb->data;
	struct iphdr *ip = (void *)(eth + 1);

	if ((void *)(ip + 1) > (void *)(long)skb->data_end)
		return lb_finish(LB_DROP_TRUNCATED, TC_ACT_SHOT);
	lb_decrement_ttl(ip);
	if (real->is_reachable) {
		lb_rewrite_macs(eth, real->mac, real->source_mac);
		return lb_finish(LB_FWD, bpf_redirect(real->ifindex, 0));
	}

	/* MAC address not known yet: the kernel asks for it and keeps the packet meanwhile. */
	struct bpf_redir_neigh next_hop = { .nh_family = LB_AF_INET, .ipv4_nh = real->addr[0] };

	return lb_finish(LB_FWD_NEIGHBOUR, bpf_redirect_neigh(real->ifindex, &next_hop, sizeof(next_hop), 0));
}

/* XDP cannot keep a packet until ARP is answered: TCP sends it again, and the agent asks for the address meanwhile. */
static __always_inline int lb_find_macs(struct xdp_md *xdp, const struct lb_packet *packet, const struct lb_real *real,
					struct bpf_fib_lookup *fib)
{
	fib->family = LB_AF_INET;
	fib->l4_protocol = packet->proto;
	fib->tot_len = packet->ip_bytes;
	fib->ipv4_src = packet->saddr;
	fib->ipv4_dst = real->addr[0];
	fib->ifindex = real->ifindex;
	return bpf_fib_lookup(xdp, fib, sizeof(*fib), BPF_FIB_LOOKUP_DIRECT | BPF_FIB_LOOKUP_OUTPUT) ==
		       BPF_FIB_LKUP_RET_SUCCESS &&
	       fib->ifindex == real->ifindex;
}

static __always_inline int lb_forward_xdp(struct xdp_md *xdp, const struct lb_packet *packet, struct lb_real *real)
{
	enum lb_counter obstacle = lb_may_leave(packet, real);
	struct bpf_fib_lookup fib = {};
	int is_reachable = real->is_reachable;

	if (obstacle)
		return lb_finish(obstacle, XDP_DROP);
	if (!is_reachable && !lb_find_macs(xdp, packet, real, &fib))
		return lb_finish(LB_DROP_NO_NEIGHBOUR, XDP_DROP);

	struct ethhdr *eth = (void *)(long)xdp->data;
	struct iphdr *ip = (void *)(eth + 1);

	if ((void *)(ip + 1) > (void *)(long)xdp->data_end)
		return lb_finish(LB_DROP_TRUNCATED, XDP_DROP);
	lb_decrement_ttl(ip);
	if (is_reachable)
		lb_rewrite_macs(eth, real->mac, real->source_mac);
	else
		lb_rewrite_macs(eth, fib.dmac, fib.smac);
	return lb_finish(is_reachable ? LB_FWD : LB_FWD_NEIGHBOUR, bpf_redirect(real->ifindex, 0));
}

#endif
