// SPDX-License-Identifier: GPL-2.0-only
// From a frame to the key of its flow. Bounds first, then the read; nothing is written here.
// IPv6 as RFC 8200 §4 has it: extension headers are walked, at most so many, and never changed.
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
/* What is looked at lies within this much of a frame; IPv6 headers that reach further are cut-off headers for us. */
#define LB_MAX_HEADERS 192
/* Extension headers that are walked; a packet with more of them is dropped where a service is meant. */
#define LB_MAX_EXTENSIONS 4
#define LB_VLAN_TAG 4
#define LB_VLAN_ID 0x0fff

#define LB_TCP_FIN 0x01
#define LB_TCP_SYN 0x02
#define LB_TCP_RST 0x04
#define LB_TCP_ACK 0x10

/* Addresses of IPv4 stand in word 0. Ports to family stand as in struct lb_flow: they are compared as one. */
struct lb_packet {
	__be32 saddr[4];
	__be32 daddr[4];
	__be16 sport;
	__be16 dport;
	__u8 proto;
	__u8 family;
	__u8 tcp_flags;
	__u8 has_ports;
	__u8 ttl;
	__u8 l3_offset; /* 14, or 18 with a tag in the frame */
	__u16 l4_offset;
	__u16 vlan;         /* id of the tag; 0 without one */
	__u16 header_bytes; /* IP and TCP or UDP header */
	__u32 ip_bytes;     /* the whole IP packet; 0 in a BIG TCP packet */
	__u32 wire_bytes; /* Ethernet header included */
	__u32 segments;   /* packets on the wire */
	__u32 gso_size;   /* payload of each; 0 where it is one packet */
	enum lb_counter defect; /* why it cannot be handled, should it be for a service */
} __attribute__((aligned(8)));

/* Both ends of a packet as they shall be. */
struct lb_translation {
	__be32 saddr[4];
	__be32 daddr[4];
	__be16 sport;
	__be16 dport;
} __attribute__((aligned(8)));

/*
 * What one packet needs, in memory of its CPU. On the stack the verifier would follow each way through the parser to the
 * end of the program (over a million steps with NAT); what comes out of a map is just a number to it.
 */
struct lb_work {
	struct lb_packet packet;
	struct lb_translation to;
};

LB_ARRAY(lb_work, 1, struct lb_work);

static __always_inline struct lb_work *lb_work_of_cpu(void)
{
	__u32 cpu = bpf_get_smp_processor_id();
	struct lb_work *work = bpf_map_lookup_elem(&lb_work, &cpu);

	if (work)
		__builtin_memset(&work->packet, 0, sizeof(work->packet));
	return work;
}

/* Facts about the interface that XDP cannot see: who is meant by a frame. By ifindex; all zero = not known. */
struct lb_iface {
	__u8 mac[6];
	__u8 is_known;
	__u8 pad;
};

LB_ARRAY(lb_ifaces, 4096, struct lb_iface);

/* 16 bits of a tag behind the addresses of a frame, then the type of what it holds. */
struct lb_vlan_header {
	__be16 tci;
	__be16 type;
};

static __always_inline int lb_is_vlan(__be16 type)
{
	return type == bpf_htons(ETH_P_8021Q) || type == bpf_htons(ETH_P_8021AD);
}

