// SPDX-License-Identifier: GPL-2.0-only
// Constants of one load, written by the agent before the section is frozen: the verifier sees them as numbers.
#ifndef LB_CONFIG_H
#define LB_CONFIG_H

/* Slots of a service's ring; prime, as Maglev needs it. */
#define LB_RING_SIZE 65537
#define LB_WAYS 4
#define LB_FAMILY_IPV4 4
#define LB_FAMILY_IPV6 6

struct lb_config {
	__u64 flow_secret[2]; /* per boot: nobody outside can aim at one bucket */
	__u64 ring_seed;      /* per cluster: all directors choose alike */
	__u32 bucket_mask;    /* buckets - 1; buckets are a power of two */
	__u32 reals_max;
	__u32 services_max;
	__u32 insert_cap; /* new entries of one CPU in one window */
	__u32 insert_window_shift; /* jiffies >> shift is the window */
	__u32 timeout_half_open; /* all timeouts in jiffies */
	__u32 timeout_established;
	__u32 timeout_closing;
	__u32 timeout_udp; /* of a UDP flow with more than one packet */
};

const volatile struct lb_config lb_config = {};

/*
 * Maps that the agent maps into its memory. Sizes are defaults; the agent sets max_entries before it creates them.
 * ARRAY values are padded to 8 bytes; PERCPU maps cannot be mapped into memory, hence rows by CPU.
 */
#define LB_ARRAY(map_name, entries, value_type)               \
	struct {                                              \
		__uint(type, BPF_MAP_TYPE_ARRAY);             \
		__uint(max_entries, entries);                 \
		__uint(map_flags, BPF_F_MMAPABLE);            \
		__type(key, __u32);                           \
		__type(value, value_type);                    \
	} map_name SEC(".maps")

#endif
