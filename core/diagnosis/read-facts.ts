import ipaddr from 'ipaddr.js'
import { isInNetwork } from '../model/address.ts'
import { type CombinedSysctl, effectiveValue } from './effective.ts'
import type { HostFacts, HostInterface, InterfaceAddress } from './facts.ts'
import { type CheckSubject, MissingFact } from './rule.ts'

/** A fact that was not read is not "no": these readers throw MissingFact instead of guessing. */

export function interfacesOf(facts: HostFacts): HostFacts['interfaces'] {
  // Every host has a loopback, so none at all means that `ip` was missing or said nothing.
  if (facts.interfaces.length === 0) throw new MissingFact('ip link and ip addr')
  return facts.interfaces
}

export function sysctlOf(facts: HostFacts, name: string): number {
  const text = facts.sysctls[name]
  if (text === undefined || !/^-?\d+$/.test(text)) throw new MissingFact(name)
  return Number(text)
}

export interface ConfValue {
  readonly all: number
  readonly own: number
  readonly effective: number
}

/** `net.ipv4.conf.all.NAME`, the interface's own, and what the kernel makes of both. */
export function confValue(facts: HostFacts, name: CombinedSysctl, interfaceName: string): ConfValue {
  const all = sysctlOf(facts, `net.ipv4.conf.all.${name}`)
  const own = sysctlOf(facts, `net.ipv4.conf.${interfaceName}.${name}`)
  return { all, own, effective: effectiveValue(name, all, own) }
}

export function showConf(interfaceName: string, { all, own, effective }: ConfValue): string {
  return `all=${all} ${interfaceName}=${own}, effective ${effective}`
}

export function routeTo(facts: HostFacts, address: string): HostFacts['routes'][string] {
  const route = facts.routes[address]
  if (route === undefined) throw new MissingFact(`ip route get ${address}`)
  return route
}

export function extraOf(facts: HostFacts, name: string, fact: string): string {
  const value = facts.extra[name]
  if (value === undefined) throw new MissingFact(fact)
  return value
}

export function directorOf(subject: CheckSubject): HostFacts {
  if (subject.director === null) throw new MissingFact('the director')
  return subject.director
}

export interface PlacedAddress {
  readonly interface: HostInterface
  readonly address: InterfaceAddress
}

/** IPv4 addresses with the interface that carries them. */
export function ipv4Addresses(facts: HostFacts): PlacedAddress[] {
  return interfacesOf(facts).flatMap((candidate) =>
    candidate.addresses.filter(({ family }) => family === 'inet').map((address) => ({ interface: candidate, address })),
  )
}

/** Takes part in ARP by itself: no loopback, no dummy, no port of a bridge or bond. */
export function answersArp(candidate: HostInterface): boolean {
  return !candidate.isLoopback && !candidate.isNoArp && candidate.master === null
}

/** The interface that carries the real server's address: the director's frames arrive there. */
export function realServerInterface(subject: CheckSubject): PlacedAddress {
  const placed = ipv4Addresses(subject.facts).find(({ address }) => address.address === subject.host)
  if (placed === undefined) throw new MissingFact(`an interface with ${subject.host}`)
  return placed
}

/**
 * Interfaces on which an ARP request for the VIP can arrive: those in the network of the real server's address or of
 * the VIP, and those without an IPv4 address, of which nobody can tell.
 */
export function interfacesOnVipNetwork(subject: CheckSubject): HostInterface[] {
  const home = realServerInterface(subject)
  return interfacesOf(subject.facts).filter((candidate) => {
    if (candidate === home.interface) return true
    if (!answersArp(candidate) || !candidate.isUp) return false
    const addresses = candidate.addresses.filter(
      ({ family, address }) => family === 'inet' && address !== subject.request.vip,
    )
    return (
      addresses.length === 0 ||
      addresses.some(
        ({ address, prefixLength }) =>
          isInNetwork(subject.request.vip, address, prefixLength) ||
          isInNetwork(address, home.address.address, home.address.prefixLength),
      )
    )
  })
}

/** The director's addresses whose network holds the VIP, the longest prefix first. */
export function networksOfVip(facts: HostFacts, vip: string): PlacedAddress[] {
  return ipv4Addresses(facts)
    .filter(
      ({ interface: candidate, address }) =>
        !candidate.isLoopback &&
        address.address !== vip &&
        address.prefixLength < 32 &&
        isInNetwork(vip, address.address, address.prefixLength),
    )
    .sort((a, b) => b.address.prefixLength - a.address.prefixLength)
}

export function networkAddress(address: string, prefixLength: number): string {
  return ipaddr.IPv4.networkAddressFromCIDR(`${address}/${prefixLength}`).toString()
}

export function showAddress({ interface: { name }, address }: PlacedAddress): string {
  return `${name} ${address.address}/${address.prefixLength}`
}
