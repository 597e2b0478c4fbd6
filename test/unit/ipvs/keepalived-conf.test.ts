import { expect, test } from 'vitest'
import { servicesOfKeepalived } from '../../../agent/dataplane/ipvs/keepalived-conf.ts'

const main = '/etc/keepalived/keepalived.conf'

/** A configuration of these files, the first of which is the main one. */
const services = (text: string, others: Readonly<Record<string, string>> = {}): string[] | null => {
  const files: Readonly<Record<string, string>> = { [main]: text, ...others }
  return servicesOfKeepalived(main, {
    read: (path) => files[path] ?? null,
    list: (folder) =>
      Object.keys(files)
        .filter((path) => path.startsWith(folder) && !path.slice(folder.length).includes('/'))
        .map((path) => path.slice(folder.length)),
  })
}

test('services are named by address, port and protocol, whatever else stands in the file', () => {
  expect(
    services(`
! A comment, and # another
global_defs { router_id one }
vrrp_instance VI_1 {
  interface eth0 # virtual_server 10.0.0.9 80 {
  virtual_ipaddress {
    10.0.0.1/24 dev eth0
  }
}
virtual_server 10.0.0.1 80 {
  lb_algo rr
  protocol TCP
  real_server 10.0.0.2 80 {
    weight 1
    TCP_CHECK {
      connect_timeout 3
    }
  }
}
virtual_server 10.0.0.1 53 { protocol UDP
}
virtual_server FD00:0::1 8443
{
  real_server fd00::2 8443 { weight 1 }
}
virtual_server 10.0.0.4 {
  persistence_timeout 60
}`),
  ).toEqual(['tcp/10.0.0.1:80', 'tcp/10.0.0.4:0', 'tcp/[fd00::1]:8443', 'udp/10.0.0.1:53'])
})

test('a group names all its addresses, ranges and marks', () => {
  expect(
    services(`
virtual_server_group web {
  10.0.0.1 80
  10.0.0.9-11 443
  10.0.0.255-10.0.1.0 81
  10.0.2.5/31 82
  fd00::fe-100 83
  fwmark 7
  fwmark 8 inet6
}
virtual_server group web { protocol SCTP }`),
  ).toEqual(
    [
      'fwmark/7/ipv4',
      'fwmark/7/ipv6',
      'fwmark/8/ipv6',
      'sctp/10.0.0.10:443',
      'sctp/10.0.0.11:443',
      'sctp/10.0.0.1:80',
      'sctp/10.0.0.255:81',
      'sctp/10.0.0.9:443',
      'sctp/10.0.1.0:81',
      'sctp/10.0.2.4:82',
      'sctp/10.0.2.5:82',
      'sctp/[fd00::100]:83',
      'sctp/[fd00::fe]:83',
      'sctp/[fd00::ff]:83',
    ].toSorted(),
  )
})

test('a mark has the family that is said, or may have either', () => {
  expect(services('virtual_server fwmark 3 {\n ip_family inet\n}')).toEqual(['fwmark/3/ipv4'])
  expect(services('virtual_server fwmark 3 {\n}')).toEqual(['fwmark/3/ipv4', 'fwmark/3/ipv6'])
})

test('included files count, and lines for other hosts may be meant for this one', () => {
  expect(
    services('include sites/*.conf\ninclude /srv/one.conf\n@node1 virtual_server 10.0.0.3 80 {\n}', {
      '/etc/keepalived/sites/a.conf': 'virtual_server 10.0.0.1 80 {\n}',
      '/etc/keepalived/sites/b.conf': 'include more',
      '/etc/keepalived/sites/more': 'virtual_server 10.0.0.4 80 {\n}',
      '/etc/keepalived/sites/c.txt': 'virtual_server 10.0.0.8 80 {\n}',
      '/srv/one.conf': 'virtual_server 10.0.0.2 80 {\n}',
    }),
  ).toEqual(['tcp/10.0.0.1:80', 'tcp/10.0.0.2:80', 'tcp/10.0.0.3:80', 'tcp/10.0.0.4:80'])
})

test.each([
  ['a file that is included and not there', 'include gone.conf'],
  ['a file that includes itself', `include ${main}`],
  ['an address by substitution', 'virtual_server $VIP 80 {\n}'],
  ['a port by substitution', 'virtual_server 10.0.0.1 ${PORT} {\n}'],
  ['a group that is not there', 'virtual_server group web {\n}'],
  ['a range of no end', 'virtual_server_group a {\n10.0.0.0/8 80\n}\nvirtual_server group a {\n}'],
])('%s leaves unknown what is managed', (_what, text) => {
  expect(services(text)).toBeNull()
})

test('no text is too strange', () => {
  for (const text of ['', '}}}{{{', 'virtual_server', 'virtual_server {', '"', 'a { b {', '\0\n\r\n']) {
    expect([null, 'array']).toContain(services(text) === null ? null : 'array')
  }
})
