package config

import "testing"

func TestScanner(t *testing.T) {
	for text, want := range map[string]Scanner{
		"": {}, "tcp:clamd.example:3310": {"tcp", "clamd.example:3310"}, "tcp:[::1]:3310": {"tcp", "[::1]:3310"}, "unix:/run/clamd.sock": {"unix", "/run/clamd.sock"},
	} {
		var s Scanner
		if err := s.UnmarshalText([]byte(text)); err != nil || s != want {
			t.Errorf("%q: %+v, %v", text, s, err)
		}
	}
	for _, text := range []string{"clamd:3310", "tcp:clamd", "tcp::3310", "unix:", "unix:clamd.sock", "udp:x:1", "tcp:"} {
		if err := new(Scanner).UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}
