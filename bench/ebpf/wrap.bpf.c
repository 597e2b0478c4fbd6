// SPDX-License-Identifier: GPL-2.0-only
// For measuring by test runs: a run with many repetitions hands the program's own output in again. These put the packet
// back as it came (a tunnel's outer header goes, all headers are written anew), vary its source address and port, and
// tail-call the program under test. The bare ones do the same and call nobody: the price of the harness.
#include <linux/bpf.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

char bench_license[] SEC("license") = "GPL";

/* A program array holds programs of one type only. */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} target_tcx SEC(".maps"), target_xdp SEC(".maps");

/* Ethernet, IPv6 and TCP headers, and some bytes behind those of IPv4. */
#define BENCH_HEADERS 80
#define BENCH_FLOWS_PER_ADDRESS_SHIFT 14

struct bench_traffic {
	__u64 packets; /* so far */
	__u64 flow_mask; /* flows - 1 */
	__u32 size; /* of the packet as it comes */
	__u32 is_ipv6;
	__u32 is_shuffled;
	__u32 pad;
	__u64 headers[BENCH_HEADERS / 8];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct bench_traffic);
} traffic SEC(".maps");

static __always_inline struct bench_traffic *bench_traffic(void)
{
	__u32 key = 0;

	return bpf_map_lookup_elem(&traffic, &key);
}

/*
 * Another order of the same flows. Those that were opened one after the other must not come one after the other again: a
 * table that puts new entries side by side would have the processor fetch them ahead.
 */
static __always_inline __u64 shuffled(__u64 flow, __u64 mask)
{
	flow = flow * 0x9e3779b1 & mask;
	flow ^= flow >> 7;
	flow = flow * 0x85ebca6b & mask;
	return flow ^ flow >> 9;
}

/* Source address and port stand at these places; the lower bits of the flow's number are the port. */
static __always_inline void vary(void *data, __u64 flow, __u32 address_at, __u32 port_at)
{
	__u32 *address = data + address_at;
	__u16 *port = data + port_at;

	*address ^= bpf_htonl((__u32)(flow >> BENCH_FLOWS_PER_ADDRESS_SHIFT));
	*port = bpf_htons(1024 + (flow & ((1 << BENCH_FLOWS_PER_ADDRESS_SHIFT) - 1)));
}

static __always_inline int restore(struct bench_traffic *traffic, void *data, void *end)
{
	__u64 flow = traffic->packets & traffic->flow_mask;

	if (data + BENCH_HEADERS > end)
		return 0;
	if (traffic->is_shuffled)
		flow = shuffled(flow, traffic->flow_mask);
	traffic->packets++;
#pragma unroll
	for (int i = 0; i < BENCH_HEADERS / 8; i++)
		((__u64 *)data)[i] = traffic->headers[i];
	if (traffic->is_ipv6)
		vary(data, flow, 14 + 20, 14 + 40);
	else
		vary(data, flow, 14 + 12, 14 + 20);
	return 1;
}

/* Moves by nothing where nothing was put in front: the harness costs the same for every program. */
static __always_inline int restore_xdp(struct xdp_md *xdp)
{
	struct bench_traffic *traffic = bench_traffic();

	if (!traffic)
		return 0;

	/* In 64 bits: the verifier takes no 32-bit arithmetic on pointers. */
	long size = (void *)(long)xdp->data_end - (void *)(long)xdp->data;

	asm volatile("" : "+r"(size));
	if (bpf_xdp_adjust_head(xdp, size - (long)traffic->size))
		return 0;
	return restore(traffic, (void *)(long)xdp->data, (void *)(long)xdp->data_end);
}

static __always_inline int restore_skb(struct __sk_buff *skb)
{
	struct bench_traffic *traffic = bench_traffic();

	if (!traffic)
		return 0;
	if (skb->len > traffic->size && bpf_skb_adjust_room(skb, (int)traffic->size - (int)skb->len, BPF_ADJ_ROOM_MAC, 0))
		return 0;
	return restore(traffic, (void *)(long)skb->data, (void *)(long)skb->data_end);
}

SEC("tc")
int wrap_tcx(struct __sk_buff *skb)
{
	if (restore_skb(skb))
		bpf_tail_call(skb, &target_tcx, 0);
	return 99;
}

SEC("tc")
int bare_tcx(struct __sk_buff *skb)
{
	return restore_skb(skb) ? 7 : 99;
}

SEC("xdp")
int wrap_xdp(struct xdp_md *xdp)
{
	if (restore_xdp(xdp))
		bpf_tail_call(xdp, &target_xdp, 0);
	return 99;
}

SEC("xdp")
int bare_xdp(struct xdp_md *xdp)
{
	return restore_xdp(xdp) ? 4 : 99;
}
