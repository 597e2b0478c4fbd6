// SPDX-License-Identifier: GPL-2.0-only
// Enters: every packet that an interface receives, at TCX ingress (kernel 6.6 and later) or at XDP.
// Leaves: TCP and UDP, over IPv4 and IPv6, for a virtual service, redirected to one of its real servers
//         (DR: the MAC addresses change, TTL goes down by one; tunnel: a header in front); everything else goes on
//         untouched to the next program and to the host.
// Reads:  lb_services, lb_vips, lb_ring, lb_reals, lb_ifaces. Writes: lb_buckets, lb_real_stats, lb_svc_stats, lb_cpus.
//         For the agent alone: lb_meta, lb_svc_info.
// Not supported, and dropped under a name where a service is meant: fragments, options of IPv4, cut-off headers.
// Not looked at, and passed: other protocols, a tag within a tag, frames for another host.
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "lb_config.h"
#include "lb_counter.h"
#include "lb_parse.h"
#include "lb_vip.h"
#include "lb_ring.h"
#include "lb_flow.h"
#include "lb_stats.h"
#include "lb_checksum.h"
#include "lb_nat.h"
#include "lb_schedule.h"
#include "lb_tunnel.h"
#include "lb_select.h"
#include "lb_forward.h"
#include "lb_reply.h"

char lb_license[] SEC("license") = "GPL";

/* The drawing in README.md, as far as both hooks share it. Gives the real server, or null with the verdict set. */
static __always_inline struct lb_real *lb_decide(struct lb_packet *packet, enum lb_counter *verdict)
{
	if (packet->defect) {
		*verdict = lb_is_for_service(packet) ? packet->defect : LB_PASS_NO_SERVICE;
		return 0;
	}
	return lb_select(packet, verdict);
}

SEC("tc")
int lb_tcx(struct __sk_buff *skb)
{
	struct lb_work *work = lb_work_of_cpu();

	if (!work)
		return TCX_NEXT;

	struct lb_packet *packet = &work->packet;
	enum lb_counter verdict = lb_admit_skb(skb, packet);

	if (verdict)
		return lb_finish(verdict, TCX_NEXT);
	lb_pull_headers(skb);
	verdict = lb_parse((void *)(long)skb->data, (void *)(long)skb->data_end, packet);
	if (verdict)
		return lb_finish(verdict, TCX_NEXT);
	lb_measure_skb(skb, packet);

	struct lb_real *real = lb_decide(packet, &verdict);

	if (real)
		return lb_forward_skb(skb, packet, &work->to, real);
	if (verdict == LB_PASS_NO_SERVICE) {
		verdict = lb_find_reply(packet, &work->to);
		if (!verdict)
			return lb_reply_skb(skb, packet, &work->to);
	}
	return lb_finish(verdict, lb_is_pass(verdict) ? TCX_NEXT : TC_ACT_SHOT);
}

SEC("xdp")
int lb_xdp(struct xdp_md *xdp)
{
	struct lb_work *work = lb_work_of_cpu();

	if (!work)
		return XDP_PASS;

	struct lb_packet *packet = &work->packet;
	enum lb_counter verdict = lb_admit_xdp(xdp);

	if (verdict)
		return lb_finish(verdict, XDP_PASS);
	verdict = lb_parse((void *)(long)xdp->data, (void *)(long)xdp->data_end, packet);
	if (verdict)
		return lb_finish(verdict, XDP_PASS);
	packet->wire_bytes = xdp->data_end - xdp->data;
	packet->segments = 1;

	struct lb_real *real = lb_decide(packet, &verdict);

	if (real)
		return lb_forward_xdp(xdp, packet, &work->to, real);
	if (verdict == LB_PASS_NO_SERVICE) {
		verdict = lb_find_reply(packet, &work->to);
		if (!verdict)
			return lb_reply_xdp(xdp, packet, &work->to);
	}
	return lb_finish(verdict, lb_is_pass(verdict) ? XDP_PASS : XDP_DROP);
}

/* The kernel's jiffies for the agent, which runs this and attaches it nowhere. */
SEC("tc")
int lb_clock(struct __sk_buff *skb)
{
	return (int)(__u32)bpf_jiffies64();
}
