// SPDX-License-Identifier: GPL-2.0-only
// What became of each packet, counted by name and CPU. The agent reads the names from this enum's BTF.
#ifndef LB_COUNTER_H
#define LB_COUNTER_H

#include "lb_config.h"

enum lb_counter {
	LB_NONE = 0,
	/* On to the next program and the host, untouched. */
	LB_PASS_NOT_IP,     /* ARP and the rest */
	LB_PASS_NOT_OURS,   /* neither TCP nor UDP */
	LB_PASS_VLAN,       /* a tag within a tag */
	LB_PASS_OTHER_HOST, /* a frame for another MAC address: flooded, or the interface is promiscuous */
	LB_PASS_NO_SERVICE,
	LB_PASS_NO_FLOW,    /* from the port of a real server in NAT mode, and no client of ours waits for it */
	LB_PASS_LAST,
	/* Sent to a real server. */
	LB_FWD,
	LB_FWD_NEIGHBOUR, /* the same, with the kernel finding the MAC address */
	LB_FWD_REPLY,     /* a real server's answer, back to the client */
	/* For a service, and impossible to handle. */
	LB_DROP_FRAGMENT,
	LB_DROP_IP_OPTIONS,
	LB_DROP_EXTENSIONS, /* more extension headers of IPv6 than we walk */
	LB_DROP_TRUNCATED,
	LB_DROP_NO_SERVER,    /* no real server is enabled, up and of weight over 0 */
	LB_DROP_NO_NEIGHBOUR, /* XDP: the real server's MAC address is not known yet */
	LB_DROP_NO_ROUTE,     /* no interface leads to the real server directly */
	LB_DROP_MTU,          /* does not fit the interface of the real server */
	LB_DROP_TTL,          /* would have gone round forever */
	LB_DROP_NO_ROOM,      /* no room for the tunnel's header: the packet is in another tunnel already */
	LB_DROP_VLAN,         /* XDP: the real server is in another VLAN than the packet */
	LB_DROP_STOPPED,      /* a new flow while the operator has stopped new flows */
	LB_DROP_NO_RECORD,    /* replies could not be told without an entry in the flow cache, and there was no room */
	LB_DROP_AMBIGUOUS,    /* its replies could be of another service's connection, on every real server */
	LB_DROP_NO_CLIENT,    /* a reply, and no route leads to the client */
	/* Notes on the flow cache; these packets have a verdict as well. */
	LB_FLOW_NEW,
	LB_FLOW_EVICTED, /* an older half-open or closing entry made room */
	LB_FLOW_FULL,    /* four established flows in the bucket: served by the ring, not remembered */
	LB_FLOW_RACE,    /* two CPUs wanted the same entry: served, not remembered this time */
	LB_FLOW_CAPPED,  /* more new flows than the cap allows: served, not remembered */
	LB_FLOW_AMBIGUOUS, /* the ring's choice would have made replies ambiguous: another real server was taken */
	LB_FLOW_OVER,    /* an entry was found and no longer valid: expired, closed, or its server had gone */
	LB_COUNTERS,
};

/* One row per CPU, cache lines of its own: no atomics. */
struct lb_cpu {
	__u64 count[64];
	__u64 best; /* scratch of lb_flow_room */
	__u64 best_word;
	__u32 best_way;
	__u32 insert_window;
	__u32 inserts;
	__u32 pad[9];
};
_Static_assert(LB_COUNTERS <= 64, "row of counters too short");
_Static_assert(sizeof(struct lb_cpu) % 64 == 0, "rows share a cache line");

LB_ARRAY(lb_cpus, 1, struct lb_cpu);

/* Holds the enum in the object's BTF, and tells how many of it are meant. */
const volatile enum lb_counter lb_counters = LB_COUNTERS;

static __always_inline struct lb_cpu *lb_this_cpu(void)
{
	__u32 cpu = bpf_get_smp_processor_id();

	return bpf_map_lookup_elem(&lb_cpus, &cpu);
}

static __always_inline void lb_count(enum lb_counter what)
{
	struct lb_cpu *row = lb_this_cpu();

	if (row)
		row->count[what & 63]++;
}

static __always_inline int lb_is_pass(enum lb_counter verdict)
{
	return verdict < LB_PASS_LAST;
}

/* Counts a verdict and gives the hook's word for it. */
static __always_inline int lb_finish(enum lb_counter verdict, int action)
{
	lb_count(verdict);
	return action;
}

#endif
