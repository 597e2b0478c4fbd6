// SPDX-License-Identifier: GPL-2.0-only
// The way back: a real server's answer goes to the client as if the service had sent it. The kernel's routing table says
// where that is, by the addresses that the client gets to see. Never PASS from here: the host would send the answer on
// under the real server's own address.
#ifndef LB_REPLY_H
#define LB_REPLY_H

#include "lb_forward.h"

/* Next hops that XDP could not send to: the agent has the kernel look for them. What CPUs mix up is looked for in vain. */
struct lb_wanted {
	__be32 addr[4];
	__u32 ifindex;
	__u32 family; /* 0: nobody is wanted here */
};

#define LB_WANTED 64
LB_ARRAY(lb_wanted, LB_WANTED, struct lb_wanted);

static __always_inline void lb_want_neighbour(const struct bpf_fib_lookup *fib)
{
	__u32 last = fib->family == LB_AF_INET6 ? fib->ipv6_dst[3] : fib->ipv4_dst;
	__u32 row = bpf_ntohl(last) & (LB_WANTED - 1);
	struct lb_wanted *wanted = bpf_map_lookup_elem(&lb_wanted, &row);

	if (!wanted)
		return;
	__builtin_memcpy(wanted->addr, fib->ipv6_dst, sizeof(wanted->addr));
	wanted->ifindex = fib->ifindex;
	wanted->family = fib->family == LB_AF_INET6 ? LB_FAMILY_IPV6 : LB_FAMILY_IPV4;
}

static __always_inline void lb_route_request(const struct lb_packet *packet, const struct lb_translation *to,
					     __u32 ifindex, struct bpf_fib_lookup *fib)
{
	fib->l4_protocol = packet->proto;
	fib->ifindex = ifindex;
	if (packet->family == LB_FAMILY_IPV6) {
		fib->family = LB_AF_INET6;
		__builtin_memcpy(fib->ipv6_src, to->saddr, sizeof(fib->ipv6_src));
		__builtin_memcpy(fib->ipv6_dst, to->daddr, sizeof(fib->ipv6_dst));
	} else {
		fib->family = LB_AF_INET;
		fib->ipv4_src = to->saddr[0];
		fib->ipv4_dst = to->daddr[0];
	}
}

/* What the kernel's answer means; LB_NONE: the MAC addresses are known, LB_FWD_NEIGHBOUR: the interface is. */
static __always_inline enum lb_counter lb_route_verdict(long answer)
{
	if (answer == BPF_FIB_LKUP_RET_SUCCESS)
		return LB_NONE;
	if (answer == BPF_FIB_LKUP_RET_NO_NEIGH)
		return LB_FWD_NEIGHBOUR;
	return answer == BPF_FIB_LKUP_RET_FRAG_NEEDED ? LB_DROP_MTU : LB_DROP_NO_CLIENT;
}

/* Without a length the kernel measures the skb itself, and a packet of segments by the segment. */
static __always_inline int lb_reply_skb(struct __sk_buff *skb, const struct lb_packet *packet,
					const struct lb_translation *to)
{
	struct bpf_fib_lookup fib = {};

	if (packet->ttl <= 1)
		return lb_finish(LB_DROP_TTL, TC_ACT_SHOT);
	lb_route_request(packet, to, skb->ifindex, &fib);

	enum lb_counter verdict = lb_route_verdict(bpf_fib_lookup(skb, &fib, sizeof(fib), 0));

	if (verdict && verdict != LB_FWD_NEIGHBOUR)
		return lb_finish(verdict, TC_ACT_SHOT);
	if (lb_translate_skb(skb, packet, to) || lb_hop_skb(skb, packet) || lb_change_vlan(skb, packet, 0))
		return lb_finish(LB_DROP_TRUNCATED, TC_ACT_SHOT);
	if (verdict)
		return lb_finish(verdict, bpf_redirect_neigh(fib.ifindex, 0, 0, 0));

	struct ethhdr *eth = (void *)(long)skb->data;

	if ((void *)(eth + 1) > (void *)(long)skb->data_end)
		return lb_finish(LB_DROP_TRUNCATED, TC_ACT_SHOT);
	lb_rewrite_macs(eth, fib.dmac, fib.smac);
	return lb_finish(LB_FWD_REPLY, bpf_redirect(fib.ifindex, 0));
}

/* XDP cannot wait for a neighbour: the agent is told whom to look for, and the server sends its answer again. */
static __always_inline int lb_reply_xdp(struct xdp_md *xdp, const struct lb_packet *packet,
					const struct lb_translation *to)
{
	struct bpf_fib_lookup fib = { .tot_len = packet->ip_bytes };

	if (packet->ttl <= 1)
		return lb_finish(LB_DROP_TTL, XDP_DROP);
	if (packet->vlan)
		return lb_finish(LB_DROP_VLAN, XDP_DROP);
	lb_route_request(packet, to, xdp->ingress_ifindex, &fib);

	enum lb_counter verdict = lb_route_verdict(bpf_fib_lookup(xdp, &fib, sizeof(fib), 0));

	if (verdict == LB_FWD_NEIGHBOUR) {
		lb_want_neighbour(&fib);
		return lb_finish(LB_DROP_NO_NEIGHBOUR, XDP_DROP);
	}
	if (verdict)
		return lb_finish(verdict, XDP_DROP);

	struct ethhdr *eth = (void *)(long)xdp->data;
	void *end = (void *)(long)xdp->data_end;

	if ((void *)(eth + 1) > end || lb_translate_xdp(xdp, packet, to) || lb_decrement_ttl(eth, end, packet) < 0)
		return lb_finish(LB_DROP_TRUNCATED, XDP_DROP);
	lb_rewrite_macs(eth, fib.dmac, fib.smac);
	return lb_finish(LB_FWD_REPLY, bpf_redirect(fib.ifindex, 0));
}

#endif
