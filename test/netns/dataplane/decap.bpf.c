// SPDX-License-Identifier: GPL-2.0-only
// A real server's end of IPIP and GUE for kernels without these modules: takes the outer headers off at tc ingress.
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/pkt_cls.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define GUE_PORT 6080
#define GUE_HEADER 4
/* uapi of kernel 6.3: the family of what comes out. */
#define DECAP_L3_IPV4 (1ull << 7)
#define DECAP_L3_IPV6 (1ull << 8)

char decap_license[] SEC("license") = "GPL";

/* The length of the outer headers, and what they carry; 0 where it is no tunnel. */
static __always_inline __u32 outer_length(struct __sk_buff *skb, __u8 *carries)
{
	void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
	struct iphdr *ip = data + ETH_HLEN;
	struct ipv6hdr *ip6 = data + ETH_HLEN;
	__u32 length = sizeof(*ip);
	__u8 next;

	if (skb->protocol == bpf_htons(ETH_P_IPV6)) {
		if ((void *)(ip6 + 1) > end)
			return 0;
		next = ip6->nexthdr;
		length = sizeof(*ip6);
	} else {
		if (skb->protocol != bpf_htons(ETH_P_IP) || (void *)(ip + 1) > end)
			return 0;
		next = ip->protocol;
	}
	if (next == IPPROTO_UDP) {
		struct udphdr *udp = data + ETH_HLEN + length;
		__u8 *gue = (void *)(udp + 1);

		if ((void *)(gue + GUE_HEADER) > end || udp->dest != bpf_htons(GUE_PORT) || gue[0])
			return 0;
		next = gue[1];
		length += sizeof(*udp) + GUE_HEADER;
	}
	*carries = next;
	return next == IPPROTO_IPIP || next == IPPROTO_IPV6 ? length : 0;
}

SEC("tc")
int decap(struct __sk_buff *skb)
{
	__u8 carries = 0;
	__u64 flags = BPF_F_ADJ_ROOM_FIXED_GSO;

	if (skb->len > 100)
		bpf_skb_pull_data(skb, 100);

	__u32 length = outer_length(skb, &carries);

	if (!length)
		return TC_ACT_OK;
	flags |= carries == IPPROTO_IPV6 ? DECAP_L3_IPV6 : DECAP_L3_IPV4;
	return bpf_skb_adjust_room(skb, -(__s32)length, BPF_ADJ_ROOM_MAC, flags) ? TC_ACT_SHOT : TC_ACT_OK;
}
