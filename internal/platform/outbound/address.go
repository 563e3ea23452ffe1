package outbound

import "net/netip"

// special are the networks within the public ranges that are not the public internet: those of the IANA
// registries of special-purpose addresses. Of IPv6 only 2000::/3 is public at all, which leaves out
// loopback, link-local, site-local, unique local, multicast, and the prefixes that carry an IPv4 address
// (64:ff9b::/96 and its local twin, the compatible and mapped ones).
var special = prefixes(
	"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24",
	"192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24",
	"203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
	"2001::/23",     // protocol assignments, Teredo among them
	"2001:db8::/32", // documentation
	"2002::/16",     // 6to4: carries any IPv4 address
	"2620:4f:8000::/48",
	"3fff::/20", // documentation
)

var global6 = netip.MustParsePrefix("2000::/3")

func prefixes(list ...string) (out []netip.Prefix) {
	for _, text := range list {
		out = append(out, netip.MustParsePrefix(text))
	}
	return out
}

// Public reports whether an address belongs to the public internet.
func Public(to netip.Addr) bool {
	to = to.Unmap().WithZone("")
	if !to.IsValid() || to.Is6() && !global6.Contains(to) {
		return false
	}
	for _, p := range special {
		if p.Contains(to) {
			return false
		}
	}
	return true
}
