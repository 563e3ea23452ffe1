// Package systemd holds the units that run Steward on a Linux machine; its only Go is this test, which reads them
// and needs no systemd.
package systemd

import (
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"steward/internal/platform/config"
)

// unit returns the settings of a unit file: its keys, each with all its values.
func unit(t *testing.T, name string) map[string][]string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	set := map[string][]string{}
	for line := range strings.Lines(string(b)) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' || line[0] == '[' && line[len(line)-1] == ']' {
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		if !ok || strings.TrimSpace(key) != key {
			t.Errorf("%s: %q is no setting", name, line)
		}
		set[key] = append(set[key], value)
	}
	return set
}

func TestServiceIsHardened(t *testing.T) {
	s := unit(t, "steward.service")
	for key, want := range map[string]string{
		"DynamicUser": "yes", "NoNewPrivileges": "yes", "CapabilityBoundingSet": "", "AmbientCapabilities": "", "ProtectSystem": "strict",
		"ProtectHome": "yes", "PrivateTmp": "yes", "PrivateDevices": "yes", "StateDirectory": "steward", "StateDirectoryMode": "0700", "UMask": "0077",
		"RestrictNamespaces": "yes", "MemoryDenyWriteExecute": "yes", "SystemCallArchitectures": "native", "ProtectKernelModules": "yes", "ProtectKernelTunables": "yes",
	} {
		if !slices.Equal(s[key], []string{want}) {
			t.Errorf("%s is %q, not %q", key, s[key], want)
		}
	}
	if s["ReadWritePaths"] != nil {
		t.Errorf("it may write to %q beside its own folder", s["ReadWritePaths"])
	}
	if wait := s["TimeoutStopSec"]; !slices.Equal(wait, []string{"45s"}) {
		t.Errorf("requests may take 25 s after a drain wait of 5 s; systemd waits %q", wait)
	}
}

// TestUnitsHoldNoSecrets: an environment in a unit is readable by everybody on the machine.
func TestUnitsHoldNoSecrets(t *testing.T) {
	for _, name := range []string{"steward.service", "steward-backup.service"} {
		s := unit(t, name)
		for _, e := range s["Environment"] {
			if !regexp.MustCompile(`^[A-Z_]+_FILE=%d/[a-z-]+$`).MatchString(e) {
				t.Errorf("%s: %s", name, e)
			}
			_, file, _ := strings.Cut(e, "=%d/")
			if !slices.ContainsFunc(s["LoadCredential"], func(c string) bool { return strings.HasPrefix(c, file+":/etc/steward/") }) {
				t.Errorf("%s: nothing loads %s", name, file)
			}
		}
		if strings.Contains(strings.Join(s["ExecStart"], " "), "://") {
			t.Errorf("%s: an address on a command line: %s", name, s["ExecStart"])
		}
	}
}

// TestStewardAcceptsItsSettings reads the commands and the environment of the units as Steward would.
func TestStewardAcceptsItsSettings(t *testing.T) {
	folder := t.TempDir()
	for name, text := range map[string]string{"key": "", "oidc-client-secret": "k3Jd82hsk29sKd02\n", "database-url": "postgres:///steward?host=/run/postgresql\n"} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	// what install.md has people write to steward.env
	for k, v := range map[string]string{"STEWARD_BASE_URL": "https://steward.example", "STEWARD_OIDC_ISSUER": "https://id.example/realms/steward"} {
		t.Setenv(k, v)
	}
	for _, name := range []string{"steward.service", "steward-backup.service"} {
		s := unit(t, name)
		for _, e := range s["Environment"] {
			k, v, _ := strings.Cut(e, "=")
			t.Setenv(k, strings.Replace(v, "%d", folder, 1))
		}
		words := strings.Fields(s["ExecStart"][0])
		if words[0] != "/usr/local/bin/steward" {
			t.Errorf("%s runs %s", name, words[0])
		}
		if _, err := config.Parse(words[1:], io.Discard); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	timer := unit(t, "steward-backup.timer")
	if !slices.Equal(timer["OnCalendar"], []string{"*-*-* 02:30:00"}) || !slices.Equal(timer["Persistent"], []string{"yes"}) {
		t.Errorf("the timer: %q", timer)
	}
}
