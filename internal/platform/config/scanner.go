package config

import (
	"fmt"
	"net"
	"path/filepath"
	"strings"
)

// Scanner is where a virus scanner listens, as --scanner says it: "tcp:HOST:PORT"
// or "unix:PATH". The zero Scanner is none.
type Scanner struct{ Network, Address string }

// UnmarshalText reads the setting; one that names no address is refused.
func (s *Scanner) UnmarshalText(text []byte) error {
	s.Network, s.Address, _ = strings.Cut(string(text), ":")
	switch s.Network {
	case "":
		return nil
	case "unix":
		if !filepath.IsAbs(s.Address) {
			return fmt.Errorf("the scanner %q is no absolute path: unix:PATH", text)
		}
		return nil
	case "tcp":
		host, port, err := net.SplitHostPort(s.Address)
		if err == nil && host != "" && port != "" {
			return nil
		}
	}
	return fmt.Errorf("the scanner %q is neither tcp:HOST:PORT nor unix:PATH", text)
}