/* Whether TCX looks at the packet at all; LB_NONE = it does. The kernel has taken the outer tag off the frame. */
static __always_inline enum lb_counter lb_admit_skb(struct __sk_buff *skb, struct lb_packet *packet)
{
	__be16 type = skb->protocol;

	if (skb->vlan_present) {
		packet->vlan = skb->vlan_tci & LB_VLAN_ID;
		/* A tag within a tag. */
		if (lb_is_vlan(type))
			return LB_PASS_VLAN;
	}
	if (type != bpf_htons(ETH_P_IP) && type != bpf_htons(ETH_P_IPV6) && !lb_is_vlan(type))
		return LB_PASS_NOT_IP;
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
		return LB_PASS_NOT_IP;
	if (eth->h_proto != bpf_htons(ETH_P_IP) && eth->h_proto != bpf_htons(ETH_P_IPV6) && !lb_is_vlan(eth->h_proto))
		return LB_PASS_NOT_IP;

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

/* LB_NONE: the address and what follows the IP header are known. `offset` is where that stands in the frame. */
static __always_inline enum lb_counter lb_parse_ipv4(void *data, void *end, __u32 *offset, struct lb_packet *packet)
{
	struct iphdr *ip = data + *offset;

	if ((void *)(ip + 1) > end || ip->version != 4)
		return LB_PASS_NOT_IP;
	packet->saddr[0] = ip->saddr;
	packet->daddr[0] = ip->daddr;
	packet->family = LB_FAMILY_IPV4;
	packet->proto = ip->protocol;
	packet->ttl = ip->ttl;
	packet->ip_bytes = bpf_ntohs(ip->tot_len);
	if (ip->ihl < 5)
		packet->defect = LB_DROP_TRUNCATED;
	else if (ip->frag_off & bpf_htons(LB_IP_FRAGMENT))
		packet->defect = LB_DROP_FRAGMENT;
	else if (ip->ihl > 5)
		packet->defect = LB_DROP_IP_OPTIONS;
	/* Only the first fragment has ports. */
	packet->has_ports = ip->ihl >= 5 && !(ip->frag_off & bpf_htons(0x1fff));
	*offset += ip->ihl * 4;
	return LB_NONE;
}

/* What RFC 8200 puts between the header and what is carried; two bytes of each are alike. */
struct lb_extension {
	__u8 next;
	__u8 length; /* beyond the first 8 bytes, in units of 8 */
	__be16 fragment; /* in a fragment header: offset in its upper 13 bits, then "more" in the lowest */
};

static __always_inline int lb_is_extension(__u8 next)
{
	return next == IPPROTO_HOPOPTS || next == IPPROTO_ROUTING || next == IPPROTO_DSTOPTS || next == IPPROTO_FRAGMENT;
}

/* The same for IPv6. AH and ESP are protocols that are not ours. */
static __always_inline enum lb_counter lb_parse_ipv6(void *data, void *end, __u32 *offset, struct lb_packet *packet)
{
	struct ipv6hdr *ip = data + *offset;

	if ((void *)(ip + 1) > end || ip->version != 6)
		return LB_PASS_NOT_IP;
	__builtin_memcpy(packet->saddr, &ip->saddr, sizeof(packet->saddr));
	__builtin_memcpy(packet->daddr, &ip->daddr, sizeof(packet->daddr));
	packet->family = LB_FAMILY_IPV6;
	packet->proto = ip->nexthdr;
	packet->ttl = ip->hop_limit;
	if (ip->payload_len)
		packet->ip_bytes = bpf_ntohs(ip->payload_len) + sizeof(*ip);
	packet->has_ports = 1;
	*offset += sizeof(*ip);
	for (__u32 i = 0; i < LB_MAX_EXTENSIONS && lb_is_extension(packet->proto); i++) {
		struct lb_extension *extension = data + *offset;

		if (*offset > LB_MAX_HEADERS || (void *)(extension + 2) > end) {
			packet->defect = LB_DROP_TRUNCATED;
			packet->has_ports = 0;
			return LB_NONE;
		}
		if (packet->proto == IPPROTO_FRAGMENT) {
			*offset += 8;
			/* A "fragment" that is the whole packet is none (RFC 6946). */
			if (extension->fragment & bpf_htons(0xfff9))
				packet->defect = LB_DROP_FRAGMENT;
			packet->has_ports = !(extension->fragment & bpf_htons(0xfff8));
			packet->proto = extension->next;
			if (!packet->has_ports)
				return LB_NONE;
			continue;
		}
		*offset += extension->length * 8 + 8;
		packet->proto = extension->next;
	}
	if (lb_is_extension(packet->proto)) {
		packet->defect = LB_DROP_EXTENSIONS;
		packet->has_ports = 0;
	}
	return LB_NONE;
}

/* Ports, flags and the length of all headers; or the defect. */
static __always_inline void lb_parse_ports(void *data, void *end, __u32 offset, struct lb_packet *packet)
{
	__u32 ip_header = offset - packet->l3_offset;
	__u32 l4_header = packet->proto == IPPROTO_TCP ? sizeof(struct tcphdr) : sizeof(struct udphdr);
	struct tcphdr *tcp = data + offset;
	struct udphdr *udp = data + offset;

	packet->l4_offset = offset;
	/* So much of it is there in a packet that we can tell the service of. */
	if (offset > LB_MAX_HEADERS || (void *)tcp + 4 > end) {
		packet->has_ports = 0;
		packet->defect = LB_DROP_TRUNCATED;
		return;
	}
	packet->sport = tcp->source;
	packet->dport = tcp->dest;
	if (packet->defect == LB_DROP_FRAGMENT)
		return;
	if ((void *)tcp + l4_header > end || (packet->ip_bytes && packet->ip_bytes < ip_header + l4_header)) {
		packet->defect = LB_DROP_TRUNCATED;
		return;
	}
	if (packet->proto == IPPROTO_UDP) {
		/* 0: longer than 64 KiB (RFC 2675), or put together by GSO. */
		if (udp->len && bpf_ntohs(udp->len) < sizeof(*udp))
			packet->defect = LB_DROP_TRUNCATED;
		packet->header_bytes = ip_header + sizeof(*udp);
		return;
	}
	if ((void *)(tcp + 1) > end || tcp->doff < 5) {
		packet->defect = LB_DROP_TRUNCATED;
		return;
	}
	packet->tcp_flags = ((__u8 *)tcp)[13];
	packet->header_bytes = ip_header + tcp->doff * 4;
}

/* LB_NONE: the packet is filled in, `defect` included. Else the reason to pass it. */
static __always_inline enum lb_counter lb_parse(void *data, void *end, struct lb_packet *packet)
{
	struct ethhdr *eth = data;
	__u32 offset = sizeof(*eth);
	enum lb_counter verdict;

	if ((void *)(eth + 1) > end)
		return LB_PASS_NOT_IP;

	__be16 type = eth->h_proto;

	if (lb_is_vlan(type)) {
		struct lb_vlan_header *tag = (void *)(eth + 1);

		if ((void *)(tag + 1) > end)
			return LB_PASS_NOT_IP;
		packet->vlan = bpf_ntohs(tag->tci) & LB_VLAN_ID;
		type = tag->type;
		offset += sizeof(*tag);
		if (lb_is_vlan(type))
			return LB_PASS_VLAN;
	}
	packet->l3_offset = offset;
	if (type == bpf_htons(ETH_P_IP))
		verdict = lb_parse_ipv4(data, end, &offset, packet);
	else if (type == bpf_htons(ETH_P_IPV6))
		verdict = lb_parse_ipv6(data, end, &offset, packet);
	else
		return LB_PASS_NOT_IP;
	if (verdict)
		return verdict;
	/* Where a chain is cut off nobody knows the protocol: a VIP of any is enough. */
	if (packet->proto != IPPROTO_TCP && packet->proto != IPPROTO_UDP && !lb_is_extension(packet->proto))
		return LB_PASS_NOT_OURS;
	if (packet->has_ports)
		lb_parse_ports(data, end, offset, packet);
	return LB_NONE;
}

#endif
