// SPDX-License-Identifier: GPL-2.0-only
// From a frame to the key of its flow. Bounds first, then the read; nothing is written here.
#ifndef LB_PARSE_H
#define LB_PARSE_H

#include "lb_counter.h"

#ifndef TCX_NEXT
#define TCX_NEXT -1 /* uapi of kernel 6.6; the same number as TC_ACT_UNSPEC */
#endif
#ifndef TC_ACT_SHOT
#define TC_ACT_SHOT 2
#endif
#define LB_PACKET_HOST 0 /* PACKET_HOST of linux/if_packet.h */

#define LB_IP_FRAGMENT 0x3fff /* more fragments, or an offset */
#define LB_MAX_HEADERS (sizeof(struct ethhdr) + 60 + sizeof(struct tcphdr))

#define LB_TCP_FIN 0x01
#define LB_TCP_SYN 0x02
#define LB_TCP_RST 0x04
#define LB_TCP_ACK 0x10

struct lb_packet {
	__be32 saddr;
	__be32 daddr;
	__be16 sport;
	__be16 dport;
	__u8 proto;
	__u8 tcp_flags;
	__u8 has_ports;
	__u8 ttl;
	__u16 header_bytes; /* IP and TCP header */
	__u16 ip_bytes;     /* tot_len; 0 in a BIG TCP packet */
	__u32 wire_bytes; /* Ethernet header included */
	__u32 segments;   /* packets on the wire */
	__u32 gso_size;   /* payload of each; 0 where it is one packet */
	enum lb_counter defect; /* why it cannot be handled, should it be for a service */
};

/* Facts about the interface that XDP cannot see: who is meant by a frame. By ifindex; all zero = not known. */
struct lb_iface {
	__u8 mac[6];
	__u8 is_known;
	__u8 pad;
};

LB_ARRAY(lb_ifaces, 4096, struct lb_iface);

/* Whether TCX looks at the packet at all; LB_NONE = it does. */
static __always_inline enum lb_counter lb_admit_skb(struct __sk_buff *skb)
{
	if (skb->vlan_present)
		return LB_PASS_VLAN;
	if (skb->protocol != bpf_htons(ETH_P_IP))
		return LB_PASS_NOT_IPV4;
	if (skb->pkt_type != LB_PACKET_HOST)
		return LB_PASS_OTHER_HOST;
	return LB_NONE;
}

/* The same for XDP, where a promiscuous interface shows frames for other hosts too. */
static __always_inline enum lb_counter lb_admit_xdp(struct xdp_md *xdp)
{
	struct ethhdr *eth = (void *)(long)xdp->data;
	__u32 ifindex = xdp->ingress_ifindex;

	if ((void *)(eth + 1) > (void *)(long)xdp->data_end)
		return LB_PASS_NOT_IPV4;
	if (eth->h_proto == bpf_htons(ETH_P_8021Q) || eth->h_proto == bpf_htons(ETH_P_8021AD))
		return LB_PASS_VLAN;
	if (eth->h_proto != bpf_htons(ETH_P_IP))
		return LB_PASS_NOT_IPV4;

	struct lb_iface *iface = bpf_map_lookup_elem(&lb_ifaces, &ifindex);

	if (!iface || !iface->is_known)
		return LB_NONE;
	if (*(__u16 *)&eth->h_dest[0] != *(__u16 *)&iface->mac[0] || *(__u16 *)&eth->h_dest[2] != *(__u16 *)&iface->mac[2] ||
	    *(__u16 *)&eth->h_dest[4] != *(__u16 *)&iface->mac[4])
		return LB_PASS_OTHER_HOST;
	return LB_NONE;
}

/* Headers usually are linear; where a driver left them in a fragment, the kernel gathers them. */
static __always_inline void lb_pull_headers(struct __sk_buff *skb)
{
	__u32 linear = skb->data_end - skb->data;

	if (linear < LB_MAX_HEADERS && linear < skb->len)
		bpf_skb_pull_data(skb, skb->len < LB_MAX_HEADERS ? skb->len : LB_MAX_HEADERS);
}

/* A packet that GRO or the sender put together counts as what it was, or will be, on the wire. */
static __always_inline void lb_measure_skb(struct __sk_buff *skb, struct lb_packet *packet)
{
	__u32 segments = skb->gso_segs ? skb->gso_segs : 1;

	packet->gso_size = skb->gso_size;
	packet->segments = segments;
	packet->wire_bytes = skb->len + (segments - 1) * (packet->header_bytes + sizeof(struct ethhdr));
}

/* LB_NONE: the packet is filled in, `defect` included. Else the reason to pass it. */
static __always_inline enum lb_counter lb_parse(void *data, void *end, struct lb_packet *packet)
{
	struct iphdr *ip = data + sizeof(struct ethhdr);

	if ((void *)(ip + 1) > end || ip->version != 4)
		return LB_PASS_NOT_IPV4;
	if (ip->protocol != IPPROTO_TCP)
		return LB_PASS_NOT_TCP;
	packet->saddr = ip->saddr;
	packet->daddr = ip->daddr;
	packet->proto = ip->protocol;
	packet->ttl = ip->ttl;
	packet->ip_bytes = bpf_ntohs(ip->tot_len);

	__u32 ip_header = ip->ihl * 4;

	if (ip_header < sizeof(*ip)) {
		packet->defect = LB_DROP_TRUNCATED;
		return LB_NONE;
	}
	if (ip->frag_off & bpf_htons(LB_IP_FRAGMENT))
		packet->defect = LB_DROP_FRAGMENT;
	/* Only the first fragment has ports. */
	if (ip->frag_off & bpf_htons(0x1fff))
		return LB_NONE;

	struct tcphdr *tcp = (void *)ip + ip_header;

	if ((void *)tcp + 4 > end) {
		packet->defect = LB_DROP_TRUNCATED;
		return LB_NONE;
	}
	packet->sport = tcp->source;
	packet->dport = tcp->dest;
	packet->has_ports = 1;
	if (packet->defect)
		return LB_NONE;
	if ((void *)(tcp + 1) > end || (packet->ip_bytes && packet->ip_bytes < ip_header + sizeof(*tcp)) || tcp->doff < 5) {
		packet->defect = LB_DROP_TRUNCATED;
		return LB_NONE;
	}
	if (ip_header > sizeof(*ip))
		packet->defect = LB_DROP_IP_OPTIONS;
	packet->tcp_flags = ((__u8 *)tcp)[13];
	packet->header_bytes = ip_header + tcp->doff * 4;
	return LB_NONE;
}

#endif
