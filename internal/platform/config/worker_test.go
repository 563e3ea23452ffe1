package config

import (
	"strings"
	"testing"
)

func TestUnsafeWorkerIsRefused(t *testing.T) {
	quiet(t)
	key := keyFile(t, 0o600)
	for line, refuse := range map[string]string{
		"worker":                                           "",
		"worker --ops-listen= --parallel 1":                "",
		"worker --parallel 0":                              "--parallel is 1 or more",
		"worker --ops-listen 0.0.0.0:9091":                 "--ops-listen 0.0.0.0:9091 reaches other machines",
		"worker --ops-listen nowhere":                      "not HOST:PORT",
		"worker --database mysql://db":                     "neither sqlite:PATH nor postgres",
		"worker --database " + good:                        "needs --key-file",
		"worker --key-file " + keyFile(t, 0o604):           "can open the key file",
		"worker --database " + good + " --key-file " + key: "",
		"worker --production --ops-listen 0.0.0.0:9091 --database " + good + " --key-file " + key:               "",
		"worker --production --database postgres://steward@db/steward --key-file " + key:                        "sslmode=verify-full",
		"worker --production --database postgres://steward:pw@db/steward?sslmode=verify-full --key-file " + key: "password is on the command line",
		"worker --production --database sqlite::memory:":                                                        "lost at every stop",
	} {
		cmd, err := parse(line)
		switch {
		case refuse == "" && err != nil:
			t.Errorf("%s: %v", line, err)
		case refuse != "" && (err == nil || !strings.Contains(err.Error(), refuse)):
			t.Errorf("%s is not refused for %q: %v", line, refuse, err)
		case err == nil && (cmd.Name != "worker" || cmd.storage() != &cmd.Worker.Storage):
			t.Errorf("%s: %+v", line, cmd)
		}
	}
}
