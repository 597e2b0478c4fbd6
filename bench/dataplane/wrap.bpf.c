// SPDX-License-Identifier: GPL-2.0-only
// For measuring by test runs: a run with many repetitions hands the program's own output in again. This restores what it
// changes (MAC addresses, TTL, checksum), varies source address and port, and tail-calls the program under test.
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/tcp.h>
#include <bpf/bpf_helpers.h>

char bench_license[] SEC("license") = "GPL";

/* A program array holds programs of one type only. */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} target_tcx SEC(".maps"), target_xdp SEC(".maps");

/* Entry 0: packets so far; entry 1: flows - 1, a mask. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, __u64);
} state SEC(".maps");

static __always_inline int restore(void *data, void *end)
{
	struct ethhdr *eth = data;
	struct iphdr *ip = (void *)(eth + 1);
	struct tcphdr *tcp = (void *)(ip + 1);
	__u32 first = 0, second = 1;
	__u64 *count = bpf_map_lookup_elem(&state, &first);
	__u64 *mask = bpf_map_lookup_elem(&state, &second);

	if ((void *)(tcp + 1) > end || !count || !mask)
		return 0;

	__u64 flow = (*count)++ & *mask;

	__builtin_memset(eth->h_dest, 0, ETH_ALEN);
	ip->ttl = 64;
	ip->check = 0; /* nobody on this way looks at it */
	ip->saddr = 0x0a | (flow >> 14) << 8;
	tcp->source = flow & 0x3fff;
	return 1;
}

SEC("tc")
int wrap_tcx(struct __sk_buff *skb)
{
	if (restore((void *)(long)skb->data, (void *)(long)skb->data_end))
		bpf_tail_call(skb, &target_tcx, 0);
	return 99;
}

SEC("tc")
int bare_tcx(struct __sk_buff *skb)
{
	return restore((void *)(long)skb->data, (void *)(long)skb->data_end) ? 7 : 99;
}

SEC("xdp")
int wrap_xdp(struct xdp_md *xdp)
{
	if (restore((void *)(long)xdp->data, (void *)(long)xdp->data_end))
		bpf_tail_call(xdp, &target_xdp, 0);
	return 99;
}

SEC("xdp")
int bare_xdp(struct xdp_md *xdp)
{
	return restore((void *)(long)xdp->data, (void *)(long)xdp->data_end) ? 4 : 99;
}
