package store

import "testing"

// TestSeveralHosts: the spelling of libpq with several hosts becomes the one that lib/pq reads.
func TestSeveralHosts(t *testing.T) {
	for given, want := range map[string][3]string{
		"postgres://u:p@a:5433,b:5434/n?x=y": {"postgres://u:p@/n?x=y", "a,b", "5433,5434"},
		"postgres://u@a,b:5433/n":            {"postgres://u@/n", "a,b", "5432,5433"},
		"postgres://[::1]:5433,[::2]/n":      {"postgres:///n", "::1,::2", "5433,5432"},
		"postgres://u:p,q@a:5433/n":          {"postgres://u:p,q@a:5433/n", "", ""},
		"postgres://u@a/n?host=x,y&port=1,2": {"postgres://u@a/n?host=x,y&port=1,2", "", ""},
		"postgres://u@one,two":               {"postgres://u@", "one,two", "5432,5432"},
	} {
		rest, hosts, ports := severalHosts(given)
		if got := [3]string{rest, hosts, ports}; got != want {
			t.Errorf("%s: %q, want %q", given, got, want)
		}
	}
	dsn, err := postgresDSN("postgres://u@a:1,b:2/n?target_session_attrs=read-write", Options{})
	if want := "postgres://u@/n?application_name=steward&binary_parameters=yes&host=a%2Cb&jit=off&port=1%2C2&target_session_attrs=read-write&timezone=UTC"; err != nil || dsn != want {
		t.Errorf("%s %v, want %s", dsn, err, want)
	}
}
