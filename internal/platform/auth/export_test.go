package auth

import (
	"context"
	"encoding/json"
	"log/slog"
)

// RolesOf lets the golden table of claims reach the role reader.
func RolesOf(path string, content map[string]any) []string {
	a := &Auth{cfg: Config{RolesClaim: path}, log: slog.New(slog.DiscardHandler)}
	b, err := json.Marshal(content)
	if err != nil {
		panic(err)
	}
	var c claims
	if err := json.Unmarshal(b, &c); err != nil {
		panic(err)
	}
	return a.roles(context.Background(), &c)
}

// Secrets of the API token format.
var (
	NewAPIToken = newAPIToken
	WellFormed  = wellFormed
)
