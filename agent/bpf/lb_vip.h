// SPDX-License-Identifier: GPL-2.0-only
// Which addresses and ports are virtual services.
#ifndef LB_VIP_H
#define LB_VIP_H

#include "lb_parse.h"

struct lb_service_key {
	__be32 vip[4];
	__be16 port;
	__u8 proto;
	__u8 family;
};
_Static_assert(sizeof(struct lb_service_key) == 20, "padding in a key makes look-ups miss");

/* How packets reach a real server. */
enum lb_forwarding {
	LB_DR = 1,
	LB_NAT,
	LB_TUN,
	LB_FULLNAT,
};

struct lb_service {
	__u32 id;
	__u8 forwarding; /* enum lb_forwarding */
	__u8 scheduler;  /* enum lb_scheduler */
	__u8 pad[2];
};

struct lb_vip_key {
	__be32 vip[4];
	__u8 proto;
	__u8 family;
	__u16 zero;
};
_Static_assert(sizeof(struct lb_vip_key) == 20, "padding in a key makes look-ups miss");

struct lb_vip {
	__u32 services;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 256);
	__type(key, struct lb_service_key);
	__type(value, struct lb_service);
} lb_services SEC(".maps");

/* For packets without ports: is the address a VIP of that protocol? */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 256);
	__type(key, struct lb_vip_key);
	__type(value, struct lb_vip);
} lb_vips SEC(".maps");

/* All that the agent must know after its restart; the programs do not read it. */
struct lb_service_info {
	__be32 vip[4];
	__be16 port;
	__u8 proto;
	__u8 family;
	__u8 use; /* 0 free, 1 in use */
	__u8 forwarding;
	__u8 scheduler;
	__u8 announce;
	__u8 check_type;
	__u8 pad[3];
	__u32 check_interval_ms;
	__u32 check_timeout_ms;
	__u32 check_rise;
	__u32 check_fall;
	char interface[16];
	char ring_digest[24];
};

LB_ARRAY(lb_svc_info, 256, struct lb_service_info);

/* One entry: what this set of maps is. */
struct lb_meta {
	__u64 layout; /* digest of all structs; another one is refused */
	__u64 epoch;  /* when the counters began */
	__u64 flow_secret[2];
	__u64 ring_seed;
};

LB_ARRAY(lb_meta, 1, struct lb_meta);

struct lb_switch {
	__u32 new_flows_stopped; /* the operator's emergency switch: flows that are known go on, no new one is balanced */
	__u32 translates;        /* a service is in NAT mode: other packets are looked at as answers, 25 ns each */
};

LB_ARRAY(lb_switches, 1, struct lb_switch);

static __always_inline int lb_is_stopped(void)
{
	__u32 only = 0;
	struct lb_switch *found = bpf_map_lookup_elem(&lb_switches, &only);

	return found && found->new_flows_stopped;
}

static __always_inline int lb_translates(void)
{
	__u32 only = 0;
	struct lb_switch *found = bpf_map_lookup_elem(&lb_switches, &only);

	return found && found->translates;
}

static __always_inline struct lb_service *lb_service_of(const struct lb_packet *packet)
{
	struct lb_service_key key = {
		.vip = { packet->daddr[0], packet->daddr[1], packet->daddr[2], packet->daddr[3] },
		.port = packet->dport,
		.proto = packet->proto,
		.family = packet->family,
	};

	return bpf_map_lookup_elem(&lb_services, &key);
}

/* A packet without ports could be for any port: a VIP of that protocol is enough. */
static __always_inline int lb_is_for_vip(const struct lb_packet *packet, __u8 proto)
{
	struct lb_vip_key key = {
		.vip = { packet->daddr[0], packet->daddr[1], packet->daddr[2], packet->daddr[3] },
		.proto = proto,
		.family = packet->family,
	};

	return bpf_map_lookup_elem(&lb_vips, &key) != 0;
}

static __always_inline int lb_is_for_service(const struct lb_packet *packet)
{
	if (packet->has_ports)
		return lb_service_of(packet) != 0;
	if (packet->proto == IPPROTO_TCP || packet->proto == IPPROTO_UDP)
		return lb_is_for_vip(packet, packet->proto);
	/* The headers of IPv6 end before the protocol does. */
	return lb_is_for_vip(packet, IPPROTO_TCP) || lb_is_for_vip(packet, IPPROTO_UDP);
}

#endif
